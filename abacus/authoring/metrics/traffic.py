"""How long a new experiment takes, from the traffic of a running product."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from abacus.authoring.plan import describe
from abacus.product_api import ProductApi
from abacus.shares import percent
from chalicelib.analysis.duration.needed import needed, needed_for_mean
from chalicelib.domain.errors import AbacusError
from chalicelib.domain.metrics import MetricName

ASSUMED_RATE = 0.05  # where no experiment is measured yet


@dataclass(frozen=True)
class Traffic:
    """Live traffic to plan with. `rate`, or `mean` and `spread`: None if the metric is not measured yet; `source`: the
    experiment."""

    per_day: float
    rate: float | None
    source: str
    mean: float | None = None
    spread: float | None = None


def live_traffic(api: ProductApi, metric: str) -> Traffic | None:
    """The traffic of the running experiment with the most visitors; None if there is none but simulated."""
    entries = [e for e in api.experiments(days=True) if e["status"] == "running" and not e.get("simulated")]
    days = {e["experiment"]: (e.get("series") or [])[:-1] for e in entries}  # without today, which is not over
    totals = {key: sum(day["visitors"] for day in series) for key, series in days.items()}
    key = max(totals, key=lambda k: totals[k], default="")
    if not totals.get(key):
        return None
    report = api.experiment(key)
    if metric in {mean["metric"] for mean in report.get("means", ())}:
        plan = api.experiment(key, goal=metric)["plan"]
        return Traffic(totals[key] / len(days[key]), None, key, plan["mean"], plan["spread"])
    measured = api.experiment(key, goal=metric) if metric in report["goals"] else None
    rate = next((v["rate"] for v in measured["variants"] if v["control"]), None) if measured else None
    return Traffic(totals[key] / len(days[key]), rate, key)


@dataclass(frozen=True)
class Wanted:
    """What is to be found: a relative change of the metric, by an even split between so many variants."""

    metric: MetricName
    lift: float
    variants: int


def duration(wanted: Wanted, rate: float | None, per_day: float | None, base_url: str) -> Iterator[str]:
    """How long it takes, in lines. rate, per_day: None to measure them at `base_url`, "" where nothing runs."""
    traffic = None
    if base_url and (rate is None or per_day is None):
        try:
            api = ProductApi(base_url, os.environ.get("ABACUS_READ_KEY", ""))
            traffic = live_traffic(api, str(wanted.metric))
        except AbacusError as error:
            yield f"No live traffic could be read: {error.message}"
    if traffic:
        yield f"Traffic as of {traffic.source}: {traffic.per_day:,.0f} visitors a day."
    per_day = per_day or (traffic.per_day if traffic else None)
    shares = [1 / wanted.variants] * wanted.variants
    if wanted.metric.kind != "rate":
        yield from _of_mean(wanted, traffic, shares, per_day)
        return
    measured = traffic.rate if traffic else None
    if rate is None and not measured:
        yield f"Assumed: {percent(ASSUMED_RATE)} of visitors convert today; add --rate to change that."
    baseline = rate or measured or ASSUMED_RATE
    answer = needed(baseline, wanted.lift, shares)
    if answer is None:
        yield f"A rate of {percent(baseline)} cannot change by {percent(wanted.lift)}: there is nothing to plan."
    else:
        yield describe(answer, shares, per_day)


def _of_mean(wanted: Wanted, traffic: Traffic | None, shares: list[float], per_day: float | None) -> Iterator[str]:
    answer = needed_for_mean(traffic.mean or 0.0, traffic.spread or 0.0, wanted.lift, shares) if traffic else None
    if answer is not None:
        yield describe(answer, shares, per_day)
        return
    yield f"How long it takes depends on mean and spread of {wanted.metric}, which are not measured yet."
    lift = percent(wanted.lift)
    yield f"Once you know them: abacus plan --mean MEAN --spread SPREAD --lift '{lift}' --per-day VISITORS"

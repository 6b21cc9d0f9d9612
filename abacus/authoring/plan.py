"""`abacus plan`: how many visitors it takes to detect a lift, and how long that takes."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, replace
from typing import Any

import click

from abacus.aws.errors import report_errors
from abacus.aws.target import address
from abacus.options import CHANGE, SHARE, home_option, region_option, stage_option, use_region
from abacus.product_api import ProductApi
from abacus.shares import as_number
from abacus.shares import percent as exact_percent
from chalicelib.analysis.comparison import EQUIVALENCE_MARGIN
from chalicelib.analysis.duration.needed import Needed, attainable, needed_for_guardrail, whole_weeks
from chalicelib.analysis.duration.planning import Baseline
from chalicelib.analysis.wording import count, percent, split
from chalicelib.statistics.power import POWER

POSITIVE = click.FloatRange(0, min_open=True)


@dataclass(frozen=True)
class PlannedTraffic:
    """The visitors to plan with. per_day: of the page, None if it is not known. coverage: the share of them who take
    part. margin: relative differences up to it count as none."""

    per_day: float | None
    coverage: float
    margin: float

    @property
    def participants_per_day(self) -> float | None:
        """Visitors per day who take part; None if that is not known."""
        return self.per_day * self.coverage if self.per_day else None


@click.command("plan")
@click.option("--rate", type=SHARE, help="Share of visitors who convert today, such as '4 %'.")
@click.option("--mean", type=POSITIVE, help="Of a value or count: units per visitor today. Needs --spread.")
@click.option("--spread", type=POSITIVE, help="Standard deviation of one visitor's value, 0 for those without.")
@click.option("--from", "source", metavar="EXPERIMENT", help="Take rate or mean, spread and visitors from live data.")
@click.option("--metric", metavar="NAME", default="", help="With --from: a goal, goal.value or goal.count.")
@click.option("--lift", type=CHANGE, required=True, help="Relative change to detect: '10 %' turns 4 % into 4.4 %.")
@click.option("--variants", type=click.IntRange(2, 20), default=2, show_default=True, help="How many variants.")
@click.option("--weights", metavar="SHARES", help="An uneven split, the control first: '90 %, 10 %'.")
@click.option("--per-day", type=click.FloatRange(0, min_open=True), help="Visitors of the page per day.")
@click.option(
    "--margin", type=SHARE, default=EQUIVALENCE_MARGIN, help="Differences up to it count as none. Default: 1 %."
)
@click.option("--coverage", type=SHARE, default=1.0, help="Share of them who take part. Default: 100 %.")
@click.option("--guardrail", type=SHARE, help="Plan a guardrail on this metric too, with this acceptable loss.")
@stage_option
@region_option
@home_option
@report_errors
def command(lift: float, variants: int, weights: str | None, guardrail: float | None, **options: Any) -> None:
    """Calculate how many visitors each variant needs to detect LIFT over a rate or a mean.

    A positive LIFT is planned for both directions, better and worse, by the one that needs more visitors. The report
    plans the same way for `minimum_detectable_effect: LIFT` and `equivalence_margin: MARGIN`."""
    traffic = PlannedTraffic(*(options.pop(name) for name in ("per_day", "coverage", "margin")))
    _require_possible(lift, traffic)
    baseline, per_day = _baseline(**options)
    traffic = traffic if traffic.per_day or not per_day else replace(traffic, per_day=per_day)
    shares = parse_weights(weights) if weights else [1 / variants] * variants
    click.echo(planned(baseline, lift, shares, traffic, guardrail))


def _require_possible(lift: float, traffic: PlannedTraffic) -> None:
    if traffic.coverage <= 0:
        raise click.UsageError("--coverage: 0 % leaves nothing to plan; write a share like 4 %")
    if lift <= -1:
        raise click.UsageError(f"--lift: {exact_percent(lift)} is impossible; a rate can fall by less than 100 %")


def planned(
    baseline: Baseline, lift: float, shares: list[float], traffic: PlannedTraffic, guardrail: float | None = None
) -> str:
    """How many visitors it takes, in a few lines. `guardrail`: a margin to plan for too. Raises UsageError where there
    is nothing to plan."""
    _require_possible(lift, traffic)
    answer = baseline.needed(lift, shares)
    if answer is None or (baseline.rate is not None and not attainable(baseline.rate, lift)):
        known = baseline.rate or 0.0
        reached = f"a rate of {percent(known)} would become {percent(known * (1 + lift))}"
        raise click.UsageError(f"--lift: there is nothing to detect, {reached}")
    text = describe(answer, shares, traffic.participants_per_day, traffic.margin)
    if guardrail and (visitors := needed_for_guardrail(baseline.variation, guardrail, shares)):
        how = f"to be certain that it is at most {percent(guardrail)} worse, if nothing differs"
        text += "\n" + _needs(how, visitors, traffic.participants_per_day)
    return text


def _baseline(
    rate: float | None,
    mean: float | None,
    spread: float | None,
    source: str | None,
    metric: str,
    **place: Any,
) -> tuple[Baseline, float | None]:
    """What the visitors do today, and how many come a day if a running product tells."""
    if metric and not source:
        raise click.UsageError("--metric: names a metric of live data; add --from EXPERIMENT")
    given = [name for name, value in (("--rate", rate), ("--mean", mean), ("--from", source)) if value is not None]
    if len(given) != 1:
        raise click.UsageError(f"{' and '.join(given) or '--rate'}: write one of --rate, --mean with --spread, --from")
    if (mean is None) != (spread is None):
        raise click.UsageError("--spread: belongs to --mean, and --mean needs it; --from EXPERIMENT measures both")
    if rate is not None and not 0 < rate < 1:
        raise click.UsageError(f"--rate: {exact_percent(rate)} leaves nothing to plan; write a share like 4 %")
    if source is None:
        return Baseline(rate, mean, spread), None
    use_region(place["region"])
    api = ProductApi(address(place["stage"], place["home"], os.environ), os.environ.get("ABACUS_READ_KEY", ""))
    measured = api.experiment(source, goal=metric)["plan"]
    if measured["lift"] is None:
        raise click.UsageError(f"--from: {source} has measured nothing to plan from yet; give --rate, or --mean")
    return Baseline(measured["rate"], measured["mean"], measured["spread"]), measured["visitors_per_day"]


def parse_weights(text: str) -> list[float]:
    """`90 %, 10 %` or `0.9,0.1` as shares that add up to 1. Raises UsageError with value, rule and next step."""
    weights = [as_number(part.strip()) for part in text.split(",")]
    known = [weight for weight in weights if weight is not None and weight > 0]
    if len(known) < len(weights) or len(weights) < 2:
        raise click.UsageError(f"--weights: {text!r} is not a list of shares above 0; write '90 %, 10 %' or 0.9,0.1")
    if not math.isclose(sum(known), 1, abs_tol=1e-6):
        raise click.UsageError(
            f"--weights: {text} add up to {exact_percent(sum(known))}, not to 100 %; "
            "leave --weights out for an even split"
        )
    return known


def describe(answer: Needed, weights: list[float], per_day: float | None, margin: float = EQUIVALENCE_MARGIN) -> str:
    """The answer in a few lines. `per_day`: visitors who take part per day; None: unknown. `margin`: the relative
    difference that counts as none."""
    baseline = Baseline(answer.rate, answer.mean, answer.spread)
    equivalent = baseline.equivalent(margin, weights)
    if answer.rate is not None:
        becomes = f"{percent(answer.rate, 3)} becomes {percent(answer.rate * (1 + answer.lift), 3)}"
    else:
        mean = answer.mean or 0.0
        becomes = f"a mean of {mean:.4g}, spread {answer.spread or 0.0:.4g}, becomes {mean * (1 + answer.lift):.4g}"
    lines = [
        f"To detect a lift of {percent(answer.lift)} ({becomes}) in {percent(POWER)} of cases, "
        f"{len(weights)} variants split {split(weights)}:",
        _needs("looking as often as you like", answer.visitors, per_day),
        _needs("a single look at the end", answer.fixed, per_day),
    ]
    if equivalent:
        lines.append(_needs(f"to show that nothing differs by more than {percent(margin)}", equivalent, per_day))
    if per_day is None:
        lines.append("How long does that take? Add --per-day VISITORS.")
    return "\n".join(lines)


def _needs(how: str, visitors: tuple[int, ...], per_day: float | None) -> str:
    even = len(set(visitors)) == 1
    each = f"{count(visitors[0], 'visitor')} per variant" if even else " + ".join(f"{n:,}" for n in visitors)
    text = f"  {how}: {each}, {sum(visitors):,} in all"
    if per_day is None:
        return text
    days = whole_weeks(math.ceil(sum(visitors) / per_day))
    return f"{text}: {days:,} days ({count(days // 7, 'week')})"

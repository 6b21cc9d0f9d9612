"""How often the check for a drifting lift is raised where nothing drifts: a Markdown table of `abacus prove`."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from functools import partial
from random import Random
from typing import NamedTuple

from abacus.simulation.metrics.tables import SHOPS
from abacus.simulation.metrics.trials import BUY, Shop, buyers_tally
from abacus.simulation.random_counts import binomial, multinomial
from abacus.simulation.tables import play_each, row, share, size
from abacus.simulation.trials import BEGAN
from chalicelib.analysis.checks.check import State
from chalicelib.analysis.checks.validity import novelty
from chalicelib.analysis.sample import Window, select
from chalicelib.domain.metrics import MetricKind, MetricName
from chalicelib.storage.tally import Cell, Tallies

DAYS = 14


class Daily(NamedTuple):
    """A shop with so many visitors a day in all, by the rate of buyers or by their value."""

    name: str
    shop: Shop
    visitors: int
    kind: MetricKind


def drift(daily: Daily, rng: Random) -> State:
    """What the check says of one experiment whose variants are alike on every day."""
    tallies: Tallies = {}
    for day in range(DAYS):
        for variant, n in zip("ab", multinomial(rng, daily.visitors, daily.shop.weights), strict=True):
            cell = Cell("day", (BEGAN + timedelta(days=day)).isoformat(), 0, variant)
            tallies[cell] = buyers_tally(daily.shop, n, binomial(rng, n, daily.shop.rate), rng)
    sample = select(daily.shop.experiment, tallies, BUY, Window(), BEGAN)
    return novelty(sample.for_metric(MetricName(BUY, daily.kind))).state


def visitors_of(shop: Shop) -> int:
    """So many a day that some 38 buy in the smaller variant: little more than the check needs of a day."""
    return round(1250 / min(shop.weights))


def drift_alarms(pool: ProcessPoolExecutor, experiments: int, seed: int) -> list[str]:
    """The shares of a warning (p < 1 %) and of an alarm (p < 0.1 %), at one look after 14 days."""
    lines = [row("drift check, no drift, 14 days", "warning or alarm", "alarm"), "|---|--:|--:|"]
    kinds = [Daily("rate of buyers", SHOPS[0], 2500, "rate")]
    kinds += [Daily(shop.name, shop, visitors_of(shop), "value") for shop in SHOPS]
    for daily in kinds:
        states = play_each(pool, partial(drift, daily), experiments, f"{seed}/drift/{daily.name}/{daily.visitors}")
        lines.append(
            row(
                f"{daily.name}; {daily.visitors:,} a day",
                share(state != "ok" for state in states),
                share(state == "alarm" for state in states),
            )
        )
    return lines + size(experiments)

"""Whether the planner's visitors find what they promise to find: a Markdown table of `abacus prove`."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from random import Random
from typing import NamedTuple

from abacus.simulation.random_counts import binomial
from abacus.simulation.tables import play_each, row, share, size
from chalicelib.analysis.duration.needed import needed
from chalicelib.statistics import ALPHA, Counts
from chalicelib.statistics.rates import z_test
from chalicelib.statistics.sequential.lift_evidence import evidence

PLANS = (
    (0.05, 0.1, (0.5, 0.5)),
    (0.05, 0.1, (0.9, 0.1)),
    (0.05, 0.1, (0.1, 0.9)),
    (0.6, 0.1, (0.5, 0.5)),
    (0.6, 0.1, (0.1, 0.9)),
    (0.8, 0.1, (0.5, 0.5)),
)


class Found(NamedTuple):
    """Whether a lift was found by the visitors of each plan: the sequential test's, and a single look's."""

    sequential: bool
    fixed: bool


def planned_look(rate: float, lift: float, plan: tuple[tuple[int, ...], tuple[int, ...]], rng: Random) -> Found:
    """One look with the sequential plan's visitors, and one with the fixed-horizon plan's, in the right direction."""
    sequential, fixed = (_arms(rate, lift, visitors, rng) for visitors in plan)
    decided = evidence(*sequential)
    z = z_test(*fixed)
    return Found(decided.p <= ALPHA and decided.z * lift > 0, z.p <= ALPHA and z.z * lift > 0)


def _arms(rate: float, lift: float, visitors: tuple[int, ...], rng: Random) -> tuple[Counts, Counts]:
    a, b = visitors
    return Counts(binomial(rng, a, rate), a), Counts(binomial(rng, b, rate * (1 + lift)), b)


def planned_power(pool: ProcessPoolExecutor, experiments: int, seed: int) -> list[str]:
    """How often a planned lift is found at one look, as a rise and as a fall; planned for 80 %."""
    lines = [
        row(
            "planned: 10 %", "visitors", "rise found", "fall found", "visitors, single look", "rise found", "fall found"
        ),
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for rate, lift, weights in PLANS:
        plan = needed(rate, lift, weights)
        if plan is None:
            continue
        trials = [
            play_each(
                pool,
                partial(planned_look, rate, direction, (plan.visitors, plan.fixed)),
                experiments,
                f"{seed}/planned/{rate}/{weights}/{direction}",
            )
            for direction in (lift, -lift)
        ]
        lines.append(
            row(
                f"over {100 * rate:g} %, split {'/'.join(f'{100 * w:g}' for w in weights)}",
                f"{sum(plan.visitors):,}",
                *(share(outcome.sequential for outcome in outcomes) for outcomes in trials),
                f"{sum(plan.fixed):,}",
                *(share(outcome.fixed for outcome in outcomes) for outcomes in trials),
            )
        )
    return lines + size(experiments)

"""The Markdown tables of `abacus prove` on revenue as primary metric, and on guardrails."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from statistics import median

from abacus.simulation.metrics.trials import Rail, Shop, run_rail, run_shop
from abacus.simulation.tables import play_each, row, share
from abacus.simulation.trials import log_spaced
from chalicelib.analysis.duration.needed import needed_for_guardrail, variation_of

SHOPS = (
    Shop("3 % buy, σ 1, cap at 99 % of orders"),
    Shop("3 % buy, σ 1.5, cap at 99 % of orders", sigma=1.5),
    Shop("3 % buy, σ 1.5, no cap", sigma=1.5, cap=None),
    Shop("3 % buy, σ 1.5, split 90/10", sigma=1.5, weights=(0.9, 0.1)),
)
MOST = 100_000  # visitors of an experiment without any difference
RAIL_RATE, RAIL_MARGIN = 0.1, 0.1


def revenue_and_guardrails(pool: ProcessPoolExecutor, experiments: int, looks: int, seed: int) -> list[list[str]]:
    """False winners and coverage, power, and guardrails: a table each."""
    return [
        _without_difference(pool, experiments, looks, seed),
        _power(pool, experiments, looks, seed),
        _rails(pool, experiments, looks, seed),
    ]


def _without_difference(pool: ProcessPoolExecutor, experiments: int, looks: int, seed: int) -> list[str]:
    lines = [
        row(
            "revenue, no difference",
            "experiments",
            "winner or loser named",
            "truth missed",
            "holds at the end",
        ),
        "|---|--:|--:|--:|--:|",
    ]
    for shop in SHOPS:
        trial = partial(run_shop, shop, log_spaced(1000, MOST, looks))
        outcomes = play_each(pool, trial, experiments, f"{seed}/revenue/{shop.name}")
        lines.append(
            row(
                shop.name,
                f"{len(outcomes):,}",
                share(o.decided is not None for o in outcomes),
                share(o.missed is not None for o in outcomes),
                share(o.covers for o in outcomes),
            )
        )
    return lines


def _power(pool: ProcessPoolExecutor, experiments: int, looks: int, seed: int) -> list[str]:
    lines = [
        row("10 % more revenue", "experiments", "visitors N", "found by N", "by 2N", "median visitors", "loser named"),
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for shop in SHOPS[:2]:
        real, n = replace(shop, lift=0.1), shop.visitors
        trial = partial(run_shop, real, _even(2 * n, looks))
        outcomes = play_each(pool, trial, experiments, f"{seed}/more revenue/{shop.name}")
        won = [o.decided if o.winner else None for o in outcomes]
        lines.append(
            row(
                shop.name,
                f"{len(outcomes):,}",
                f"{n:,}",
                share(at is not None and at <= n for at in won),
                share(at is not None for at in won),
                f"{median(at or 2 * n for at in won) / n:.2f} N",
                share(o.decided is not None and not o.winner for o in outcomes),
            )
        )
    return lines


def _rails(pool: ProcessPoolExecutor, experiments: int, looks: int, seed: int) -> list[str]:
    each = needed_for_guardrail(variation_of(RAIL_RATE), RAIL_MARGIN, (0.5, 0.5)) or (0, 0)
    n = sum(each)
    lines = [
        row("guardrail: rate 10 %, margin 10 %; true change", "experiments", "ok by N", "ok by 2N", "broken by 2N"),
        "|---|--:|--:|--:|--:|",
    ]
    for lift in (0.0, -RAIL_MARGIN, -2 * RAIL_MARGIN):
        trial = partial(run_rail, Rail(RAIL_RATE, RAIL_MARGIN, lift), _even(2 * n, looks))
        outcomes = play_each(pool, trial, experiments, f"{seed}/guardrail/{lift}")
        lines.append(
            row(
                f"{100 * lift:g} %",
                f"{len(outcomes):,}",
                share(o.ok is not None and o.ok <= n for o in outcomes),
                share(o.ok is not None for o in outcomes),
                share(o.broken is not None for o in outcomes),
            )
        )
    return lines


def _even(last: int, looks: int) -> tuple[int, ...]:
    """Looks evenly spread, one of them at half the visitors."""
    spread: Sequence[int] = [last * look // looks for look in range(1, looks + 1)]
    return tuple(sorted({*spread, last // 2}))

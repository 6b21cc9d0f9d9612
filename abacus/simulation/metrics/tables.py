"""The Markdown tables of `abacus prove` on revenue as primary metric, and on guardrails."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial

from abacus.simulation.metrics.trials import Rail, Shop, run_rail, run_shop
from abacus.simulation.tables import median_of, play_each, row, share, size
from abacus.simulation.trials import log_spaced
from chalicelib.analysis.duration.needed import needed_for_guardrail

SHOPS = (
    Shop("3 % buy, σ 1, cap at 99 % of orders"),
    Shop("3 % buy, σ 1.5, cap at 99 % of orders", sigma=1.5),
    Shop("3 % buy, σ 1.5, no cap", sigma=1.5, cap=None),
    Shop("3 % buy, σ 1.5, split 90/10", sigma=1.5, weights=(0.9, 0.1)),
    Shop("3 % buy, Pareto 1.5, cap at 99 % of orders", pareto=1.5),
    Shop("3 % buy, Pareto 1.5, no cap", pareto=1.5, cap=None),
)
RAILS = (
    Rail("rate 10 %", 0.1, 0.1),
    Rail("revenue, σ 1, cap", 0.03, 0.1, shop=SHOPS[0]),
    Rail("revenue, σ 1.5, cap", 0.03, 0.1, shop=SHOPS[1]),
)
MOST = 100_000  # visitors of an experiment without any difference


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
            "winner or loser named",
            "truth missed",
            "holds at the end",
        ),
        "|---|--:|--:|--:|",
    ]
    for shop in SHOPS:
        trial = partial(run_shop, shop, log_spaced(1000, MOST, looks))
        outcomes = play_each(pool, trial, experiments, f"{seed}/revenue/{shop.name}")
        lines.append(
            row(
                shop.name,
                share(o.decided is not None for o in outcomes),
                share(o.missed is not None for o in outcomes),
                share(o.covers for o in outcomes),
            )
        )
    return lines + size(experiments)


def _power(pool: ProcessPoolExecutor, experiments: int, looks: int, seed: int) -> list[str]:
    lines = [
        row("10 % more revenue", "visitors N", "found by N", "by 2N", "median visitors", "loser named"),
        "|---|--:|--:|--:|--:|--:|",
    ]
    for shop in SHOPS[:2]:
        real, n = replace(shop, lift=0.1), shop.visitors
        trial = partial(run_shop, real, _even(2 * n, looks))
        outcomes = play_each(pool, trial, experiments, f"{seed}/more revenue/{shop.name}")
        won = [o.decided if o.winner else None for o in outcomes]
        lines.append(
            row(
                shop.name,
                f"{n:,}",
                share(at is not None and at <= n for at in won),
                share(at is not None for at in won),
                median_of([at or 2 * n for at in won], n),
                share(o.decided is not None and not o.winner for o in outcomes),
            )
        )
    return lines + size(experiments)


def _rails(pool: ProcessPoolExecutor, experiments: int, looks: int, seed: int) -> list[str]:
    lines = [
        row("guardrail, margin 10 %; true change", "N", "ok by N", "ok by 2N", "broken by 2N"),
        "|---|--:|--:|--:|--:|",
    ]
    for rail in RAILS:
        n = sum(needed_for_guardrail(rail.variation, rail.margin, (0.5, 0.5)) or (0, 0))
        for lift in (0.0, -rail.margin, -2 * rail.margin):
            trial = partial(run_rail, replace(rail, lift=lift), _even(2 * n, looks))
            outcomes = play_each(pool, trial, experiments, f"{seed}/guardrail/{rail.name}/{lift}")
            lines.append(
                row(
                    f"{rail.name}: {100 * lift:g} %",
                    f"{n:,}",
                    share(o.ok is not None and o.ok <= n for o in outcomes),
                    share(o.ok is not None for o in outcomes),
                    share(o.broken is not None for o in outcomes),
                )
            )
    return lines + size(experiments)


def _even(last: int, looks: int) -> tuple[int, ...]:
    """Looks evenly spread, one of them at half the visitors."""
    spread: Sequence[int] = [last * look // looks for look in range(1, looks + 1)]
    return tuple(sorted({*spread, last // 2}))

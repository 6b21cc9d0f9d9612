"""The Markdown tables of `abacus prove` on what stands next to the decision."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from random import Random
from statistics import fmean, median
from typing import TypeVar

from abacus.simulation.calibration import chance_to_be_best, change_of_weights, split_alarm, time_to_decision

T = TypeVar("T")
LIFTS = (0.02, 0.05, 0.1, 0.2, 0.5)


def play_each(pool: ProcessPoolExecutor, trial: Callable[[Random], T], experiments: int, name: str) -> list[T]:
    """One result of `trial` for each experiment; `name` seeds them."""
    seeds = [f"{name}/{n}" for n in range(experiments)]
    return list(pool.map(partial(_seeded, trial), seeds, chunksize=25))


def _seeded(trial: Callable[[Random], T], seed: str) -> T:
    return trial(Random(seed))


def share(hits: Iterable[bool]) -> str:
    """
    >>> share([True, False, False, False])
    '25.0 %'
    """
    answers = list(hits)
    return f"{100 * sum(answers) / len(answers):.1f} %"


def row(*cells: str) -> str:
    """One line of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def next_to_the_decision(pool: ProcessPoolExecutor, experiments: int, seed: int) -> list[list[str]]:
    """Time to a decision, chances to be best, the split alarm, visitors in two variants: one table each."""
    return [
        _times(pool, experiments, seed),
        _chances(pool, experiments, seed),
        _alarms(pool, experiments, seed),
        _changes(pool, max(50, experiments // 20), seed),
    ]


def _times(pool: ProcessPoolExecutor, experiments: int, seed: int) -> list[str]:
    lines = [row("median time to decide a real lift", "ABacus", "GrowthBook's formula"), "|---|--:|--:|"]
    for rate in (0.02, 0.2):
        for lift in LIFTS:
            trial = partial(time_to_decision, rate, lift)
            decisions = play_each(pool, trial, experiments, f"{seed}/time/{rate}/{lift}")
            abacus_visitors, growthbook_visitors = (median(times) for times in zip(*decisions, strict=True))
            lines.append(
                row(
                    f"{100 * lift:g} % over {100 * rate:g} %",
                    f"{abacus_visitors:.2f} N",
                    f"{growthbook_visitors:.2f} N",
                )
            )
    trial = partial(time_to_decision, 0.5, 0.2)
    decisions = play_each(pool, trial, experiments, f"{seed}/time/0.5/0.2")
    abacus_visitors, growthbook_visitors = (median(times) for times in zip(*decisions, strict=True))
    return [*lines, row("20 % over 50 %", f"{abacus_visitors:.2f} N", f"{growthbook_visitors:.2f} N")]


def _chances(pool: ProcessPoolExecutor, experiments: int, seed: int) -> list[str]:
    heading = row(
        "true lifts, visitors in each arm", "`p_best` ≥ 95 %", "says", "true", "flat prior ≥ 95 %", "says", "true"
    )
    lines = [heading, "|---|--:|--:|--:|--:|--:|--:|"]
    for spread, visitors in ((0.03, 10_000), (0.03, 50_000), (0.1, 10_000), (0.1, 50_000)):
        trial = partial(chance_to_be_best, spread, 0.05, visitors)
        claims = play_each(pool, trial, 4 * experiments, f"{seed}/chance/{spread}/{visitors}")
        cells = [f"N(0, {100 * spread:g} %), {visitors:,}"]
        for claimed in ([(c.claimed, c.true) for c in claims], [(c.flat, c.true) for c in claims]):
            sure = [(chance, true) for chance, true in claimed if chance >= 0.95]
            probability = f"{100 * fmean(chance for chance, _ in sure):.1f} %" if sure else "–"
            cells += [
                share(chance >= 0.95 for chance, _ in claimed),
                probability,
                share(t for _, t in sure) if sure else "–",
            ]
        lines.append(row(*cells))
    return lines


def _alarms(pool: ProcessPoolExecutor, experiments: int, seed: int) -> list[str]:
    heading = row(
        "share of visitors in b, 50 % configured",
        "e-value 100: alarm",
        "median visitors",
        "χ² p < 0.001: alarm",
        "median visitors",
    )
    lines = [heading, "|---|--:|--:|--:|--:|"]
    for in_b in (0.5, 0.51, 0.52):
        alarms = play_each(pool, partial(split_alarm, in_b, 200_000), experiments, f"{seed}/split/{in_b}")
        cells = [f"{100 * in_b:g} %"]
        for first in ([a.evidence for a in alarms], [a.chi2 for a in alarms]):
            cells += [share(at is not None for at in first), _median(first) if in_b != 0.5 else "–"]
        lines.append(row(*cells))
    return lines


def _median(at: Sequence[int | None]) -> str:
    return f"{median(n if n is not None else 10**9 for n in at):,.0f}"


def _changes(pool: ProcessPoolExecutor, experiments: int, seed: int) -> list[str]:
    biases = play_each(pool, partial(change_of_weights, 20_000), experiments, f"{seed}/changes")
    cells = []
    for values in zip(*biases, strict=True):
        mean = fmean(values)
        error = (fmean((v - mean) ** 2 for v in values) / len(values)) ** 0.5
        cells.append(f"{100 * mean:+.2f} % (±{100 * 1.96 * error:.2f})")
    return [
        row(
            "no difference, 90/10 then 50/50, clients that store nothing", "counted by the first impression", "excluded"
        ),
        "|---|--:|--:|",
        row("mean lift measured", *cells),
    ]

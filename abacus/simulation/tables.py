"""The Markdown tables of `abacus prove` on what stands next to the decision."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from random import Random
from statistics import fmean, median
from typing import TypeVar

from abacus.rebalancing.weights import FLOOR
from abacus.simulation.calibration import chance_to_be_best, change_of_weights, split_alarm, time_to_decision
from abacus.simulation.trials import Scenario, Stretch, Weeks, run
from chalicelib.statistics.power import sample_size

T = TypeVar("T")
BATCH = 10  # experiments handed to a process at a time
LIFTS = (0.02, 0.05, 0.1, 0.2, 0.5)


def play_each(pool: ProcessPoolExecutor, trial: Callable[[Random], T], experiments: int, name: str) -> list[T]:
    """One result of `trial` for each experiment; `name` seeds them."""
    seeds = [f"{name}/{n}" for n in range(experiments)]
    return list(pool.map(partial(_seeded, trial), seeds, chunksize=BATCH))


def _seeded(trial: Callable[[Random], T], seed: str) -> T:
    return trial(Random(seed))


def share(hits: Iterable[bool]) -> str:
    """The share of hits in percent, with one decimal.

    >>> share([True, False, False, False])
    '25.0 %'
    """
    answers = list(hits)
    return f"{100 * sum(answers) / len(answers):.1f} %"


def share_with_error(hits: Iterable[bool]) -> str:
    """The same with its standard error, for a number of hits that differs from row to row.

    >>> share_with_error([True, False, False, False])
    '25.0 % (±21.7)'
    """
    answers = list(hits)
    part = sum(answers) / len(answers)
    return f"{share(answers)} (±{100 * (part * (1 - part) / len(answers)) ** 0.5:.1f})"


def median_of(values: Sequence[float], unit: float) -> str:
    """The median in units of N, and its standard error, from the order statistics half a standard error around it.

    >>> median_of([n / 100 for n in range(101)], 1.0)
    '0.50 N (±0.05)'
    """
    ordered, reach = sorted(values), len(values) ** 0.5 / 2
    middle = (len(ordered) - 1) / 2
    low, high = ordered[max(0, round(middle - reach))], ordered[min(len(ordered) - 1, round(middle + reach))]
    error = (high - low) / 2 / unit
    return f"{median(ordered) / unit:.2f} N" + (f" (±{error:.2f})" if math.isfinite(error) else "")


def row(*cells: str) -> str:
    """One line of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def size(experiments: int) -> list[str]:
    """What stands under a table: of how many experiments each row is, and how far chance moves a share.

    >>> size(1000)[1]
    '1,000 experiments in each row. Standard error of a share near 2 %: 0.4 points, near 50 %: 1.6.'
    """
    rare, even = (100 * (p * (1 - p) / experiments) ** 0.5 for p in (0.02, 0.5))
    text = f"{experiments:,} experiments in each row. Standard error of a share near 2 %: {rare:.1f} points"
    return ["", f"{text}, near 50 %: {even:.1f}."]


def next_to_the_decision(pool: ProcessPoolExecutor, experiments: int, seed: int) -> list[list[str]]:
    """Time to a decision, chances to be best, the split alarm, visitors in two variants, rebalancing: a table each.

    More experiments where they cost little."""
    return [
        _times(pool, 10 * experiments, seed),
        _chances(pool, 20 * experiments, seed),
        _alarms(pool, 4 * experiments, seed),
        _changes(pool, max(50, experiments // 20), seed),
        *_rebalanced(pool, experiments, seed),
    ]


def _times(pool: ProcessPoolExecutor, experiments: int, seed: int) -> list[str]:
    lines = [row("median time to decide a real lift", "ABacus", "GrowthBook's formula"), "|---|--:|--:|"]
    for rate, lift in [*((rate, lift) for rate in (0.02, 0.2) for lift in LIFTS), (0.5, 0.2)]:
        trial = partial(time_to_decision, rate, lift)
        decisions = play_each(pool, trial, experiments, f"{seed}/time/{rate}/{lift}")
        medians = (median_of(times, 1.0) for times in zip(*decisions, strict=True))
        lines.append(row(f"{100 * lift:g} % over {100 * rate:g} %", *medians))
    return lines + size(experiments)


def _chances(pool: ProcessPoolExecutor, experiments: int, seed: int) -> list[str]:
    heading = row(
        "true lifts, visitors in each arm", "`p_best` ≥ 95 %", "says", "true", "flat prior ≥ 95 %", "says", "true"
    )
    lines = [heading, "|---|--:|--:|--:|--:|--:|--:|"]
    for spread, visitors in ((0.03, 10_000), (0.03, 50_000), (0.1, 10_000), (0.1, 50_000)):
        trial = partial(chance_to_be_best, spread, 0.05, visitors)
        claims = play_each(pool, trial, experiments, f"{seed}/chance/{spread}/{visitors}")
        cells = [f"N(0, {100 * spread:g} %), {visitors:,}"]
        for claimed in ([(c.claimed, c.true) for c in claims], [(c.flat, c.true) for c in claims]):
            sure = [(chance, true) for chance, true in claimed if chance >= 0.95]
            probability = f"{100 * fmean(chance for chance, _ in sure):.1f} %" if sure else "–"
            cells += [
                share(chance >= 0.95 for chance, _ in claimed),
                probability,
                share_with_error(t for _, t in sure) if sure else "–",
            ]
        lines.append(row(*cells))
    return lines + size(experiments)


def _alarms(pool: ProcessPoolExecutor, experiments: int, seed: int) -> list[str]:
    heading = row(
        "visitors in b, 50 % configured",
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
    return lines + size(experiments)


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
        "",
        f"{len(biases):,} experiments; ±: 1.96 standard errors.",
    ]


def weekly(rates: Sequence[float], weeks: Weeks, number: int, looks: int = 1) -> Scenario:
    """`number` weeks with variants that convert at these rates, an even split at first, and `looks` in each week."""
    last = number * weeks.visitors
    at = sorted(
        {round(weeks.visitors * (week + look / looks)) for week in range(number) for look in range(1, looks + 1)}
    )
    split = "rebalanced" if weeks.rebalanced else "even"
    drift = "/".join(f"{100 * rates[0] * factor:g}" for factor in weeks.drift)
    stretch = Stretch(last, (1 / len(rates),) * len(rates), tuple(rates))
    return Scenario(f"{len(rates)} variants at {drift} % by week, {split}", (stretch,), tuple(at), weeks)


def _rebalanced(pool: ProcessPoolExecutor, experiments: int, seed: int) -> list[list[str]]:
    return [_rebalanced_alike(pool, experiments, seed), _rebalanced_better(pool, experiments, seed)]


def _rebalanced_alike(pool: ProcessPoolExecutor, experiments: int, seed: int) -> list[str]:
    """Without a difference, while the rate drifts by week: the worst case for phases that are added up."""
    lines = [
        row(
            "no difference, ten weeks of 20,000",
            "winner or loser",
            "truth missed",
            "largest share at the end",
            "control below floor",
        ),
        "|---|--:|--:|--:|--:|",
    ]
    for variants in (3, 5):
        for rebalanced in (True, False):
            scenario = weekly((0.03,) * variants, Weeks(20_000, (1.0, 5 / 3), rebalanced), 10)
            outcomes = play_each(pool, partial(run, scenario), experiments, f"{seed}/{scenario.name}")
            cells = [
                share(o.decided is not None for o in outcomes),
                share(o.missed is not None for o in outcomes),
                f"{100 * fmean(max(o.weights) for o in outcomes):.0f} %",
                share(o.weights[0] < FLOOR for o in outcomes),
            ]
            lines.append(row(scenario.name, *cells))
    return lines + size(experiments)


def _rebalanced_better(pool: ProcessPoolExecutor, experiments: int, seed: int) -> list[str]:
    """One of five variants is 20 % better. N: the visitors of an even split at which one look finds it in 80 %."""
    n = round(5 * sample_size(0.05, 0.2))
    lines = [
        row(f"one of five is 20 % better over 5 %, N = {n:,}", "found by N", "by 2N", "median visitors", "loser named"),
        "|---|--:|--:|--:|--:|",
    ]
    for rebalanced in (True, False):
        scenario = weekly((0.05, 0.05, 0.05, 0.05, 0.06), Weeks(n // 4, rebalanced=rebalanced), 12)
        outcomes = play_each(pool, partial(run, scenario), experiments, f"{seed}/{scenario.name}/better")
        won = [scenario.looks[o.decided] if o.decided is not None and o.winner else None for o in outcomes]
        cells = [
            share(at is not None and at <= n for at in won),
            share(at is not None and at <= 2 * n for at in won),
            median_of([at if at is not None else scenario.looks[-1] for at in won], n),
            share(o.decided is not None and not o.winner for o in outcomes),
        ]
        lines.append(row("rebalanced every N/4" if rebalanced else "even", *cells))
    return lines + size(experiments)

"""`abacus prove`: does it call winners that are none, does it find those that are? Measured, not claimed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import accumulate
from pathlib import Path
from random import Random

import click

from abacus.simulation.chart import Curve, chart
from abacus.simulation.metrics.drift import drift_alarms
from abacus.simulation.metrics.planner import planned_power
from abacus.simulation.metrics.tables import revenue_and_guardrails
from abacus.simulation.pitfalls import Population, ctr, phases
from abacus.simulation.tables import BATCH, median_of, next_to_the_decision, play_each, row, share, size
from abacus.simulation.trials import Scenario, Stretch, TrialOutcome, log_spaced, run
from chalicelib.statistics.power import sample_size

BEGIN, END = "<!-- measured by abacus prove -->", "<!-- end of measurement -->"
MOST = 200_000  # visitors of an A/A experiment


def equal_rates(rate: float, weights: tuple[float, ...], looks: int) -> Scenario:
    """All variants convert at the same rate."""
    percents = "/".join(f"{100 * w:g}" for w in weights)
    stretch = Stretch(MOST, weights, (rate,) * len(weights))
    return Scenario(f"rate {100 * rate:g} %, split {percents}", (stretch,), log_spaced(10, MOST, looks))


def drifting(looks: int) -> Scenario:
    """The split changes while everybody's rate rises: added up, b looks better than it is."""
    stretches = (Stretch(MOST // 2, (0.5, 0.5), (0.03, 0.03)), Stretch(MOST, (0.1, 0.9), (0.05, 0.05)))
    return Scenario(
        "split 50/50, then 10/90 while the rate goes from 3 % to 5 %", stretches, log_spaced(10, MOST, looks)
    )


def better(rate: float, looks: int) -> Scenario:
    """b is 10 % better; looks evenly spread up to twice the visitors that a single look would need for 80 % power."""
    n = round(2 * sample_size(rate, 0.1))
    until = tuple(sorted({2 * n * look // looks for look in range(1, looks + 1)} | {n}))
    return Scenario(f"{100 * rate:g} %", (Stretch(2 * n, (0.5, 0.5), (rate, rate * 1.1)),), until)


def without_difference(looks: int) -> list[Scenario]:
    """The A/A experiments: several rates, splits and numbers of variants, and rates that drift."""
    even = (0.5, 0.5)
    return [
        *(equal_rates(rate, even, looks) for rate in (0.005, 0.02, 0.05, 0.2, 0.5)),
        equal_rates(0.05, (0.9, 0.1), looks),
        equal_rates(0.05, (0.1, 0.9), looks),
        equal_rates(0.05, (0.2,) * 5, looks),
        drifting(looks),
    ]


@click.command("prove")
@click.option(
    "--experiments",
    type=click.IntRange(50),
    default=2000,
    show_default=True,
    help="Of each kind; more where they cost little.",
)
@click.option("--looks", type=click.IntRange(10), default=242, show_default=True, help="At each experiment.")
@click.option("--processes", type=click.IntRange(1), default=os.cpu_count, help="Default: one per processor.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same result.")
@click.option("--write", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A page to put it into.")
def command(experiments: int, looks: int, processes: int, seed: int, write: Path | None) -> None:
    """Thousands of made-up experiments through the code that decides, looked at all along.

    Prints how often it names a winner where there is none, whether its intervals hold the truth, and how soon it
    finds a real 10 %.
    """
    same, real = without_difference(looks), [better(rate, looks) for rate in (0.02, 0.05, 0.2)]
    with ProcessPoolExecutor(processes) as pool:
        by_scenario = {}
        for scenario in [*same, *real]:
            click.echo(f"{experiments} × {scenario.name} ...", err=True)
            by_scenario[scenario.name] = play(pool, scenario, experiments, seed)
        click.echo(f"{experiments} × what stands next to the decision ...", err=True)
        further_tables = [mistakes(pool, 4 * experiments, seed), *next_to_the_decision(pool, experiments, seed)]
        click.echo(f"{experiments} × revenue and guardrails ...", err=True)
        further_tables += revenue_and_guardrails(pool, experiments, looks, seed)
        further_tables.append(drift_alarms(pool, 4 * experiments, seed))
        further_tables.append(planned_power(pool, 10 * experiments, seed))
    tables = [false_winners(same, by_scenario), power(real, by_scenario), *further_tables]
    options = f"--experiments {experiments} --looks {looks} --seed {seed}"
    head = f"Made in one run, by `abacus prove {options}`."
    page = "\n\n".join([head, *("\n".join(table) for table in tables)])
    click.echo(page)
    if write:
        put(page, write)
        shown = equal_rates(0.05, (0.5, 0.5), looks)
        drawn = write.parent / "pictures" / "peeking.svg"
        drawn.parent.mkdir(exist_ok=True)
        drawn.write_text(picture(shown, by_scenario[shown.name]))


def play(pool: ProcessPoolExecutor, scenario: Scenario, experiments: int, seed: int) -> list[TrialOutcome]:
    """The outcomes of so many experiments of one scenario, in order; the same seed gives the same outcomes."""
    seeds = [f"{seed}/{scenario.name}/{n}" for n in range(experiments)]
    batches = [seeds[n : n + BATCH] for n in range(0, experiments, BATCH)]
    return [outcome for batch in pool.map(_batch, [scenario] * len(batches), batches) for outcome in batch]


def _batch(scenario: Scenario, seeds: list[str]) -> list[TrialOutcome]:
    return [run(scenario, Random(seed)) for seed in seeds]


def false_winners(scenarios: Sequence[Scenario], by_scenario: dict[str, list[TrialOutcome]]) -> list[str]:
    """A Markdown table, one row for each kind of A/A experiment."""
    lines = [
        "| no difference | winner or loser named | z-test < 5 % | truth missed | holds at the end | split alarm |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for scenario in scenarios:
        outcomes = by_scenario[scenario.name]
        cells = [
            scenario.name,
            share(o.decided is not None for o in outcomes),
            share(o.fixed is not None for o in outcomes),
            share(o.missed is not None for o in outcomes),
            share(o.last_covers for o in outcomes),
            share(o.imbalance is not None for o in outcomes),
        ]
        lines.append(row(*cells))
    return lines + size(len(outcomes))


def power(scenarios: Sequence[Scenario], by_scenario: dict[str, list[TrialOutcome]]) -> list[str]:
    """A Markdown table, one row for each rate that a variant raises by 10 %."""
    lines = [
        "| a real 10 % over | visitors N | found by N | by 2N | median | loser named | truth missed |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for scenario in scenarios:
        outcomes, looks = by_scenario[scenario.name], scenario.looks
        n = looks[-1] // 2
        won = [looks[o.decided] if o.decided is not None and o.winner else None for o in outcomes]
        cells = [
            scenario.name,
            f"{n:,}",
            share(at is not None and at <= n for at in won),
            share(at is not None for at in won),
            median_of([at if at is not None else looks[-1] for at in won], n),
            share(o.decided is not None and not o.winner for o in outcomes),
            share(o.missed is not None for o in outcomes),
        ]
        lines.append(row(*cells))
    return lines + size(len(outcomes))


def mistakes(pool: ProcessPoolExecutor, experiments: int, seed: int) -> list[str]:
    """A Markdown table: ABacus compared with the obvious way."""
    added = play_each(pool, _phases, experiments, f"{seed}/phases")
    ctrs = play_each(pool, _ctrs, experiments, f"{seed}/ctr")
    return [
        "| | ABacus | the obvious way |",
        "|---|--:|--:|",
        f"| false winner after a change of weights | {share(a for a, _ in added)} | {share(b for _, b in added)} |",
        f"| 95 % interval of CTR holds the truth | {share(a for a, _ in ctrs)} | {share(b for _, b in ctrs)} |",
        *size(experiments),
    ]


def _phases(rng: Random) -> tuple[bool, bool]:
    return phases(drifting(10).stretches, rng)


def _ctrs(rng: Random) -> tuple[bool, bool]:
    return ctr(Population(), rng)


def picture(scenario: Scenario, outcomes: Sequence[TrialOutcome]) -> str:
    """The share of experiments without a difference in which a winner had been named, by the visitors so far."""

    def so_far(firsts: Iterable[int | None]) -> list[tuple[float, float]]:
        at = [0] * len(scenario.looks)
        for first in firsts:
            if first is not None:
                at[first] += 1
        shares = (total / len(outcomes) for total in accumulate(at))
        return list(zip(scenario.looks, shares, strict=True))

    ends = (scenario.looks[0], scenario.looks[-1])
    curves = [
        Curve("ordinary test, p &lt; 5 %", "#c2410c", so_far(o.fixed for o in outcomes)),
        Curve("5 %, what was promised", "#666", [(x, 0.05) for x in ends], dashed=True),
        Curve("ABacus", "#1d4ed8", so_far(o.decided for o in outcomes)),
    ]
    title = "Experiments without any difference in which a winner was named"
    return chart(title, curves, highest=0.7, x_label="visitors so far, looking all along")


def put(page: str, path: Path) -> None:
    """Between the two marks in that file."""
    text = path.read_text()
    before, _, rest = text.partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise click.UsageError(f"--write: {path} has no {BEGIN} … {END} to put the tables between")
    path.write_text(f"{before}{BEGIN}\n{page}\n{END}{after}")

"""Made-up experiments with a known truth, looked at all along through the code that the report uses."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from datetime import date
from random import Random

from abacus.rebalancing.proposal import Standing, reweigh
from abacus.simulation.random_counts import binomial, multinomial
from chalicelib.analysis.checks.sample_ratio import measure
from chalicelib.analysis.comparison import compare
from chalicelib.analysis.sample import Window, select
from chalicelib.domain.clock import day_start_ms
from chalicelib.domain.manifest import CLICK, Experiment, Phase, Variant
from chalicelib.reporting.report import Question, ReportContext, report
from chalicelib.statistics import Interval
from chalicelib.statistics.numerics import normal
from chalicelib.storage.tally import Cell, Tallies, Tally

# A month after the first visitor, so that nothing is withheld for being too early.
BEGAN, NOW = date(2026, 10, 1), day_start_ms(date(2026, 11, 1))


@dataclass(frozen=True)
class Stretch:
    """One phase: up to so many visitors in all, split so, converting at these rates."""

    until: int
    weights: tuple[float, ...]
    rates: tuple[float, ...]


@dataclass(frozen=True)
class Weeks:
    """So many visitors come each week. A week is a phase of its own; its rates are the first stretch's times
    drift[week % len(drift)]. rebalanced: whether `abacus rebalance` sets its weights."""

    visitors: int
    drift: tuple[float, ...] = (1.0,)
    rebalanced: bool = True


@dataclass(frozen=True)
class Scenario:
    """A kind of experiment whose truth is known. weeks: adds a stretch after each week of the last one."""

    name: str
    stretches: tuple[Stretch, ...]
    looks: tuple[int, ...]  # total visitors at each look at the result
    weeks: Weeks | None = None

    def lift(self, variant: str) -> float:
        """The truth; the same in every stretch, also where the rates drift."""
        rates = self.stretches[0].rates
        return rates[int(variant[1:])] / rates[0] - 1

    def experiment(self) -> Experiment:
        """The experiment as a manifest has it: one phase for each stretch."""
        variants = tuple(Variant(key=f"v{i}") for i in range(len(self.stretches[0].rates)))
        phases = tuple(Phase(weights=stretch.weights) for stretch in self.stretches)
        return Experiment(key="trial", status="running", variants=variants, phases=phases, seed="trial")

    def next_week(self, seen: int, tallies: Tallies) -> Scenario:
        """The same after `seen` visitors: with one more stretch, if a week has just ended."""
        if self.weeks is None or seen % self.weeks.visitors or seen == self.looks[-1]:
            return self
        last, first = self.stretches[-1], self.stretches[0]
        drift = self.weeks.drift[seen // self.weeks.visitors % len(self.weeks.drift)]
        weights = _rebalanced(self.experiment(), tallies) if self.weeks.rebalanced else None
        new = Stretch(self.looks[-1], weights or last.weights, tuple(rate * drift for rate in first.rates))
        return replace(self, stretches=(*self.stretches[:-1], replace(last, until=seen), new))


def log_spaced(first: int, last: int, number: int) -> tuple[int, ...]:
    """Looks crowded at the start, where chance is wildest.

    >>> log_spaced(10, 1000, 3)
    (10, 100, 1000)
    """
    ratio = math.log(last / first) / (number - 1)
    return tuple(sorted({round(first * math.exp(ratio * k)) for k in range(number)}))


@dataclass
class TrialOutcome:
    """At which look (0: the first) something was first said; None: never."""

    decided: int | None = None
    winner: bool = False
    fixed: int | None = None
    missed: int | None = None
    imbalance: int | None = None
    last_covers: bool = True
    weights: tuple[float, ...] = ()  # at the end


def run(scenario: Scenario, rng: Random) -> TrialOutcome:
    """One experiment from its first visitor to its last look."""
    outcome = TrialOutcome()
    tallies: Tallies = {}
    seen = 0
    for number, look in enumerate(scenario.looks):
        for phase, stretch in enumerate(scenario.stretches):
            arriving = min(look, stretch.until) - seen
            if arriving > 0:
                _arrive(tallies, phase, stretch, arriving, rng)
                seen += arriving
        _look(scenario.experiment(), tallies, scenario, outcome, number)
        scenario = scenario.next_week(look, tallies)
    outcome.weights = scenario.stretches[-1].weights
    return outcome


def _rebalanced(experiment: Experiment, tallies: Tallies) -> tuple[float, ...] | None:
    variants = report(experiment, tallies, Question(series="none"), ReportContext(NOW, BEGAN)).variants
    return reweigh([Standing(v.variant, v.weight, v.visitors, v.p_best) for v in variants]).weights


def _arrive(tallies: Tallies, phase: int, stretch: Stretch, visitors: int, rng: Random) -> None:
    for i, n in enumerate(multinomial(rng, visitors, stretch.weights)):
        x = binomial(rng, n, stretch.rates[i])
        new = Tally(impressions=n, clicks=x, visitors=n, sx=n, sy=x, sxx=n, syy=x, sxy=x, received=n + x, events=n + x)
        new.converted = Counter({CLICK: x})
        tallies.setdefault(Cell("total", "", phase, f"v{i}"), Tally()).add(new)


def _look(experiment: Experiment, tallies: Tallies, scenario: Scenario, outcome: TrialOutcome, number: int) -> None:
    sample = select(experiment, tallies, CLICK, Window(), BEGAN)
    comparisons = compare(sample)
    if outcome.decided is None and any(c.decision in ("winner", "loser") for c in comparisons):
        # The report may still withhold it (a split that is off); what it says is what counts.
        state = report(experiment, tallies, Question(series="none"), ReportContext(NOW, BEGAN)).verdict.state
        if state in ("winner", "loser"):
            outcome.decided, outcome.winner = number, state == "winner"
    if outcome.fixed is None and any(normal.two_sided(c.pair.evidence.z) <= 0.05 for c in comparisons):
        outcome.fixed = number
    if outcome.missed is None and not all(_holds(c.lift_interval, scenario.lift(c.variant)) for c in comparisons):
        outcome.missed = number
    split = measure(sample)
    if outcome.imbalance is None and split.proven:
        outcome.imbalance = number
    if number == len(scenario.looks) - 1:
        bar = normal.critical(0.05 / len(comparisons))
        outcome.last_covers = all(_holds(c.pair.interval(bar), scenario.lift(c.variant)) for c in comparisons)


def _holds(interval: Interval, lift: float) -> bool:
    return interval.low - 1e-12 <= lift <= interval.high + 1e-12

"""Each variant beside the control, and what the anytime evidence allows to say about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from chalicelib.analysis.sample import Sample, possible
from chalicelib.statistics import ALPHA, TAU, Interval, multiple_testing, stratified
from chalicelib.statistics import effects as lift
from chalicelib.statistics.sequential import lift_evidence
from chalicelib.statistics.stratified import Stratum

ROPE = 0.01  # a lift this small, either way, is no lift worth having
Decision = Literal["winner", "loser", "equivalent", "open"]


@dataclass(frozen=True)
class Pair:
    """One variant beside the control: on the counts within one phase, stratified over several, never pooled."""

    variant: str
    strata: tuple[Stratum, ...]
    combined: stratified.Combined
    tau: float

    @classmethod
    def of(cls, variant: str, strata: list[Stratum], tau: float) -> Pair:
        combined = stratified.combine(strata, tau)
        if len(strata) == 1:
            combined = combined._replace(evidence=lift_evidence.evidence(*strata[0], tau))
        return cls(variant, tuple(strata), combined, tau)

    @property
    def evidence(self) -> lift_evidence.Evidence:
        return self.combined.evidence

    @property
    def lift(self) -> float | None:
        if len(self.strata) == 1:
            return lift.lift(*self.strata[0])
        return None if self.combined.ratio is None else self.combined.ratio - 1

    def interval(self, critical: float) -> Interval:
        if len(self.strata) == 1:
            return lift.lift_interval(*self.strata[0], critical)
        return stratified.lift_interval(self.combined, critical)

    def sequence(self, alpha: float) -> Interval:
        """The interval of the lift that holds at every look."""
        return self.interval(lift_evidence.critical(self.evidence.info, alpha, self.tau))


@dataclass(frozen=True)
class Comparison:
    """p is anytime-valid and Holm-adjusted; lift_interval holds at every look, and for all comparisons at once.
    decision: what both of them allow to say."""

    pair: Pair
    control: str
    decision: Decision
    lift: float | None
    lift_interval: Interval
    p: float

    @property
    def variant(self) -> str:
        return self.pair.variant

    @property
    def strata(self) -> tuple[Stratum, ...]:
        return self.pair.strata


def tau_of(sample: Sample) -> float:
    """The size of lift to look for: what the experiment declares, else 10 %."""
    return abs(sample.experiment.minimum_detectable_effect or TAU)


def compare(sample: Sample, alpha: float = ALPHA) -> list[Comparison]:
    """Every variant that was seen in some phase beside the control. Impossible counts are left out; health
    reports them."""
    tau = tau_of(sample)
    pairs = []
    for variant in sample.experiment.variant_keys[1:]:
        strata = [s for s in sample.strata(variant) if possible(s.a) and possible(s.b)]
        if strata:
            pairs.append(Pair.of(variant, strata, tau))
    adjusted = multiple_testing.holm([pair.evidence.p for pair in pairs])
    return [_decide(sample, pair, p, alpha, len(pairs)) for pair, p in zip(pairs, adjusted, strict=True)]


def _decide(sample: Sample, pair: Pair, p: float, alpha: float, comparisons: int) -> Comparison:
    interval = pair.sequence(alpha / comparisons)
    alone = interval if comparisons == 1 or p > alpha else pair.sequence(alpha)
    decision: Decision = "open"
    if p <= alpha and alone.low > 0:
        decision, interval = "winner", Interval(max(interval.low, 0.0), interval.high)
    elif p <= alpha and alone.high < 0:
        decision, interval = "loser", Interval(interval.low, min(interval.high, 0.0))
    elif interval.low >= -ROPE and interval.high <= ROPE:
        decision = "equivalent"
    # Holm decides on more than the interval for all comparisons at once shows: what was ruled out is cut off at 0.
    return Comparison(pair, sample.experiment.control, decision, pair.lift, interval, p)


def is_stratified(comparisons: list[Comparison]) -> bool:
    return any(len(c.strata) > 1 for c in comparisons)

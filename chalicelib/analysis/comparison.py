"""Each variant compared with the control by the sequential test, and the decision that the evidence allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from chalicelib.analysis.sample import Arm, Sample, possible
from chalicelib.analysis.standardisation import Standardisation
from chalicelib.statistics import ALPHA, Interval, multiple_testing, stratified
from chalicelib.statistics import effects as lift
from chalicelib.statistics.sequential import lift_evidence
from chalicelib.statistics.stratified import Stratum

EQUIVALENCE_MARGIN = 0.01  # a lift within ±1 % counts as none, unless the experiment declares another margin
Decision = Literal["winner", "loser", "equivalent", "open"]


@dataclass(frozen=True)
class Pair:
    """The control and one variant: plain counts within one phase, stratified over several, never pooled."""

    variant: str
    strata: tuple[Stratum, ...]
    weights: tuple[float, ...]
    combined: stratified.Combined

    @classmethod
    def of(cls, variant: str, strata: list[tuple[Stratum, float]]) -> Pair:
        """The pair of a variant from its strata and their weights."""
        pairs, weights = [stratum for stratum, _ in strata], [weight for _, weight in strata]
        combined = stratified.combine(pairs, weights=weights)
        if len(pairs) == 1:
            combined = combined._replace(evidence=lift_evidence.evidence(*pairs[0]))
        return cls(variant, tuple(pairs), tuple(weights), combined)

    @property
    def evidence(self) -> lift_evidence.Evidence:
        """The sequential test of "no difference"."""
        return self.combined.evidence

    @property
    def lift(self) -> float | None:
        """The estimate; None while the control has not converted."""
        if len(self.strata) == 1:
            return lift.lift(*self.strata[0])
        return None if self.combined.ratio is None else self.combined.ratio - 1

    def interval(self, critical: float) -> Interval:
        """All lifts whose score is within ±critical."""
        if len(self.strata) == 1:
            return lift.lift_interval(*self.strata[0], critical)
        return stratified.lift_interval(self.strata, self.weights, critical)

    def sequence(self, alpha: float) -> Interval:
        """The confidence sequence of the lift: valid at every look."""
        return self.interval(lift_evidence.critical(self.evidence.info, alpha))


@dataclass(frozen=True)
class Comparison:
    """p is valid at every look and adjusted by Holm; lift_interval is a confidence sequence for all comparisons at
    once. decision: what both of them allow."""

    pair: Pair
    control: str
    decision: Decision
    lift: float | None
    lift_interval: Interval
    p: float

    @property
    def variant(self) -> str:
        """The variant that is compared with the control."""
        return self.pair.variant

    @property
    def strata(self) -> tuple[Stratum, ...]:
        """The phases that it is compared in."""
        return self.pair.strata


def pairs_of(sample: Sample) -> list[Pair]:
    """The control paired with every variant that shares a phase with it. Impossible counts are left out; a check
    reports them."""
    standardisation = Standardisation(sample)
    strata = {variant: standardisation.strata(variant) for variant in sample.experiment.variant_keys[1:]}
    return [Pair.of(variant, pairs) for variant, pairs in strata.items() if pairs]


def compare(sample: Sample, alpha: float = ALPHA) -> list[Comparison]:
    """Every variant against the control, adjusted by Holm for the number of variants."""
    pairs = pairs_of(sample)
    adjusted = multiple_testing.holm([pair.evidence.p for pair in pairs])
    return decisions(sample, pairs, adjusted, comparisons=len(pairs), alpha=alpha)


def decisions(
    sample: Sample, pairs: list[Pair], adjusted: list[float], *, comparisons: int, alpha: float = ALPHA
) -> list[Comparison]:
    """Pairs with their adjusted p-values as comparisons. `comparisons`: how many are made at once."""
    margin = sample.experiment.equivalence_margin or EQUIVALENCE_MARGIN
    return [
        _decide(sample.experiment.control, pair, p, alpha, comparisons, margin)
        for pair, p in zip(pairs, adjusted, strict=True)
    ]


def _decide(control: str, pair: Pair, p: float, alpha: float, comparisons: int, margin: float) -> Comparison:
    interval = pair.sequence(alpha / comparisons)
    alone = interval if comparisons == 1 or p > alpha else pair.sequence(alpha)
    decision: Decision = "open"
    if p <= alpha and alone.low >= 0 and pair.evidence.z > 0:
        decision, interval = "winner", Interval(max(interval.low, 0.0), interval.high)
    elif p <= alpha and alone.high <= 0 and pair.evidence.z < 0:
        decision, interval = "loser", Interval(interval.low, min(interval.high, 0.0))
    elif interval.low >= -margin and interval.high <= margin:
        decision = "equivalent"
    # Holm decides on more than the interval for all comparisons at once shows: what it rules out is cut off at 0.
    return Comparison(pair, control, decision, pair.lift, interval, p)


def is_stratified(comparisons: list[Comparison]) -> bool:
    """Whether any comparison is made over several phases."""
    return any(len(c.strata) > 1 for c in comparisons)


def inseparable(sample: Sample, variant: str, others: Sequence[str], alpha: float = ALPHA) -> list[str]:
    """Those of `others` that the sequential test cannot tell from `variant`, adjusted by Holm."""
    p_values = []
    for other in others:
        strata = []
        for phase in sample.phases:
            a, b = (sample.counted(sample.arms.get(Arm(phase, key))) for key in (variant, other))
            if min(a.visitors, b.visitors) > 0 and possible(a) and possible(b):
                strata.append(Stratum(a, b))
        p_values.append(stratified.combine(strata).evidence.p)
    adjusted = multiple_testing.holm(p_values)
    return [other for other, p in zip(others, adjusted, strict=True) if p > alpha]

"""Each variant compared with the control by the sequential test, and the decision that the evidence allows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from chalicelib.analysis.metrics.means import MeanPair, mean_pair_between, mean_pairs
from chalicelib.analysis.sample import Arm, Sample, possible
from chalicelib.analysis.standardisation import Standardisation
from chalicelib.statistics import ALPHA, Interval, effects, multiple_testing, stratified
from chalicelib.statistics.sequential import lift_evidence
from chalicelib.statistics.stratified import Stratum

EQUIVALENCE_MARGIN = 0.01  # a lift within ±1 % counts as none, unless the experiment declares another margin
Decision = Literal["winner", "loser", "equivalent", "open", "collecting"]


@dataclass(frozen=True)
class RatePair:
    """The control and one variant by a rate: plain counts within one phase, stratified over several, never pooled."""

    variant: str
    strata: tuple[Stratum, ...]
    weights: tuple[float, ...]
    combined: stratified.Combined

    @classmethod
    def of(cls, variant: str, strata: list[tuple[Stratum, float]]) -> RatePair:
        """The pair of a variant from its strata and their weights."""
        pairs, weights = [stratum for stratum, _ in strata], [weight for _, weight in strata]
        combined = stratified.combine(pairs, weights=weights)
        if len(pairs) == 1:
            combined = combined._replace(evidence=lift_evidence.evidence(*pairs[0]))
        return cls(variant, tuple(pairs), tuple(weights), combined)

    ready = True  # the score test is valid from the first visitor on
    subject = ""

    @property
    def phases(self) -> int:
        """In how many phases they are compared."""
        return len(self.strata)

    @property
    def pooled(self) -> float | None:
        """The lift if phases are added up."""
        xa, na = sum(s.a.converted for s in self.strata), sum(s.a.visitors for s in self.strata)
        xb, nb = sum(s.b.converted for s in self.strata), sum(s.b.visitors for s in self.strata)
        return xb * na / (xa * nb) - 1 if xa and nb else None

    @property
    def se(self) -> float | None:
        """The standard error of the log ratio."""
        return self.combined.se

    @property
    def evidence(self) -> lift_evidence.Evidence:
        """The sequential test of "no difference"."""
        return self.combined.evidence

    @property
    def lift(self) -> float | None:
        """The estimate; None while the control has not converted."""
        if len(self.strata) == 1:
            return effects.lift(*self.strata[0])
        return None if self.combined.ratio is None else self.combined.ratio - 1

    def interval(self, critical: float) -> Interval:
        """All lifts whose score is within ±critical."""
        if len(self.strata) == 1:
            return effects.lift_interval(*self.strata[0], critical)
        return stratified.lift_interval(self.strata, self.weights, critical)

    def sequence(self, alpha: float) -> Interval:
        """The confidence sequence of the lift: valid at every look."""
        return self.interval(lift_evidence.critical(self.evidence.info, alpha))


Pair = RatePair | MeanPair


@dataclass(frozen=True)
class Comparison:
    """p is valid at every look and adjusted by Holm; lift_interval is a confidence sequence for all comparisons at
    once. decision: what both of them allow; collecting: a mean with too few values, which is not compared yet."""

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
    def ready(self) -> bool:
        """Whether it can be compared yet."""
        return self.decision != "collecting"


def pairs_of(sample: Sample) -> Sequence[Pair]:
    """The control paired with every variant that shares a phase with it, by the sample's metric. Impossible counts are
    left out; a check reports them."""
    if sample.kind != "rate":
        return mean_pairs(sample)
    standardisation = Standardisation(sample)
    strata = {variant: standardisation.strata(variant) for variant in sample.experiment.variant_keys[1:]}
    return [RatePair.of(variant, pairs) for variant, pairs in strata.items() if pairs]


def compare(sample: Sample, alpha: float = ALPHA) -> list[Comparison]:
    """Every variant against the control, adjusted by Holm for the number of variants."""
    pairs = pairs_of(sample)
    adjusted = multiple_testing.holm([pair.evidence.p for pair in pairs])
    return decisions(sample, pairs, adjusted, comparisons=len(pairs), alpha=alpha)


def decisions(
    sample: Sample, pairs: Sequence[Pair], adjusted: list[float], *, comparisons: int, alpha: float = ALPHA
) -> list[Comparison]:
    """Pairs with their adjusted p-values as comparisons. `comparisons`: how many are made at once."""
    margin = sample.experiment.equivalence_margin or EQUIVALENCE_MARGIN
    return [
        _decide(sample.experiment.control, pair, p, alpha, comparisons, margin)
        for pair, p in zip(pairs, adjusted, strict=True)
    ]


def _decide(control: str, pair: Pair, p: float, alpha: float, comparisons: int, margin: float) -> Comparison:
    if not pair.ready:
        return Comparison(pair, control, "collecting", None, Interval(-1.0, math.inf), 1.0)
    interval = pair.sequence(alpha / comparisons)
    alone = interval if comparisons == 1 or p > alpha else pair.sequence(alpha)
    decision: Decision = "open"
    if p <= alpha and alone.low >= 0 and pair.evidence.z > 0:
        decision, interval = "winner", Interval(max(interval.low, 0.0), interval.high)
    elif p <= alpha and alone.high <= 0 and pair.evidence.z < 0:
        decision, interval = "loser", Interval(interval.low, min(interval.high, 0.0))
    elif interval.low >= -margin and interval.high <= margin:
        decision = "equivalent"
    # Holm may decide where the interval for all comparisons at once still holds 0. Then the interval is cut off at 0,
    # so that both agree.
    return Comparison(pair, control, decision, pair.lift, interval, p)


def is_stratified(comparisons: list[Comparison]) -> bool:
    """Whether any comparison is made over several phases."""
    return any(c.pair.phases > 1 for c in comparisons)


def inseparable(sample: Sample, variant: str, others: Sequence[str], alpha: float = ALPHA) -> list[str]:
    """Those of `others` that the sequential test cannot tell from `variant`, adjusted by Holm."""
    adjusted = multiple_testing.holm([_p_between(sample, variant, other) for other in others])
    return [other for other, p in zip(others, adjusted, strict=True) if p > alpha]


def _p_between(sample: Sample, variant: str, other: str) -> float:
    if sample.kind != "rate":
        pair = mean_pair_between(sample, variant, other)
        return pair.evidence.p if pair else 1.0
    strata = []
    for phase in sample.phases:
        a, b = (sample.counted(sample.arms.get(Arm(phase, key))) for key in (variant, other))
        if min(a.visitors, b.visitors) > 0 and possible(a) and possible(b):
            strata.append(Stratum(a, b))
    return stratified.combine(strata).evidence.p

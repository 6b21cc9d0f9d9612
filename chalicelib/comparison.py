"""Each variant beside the control: the anytime evidence decides, everything else stands beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from .sample import Arm, Sample, possible
from .statistics import ALPHA, TAU, Interval, anytime, clickers, lift, multiple, normal, stratified
from .statistics.difference import difference_interval
from .statistics.shrinkage import Shrunk, shrink
from .statistics.stratified import Stratum

ROPE = 0.01  # a lift this small, either way, is no lift worth having
Decision = Literal["winner", "loser", "equivalent", "open"]


@dataclass(frozen=True)
class Fixed:
    """The same comparison for a single look at a moment chosen beforehand."""

    z: float
    p: float
    p_holm: float
    p_bh: float
    ln_p: float
    lift_interval: Interval
    difference: float | None
    difference_interval: Interval | None


@dataclass(frozen=True)
class Comparison:
    """p is anytime-valid and Holm-adjusted, p_unadjusted only the former. lift_interval holds at every look, and
    for all comparisons at once. decision: what both of them allow to say."""

    variant: str
    control: str
    strata: tuple[Stratum, ...]
    decision: Decision
    lift: float | None
    lift_interval: Interval
    lift_shrunk: Shrunk
    p: float
    p_unadjusted: float
    evidence: anytime.Evidence
    exact: clickers.ExactEvidence | None
    fixed: Fixed


@dataclass(frozen=True)
class _Pair:
    """One variant beside the control: on the counts within one phase, stratified over several."""

    variant: str
    strata: tuple[Stratum, ...]
    combined: stratified.Combined

    @classmethod
    def of(cls, variant: str, strata: list[Stratum], tau: float) -> _Pair:
        combined = stratified.combine(strata, tau)
        if len(strata) == 1:
            combined = combined._replace(evidence=anytime.evidence(*strata[0], tau))
        return cls(variant, tuple(strata), combined)

    def interval(self, critical: float) -> Interval:
        if len(self.strata) == 1:
            return lift.lift_interval(*self.strata[0], critical)
        return stratified.lift_interval(self.combined, critical)

    def sequence(self, alpha: float, tau: float) -> Interval:
        return self.interval(anytime.critical(self.combined.evidence.info, alpha, tau))

    @property
    def lift(self) -> float | None:
        if len(self.strata) == 1:
            return lift.lift(*self.strata[0])
        return None if self.combined.ratio is None else self.combined.ratio - 1

    def shrunk(self, tau: float) -> Shrunk:
        """Over the log ratio with half a conversion added, weighted over phases by precision."""
        points = [stratified.walter(*stratum) for stratum in self.strata]
        precision = math.fsum(1 / variance for _, variance in points)
        mean = math.fsum(y / variance for y, variance in points) / precision
        return shrink(mean, 1 / math.sqrt(precision), tau)


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
            pairs.append(_Pair.of(variant, strata, tau))
    anytime_p = [pair.combined.evidence.p for pair in pairs]
    fixed_p = [normal.two_sided(pair.combined.evidence.z) for pair in pairs]
    adjusted = zip(
        pairs, multiple.holm(anytime_p), multiple.holm(fixed_p), multiple.benjamini_hochberg(fixed_p), strict=True
    )
    return [
        _comparison(sample, pair, p, _fixed(pair, holm, bh, alpha / len(pairs)), alpha, len(pairs), tau)
        for pair, p, holm, bh in adjusted
    ]


def _comparison(sample: Sample, pair: _Pair, p: float, fixed: Fixed, alpha: float, m: int, tau: float) -> Comparison:
    evidence = pair.combined.evidence
    interval = pair.sequence(alpha / m, tau)
    alone = interval if m == 1 else pair.sequence(alpha, tau)
    decision: Decision = "open"
    if p <= alpha and not alone.low <= 0 <= alone.high:
        decision = "winner" if alone.low > 0 else "loser"
        # Holm decides for more than the interval for all comparisons at once, which then ends at 0: the part
        # beyond is what the decision has ruled out.
        interval = Interval(max(interval.low, 0.0), interval.high) if alone.low > 0 else interval
        interval = Interval(interval.low, min(interval.high, 0.0)) if alone.high < 0 else interval
    elif interval.low >= -ROPE and interval.high <= ROPE:
        decision = "equivalent"
    return Comparison(
        pair.variant,
        sample.experiment.control,
        pair.strata,
        decision,
        pair.lift,
        interval,
        pair.shrunk(tau),
        p,
        evidence.p,
        evidence,
        _exact(sample, pair.variant, tau),
        fixed,
    )


def _fixed(pair: _Pair, holm: float, bh: float, alpha: float) -> Fixed:
    z, bar = pair.combined.evidence.z, normal.critical(alpha)
    difference, interval = None, None
    if len(pair.strata) == 1:
        a, b = pair.strata[0]
        difference = b.converted / b.visitors - a.converted / a.visitors
        interval = difference_interval(a, b, bar)
    return Fixed(z, normal.two_sided(z), holm, bh, normal.ln_two_sided(z), pair.interval(bar), difference, interval)


def _exact(sample: Sample, variant: str, tau: float) -> clickers.ExactEvidence | None:
    """Needs the configured weights: phases where both arms have one."""
    keys = sample.experiment.variant_keys
    control, own = 0, keys.index(variant)
    phases = []
    for phase in sample.phases:
        weights = sample.weights(phase)
        if weights and weights[control] > 0 and weights[own] > 0:
            a, b = (sample.counted(sample.arms.get(Arm(phase, keys[i]))) for i in (control, own))
            if possible(a) and possible(b):
                phases.append(clickers.Clickers(a.converted, b.converted, weights[control], weights[own]))
    return clickers.exact_evidence(phases, tau) if phases else None


def heterogeneous(comparisons: Sequence[Comparison]) -> bool:
    """Whether any comparison had to be stratified."""
    return any(len(c.strata) > 1 for c in comparisons)

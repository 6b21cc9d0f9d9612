"""What is reported beside the decision: the fixed-horizon reading, the exact one, the Bayesian one, CTR, and the shrunk
lift. The verdict uses none of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from chalicelib.analysis.bayesian import Beliefs
from chalicelib.analysis.comparison import Comparison, Decision, Pair
from chalicelib.analysis.sample import Arm, Sample, possible
from chalicelib.analysis.standardisation import Comparable
from chalicelib.statistics import ALPHA, Interval, multiple_testing
from chalicelib.statistics.effects import Shrunk, difference_interval, shrink
from chalicelib.statistics.numerics import normal
from chalicelib.statistics.ratio import ratio_test
from chalicelib.statistics.sequential import conditional
from chalicelib.statistics.sequential.lift_evidence import Evidence
from chalicelib.statistics.stratified import walter


@dataclass(frozen=True)
class FixedReading:
    """For one look at a moment chosen beforehand. Intervals hold for all comparisons at once."""

    z: float
    p: float
    ln_p: float
    p_holm: float
    p_bh: float
    lift_interval: Interval
    difference: float | None
    difference_interval: Interval | None


@dataclass(frozen=True)
class BayesReading:
    """The chance to be better than the control, and the credible interval of the lift; None without beliefs."""

    p_better: float | None = None
    lift: float | None = None
    lift_interval: Interval | None = None


@dataclass(frozen=True)
class CtrReading:
    """Click-through rates at one look; standard errors by visitor."""

    lift: float | None
    difference: float
    difference_interval: Interval
    z: float
    p: float


@dataclass(frozen=True)
class Readings:
    """Everything that is reported of one variant against the control; None where it cannot be compared yet."""

    variant: str
    control: str
    bayes: BayesReading
    ctr: CtrReading | None
    decision: Decision = "open"
    phases: int = 0
    lift: float | None = None
    lift_interval: Interval | None = None
    lift_shrunk: Shrunk | None = None
    p: float | None = None
    p_unadjusted: float | None = None
    evidence: Evidence | None = None
    exact_p: float | None = None
    fixed: FixedReading | None = None


def comparisons(comparable: Comparable, compared: list[Comparison], beliefs: Beliefs, *, exact: bool) -> list[Readings]:
    """One for every variant but the control. exact: whether the split is right, which the exact test relies on."""
    sample, by_variant = comparable.sample, {c.variant: c for c in compared}
    control = sample.experiment.control
    p_values = [normal.two_sided(c.pair.evidence.z) for c in compared]
    adjusted = zip(multiple_testing.holm(p_values), multiple_testing.benjamini_hochberg(p_values), strict=True)
    fixed = {c.variant: _fixed(c.pair, *pair, len(compared)) for c, pair in zip(compared, adjusted, strict=True)}
    readings = []
    for variant in sample.experiment.variant_keys[1:]:
        reading = Readings(variant, control, _bayes(beliefs, control, variant), _ctr(comparable, variant))
        if c := by_variant.get(variant):
            reading = replace(
                reading,
                decision=c.decision,
                phases=len(c.strata),
                lift=c.lift,
                lift_interval=c.lift_interval,
                lift_shrunk=_shrunk(c.pair),
                p=c.p,
                p_unadjusted=c.pair.evidence.p,
                evidence=c.pair.evidence,
                exact_p=_exact(sample, c.pair) if exact else None,
                fixed=fixed[variant],
            )
        readings.append(reading)
    return readings


def _fixed(pair: Pair, holm: float, bh: float, comparisons: int) -> FixedReading:
    z, bar = pair.evidence.z, normal.critical(ALPHA / comparisons)
    difference, interval = None, None
    if len(pair.strata) == 1:
        a, b = pair.strata[0]
        difference = b.converted / b.visitors - a.converted / a.visitors
        interval = difference_interval(a, b, bar)
    return FixedReading(
        z=z,
        p=normal.two_sided(z),
        ln_p=normal.ln_two_sided(z),
        p_holm=holm,
        p_bh=bh,
        lift_interval=pair.interval(bar),
        difference=difference,
        difference_interval=interval,
    )


def _shrunk(pair: Pair) -> Shrunk:
    """From the log ratio with half a conversion added, averaged over phases by precision."""
    points = [walter(*stratum) for stratum in pair.strata]
    precision = math.fsum(1 / variance for _, variance in points)
    mean = math.fsum(y / variance for y, variance in points) / precision
    return shrink(mean, 1 / math.sqrt(precision), pair.tau)


def _exact(sample: Sample, pair: Pair) -> float | None:
    """By the configured weights, in the phases in which both arms have one."""
    keys = sample.experiment.variant_keys
    own, phases = keys.index(pair.variant), []
    for phase in sample.phases:
        weights = sample.weights(phase)
        if weights and weights[0] > 0 and weights[own] > 0:
            a, b = (sample.counted(sample.arms.get(Arm(phase, keys[i]))) for i in (0, own))
            if possible(a) and possible(b):
                phases.append(conditional.Clickers(a.converted, b.converted, weights[0], weights[own]))
    return conditional.exact_evidence(phases, pair.tau).p if phases else None


def _bayes(beliefs: Beliefs, control: str, variant: str) -> BayesReading:
    credible = beliefs.lift(control, variant)
    if credible is None:
        return BayesReading()
    return BayesReading(credible.p_better, credible.median, Interval(credible.low, credible.high))


def _ctr(comparable: Comparable, variant: str) -> CtrReading | None:
    """CTR against the control's, for one look; errors by visitor."""
    a, b = comparable.ctr(comparable.sample.experiment.control), comparable.ctr(variant)
    test = ratio_test(a, b)
    if test is None or test.se == 0:
        return None
    reach = normal.critical(ALPHA) * test.se
    interval = Interval(test.difference - reach, test.difference + reach)
    return CtrReading(test.difference / a.ctr if a.ctr else None, test.difference, interval, test.z, test.p)

"""What is reported next to the decision: the fixed-horizon test, the exact test, the posterior, CTR. The verdict
rests on none of it but the posterior, which words the size of the effect."""

from __future__ import annotations

from dataclasses import dataclass, replace

from chalicelib.analysis.comparison import Comparison, Decision, Pair, RatePair
from chalicelib.analysis.metrics.means import compare_phases, decimals_of
from chalicelib.analysis.posterior import Posterior
from chalicelib.analysis.sample import Arm, Sample, possible
from chalicelib.analysis.standardisation import Standardisation
from chalicelib.statistics import ALPHA, Interval, multiple_testing
from chalicelib.statistics.effects import difference_interval
from chalicelib.statistics.numerics import normal
from chalicelib.statistics.sequential import conditional
from chalicelib.statistics.sequential.lift_evidence import Evidence
from chalicelib.statistics.sequential.means import difference
from chalicelib.statistics.shrinkage import Shrunk


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
    """The chance to be better than the control, and the credible interval of the lift; None before a comparison."""

    p_better: float | None = None
    lift: float | None = None
    lift_interval: Interval | None = None


@dataclass(frozen=True)
class CtrReading:
    """Click-through rates compared; standard errors by visitor, pooled under the null. p and the interval are for one
    look, p_anytime for every look."""

    lift: float | None
    difference: float
    difference_interval: Interval
    z: float
    p: float
    p_anytime: float


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


def comparisons(
    standardisation: Standardisation, compared: list[Comparison], beliefs: Posterior, *, exact: bool
) -> list[Readings]:
    """One for every variant but the control. `exact`: whether the split is right, which the exact test relies on."""
    sample, by_variant = standardisation.sample, {c.variant: c for c in compared}
    control = sample.experiment.control
    ready = [c.pair for c in compared if c.ready]
    p_values = [normal.two_sided(pair.evidence.z) for pair in ready]
    adjusted = zip(multiple_testing.holm(p_values), multiple_testing.benjamini_hochberg(p_values), strict=True)
    fixed = {pair.variant: _fixed(sample, pair, *p, len(ready)) for pair, p in zip(ready, adjusted, strict=True)}
    readings = []
    for variant in sample.experiment.variant_keys[1:]:
        shrunk = beliefs.shrunk.get(variant)
        reading = Readings(variant, control, _bayes(shrunk, sample), _ctr(standardisation, variant))
        c = by_variant.get(variant)
        if c and not c.ready:
            reading = replace(reading, decision=c.decision)
        elif c:
            reading = replace(
                reading,
                decision=c.decision,
                phases=c.pair.phases,
                lift=c.lift,
                lift_interval=c.lift_interval,
                lift_shrunk=shrunk,
                p=c.p,
                p_unadjusted=c.pair.evidence.p,
                evidence=c.pair.evidence,
                exact_p=_exact(sample, c.pair) if exact and isinstance(c.pair, RatePair) else None,
                fixed=fixed[variant],
            )
        readings.append(reading)
    return readings


def _fixed(sample: Sample, pair: Pair, holm: float, bh: float, comparisons: int) -> FixedReading:
    z, critical = pair.evidence.z, normal.critical(ALPHA / comparisons)
    absolute, interval = _difference(sample, pair, critical)
    return FixedReading(
        z=z,
        p=normal.two_sided(z),
        ln_p=normal.ln_two_sided(z),
        p_holm=holm,
        p_bh=bh,
        lift_interval=pair.interval(critical),
        difference=absolute,
        difference_interval=interval,
    )


def _difference(sample: Sample, pair: Pair, critical: float) -> tuple[float | None, Interval | None]:
    """The absolute difference and its interval, within a single phase; of a mean in units per visitor."""
    if pair.phases != 1:
        return None, None
    if isinstance(pair, RatePair):
        a, b = pair.strata[0]
        return b.converted / b.visitors - a.converted / a.visitors, difference_interval(a, b, critical)
    compared = compare_phases(sample, sample.metric, sample.experiment.control, pair.variant)
    if compared is None:
        return None, None
    minor = 10 ** decimals_of(sample.experiment, sample.metric)
    value, se = difference(compared.a, compared.b)
    return value / minor, Interval((value - critical * se) / minor, (value + critical * se) / minor)


def _exact(sample: Sample, pair: RatePair) -> float | None:
    """By the configured weights, in the phases in which both arms have one."""
    keys = sample.experiment.variant_keys
    own, phases = keys.index(pair.variant), []
    for phase in sample.phases:
        weights = sample.weights(phase)
        if weights and weights[0] > 0 and weights[own] > 0:
            a, b = (sample.counted(sample.arms.get(Arm(phase, keys[i]))) for i in (0, own))
            if possible(a) and possible(b):
                phases.append(conditional.Converters(a.converted, b.converted, weights[0], weights[own]))
    return conditional.exact_evidence(phases).p if phases else None


def _bayes(shrunk: Shrunk | None, sample: Sample) -> BayesReading:
    if shrunk is None:
        return BayesReading()
    p_better = 1 - shrunk.p_positive if sample.lower_is_better else shrunk.p_positive
    return BayesReading(p_better, shrunk.lift, shrunk.interval)


def _ctr(standardisation: Standardisation, variant: str) -> CtrReading | None:
    """CTR against the control's. The interval excludes 0 exactly when p < 5 %."""
    test = standardisation.ctr_test(variant)
    if test is None or test.se == 0:
        return None
    reach = normal.critical(ALPHA) * test.se
    return CtrReading(
        lift=standardisation.ctr_lift(variant),
        difference=test.difference,
        difference_interval=Interval(test.difference - reach, test.difference + reach),
        z=test.z,
        p=test.p,
        p_anytime=test.evidence.p,
    )

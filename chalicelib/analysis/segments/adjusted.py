"""The primary metric averaged over the values of a segment: the same effect, usually with less error."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.analysis.metrics.means import sums_of
from chalicelib.analysis.sample import Arm, possible
from chalicelib.analysis.segments.effects import LEAST_CONVERTED, simultaneous
from chalicelib.analysis.segments.samples import SegmentSamples
from chalicelib.domain.metrics import MetricName, parse_metric
from chalicelib.statistics import ALPHA, Interval, multiple_testing
from chalicelib.statistics.post_stratified import StratumPair, merged, post_stratified
from chalicelib.statistics.sequential import means


@dataclass(frozen=True)
class AdjustedComparison:
    """A variant against the control, post-stratified. `p` and `lift_interval` hold at every look and for all variants.
    gain: how much less variance than without strata; 0.1 is 10 % less. strata: values and phases used."""

    variant: str
    control: str
    strata: int
    difference: float | None
    se: float | None
    lift: float | None
    lift_interval: Interval | None
    p: float | None
    gain: float | None


def adjusted_comparisons(samples: SegmentSamples, alpha: float = ALPHA) -> tuple[AdjustedComparison, ...]:
    """The primary metric of every variant but the control, by value and phase."""
    experiment = samples.whole.experiment
    metric = parse_metric(experiment.primary)
    strata = {variant: _strata(samples, metric, variant) for variant in experiment.variant_keys[1:]}
    estimates = {variant: post_stratified(pairs) for variant, pairs in strata.items()}
    ratios = {
        variant: f.ratio for variant, f in estimates.items() if f and f.ratio and _enough(strata[variant], metric)
    }
    p_values = dict(zip(ratios, multiple_testing.holm([means.evidence(r).p for r in ratios.values()]), strict=True))
    adjusted = []
    for variant, f in estimates.items():
        place = (variant, experiment.control, len(strata[variant]))
        p = p_values.get(variant)
        if f is None or f.ratio is None or p is None:
            adjusted.append(AdjustedComparison(*place, None, None, None, None, None, None))
            continue
        lift, interval = means.interval(f.ratio, 0.0).low, simultaneous(f.ratio, p, len(p_values), alpha)
        gain = None if f.variance_ratio is None else 1 - f.variance_ratio
        adjusted.append(AdjustedComparison(*place, f.difference, f.se, lift, interval, p, gain))
    return tuple(adjusted)


def _strata(samples: SegmentSamples, metric: MetricName, variant: str) -> list[StratumPair]:
    pairs = []
    for sample in samples.by_value.values():
        counted = sample.for_goal(metric.goal)
        for phase in sample.phases:
            tallies = [sample.arms.get(Arm(phase, key)) for key in (sample.experiment.control, variant)]
            if all(possible(counted.counted(tally)) for tally in tallies):
                pairs.append(StratumPair(*(sums_of(tally, metric) for tally in tallies)))
    return merged(pairs)


def _enough(strata: list[StratumPair], metric: MetricName) -> bool:
    """Whether the normal approximation can be trusted."""
    return metric.kind != "rate" or min(sum(pair[arm].total for pair in strata) for arm in (0, 1)) >= LEAST_CONVERTED

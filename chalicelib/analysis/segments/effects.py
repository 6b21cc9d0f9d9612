"""Each metric by the values of a segment: the same test as for all visitors, and whether the effects differ.

Exploratory. p-values are adjusted by Holm over all values and variants of a metric, and the intervals hold for all of
them at once. Whether an effect differs between values is Cochran's Q over the values' log ratios.
Source: Cochran (1954), Biometrics 10:101-129.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from chalicelib.analysis.comparison import decisions, pairs_of
from chalicelib.analysis.metrics.family import metrics_of
from chalicelib.analysis.metrics.means import compare_phases, decimals_of, sums_of, unit_of
from chalicelib.analysis.sample import Sample, possible
from chalicelib.analysis.segments.samples import SegmentSamples
from chalicelib.domain.metrics import MetricName
from chalicelib.statistics import ALPHA, Interval, multiple_testing, rates
from chalicelib.statistics.sequential import means
from chalicelib.statistics.sequential.means import MIN_WITH_VALUE, MeanLogRatio
from chalicelib.statistics.stratified import scatter

Direction = Literal["higher", "lower", "open", "collecting"]
DIFFERS = 0.001  # p of the interaction, which is for one look, below which the effects are said to differ
LEAST_CONVERTED = 20  # in each arm of a value that enters the test of the interaction of a rate


@dataclass(frozen=True)
class SegmentArm:
    """One variant among the visitors of one value. estimate: rate or mean, in minor units; interval: for one look."""

    variant: str
    visitors: int
    converted: int
    estimate: float | None
    interval: Interval | None


@dataclass(frozen=True)
class SegmentComparison:
    """A variant against the control among the visitors of one value. `p` and `lift_interval` hold at every look, for
    all values and variants of the metric. collecting: too few for a test."""

    variant: str
    control: str
    direction: Direction
    lift: float | None
    lift_interval: Interval | None
    p: float | None


@dataclass(frozen=True)
class Interaction:
    """Whether a variant's effect differs between `values`: Cochran's Q, for one look. p: None with fewer than two."""

    variant: str
    values: tuple[str, ...]
    q: float
    df: int
    p: float | None
    i2: float

    @property
    def differs(self) -> bool:
        """Whether chance alone would hardly make such differences."""
        return self.p is not None and self.p < DIFFERS


@dataclass(frozen=True)
class SegmentMetric:
    """One metric by value. `unit`, `decimals`: of values; None and 0 otherwise."""

    metric: MetricName
    unit: str | None
    decimals: int
    arms: dict[str, tuple[SegmentArm, ...]]
    comparisons: dict[str, tuple[SegmentComparison, ...]]
    interactions: tuple[Interaction, ...]


def metrics_by_value(samples: SegmentSamples, alpha: float = ALPHA) -> list[SegmentMetric]:
    """Every metric of the experiment, the primary one first, by value."""
    return [
        _metric(
            samples,
            metric,
            _rate_comparisons(samples, metric.goal, alpha)
            if metric.kind == "rate"
            else _mean_comparisons(samples, metric, alpha),
        )
        for metric in metrics_of(samples.whole.experiment)
    ]


def _metric(
    samples: SegmentSamples, metric: MetricName, comparisons: Mapping[tuple[str, str], SegmentComparison]
) -> SegmentMetric:
    experiment = samples.whole.experiment
    return SegmentMetric(
        metric=metric,
        unit=unit_of(experiment, metric),
        decimals=decimals_of(experiment, metric),
        arms={name: tuple(_arms(sample, metric)) for name, sample in samples.by_value.items()},
        comparisons={
            name: tuple(comparisons[name, variant] for variant in experiment.variant_keys[1:])
            for name in samples.by_value
        },
        interactions=tuple(interaction(samples, metric, variant) for variant in experiment.variant_keys[1:]),
    )


def _arms(sample: Sample, metric: MetricName) -> Iterator[SegmentArm]:
    counted = sample.for_goal(metric.goal)
    for variant, tally in sample.totals.items():
        converted, visitors = counts = counted.counts(variant)
        estimate, interval = None, None
        if metric.kind != "rate":
            mean = means.estimate(sums_of(tally, metric))
            estimate, interval = (mean.value, means.mean_interval(mean)) if mean else (None, None)
        elif visitors > 0 and possible(counts):
            estimate, interval = converted / visitors, rates.wilson(converted, visitors)
        yield SegmentArm(variant, visitors, converted, estimate, interval)


def _rate_comparisons(samples: SegmentSamples, goal: str, alpha: float) -> dict[tuple[str, str], SegmentComparison]:
    pairs = [
        (value, sample.for_goal(goal), pair)
        for value, sample in samples.by_value.items()
        for pair in pairs_of(sample.for_goal(goal))
    ]
    adjusted = multiple_testing.holm([pair.evidence.p for _, _, pair in pairs])
    effects = _nothing(samples)
    directions: dict[str, Direction] = {"winner": "higher", "loser": "lower"}
    for (value, sample, pair), p in zip(pairs, adjusted, strict=True):
        [c] = decisions(sample, [pair], [p], comparisons=len(pairs), alpha=alpha)
        direction = directions.get(c.decision, "open")
        effects[value, c.variant] = SegmentComparison(c.variant, c.control, direction, c.lift, c.lift_interval, c.p)
    return effects


def _mean_comparisons(
    samples: SegmentSamples, metric: MetricName, alpha: float
) -> dict[tuple[str, str], SegmentComparison]:
    control = samples.whole.experiment.control
    ratios = {key: ratio for key, ratio in _ratios(samples, metric) if ratio is not None}
    adjusted = multiple_testing.holm([means.evidence(ratio).p for ratio in ratios.values()])
    effects = _nothing(samples)
    for ((value, variant), ratio), p in zip(ratios.items(), adjusted, strict=True):
        direction: Direction = "open" if p > alpha else "higher" if ratio.value > 0 else "lower"
        lift, interval = means.interval(ratio, 0.0).low, simultaneous(ratio, p, len(ratios), alpha)
        effects[value, variant] = SegmentComparison(variant, control, direction, lift, interval, p)
    return effects


def simultaneous(ratio: MeanLogRatio, p: float, comparisons: int, alpha: float = ALPHA) -> Interval:
    """The lift, for so many comparisons at once and at every look. `p`: adjusted by Holm, which decides on more than
    such an interval shows: what it rules out is cut off at 0."""
    low, high = means.confidence_sequence(ratio, alpha / comparisons)
    if p > alpha:
        return Interval(low, high)
    return Interval(max(low, 0.0), high) if ratio.value > 0 else Interval(low, min(high, 0.0))


def _nothing(samples: SegmentSamples) -> dict[tuple[str, str], SegmentComparison]:
    control = samples.whole.experiment.control
    return {
        (value, variant): SegmentComparison(variant, control, "collecting", None, None, None)
        for value, _, variant in samples.pairs()
    }


def interaction(samples: SegmentSamples, metric: MetricName, variant: str) -> Interaction:
    """Cochran's Q of the log ratios to the control over the values that have enough visitors with the goal."""
    usable = {value: r for (value, of), r in _ratios(samples, metric) if of == variant and r is not None}
    spread = scatter([(float(place), ratio.value, 1 / ratio.variance) for place, ratio in enumerate(usable.values())])
    p = spread.p if len(usable) > 1 else None
    return Interaction(variant, tuple(usable), spread.q, spread.df, p, spread.i2)


def _ratios(samples: SegmentSamples, metric: MetricName) -> Iterator[tuple[tuple[str, str], MeanLogRatio | None]]:
    """The log ratio of every value and variant; None where too few visitors reached the goal."""
    least = LEAST_CONVERTED if metric.kind == "rate" else MIN_WITH_VALUE
    for value, sample, variant in samples.pairs():
        arms = (sample.totals[sample.experiment.control], sample.totals[variant])
        enough = min(tally.converted[metric.goal] for tally in arms) >= least
        yield (value, variant), _ratio(sample, metric, variant) if enough else None


def _ratio(sample: Sample, metric: MetricName, variant: str) -> MeanLogRatio | None:
    compared = compare_phases(sample, metric, sample.experiment.control, variant)
    return compared.ratio if compared else None

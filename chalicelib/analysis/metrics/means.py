"""Means of each variant: values and events of a goal per visitor, compared by the sequential test.

Exploratory: the verdict is decided by a rate. p-values are adjusted by Holm over all means and variants.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from chalicelib.analysis.sample import Arm, Sample
from chalicelib.domain.metrics import MetricName
from chalicelib.statistics import ALPHA, Interval, multiple_testing
from chalicelib.statistics.sequential import means
from chalicelib.statistics.sequential.means import MIN_WITH_VALUE, MeanLogRatio, ValueSums
from chalicelib.storage.tally import Tally

MeanDecision = Literal["higher", "lower", "open", "collecting"]


@dataclass(frozen=True)
class MeanVariant:
    """One variant by one mean. mean, interval: minor units (of a count: events) per visitor, fixed horizon. total: what
    is counted; cut: what the cap took away, of `capped` visitors."""

    variant: str
    visitors: int
    with_value: int
    mean: float | None
    interval: Interval | None
    total: int
    cut: int
    capped: int


@dataclass(frozen=True)
class MeanComparison:
    """A variant's mean against the control's. `lift_interval` and `p` hold at every look, p for all means and variants
    at once. decision: collecting below 100 visitors with a value in an arm, where the test is not valid yet."""

    variant: str
    control: str
    decision: MeanDecision
    lift: float | None
    lift_interval: Interval | None
    p: float | None


@dataclass(frozen=True)
class MeanResult:
    """One mean of all variants. `unit`, `decimals`: of a value; None and 0 for a count."""

    metric: MetricName
    unit: str | None
    decimals: int
    variants: tuple[MeanVariant, ...]
    comparisons: tuple[MeanComparison, ...]


def mean_metrics(sample: Sample) -> Iterator[MetricName]:
    """The means of an experiment: each value, and each count that a guardrail names."""
    experiment = sample.experiment
    yield from (MetricName(goal, "value") for goal in experiment.goals if goal in experiment.goal_values)
    named = {guardrail.metric for guardrail in experiment.guardrails}
    yield from (MetricName(goal, "count") for goal in experiment.goals if f"{goal}.count" in named)


def sums_of(tally: Tally | None, metric: MetricName) -> ValueSums:
    """Visitors, Σx and Σx² of one variant in one phase."""
    if tally is None:
        return ValueSums(0, 0, 0)
    goal = metric.goal
    if metric.kind == "value":
        return ValueSums(tally.visitors, tally.value_sum[goal], tally.value_squares[goal])
    if goal == "click":
        return ValueSums(tally.visitors, tally.sy, tally.syy)
    converted = tally.converted[goal]
    return ValueSums(tally.visitors, converted + tally.repeat[goal], converted + tally.repeat_squares[goal])


def log_ratio_of(sample: Sample, metric: MetricName, variant: str) -> MeanLogRatio | None:
    """ln of the variant's mean over the control's, compared within each phase and averaged by precision."""
    control = sample.experiment.control
    ratios = (
        means.log_ratio(
            sums_of(sample.arms.get(Arm(phase, control)), metric), sums_of(sample.arms.get(Arm(phase, variant)), metric)
        )
        for phase in sample.phases
    )
    return means.combine([ratio for ratio in ratios if ratio is not None])


def compare_means(sample: Sample, alpha: float = ALPHA) -> list[MeanResult]:
    """Every mean of the experiment."""
    metrics = list(mean_metrics(sample))
    variants = sample.experiment.variant_keys[1:]
    ratios = {(metric, v): log_ratio_of(sample, metric, v) for metric in metrics for v in variants}
    enough = {key: ratio for key, ratio in ratios.items() if ratio is not None and _enough(sample, *key)}
    p_values = multiple_testing.holm([means.evidence(ratio).p for ratio in enough.values()])
    adjusted = dict(zip(enough, p_values, strict=True))
    return [
        _result(
            sample,
            metric,
            tuple(
                _comparison(sample, v, enough.get((metric, v)), adjusted.get((metric, v)), alpha, len(enough))
                for v in variants
            ),
        )
        for metric in metrics
    ]


def _enough(sample: Sample, metric: MetricName, variant: str) -> bool:
    arms = (sample.totals[sample.experiment.control], sample.totals[variant])
    return min(tally.converted[metric.goal] for tally in arms) >= MIN_WITH_VALUE


def _comparison(
    sample: Sample, variant: str, ratio: MeanLogRatio | None, p: float | None, alpha: float, comparisons: int
) -> MeanComparison:
    control = sample.experiment.control
    if ratio is None or p is None:
        return MeanComparison(variant, control, "collecting", None, None, None)
    interval = means.confidence_sequence(ratio, alpha / comparisons)
    lift = means.interval(ratio, 0.0).low
    decision: MeanDecision = "open"
    if p <= alpha:
        decision = "higher" if ratio.value > 0 else "lower"
        # Holm decides on more than the interval for all comparisons at once shows: what it rules out is cut off at 0.
        low, high = interval
        interval = Interval(max(low, 0.0), high) if ratio.value > 0 else Interval(low, min(high, 0.0))
    return MeanComparison(variant, control, decision, lift, interval, p)


def _result(sample: Sample, metric: MetricName, comparisons: tuple[MeanComparison, ...]) -> MeanResult:
    value = sample.experiment.goal_values.get(metric.goal) if metric.kind == "value" else None
    rows = tuple(_variant(variant, tally, metric) for variant, tally in sample.totals.items())
    return MeanResult(metric, value.unit if value else None, value.decimals if value else 0, rows, comparisons)


def _variant(variant: str, tally: Tally, metric: MetricName) -> MeanVariant:
    sums, is_value = sums_of(tally, metric), metric.kind == "value"
    return MeanVariant(
        variant=variant,
        visitors=tally.visitors,
        with_value=tally.converted[metric.goal],
        mean=sums.mean if sums.n > 0 else None,
        interval=means.mean_interval(sums) if sums.n > 1 else None,
        total=sums.total,
        cut=tally.value_cut[metric.goal] if is_value else 0,
        capped=tally.value_capped[metric.goal] if is_value else 0,
    )

"""An experiment's tallies by segment as the answer of GET /stats/{experiment}?by=…"""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.analysis.segments.adjusted import AdjustedComparison, adjusted_comparisons
from chalicelib.analysis.segments.effects import SegmentArm, SegmentMetric, metrics_by_value
from chalicelib.analysis.segments.samples import SegmentSamples
from chalicelib.analysis.segments.split import SegmentSplit, split_by_value
from chalicelib.analysis.wording import count
from chalicelib.domain.clock import iso
from chalicelib.domain.metrics import parse_metric
from chalicelib.reporting.segments.answers import (
    AdjustedAnswer,
    InteractionAnswer,
    SegmentArmAnswer,
    SegmentComparisonAnswer,
    SegmentMetricAnswer,
    SegmentReport,
    SegmentSplitAnswer,
    SegmentValueAnswer,
    ValueSplitAnswer,
    ValueTrafficAnswer,
)
from chalicelib.statistics import ALPHA
from chalicelib.storage.tally import EXCLUSIONS, FLAGS, Tally


def segment_report(samples: SegmentSamples, refused: Mapping[str, Mapping[str, int]], *, now_ms: int) -> SegmentReport:
    """Every metric by value, the split by value, and the primary metric post-stratified.

    refused: events by value and outcome. now_ms: epoch milliseconds."""
    experiment = samples.whole.experiment
    metrics = metrics_by_value(samples)
    primary = parse_metric(experiment.primary)
    value = experiment.goal_values.get(primary.goal) if primary.kind == "value" else None
    return SegmentReport(
        experiment=experiment.key,
        by=samples.name,
        segments=tuple(segment.name for segment in experiment.segments),
        as_of=iso(now_ms),
        alpha=ALPHA,
        primary=experiment.primary,
        warning=_warning(len(metrics), len(samples.by_value)),
        visitors=sum(_total(samples, value).visitors for value in samples.by_value),
        without_segment=samples.without,
        metrics=tuple(_metric(metric, experiment.primary) for metric in metrics),
        split=_split(split_by_value(samples)),
        traffic=tuple(_traffic(name, _total(samples, name), refused.get(name, {})) for name in samples.by_value),
        adjusted=tuple(_adjusted(c, 10**value.decimals if value else 1) for c in adjusted_comparisons(samples)),
    )


def _warning(metrics: int, values: int) -> str:
    return (
        f"Exploratory: {count(metrics, 'metric')} in {count(values, 'value')}. Some difference appears by chance, "
        "so the verdict rests on all visitors. Before you act on a segment, run an experiment for it alone."
    )


def _total(samples: SegmentSamples, value: str) -> Tally:
    total = Tally()
    for tally in samples.by_value[value].arms.values():
        total.add(tally)
    return total


def _metric(metric: SegmentMetric, primary: str) -> SegmentMetricAnswer:
    minor = 10**metric.decimals
    return SegmentMetricAnswer(
        metric=str(metric.metric),
        kind=metric.metric.kind,
        goal=metric.metric.goal,
        primary=str(metric.metric) == primary,
        unit=metric.unit,
        decimals=metric.decimals,
        values=tuple(
            SegmentValueAnswer(
                value=value,
                variants=tuple(_arm(arm, minor) for arm in arms),
                comparisons=tuple(SegmentComparisonAnswer.model_validate(c) for c in metric.comparisons[value]),
            )
            for value, arms in metric.arms.items()
        ),
        interactions=tuple(InteractionAnswer.model_validate(interaction) for interaction in metric.interactions),
    )


def _arm(arm: SegmentArm, minor: int) -> SegmentArmAnswer:
    return SegmentArmAnswer(
        variant=arm.variant,
        visitors=arm.visitors,
        converted=arm.converted,
        estimate=None if arm.estimate is None else arm.estimate / minor,
        interval=None if arm.interval is None else (arm.interval.low / minor, arm.interval.high / minor),
    )


def _split(split: SegmentSplit) -> SegmentSplitAnswer:
    return SegmentSplitAnswer(
        state=split.state,
        text=split.text,
        off=split.off,
        values=tuple(
            ValueSplitAnswer(
                value=value,
                visitors=share.visitors,
                expected=share.expected,
                p=share.p,
                p_anytime=share.evidence.p,
                off=value in split.off,
            )
            for value, share in split.by_value.items()
        ),
    )


def _traffic(value: str, total: Tally, refused: Mapping[str, int]) -> ValueTrafficAnswer:
    return ValueTrafficAnswer(
        value=value,
        visitors=total.visitors,
        excluded={reason: total.excluded[reason] for reason in EXCLUSIONS},
        flagged={flag: total.flagged[flag] for flag in FLAGS},
        refused=dict(refused),
    )


def _adjusted(comparison: AdjustedComparison, minor: int) -> AdjustedAnswer:
    answer = AdjustedAnswer.model_validate(comparison)
    if answer.difference is None or answer.se is None:
        return answer
    return answer.model_copy(update={"difference": answer.difference / minor, "se": answer.se / minor})

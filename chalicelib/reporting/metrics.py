"""Every metric of an experiment, as the answer shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from chalicelib.analysis.comparison import Decision
from chalicelib.analysis.metrics import MetricResult
from chalicelib.analysis.standardisation import Standardisation
from chalicelib.reporting.models import AnswerPart, Ends, Number
from chalicelib.reporting.variants import variant_rows


class MetricVariantAnswer(AnswerPart):
    """One variant by one metric."""

    variant: str
    control: bool
    visitors: int
    converted: int
    goal_events: int
    rate: Number
    rate_interval: Ends


class MetricComparisonAnswer(AnswerPart):
    """A variant against the control by one metric. `p` and `lift_interval` hold at every look. Of the primary metric
    they hold for all variants at once, of the others for all secondary metrics and variants at once. `discovery`:
    whether it stays one at a false discovery rate of 5 % over all metrics (e-BH)."""

    variant: str
    control: str
    decision: Decision
    lift: Number
    lift_interval: Ends
    p: Number
    p_unadjusted: Number
    discovery: bool


class MetricAnswer(AnswerPart):
    """One metric: the rate of a goal. `confirmatory`: whether its comparisons may support a decision; a secondary
    metric's may once the primary one is decided, and are exploratory before."""

    metric: str
    kind: Literal["rate"]
    goal: str
    primary: bool
    confirmatory: bool
    variants: tuple[MetricVariantAnswer, ...]
    comparisons: tuple[MetricComparisonAnswer, ...]


def metric_answers(metrics: Mapping[str, MetricResult]) -> tuple[MetricAnswer, ...]:
    """One for every goal, the primary one first."""
    return tuple(_metric_answer(metric) for metric in metrics.values())


def _metric_answer(metric: MetricResult) -> MetricAnswer:
    return MetricAnswer(
        metric=metric.goal,
        kind="rate",
        goal=metric.goal,
        primary=metric.primary,
        confirmatory=metric.confirmatory,
        variants=tuple(
            MetricVariantAnswer(
                variant=row.variant,
                control=row.control,
                visitors=row.visitors,
                converted=row.converted,
                goal_events=row.goal_events,
                rate=row.rate,
                rate_interval=row.rate_interval,
            )
            for row in variant_rows(Standardisation(metric.sample))
        ),
        comparisons=tuple(
            MetricComparisonAnswer(
                variant=c.variant,
                control=c.control,
                decision=c.decision,
                lift=c.lift,
                lift_interval=c.lift_interval,
                p=c.p,
                p_unadjusted=c.pair.evidence.p,
                discovery=c.variant in metric.discoveries,
            )
            for c in metric.comparisons
        ),
    )

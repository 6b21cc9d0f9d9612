"""Every metric of an experiment, as the answer shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from chalicelib.analysis.comparison import Decision
from chalicelib.analysis.metrics.goals import MetricResult
from chalicelib.analysis.metrics.means import MeanDecision, MeanResult, MeanVariant
from chalicelib.analysis.standardisation import Standardisation
from chalicelib.domain.metrics import MetricKind
from chalicelib.reporting.models import AnswerPart, Ends, Number
from chalicelib.reporting.variants import variant_rows
from chalicelib.statistics.sequential.guardrails import GuardrailState


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


class MeanVariantAnswer(AnswerPart):
    """One variant by a mean. `mean` and `interval`: units (of a count: events) per visitor, `interval` for one look.
    `total`: what is counted, `cut`: what the cap took away, of `capped` visitors; in units."""

    variant: str
    visitors: int
    with_value: int
    mean: Number
    interval: Ends
    total: Number
    cut: Number
    capped: int


class MeanComparisonAnswer(AnswerPart):
    """A variant's mean against the control's. `p` and `lift_interval` hold at every look, for all means and variants at
    once. Exploratory: the verdict is decided by a rate."""

    variant: str
    control: str
    decision: MeanDecision
    lift: Number
    lift_interval: Ends
    p: Number


class MeanAnswer(AnswerPart):
    """Values or events of a goal per visitor."""

    metric: str
    kind: MetricKind
    goal: str
    unit: str | None
    decimals: int
    variants: tuple[MeanVariantAnswer, ...]
    comparisons: tuple[MeanComparisonAnswer, ...]


class GuardrailAnswer(AnswerPart):
    """A metric that must not get worse by more than `margin`. `bounds`: one-sided confidence sequences of the lift."""

    metric: str
    variant: str
    margin: float
    lower_is_better: bool
    state: GuardrailState
    lift: Number
    bounds: Ends
    p_ok: Number
    p_broken: Number


def mean_answers(results: Sequence[MeanResult]) -> tuple[MeanAnswer, ...]:
    """Every mean, from minor units to units."""
    return tuple(
        MeanAnswer(
            metric=str(result.metric),
            kind=result.metric.kind,
            goal=result.metric.goal,
            unit=result.unit,
            decimals=result.decimals,
            variants=tuple(_mean_variant(row, 10**result.decimals) for row in result.variants),
            comparisons=tuple(MeanComparisonAnswer.model_validate(c) for c in result.comparisons),
        )
        for result in results
    )


def _mean_variant(row: MeanVariant, minor: int) -> MeanVariantAnswer:
    return MeanVariantAnswer(
        variant=row.variant,
        visitors=row.visitors,
        with_value=row.with_value,
        mean=None if row.mean is None else row.mean / minor,
        interval=None if row.interval is None else (row.interval.low / minor, row.interval.high / minor),
        total=row.total / minor,
        cut=row.cut / minor,
        capped=row.capped,
    )


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

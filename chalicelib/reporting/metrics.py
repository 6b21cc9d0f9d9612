"""Every metric of an experiment, as the answer shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from chalicelib.analysis.comparison import Comparison, Decision
from chalicelib.analysis.metrics.family import MetricResult
from chalicelib.analysis.metrics.means import MeanVariant, decimals_of, mean_rows, unit_of
from chalicelib.analysis.sample import Sample
from chalicelib.analysis.standardisation import Standardisation
from chalicelib.domain.manifest import CLICK
from chalicelib.domain.metrics import MetricKind, MetricName
from chalicelib.reporting.models import AnswerPart, Ends, Number
from chalicelib.statistics.rates import wilson
from chalicelib.statistics.sequential.guardrails import GuardrailState


class ChosenMetric(AnswerPart):
    """What the variants are compared by. `unit`, `decimals`: of a value; null and 0 for a rate or a count."""

    name: str
    kind: MetricKind
    goal: str
    unit: str | None
    decimals: int


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
    whether it stays one at a false discovery rate of 5 % over all metrics (e-BH). `decision`: collecting below 100
    visitors with a value in a variant, where a mean is not compared yet."""

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
    control: bool
    visitors: int
    with_value: int
    mean: Number
    interval: Ends
    total: Number
    cut: Number
    capped: int


class MeanAnswer(AnswerPart):
    """Values or events of a goal per visitor. `primary`, `confirmatory`: as of a rate."""

    metric: str
    kind: MetricKind
    goal: str
    unit: str | None
    decimals: int
    primary: bool
    confirmatory: bool
    variants: tuple[MeanVariantAnswer, ...]
    comparisons: tuple[MetricComparisonAnswer, ...]


class GuardrailAnswer(AnswerPart):
    """A metric that must not get worse by more than `margin`. `bounds`: one-sided confidence sequences of the lift.
    `visitors_per_variant`, `days_left`: what it takes until an open one is ok, if nothing differs."""

    metric: str
    variant: str
    margin: float
    lower_is_better: bool
    state: GuardrailState
    lift: Number
    bounds: Ends
    p_ok: Number
    p_broken: Number
    visitors_per_variant: int | None
    days_left: int | None


def metric_answer(sample: Sample) -> ChosenMetric:
    """The metric of the sample."""
    experiment, metric = sample.experiment, sample.metric
    return ChosenMetric(
        name=str(metric),
        kind=metric.kind,
        goal=metric.goal,
        unit=unit_of(experiment, metric),
        decimals=decimals_of(experiment, metric),
    )


def mean_answers(metrics: Mapping[MetricName, MetricResult]) -> tuple[MeanAnswer, ...]:
    """One for every mean, the primary one first, in units."""
    return tuple(_mean_answer(result) for name, result in metrics.items() if name.kind != "rate")


def _mean_answer(result: MetricResult) -> MeanAnswer:
    chosen = metric_answer(result.sample)
    return MeanAnswer(
        metric=chosen.name,
        kind=chosen.kind,
        goal=chosen.goal,
        unit=chosen.unit,
        decimals=chosen.decimals,
        primary=result.primary,
        confirmatory=result.confirmatory,
        variants=tuple(_mean_variant(row, 10**chosen.decimals) for row in mean_rows(result.sample)),
        comparisons=tuple(_comparison(c, result) for c in result.comparisons),
    )


def _mean_variant(row: MeanVariant, minor: int) -> MeanVariantAnswer:
    return MeanVariantAnswer(
        variant=row.variant,
        control=row.control,
        visitors=row.visitors,
        with_value=row.with_value,
        mean=None if row.mean is None else row.mean / minor,
        interval=None if row.interval is None else (row.interval.low / minor, row.interval.high / minor),
        total=row.total / minor,
        cut=row.cut / minor,
        capped=row.capped,
    )


def metric_answers(metrics: Mapping[MetricName, MetricResult]) -> tuple[MetricAnswer, ...]:
    """One for the rate of every goal, the primary one first."""
    return tuple(_rate_answer(result) for name, result in metrics.items() if name.kind == "rate")


def _rate_answer(result: MetricResult) -> MetricAnswer:
    goal, standardisation = result.metric.goal, Standardisation(result.sample)
    return MetricAnswer(
        metric=goal,
        kind="rate",
        goal=goal,
        primary=result.primary,
        confirmatory=result.confirmatory,
        variants=tuple(_rate_variant(standardisation, variant) for variant in result.sample.experiment.variant_keys),
        comparisons=tuple(_comparison(c, result) for c in result.comparisons),
    )


def _rate_variant(standardisation: Standardisation, variant: str) -> MetricVariantAnswer:
    sample = standardisation.sample
    tally, rate = sample.totals[variant], standardisation.rate(variant)
    return MetricVariantAnswer(
        variant=variant,
        control=variant == sample.experiment.control,
        visitors=tally.visitors,
        converted=tally.converted[sample.goal],
        goal_events=tally.clicks if sample.goal == CLICK else tally.goal_events[sample.goal],
        rate=rate.rate if rate else None,
        rate_interval=wilson(rate.converted, rate.visitors) if rate else None,
    )


def _comparison(c: Comparison, result: MetricResult) -> MetricComparisonAnswer:
    return MetricComparisonAnswer(
        variant=c.variant,
        control=c.control,
        decision=c.decision,
        lift=c.lift,
        lift_interval=c.lift_interval if c.ready else None,
        p=c.p if c.ready else None,
        p_unadjusted=c.pair.evidence.p if c.ready else None,
        discovery=c.variant in result.discoveries,
    )

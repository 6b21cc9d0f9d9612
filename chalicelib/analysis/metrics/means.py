"""Means of each variant: values and events of a goal per visitor, compared by the sequential test.

Over several phases all variants have the same weights, as rates do, so that mean = mean of the control × (1 + lift).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from chalicelib.analysis.sample import Arm, Sample
from chalicelib.domain.manifest import CLICK, Experiment
from chalicelib.domain.metrics import MetricName, parse_metric
from chalicelib.statistics import ALPHA, Counts, Interval
from chalicelib.statistics.sequential import lift_evidence, means
from chalicelib.statistics.sequential.lift_evidence import Evidence
from chalicelib.statistics.sequential.means import MIN_WITH_VALUE, MeanEstimate, MeanLogRatio, ValueSums
from chalicelib.statistics.stratified import harmonic_weight
from chalicelib.storage.tally import Tally


@dataclass(frozen=True)
class MeanVariant:
    """One variant by one mean. estimate: comparable between variants, in minor units (of a count: events) per visitor.
    total: what is counted, in all phases; cut: what the cap took away, of `capped` visitors."""

    variant: str
    control: bool
    visitors: int
    with_value: int
    estimate: MeanEstimate | None
    total: int
    cut: int
    capped: int

    @property
    def mean(self) -> float | None:
        """The estimate without its variance."""
        return self.estimate.value if self.estimate else None

    @property
    def interval(self) -> Interval | None:
        """The fixed-horizon interval of the mean."""
        return means.mean_interval(self.estimate, ALPHA) if self.estimate else None

    @property
    def sequence(self) -> Interval | None:
        """The interval that is valid at every look; None below 100 visitors with a value."""
        enough = self.with_value >= MIN_WITH_VALUE
        return means.mean_sequence(self.estimate, ALPHA) if self.estimate and enough else None


@dataclass(frozen=True)
class MeanPair:
    """The control and one variant by a mean. phases: in how many they are compared; ratio: the control's mean and the
    variant's; pooled: the lift if phases are added up; ready: at least 100 visitors with a value in each, below which
    the test is not valid."""

    variant: str
    metric: MetricName
    unit: str | None
    phases: int
    ratio: MeanLogRatio | None
    pooled: float | None
    ready: bool

    @cached_property
    def evidence(self) -> Evidence:
        """The sequential test of "no difference"; without evidence before it is valid."""
        return means.evidence(self.ratio) if self.ready and self.ratio else Evidence(0.0, 0.0, 0.0, 1.0)

    @property
    def lift(self) -> float | None:
        """The estimate; None before the comparison is valid."""
        return means.interval(self.ratio, 0.0).low if self.ready and self.ratio else None

    @property
    def se(self) -> float | None:
        """The standard error of the log ratio."""
        return self.ratio.variance**0.5 if self.ready and self.ratio else None

    def interval(self, critical: float) -> Interval:
        """All lifts whose score is within ±critical."""
        return means.interval(self.ratio, critical) if self.ready and self.ratio else Interval(-1.0, float("inf"))

    def sequence(self, alpha: float) -> Interval:
        """The confidence sequence of the lift: valid at every look."""
        return self.interval(lift_evidence.critical(self.evidence.info, alpha))

    @property
    def subject(self) -> str:
        """What a visitor has more or less of: "EUR per visitor", "purchase events per visitor"."""
        return f"{self.unit or f'{self.metric.goal} events'} per visitor"


def mean_metrics(experiment: Experiment) -> Iterator[MetricName]:
    """The means of an experiment: each value, and each count that is the primary metric or a guardrail."""
    yield from (MetricName(goal, "value") for goal in experiment.goals if goal in experiment.goal_values)
    named = {parse_metric(text) for text in (experiment.primary, *(g.metric for g in experiment.guardrails))}
    yield from (MetricName(g, "count") for g in (CLICK, *experiment.goals) if MetricName(g, "count") in named)


def unit_of(experiment: Experiment, metric: MetricName) -> str | None:
    """The unit of a value; None for a rate or a count."""
    value = experiment.goal_values.get(metric.goal) if metric.kind == "value" else None
    return value.unit if value else None


def decimals_of(experiment: Experiment, metric: MetricName) -> int:
    """The decimal places of a value: a unit is 10 ** decimals minor units; 0 for a rate or a count."""
    value = experiment.goal_values.get(metric.goal) if metric.kind == "value" else None
    return value.decimals if value else 0


def sums_of(tally: Tally | None, metric: MetricName) -> ValueSums:
    """Visitors, Σx and Σx² of one variant in one phase; of a rate, x is 0 or 1."""
    if tally is None:
        return ValueSums(0, 0, 0)
    goal = metric.goal
    if metric.kind == "value":
        return ValueSums(tally.visitors, tally.value_sum[goal], tally.value_squares[goal])
    if metric.kind == "rate":
        return ValueSums(tally.visitors, tally.converted[goal], tally.converted[goal])
    if goal == CLICK:
        return ValueSums(tally.visitors, tally.sy, tally.syy)
    converted = tally.converted[goal]
    return ValueSums(tally.visitors, converted + tally.repeat[goal], converted + tally.repeat_squares[goal])


def estimate_of(tally: Tally | None, metric: MetricName) -> MeanEstimate | None:
    """The mean of one variant in one phase; None where it or its variance is not known."""
    if tally is not None and metric.kind == "rate":
        return means.rate_estimate(Counts(tally.converted[metric.goal], tally.visitors))
    return means.estimate(sums_of(tally, metric))


@dataclass(frozen=True)
class Phases:
    """Two variants in the phases that they share: the averages of their means, with the same weights."""

    number: int
    a: MeanEstimate
    b: MeanEstimate

    @property
    def ratio(self) -> MeanLogRatio | None:
        """ln(b/a)."""
        return means.ratio_of(self.a, self.b)


def compare_phases(
    sample: Sample, metric: MetricName, a: str, b: str, weights: Mapping[int, float] | None = None
) -> Phases | None:
    """Variants `a` and `b` compared within each phase. weights: of the phases; default: by these two variants'
    visitors. None where they share no phase."""
    by_phase: list[tuple[float, MeanEstimate, MeanEstimate]] = []
    for phase in sample.phases:
        tallies = [sample.arms.get(Arm(phase, variant)) for variant in (a, b)]
        of_a, of_b = (estimate_of(tally, metric) for tally in tallies)
        if of_a and of_b and (weights is None or phase in weights):
            visitors = [tally.visitors for tally in tallies if tally]
            by_phase.append((weights[phase] if weights else harmonic_weight(visitors), of_a, of_b))
    if not by_phase:
        return None
    shares = [weight for weight, _, _ in by_phase]
    return Phases(
        len(by_phase),
        means.average([x for _, x, _ in by_phase], shares),
        means.average([y for _, _, y in by_phase], shares),
    )


def mean_pairs(sample: Sample) -> list[MeanPair]:
    """The control and each variant that shares a phase with it, by the sample's metric."""
    control, *others = sample.experiment.variant_keys
    weights = sample.phase_weights
    pairs = (_pair(sample, control, variant, weights[variant]) for variant in others)
    return [pair for pair in pairs if pair is not None]


def mean_pair_between(sample: Sample, a: str, b: str) -> MeanPair | None:
    """Any two variants by the sample's metric, `a` in the place of the control; None where they share no phase."""
    return _pair(sample, a, b, None)


def _pair(sample: Sample, a: str, b: str, weights: Mapping[int, float] | None) -> MeanPair | None:
    compared = compare_phases(sample, sample.metric, a, b, weights)
    if compared is None:
        return None
    arms = (sample.totals[a], sample.totals[b])
    added_up = means.log_ratio(*(sums_of(tally, sample.metric) for tally in arms))
    return MeanPair(
        variant=b,
        metric=sample.metric,
        unit=unit_of(sample.experiment, sample.metric),
        phases=compared.number,
        ratio=compared.ratio,
        pooled=means.interval(added_up, 0.0).low if added_up else None,
        ready=compared.ratio is not None and min(t.converted[sample.goal] for t in arms) >= MIN_WITH_VALUE,
    )


def mean_rows(sample: Sample) -> list[MeanVariant]:
    """Every variant by the sample's metric."""
    weights = sample.phase_weights
    return [_row(sample, variant, weights) for variant in sample.experiment.variant_keys]


def mean_of(sample: Sample, variant: str) -> float | None:
    """The mean of a variant as mean_rows shows it, in units per visitor."""
    shown = _shown(sample, variant, sample.phase_weights)
    return shown.value / 10 ** decimals_of(sample.experiment, sample.metric) if shown else None


def _row(sample: Sample, variant: str, weights: Mapping[str, Mapping[int, float]]) -> MeanVariant:
    tally, metric = sample.totals[variant], sample.metric
    is_value = metric.kind == "value"
    return MeanVariant(
        variant=variant,
        control=variant == sample.experiment.control,
        visitors=tally.visitors,
        with_value=tally.converted[metric.goal],
        estimate=_shown(sample, variant, weights),
        total=sums_of(tally, metric).total,
        cut=tally.value_cut[metric.goal] if is_value else 0,
        capped=tally.value_capped[metric.goal] if is_value else 0,
    )


def _shown(sample: Sample, variant: str, weights: Mapping[str, Mapping[int, float]]) -> MeanEstimate | None:
    """The mean of a variant. One that joined later has the control's times the ratio within the phases they share."""
    control = sample.experiment.control
    own = _average(sample, variant, weights[variant])
    if own is None or not weights[variant] or weights[variant] == weights[control]:
        return own
    among_shared, overall = (_average(sample, control, weights[v]) for v in (variant, control))
    if among_shared is None or overall is None or among_shared.value <= 0 or overall.value <= 0:
        return own
    scale = overall.value / among_shared.value
    return MeanEstimate(own.value * scale, own.variance * scale**2)


def _average(sample: Sample, variant: str, weights: Mapping[int, float]) -> MeanEstimate | None:
    """Over these phases; without any, all added up. The same phases as in compare_phases."""
    if not weights:
        return estimate_of(sample.totals[variant], sample.metric)
    known = {phase: estimate_of(sample.arms.get(Arm(phase, variant)), sample.metric) for phase in weights}
    by_phase = [(weights[phase], mean) for phase, mean in known.items() if mean is not None]
    return means.average([mean for _, mean in by_phase], [weight for weight, _ in by_phase]) if by_phase else None

"""The two answers: the list of GET /stats, and the report of GET /stats/{experiment}."""

from __future__ import annotations

from typing import Literal

from chalicelib.analysis.checks.check import State as CheckState
from chalicelib.analysis.comparison import Decision
from chalicelib.domain.manifest import Status
from chalicelib.reporting.cost import CostAnswer
from chalicelib.reporting.metrics import ChosenMetric, GuardrailAnswer, MeanAnswer, MetricAnswer
from chalicelib.reporting.models import (
    AgeAnswer,
    AnswerPart,
    ComparisonAnswer,
    Ends,
    HealthAnswer,
    Number,
    OmnibusAnswer,
    PhaseAnswer,
    PlanAnswer,
    VariantAnswer,
    VerdictAnswer,
    WindowAnswer,
)


class CumulativeAnswer(AnswerPart):
    """All visitors up to a day. `rate_sequence`, `mean_sequence` are confidence sequences: they hold at every look.
    `mean`: units per visitor, where the report is by a mean."""

    visitors: int
    converted: int
    rate: Number
    rate_interval: Ends
    rate_sequence: Ends
    mean: Number
    mean_sequence: Ends


class DayVariantAnswer(AnswerPart):
    """The cohort of one UTC day in one variant. `expected`: visitors that the configured split would give it."""

    variant: str
    impressions: int
    clicks: int
    visitors: int
    expected: Number
    converted: int
    rate: Number
    rate_sequence: Ends
    mean: Number
    mean_sequence: Ends
    cumulative: CumulativeAnswer


class DayComparisonAnswer(AnswerPart):
    """The comparison as it stood at the end of a day."""

    variant: str
    lift: Number
    lift_interval: Ends
    p: Number


class DayAnswer(AnswerPart):
    """One UTC day: its new visitors, and everything up to it."""

    at: str
    variants: tuple[DayVariantAnswer, ...]
    comparisons: tuple[DayComparisonAnswer, ...]


class HourVariantAnswer(AnswerPart):
    """Raw activity of one hour in one variant: all visitors, but no event that arrived more than an hour late."""

    variant: str
    impressions: int
    clicks: int
    ctr: Number


class HourAnswer(AnswerPart):
    """One UTC hour of activity."""

    at: str
    variants: tuple[HourVariantAnswer, ...]


class OutcomesAnswer(AnswerPart):
    """What became of the events of one day. accepted, repeated, excluded: of the visitors first seen on that day.
    refused: events that came on that day; approximate."""

    at: str
    visitors: int
    accepted: int
    repeated: int
    excluded: dict[str, int]
    refused: dict[str, int]


class RefusalAnswer(AnswerPart):
    """The latest refused event of one outcome, since yesterday; also of events that name no experiment. `at`: a UTC
    moment; `reason`: for a person, without the visitor's id; `host`: of the page that sent it, "" if unknown. Senders
    choose parts of both texts."""

    outcome: str
    at: str
    reason: str
    host: str


class LiveAnswer(AnswerPart):
    """What visitors get from a stopped experiment. `since`: when it stopped, UTC; `by`, `why`: from the manifest's
    `decision`, "" where there is none."""

    variant: str
    since: str | None
    by: str
    why: str


Happening = Literal["running", "first", "phase", "paused", "stopped", "end", "note", "decision"]


class HistoryEntry(AnswerPart):
    """One change of the experiment, a note or its decision: a UTC moment, or a day where only the day is known. `by`:
    its author, if one is named."""

    at: str
    what: Happening
    text: str
    by: str | None = None


class Report(AnswerPart):
    """GET /stats/{experiment}: counts, rates, comparisons, checks, verdict and series of one experiment.

    `variants`, `comparisons` and `verdict` are by `metric`, which is a rate or a mean of `goal`. `metrics` has the rate
    of every goal, `means` the values and counts, and `primary` names the one that decides. `comparisons`, `metrics`,
    `means` and `series` compare with `baseline`; `verdict`, `guardrails`, `health` and `plan` with the control, always.
    `segments`: what `by` can ask for. `simulated`: some of its visitors are the demo's.
    """

    experiment: str
    description: str
    hypothesis: str
    status: Status
    assignment: Literal["hash", "client"]
    shipped: str | None
    live: LiveAnswer | None
    goal: str
    metric: ChosenMetric
    goals: tuple[str, ...]
    baseline: str
    as_of: str
    window: WindowAnswer
    phase: int
    phases: tuple[PhaseAnswer, ...]
    alpha: float
    taus: tuple[float, ...]
    stratified: bool
    age: AgeAnswer
    variants: tuple[VariantAnswer, ...]
    comparisons: tuple[ComparisonAnswer, ...]
    primary: str
    metrics: tuple[MetricAnswer, ...]
    means: tuple[MeanAnswer, ...]
    guardrails: tuple[GuardrailAnswer, ...]
    omnibus: OmnibusAnswer | None
    segments: tuple[str, ...]
    health: HealthAnswer
    excluded: dict[str, int]
    flagged: dict[str, int]
    refused: dict[str, int]
    latest_refusals: tuple[RefusalAnswer, ...] = ()
    plan: PlanAnswer
    verdict: VerdictAnswer
    series: tuple[DayAnswer, ...] | tuple[HourAnswer, ...]
    simulated: bool = False
    cost: CostAnswer | None = None
    outcomes: tuple[OutcomesAnswer, ...] | None = None
    history: tuple[HistoryEntry, ...] | None = None


class SummaryVariant(AnswerPart):
    """One variant in the list of experiments."""

    variant: str
    control: bool
    visitors: int
    converted: int
    rate: Number
    rate_interval: Ends
    mean: Number
    mean_interval: Ends


class SummaryComparison(AnswerPart):
    """One comparison in the list of experiments."""

    variant: str
    control: str
    decision: Decision
    lift: Number
    lift_interval: Ends
    p: Number


class RecentDay(AnswerPart):
    """Visitors first seen on one UTC day, and how many of them clicked."""

    at: str
    visitors: int
    converted: int


class Summary(AnswerPart):
    """One experiment in the list. `visitors_today` and `series` only where days were asked for. `simulated`: some of
    its visitors are the demo's."""

    experiment: str
    description: str
    status: Status
    shipped: str | None
    live: LiveAnswer | None
    goal: str
    metric: ChosenMetric
    verdict: VerdictAnswer
    health: CheckState
    impressions: int
    clicks: int
    visitors: int
    converted: int
    variants: tuple[SummaryVariant, ...]
    comparisons: tuple[SummaryComparison, ...]
    simulated: bool = False
    visitors_today: int | None = None
    series: tuple[RecentDay, ...] | None = None


class ExperimentList(AnswerPart):
    """GET /stats: every experiment that is not a draft. `latest_refusals`: of events that name none of them, or cannot
    be read; only where days were asked for."""

    experiments: tuple[Summary, ...]
    latest_refusals: tuple[RefusalAnswer, ...] = ()

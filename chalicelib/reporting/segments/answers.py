"""GET /stats/{experiment}?by=…: every metric by the values of one segment."""

from __future__ import annotations

from chalicelib.analysis.checks.check import State
from chalicelib.analysis.segments.effects import Direction
from chalicelib.domain.metrics import MetricKind
from chalicelib.reporting.models import AnswerPart, Ends, Number


class SegmentArmAnswer(AnswerPart):
    """One variant among the visitors of one value. `estimate`: a rate, or units or events per visitor; `interval`: for
    one look."""

    variant: str
    visitors: int
    converted: int
    estimate: Number
    interval: Ends


class SegmentComparisonAnswer(AnswerPart):
    """A variant against the control among the visitors of one value. `p` and `lift_interval` hold at every look, for
    all values and variants of the metric at once. collecting: too few visitors for a test."""

    variant: str
    control: str
    direction: Direction
    lift: Number
    lift_interval: Ends
    p: Number


class SegmentValueAnswer(AnswerPart):
    """One metric among the visitors of one value."""

    value: str
    variants: tuple[SegmentArmAnswer, ...]
    comparisons: tuple[SegmentComparisonAnswer, ...]


class InteractionAnswer(AnswerPart):
    """Whether a variant's effect differs between the values: Cochran's Q, at one look. `differs`: p below 0.001.
    `values`: those that have enough visitors for it."""

    variant: str
    values: tuple[str, ...]
    q: Number
    df: int
    p: Number
    i2: Number
    differs: bool


class SegmentMetricAnswer(AnswerPart):
    """One metric by value."""

    metric: str
    kind: MetricKind
    goal: str
    primary: bool
    unit: str | None
    decimals: int
    values: tuple[SegmentValueAnswer, ...]
    interactions: tuple[InteractionAnswer, ...]


class ValueSplitAnswer(AnswerPart):
    """The visitors of one value against the configured split. `p`: for one look; `p_anytime`: for every look."""

    value: str
    visitors: dict[str, int]
    expected: dict[str, float]
    p: Number
    p_anytime: Number
    off: bool


class SegmentSplitAnswer(AnswerPart):
    """Whether visitors came in the configured proportions in every value; `off` names where they did not."""

    state: State
    text: str
    off: tuple[str, ...]
    values: tuple[ValueSplitAnswer, ...]


class ValueTrafficAnswer(AnswerPart):
    """Who came with one value: visitors who count, those left out by reason, what is remarkable about those who count,
    and refused events by outcome (approximate)."""

    value: str
    visitors: int
    excluded: dict[str, int]
    flagged: dict[str, int]
    refused: dict[str, int]


class AdjustedAnswer(AnswerPart):
    """A variant against the control by the primary metric, post-stratified by the segment. `difference`, `se`: in units
    of the metric; `gain`: how much less variance than without strata, 0.1 is 10 %."""

    variant: str
    control: str
    strata: int
    difference: Number
    se: Number
    lift: Number
    lift_interval: Ends
    p: Number
    gain: Number


class SegmentReport(AnswerPart):
    """One experiment by one segment, exploratory. `visitors`: in all values; `without_segment`: counted by an earlier
    version, in none. `segments`: what else there is to ask for."""

    experiment: str
    by: str
    segments: tuple[str, ...]
    as_of: str
    alpha: float
    primary: str
    warning: str
    visitors: int
    without_segment: int
    metrics: tuple[SegmentMetricAnswer, ...]
    split: SegmentSplitAnswer
    traffic: tuple[ValueTrafficAnswer, ...]
    adjusted: tuple[AdjustedAnswer, ...]

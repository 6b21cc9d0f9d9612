"""The parts of the answers of GET /stats, as frozen models. OpenAPI and the types of the results page come from them.

`answers.py` puts them together. Built from the dataclasses of `analysis` by attribute. JSON has neither NaN nor ∞:
a number that is not finite becomes null, and an interval is a pair of ends.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue

from chalicelib.analysis.checks.check import State as CheckState
from chalicelib.analysis.comparison import Decision
from chalicelib.analysis.verdict import Next
from chalicelib.analysis.verdict import State as VerdictState
from chalicelib.reporting.serialization import jsonable


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


Number = Annotated[float | None, BeforeValidator(_finite)]
Ends = tuple[Number, Number] | None
"""An interval: both ends belong to it; null is an open end."""
Figures = Annotated[Mapping[str, JsonValue], BeforeValidator(jsonable)]


class AnswerPart(BaseModel):
    """Base of everything that GET /stats answers."""

    model_config = ConfigDict(frozen=True, extra="forbid", from_attributes=True, populate_by_name=True)


class VerdictAnswer(AnswerPart):
    """What to do, and why. `headline` and `reason` are for people, `doubts` names checks; `text` joins them.
    `candidates`: winners that cannot be told apart; `guardrails`: metrics that hold the winner up."""

    state: VerdictState
    headline: str
    reason: str
    text: str
    next: Next
    variant: str | None
    candidates: tuple[str, ...]
    doubts: tuple[str, ...]
    guardrails: tuple[str, ...]


class CheckAnswer(AnswerPart):
    """One data check: a sentence for people, and the figures it rests on."""

    name: str
    state: CheckState
    text: str
    figures: Figures


class ConservationAnswer(AnswerPart):
    """Where the received events went: received = accepted + repeated; accepted = counted + excluded."""

    received: int
    accepted: int
    repeated: int
    counted: int
    excluded: int
    holds: bool
    refused: dict[str, int]
    refused_is: Literal["approximate"] = "approximate"
    rebuilding: bool


class HealthAnswer(AnswerPart):
    """Whether the numbers can be trusted: the worst state of all checks, and each check."""

    state: CheckState
    checks: tuple[CheckAnswer, ...]
    srm: Figures
    conservation: ConservationAnswer | None
    multiple_variants: int


class VariantAnswer(AnswerPart):
    """Counts and rates of one variant. Counts are sums over phases; rates over several phases are comparable
    averages. `ctr_interval` counts at most 100 impressions of each visitor. `mean`: units per visitor, where the report
    is by a mean; `expected_loss` is in the same unit, or a rate."""

    variant: str
    control: bool
    weight: float
    impressions: int
    clicks: int
    ctr: Number
    ctr_interval: Ends
    visitors: int
    converted: int
    rate: Number
    rate_interval: Ends
    goal_events: int
    mean: Number
    mean_interval: Ends
    p_best: Number
    expected_loss: Number
    excluded: dict[str, int]


class EvidenceAnswer(AnswerPart):
    """The score statistic z, its information in log odds, ln E and the anytime-valid p."""

    z: Number
    info: Number
    ln_e: Number
    p: Number


class ShrunkAnswer(AnswerPart):
    """The lift to expect after a rollout: pulled towards 0 as far as its standard error deserves."""

    weight: Number
    mean: Number
    sd: Number
    lift: Number
    interval: Ends
    p_positive: Number


class FixedAnswer(AnswerPart):
    """The fixed-horizon reading: valid for one look at a moment chosen beforehand."""

    z: Number
    p: Number
    ln_p: Number
    p_holm: Number
    p_bh: Number
    lift_interval: Ends
    difference: Number
    difference_interval: Ends


class BayesAnswer(AnswerPart):
    """The chance to be better than the control, and the credible interval of the lift: the posterior of
    `lift_shrunk`."""

    p_better: Number
    lift: Number
    lift_interval: Ends


class CtrAnswer(AnswerPart):
    """Click-through rates compared, standard errors by visitor. All for one look, but `p_anytime`, for every look."""

    lift: Number
    difference: Number
    difference_interval: Ends
    z: Number
    p: Number
    p_anytime: Number


class ComparisonAnswer(AnswerPart):
    """A variant against the control. `lift_interval` and `p` hold at every look and for all comparisons at once."""

    variant: str
    control: str
    decision: Decision
    phases: int
    lift: Number
    lift_interval: Ends
    lift_shrunk: ShrunkAnswer | None
    p: Number
    p_unadjusted: Number
    evidence: EvidenceAnswer | None
    exact_p: Number
    fixed: FixedAnswer | None
    bayes: BayesAnswer
    ctr: CtrAnswer | None


class OmnibusAnswer(AnswerPart):
    """Is there any difference between the variants at all? A G-test at one look."""

    g: Number
    df: int
    p: Number
    ln_p: Number
    pearson: Number
    pearson_p: Number


class PlanAnswer(AnswerPart):
    """How long it takes to detect `lift`, either way, with probability `power`, at the traffic of the last days; and to
    show that no difference is larger than `margin`. Over a `rate`, or over a `mean` whose standard deviation over
    visitors is `spread`, in units."""

    rate: Number
    mean: Number
    spread: Number
    lift: Number
    power: Number
    visitors_per_variant: int | None
    visitors_per_variant_fixed: int | None
    visitors_per_day: Number
    missing: int | None
    days_left: int | None
    days: int | None
    mde_reached: Number
    margin: Number
    equivalence_visitors_per_variant: int | None
    equivalence_days_left: int | None


class AgeAnswer(AnswerPart):
    """first: the day of the first visitor. days: complete UTC days since. week: all weekdays are among them."""

    first: date | None
    days: int
    week: bool


class WindowAnswer(AnswerPart):
    """Which cohorts were asked for; null is unbounded."""

    start: date | None = Field(alias="from")
    end: date | None = Field(alias="to")
    by: Literal["UTC day of the visitor's first impression"] = "UTC day of the visitor's first impression"


class PhaseVariantAnswer(AnswerPart):
    """One variant within one phase."""

    variant: str
    visitors: int
    converted: int
    rate: Number


class PhaseAnswer(AnswerPart):
    """A stretch with unchanged weights: its split, its days, its own numbers."""

    phase: int
    weights: dict[str, float]
    coverage: float
    seen: bool
    first: str | None
    last: str | None
    variants: tuple[PhaseVariantAnswer, ...]

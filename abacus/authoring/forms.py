"""The shape of an experiment as people write it. abacus/authoring/load.py reads files into these models and turns
them into the published ones; abacus/authoring/commands.py turns them into the JSON Schema that editors check with.

Descriptions here are what an author sees while writing.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, StringConstraints, WithJsonSchema

from abacus.authoring.metrics.forms import DurationMs, Goals, GuardrailForm
from abacus.authoring.metrics.segment_forms import SegmentForms
from abacus.shares import parse_share
from chalicelib.domain.manifest import Slug, Status, VariantKey


def _share(value: Any) -> float:
    """`50 %` or 0.5; both mean one half. A number in quotes is refused, as the JSON Schema refuses it."""
    return parse_share(None if isinstance(value, str) and "%" not in value else value)


def _moment(value: Any) -> Any:
    """ISO 8601 with a time zone → epoch milliseconds."""
    rule = "is not a time in UTC: write 2026-12-01T09:00:00Z"
    try:
        moment = datetime.fromisoformat(value)
        if moment.utcoffset() is None:
            raise ValueError
        at = round(moment.astimezone(UTC).timestamp() * 1000)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(rule) from None
    if at < 0:
        raise ValueError(rule)
    return at


def _day_or_moment(value: Any) -> Any:
    """A UTC day such as 2026-12-01, or a moment with its time zone → epoch milliseconds."""
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        value += "T00:00:00Z"
    try:
        return _moment(value)
    except ValueError:
        raise ValueError("is not a day or a time in UTC: write 2026-12-01 or 2026-12-01T09:00:00Z") from None


def _pattern(value: Any) -> Any:
    return {"pattern": value} if isinstance(value, str) else value


_SHARE_SCHEMA = {
    "anyOf": [
        {"type": "number", "minimum": 0, "maximum": 1},
        {"type": "string", "pattern": r"^[0-9]{1,3}(\.[0-9]{1,12})? ?%$"},
    ]
}
Share = Annotated[float, BeforeValidator(_share), WithJsonSchema(_SHARE_SCHEMA)]
Moment = Annotated[int, BeforeValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})]
DayOrMoment = Annotated[
    int,
    BeforeValidator(_day_or_moment),
    WithJsonSchema({"anyOf": [{"type": "string", "format": kind} for kind in ("date", "date-time")]}),
]
Seed = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Text = Annotated[str, StringConstraints(max_length=4000)]


class Form(BaseModel):
    """A mapping that people write: strict types, and no unknown keys."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class VariantForm(Form):
    """One of the versions that are compared."""

    key: Annotated[VariantKey, Field(description="Its name in events, on the results page and in the page's markup.")]
    weight: Annotated[
        Share | None,
        Field(description="Its share of the participants, such as 50 %. Leave all out for equal shares."),
    ] = None
    payload: Annotated[JsonValue, Field(description="Any value that the page gets along with the variant.")] = None


class PhaseForm(Form):
    """A stretch with unchanged weights and coverage. What a later phase leaves out stays as it was."""

    weights: Annotated[
        dict[str, Share] | None, Field(description="The share of each variant, such as {blue: 50 %, green: 50 %}.")
    ] = None
    coverage: Annotated[Share | None, Field(description="The share of all visitors who take part.")] = None
    seed: Annotated[
        Seed | None,
        Field(description="A new seed assigns every visitor again. Without one, each keeps the variant."),
    ] = None


class NamespaceForm(Form):
    """A slice of visitors that experiments in the same namespace do not share."""

    name: Annotated[Seed, Field(description="Experiments in the same namespace never share a visitor.")]
    start: Annotated[Share, Field(description="The slice of the namespace's visitors begins here, such as 0 %.")]
    end: Annotated[Share, Field(description="... and ends just before here, such as 50 %.")]


class PatternForm(Form):
    """A pattern that urls are compared with."""

    type: Annotated[
        Literal["simple", "regex"], Field(description="simple: * stands for any text. regex: searched in the url.")
    ] = "simple"
    pattern: Annotated[str, StringConstraints(min_length=1, max_length=1000)]


Pattern = Annotated[
    PatternForm,
    BeforeValidator(_pattern, json_schema_input_type=PatternForm | str),
]


class UrlsForm(Form):
    """The pages that the experiment runs on."""

    include: Annotated[list[Pattern], Field(description="Runs only where one matches. Default: everywhere.")] = []
    exclude: Annotated[list[Pattern], Field(description="Never runs where one of these matches.")] = []


class NoteForm(Form):
    """A remark that the results page shows at its day."""

    at: Annotated[DayOrMoment, Field(description="The day or the time (UTC), such as 2026-12-01.")]
    by: Annotated[str, StringConstraints(max_length=100), Field(description="Who wrote it.")] = ""
    text: Annotated[Text, StringConstraints(min_length=1), Field(description="What happened, or why it was decided.")]


class ExperimentForm(Form):
    """One experiment."""

    key: Annotated[Slug, Field(description="Its permanent name: a-z, 0-9 and -, at most 64 characters.")]
    description: Annotated[Text, Field(description="What is compared. Not public.")] = ""
    hypothesis: Annotated[Text, Field(description="What you expect, and why. Not public.")] = ""
    status: Annotated[
        Status,
        Field(
            description="draft: not published. running: visitors take part. paused: every visitor sees the control. "
            "stopped: over; the winner, if there is one, goes to every visitor."
        ),
    ]
    variants: Annotated[
        list[VariantForm],
        Field(min_length=2, max_length=20, description="What visitors can see. The first one is the control."),
    ]
    coverage: Annotated[Share | None, Field(description="The share of all visitors who take part. Default: 100 %.")] = (
        None
    )
    phases: Annotated[
        list[PhaseForm] | None,
        Field(
            min_length=1,
            max_length=100,
            description="Changes of weights or coverage while it runs, oldest first. Add to the end, never edit.",
        ),
    ] = None
    seed: Annotated[Seed | None, Field(description="Decides who gets which variant. Default: the key.")] = None
    namespace: Annotated[NamespaceForm | None, Field(description="Separate slices share no visitor.")] = None
    urls: Annotated[UrlsForm | None, Field(description="The pages on which it runs.")] = None
    condition: Annotated[
        dict[str, JsonValue] | None,
        Field(description="Who takes part, by attributes, with GrowthBook's operators: {country: {$in: [CH, DE]}}."),
    ] = None
    redirect: Annotated[
        dict[str, Annotated[str, StringConstraints(max_length=2000)]] | None,
        Field(description="The url each variant is sent to; a variant without one stays. Needs urls.include."),
    ] = None
    edge: Annotated[
        bool, Field(description="false: the edge function leaves it to the snippet, to keep the function small.")
    ] = True
    goals: Goals = []
    primary: Annotated[
        str | None, Field(description="The metric that decides: a goal, goal.value or goal.count. Default: click.")
    ] = None
    guardrails: Annotated[
        list[GuardrailForm], Field(max_length=5, description="Metrics that must not get worse by more than a margin.")
    ] = []
    conversion_window: Annotated[
        DurationMs | None,
        Field(description="Goals count only within this time after the first impression, such as 7 days."),
    ] = None
    segments: SegmentForms = []
    assignment: Annotated[
        Literal["hash", "client"],
        Field(description="client: the sender decides the variant, not the hash. For old trackers only."),
    ] = "hash"
    minimum_detectable_effect: Annotated[
        Share | None, Field(description="The smallest relative change worth finding, such as 5 %. Plans the duration.")
    ] = None
    equivalence_margin: Annotated[
        Share | None,
        Field(description="A relative difference this small counts as none; 1 % unless given. Fixed while it runs."),
    ] = None
    start: Annotated[Moment | None, Field(description="Not before this time (UTC).")] = None
    end: Annotated[Moment | None, Field(description="Not from this time on (UTC).")] = None
    winner: Annotated[str | None, Field(description="Once stopped: the variant that every visitor gets.")] = None
    notes: Annotated[
        list[NoteForm],
        Field(max_length=100, description="What happened meanwhile, for the results page's history. Stays private."),
    ] = []
    decision: Annotated[NoteForm | None, Field(description="Who decided to stop it, when and why. Stays private.")] = (
        None
    )


class SiteForm(Form):
    """A file with several experiments and the settings of the site."""

    client_key: Annotated[
        Slug | None, Field(description="The name under which GrowthBook's SDKs ask for the experiments.")
    ] = None
    holdout: Annotated[
        Share | None,
        Field(description="The share of visitors kept out of every experiment, such as 5 %, to measure them together."),
    ] = None
    experiments: Annotated[list[ExperimentForm], Field(description="Any number of experiments.")] = []

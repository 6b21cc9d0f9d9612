"""One event: an impression, a click or a goal, as a sender reports it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema, model_validator

from chalicelib.domain.clock import YEAR_5000_MS
from chalicelib.domain.manifest import Part
from chalicelib.domain.segments import NAME


def _milliseconds(value: Any) -> Any:
    """ISO 8601 in UTC as epoch milliseconds; anything else is left to the integer check."""
    if not isinstance(value, str):
        return value
    try:
        moment = datetime.fromisoformat(value)
        milliseconds = round(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise ValueError("is neither epoch milliseconds nor ISO 8601, such as 2026-11-21T10:00:00Z") from None
    if moment.utcoffset() is None:
        raise ValueError("has no time zone: end it with Z")
    return milliseconds


def _decimal(value: Any) -> Any:
    """A JSON number or a decimal string as an exact Decimal; anything else is left to the check of the type."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return value
    if isinstance(value, str):
        return Decimal(value) if re.fullmatch(_DECIMAL, value) else value
    return Decimal(repr(value))


_DECIMAL = r"-?[0-9]{1,10}(\.[0-9]{1,4})?"
MAX_VALUE = 10**9  # of one event, in whole units, either way

VisitorId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:\-]{1,128}$")]
EventId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:\-]{1,64}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Time = Annotated[
    int,
    BeforeValidator(_milliseconds),
    Field(ge=0, lt=YEAR_5000_MS),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0, "exclusiveMaximum": YEAR_5000_MS},
                {"type": "string", "format": "date-time"},
            ]
        }
    ),
]


Value = Annotated[
    Decimal,
    BeforeValidator(_decimal),
    Field(ge=-MAX_VALUE, le=MAX_VALUE, allow_inf_nan=False),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": -MAX_VALUE, "maximum": MAX_VALUE},
                {"type": "string", "pattern": f"^{_DECIMAL}$"},
            ]
        }
    ),
]


SegmentName = Annotated[str, StringConstraints(pattern=rf"^{NAME}$")]
SegmentText = Annotated[str, StringConstraints(max_length=100)]


class Event(Part):
    """One impression, click or goal. `at`: epoch milliseconds, when it happened by the corrected clock of the
    sender. `phase`: the phase in which the visitor was assigned; None: the current one. `value`: what the goal
    is worth, in the unit of its manifest; negative for a refund. `segments`: what the page says of the visitor, by
    segment of the experiment."""

    id: EventId
    type: Literal["impression", "click", "goal"]
    experiment: Name
    variant: Name
    at: Time
    phase: Annotated[int, Field(ge=0, le=9999)] | None = None
    goal: Name | None = None
    value: Value | None = None
    segments: dict[SegmentName, SegmentText] = Field(default_factory=dict, max_length=8)

    @model_validator(mode="after")
    def _goal_belongs_to_goals(self) -> Event:
        if (self.goal is not None) != (self.type == "goal"):
            raise ValueError("goal: is given for type 'goal', and only for it")
        if self.value is not None and self.type != "goal":
            raise ValueError("value: is given for type 'goal' only")
        if self.segments and self.type != "impression":
            raise ValueError("segments: are given for type 'impression' only")
        return self

"""POST /events: bytes become a batch of frozen events, once. Nothing past this line is a dict."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
    model_validator,
)

from chalicelib.domain.errors import InvalidInput, TooLarge
from chalicelib.domain.manifest import Model

MAX_BODY = 64 * 1024  # bytes
MAX_EVENTS = 100
YEAR_5000 = 95_617_584_000_000  # epoch ms; keeps every later sum far from any limit


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


VisitorId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:\-]{1,128}$")]
EventId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:\-]{1,64}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Time = Annotated[
    int,
    BeforeValidator(_milliseconds),
    Field(ge=0, lt=YEAR_5000),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0, "exclusiveMaximum": YEAR_5000},
                {"type": "string", "format": "date-time"},
            ]
        }
    ),
]


class Event(Model):
    """One impression, click or goal. `at`: epoch milliseconds, when it happened by the corrected clock of the
    sender. `phase`: the phase in which the visitor was assigned; None: the current one."""

    id: EventId
    type: Literal["impression", "click", "goal"]
    experiment: Name
    variant: Name
    at: Time
    phase: Annotated[int, Field(ge=0, le=9999)] | None = None
    goal: Name | None = None

    @model_validator(mode="after")
    def _goal_belongs_to_goals(self) -> Event:
        if (self.goal is not None) != (self.type == "goal"):
            raise ValueError("goal: is given for type 'goal', and only for it")
        return self


class Batch(Model):
    """What one request says of one visitor. `bot`: the sender itself says that it is automated."""

    visitor: VisitorId
    events: Annotated[tuple[Event, ...], Field(max_length=MAX_EVENTS)]
    bot: bool = False


class _LooseBatch(Model):
    visitor: VisitorId
    events: list[Any]
    bot: bool = False


_EVENT = TypeAdapter(Event)


class Malformed(Model):
    """An event of the batch that could not be read: its place, and what is wrong with it."""

    index: int
    message: str


def parse(body: bytes) -> tuple[Batch, list[int], list[Malformed]]:
    """The batch in `body`, each event's index in the request, and the events that could not be read.

    Raises InvalidInput (400) when not even visitor and list of events can be read, TooLarge (413) above 64 KiB
    or 100 events.
    """
    if len(body) > MAX_BODY:
        raise TooLarge(f"body: {len(body)} bytes; at most {MAX_BODY} are taken. Send fewer events at once.")
    try:
        batch = Batch.model_validate_json(body)
        return batch, list(range(len(batch.events))), []
    except ValidationError:
        pass
    # The fast way in failed. Read once more, event by event, so that one bad event does not spoil the others.
    try:
        loose = _LooseBatch.model_validate_json(body)
    except ValidationError as error:
        raise InvalidInput(explain(error), field=_field(error)) from None
    return each(loose.visitor, loose.events, bot=loose.bot)


def each(visitor: str, raw: Sequence[Any], *, bot: bool = False) -> tuple[Batch, list[int], list[Malformed]]:
    """The same from events that are JSON values already. Raises InvalidInput for a visitor id that is none."""
    if len(raw) > MAX_EVENTS:
        raise TooLarge(f"events: {len(raw)} events; at most {MAX_EVENTS} are taken at once.", field="events")
    events, places, malformed = [], [], []
    for index, one in enumerate(raw):
        try:
            events.append(_EVENT.validate_python(one, strict=True))
            places.append(index)
        except ValidationError as error:
            malformed.append(Malformed(index=index, message=explain(error)))
    try:
        return Batch(visitor=visitor, events=tuple(events), bot=bot), places, malformed
    except ValidationError as error:
        raise InvalidInput(explain(error), field=_field(error)) from None


def _field(error: ValidationError) -> str | None:
    return ".".join(str(part) for part in error.errors(include_url=False)[0]["loc"]) or None


def explain(error: ValidationError) -> str:
    """The first problem of a validation error as one sentence: field, value, rule."""
    first = error.errors(include_url=False)[0]
    field = _field(error)
    value = first["input"]
    rule = first["msg"].removeprefix("Value error, ")
    if first["type"] == "missing":
        return f"{field}: is missing"
    if first["type"] == "extra_forbidden":
        return f"{field}: is not a field of this message"
    if first["type"] == "json_invalid":
        return f"the body is not JSON: {first['ctx']['error']}"
    if field is None:
        return rule
    shown = f"{value!r:.80}" if isinstance(value, str | int | float | bool | None) else f"a {type(value).__name__}"
    return f"{field}: {shown} {RULES.get(field.rpartition('.')[2], rule)}"


RULES = {
    "visitor": "is not a visitor id: 1–128 characters of A–Z a–z 0–9 _ . : -",
    "id": "is not an event id: 1–64 characters of A–Z a–z 0–9 _ . : -",
    "type": "is not one of impression, click, goal",
}

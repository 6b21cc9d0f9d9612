"""POST /events: the request, whose bytes become a batch of frozen events once, and the response.

Nothing behind this module sees a dictionary.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, NamedTuple

from pydantic import FailFast, Field, TypeAdapter, ValidationError

from chalicelib.domain.errors import InvalidInput, TooLarge
from chalicelib.domain.event import MAX_VALUE, Event, VisitorId
from chalicelib.domain.manifest import Model
from chalicelib.ingestion.validation import Outcome

MAX_BODY = 64 * 1024  # bytes
MAX_EVENTS = 100


class Batch(Model):
    """The events of one visitor in one request. `bot`: the sender says that it is automated."""

    visitor: VisitorId
    events: Annotated[tuple[Event, ...], FailFast(), Field(max_length=MAX_EVENTS)]
    bot: bool = False


class _LooseBatch(Model):
    visitor: VisitorId
    events: list[Any]
    bot: bool = False


@cache
def _one_event() -> TypeAdapter[Event]:
    return TypeAdapter(Event)  # only a request with an event that is wrong needs it


@dataclass(frozen=True)
class Malformed:
    """An event of the batch that could not be read: its place, and what is wrong with it. `rule`: the same without the
    value, which may be a visitor's id."""

    index: int
    message: str
    rule: str


class ParsedRequest(NamedTuple):
    """A request of one visitor. `batch`: the events that could be read; `positions`: the index in the request of each
    of them; `malformed`: the others."""

    batch: Batch
    positions: tuple[int, ...]
    malformed: tuple[Malformed, ...] = ()


def parse(body: bytes) -> ParsedRequest:
    """The events in the body of POST /events.

    Raises InvalidInput (400) when not even visitor and list of events can be read, TooLarge (413) above 64 KiB
    or 100 events.
    """
    if len(body) > MAX_BODY:
        raise TooLarge(f"body: {len(body)} bytes; at most {MAX_BODY} are taken. Send fewer events at once.")
    try:
        batch = Batch.model_validate_json(body)
        return ParsedRequest(batch, tuple(range(len(batch.events))))
    except ValidationError:
        pass
    # The fast way failed. Read the body again, event by event, so that one bad event does not spoil the others.
    try:
        loose = _LooseBatch.model_validate_json(body)
    except ValidationError as error:
        raise InvalidInput(explain(error), field=_field(error)) from None
    return each(loose.visitor, loose.events, bot=loose.bot)


def each(visitor: str, raw: Sequence[Any], *, bot: bool = False) -> ParsedRequest:
    """The same from events that are JSON values already.

    Raises InvalidInput for an impossible visitor id, TooLarge for more than 100 events."""
    if len(raw) > MAX_EVENTS:
        raise TooLarge(f"events: {len(raw)} events; at most {MAX_EVENTS} are taken at once.", field="events")
    one_event = _one_event()
    events, positions, malformed = [], [], []
    for index, value in enumerate(raw):
        try:
            events.append(one_event.validate_python(value, strict=True))
            positions.append(index)
        except ValidationError as error:
            malformed.append(Malformed(index=index, message=explain(error), rule=explain(error, values=False)))
    try:
        batch = Batch(visitor=visitor, events=tuple(events), bot=bot)
    except ValidationError as error:
        raise InvalidInput(explain(error), field=_field(error)) from None
    return ParsedRequest(batch, tuple(positions), tuple(malformed))


def _field(error: ValidationError) -> str | None:
    return ".".join(str(part) for part in error.errors(include_url=False)[0]["loc"]) or None


def explain(error: ValidationError, *, values: bool = True) -> str:
    """The first problem of a validation error as one sentence: field, value (unless not `values`), rule."""
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
    shown = shown if values else "its value"
    return f"{field}: {shown} {RULES.get(field.rpartition('.')[2], rule)}"


RULES = {
    "visitor": "is not a visitor id: 1–128 characters of A–Z a–z 0–9 _ . : -",
    "id": "is not an event id: 1–64 characters of A–Z a–z 0–9 _ . : -",
    "type": "is not one of impression, click, goal",
    "value": f'is not a number from −{MAX_VALUE:,} to {MAX_VALUE:,}, such as 49.9 or "49.90"',
}


class RefusedEvent(Model):
    """One event that was not written: its place in the request, and why."""

    index: int
    outcome: str
    message: str


class EventsResponse(Model):
    """What POST /events answers: every event of the request is in exactly one of the four."""

    accepted: int
    repeated: int
    queued: int
    refused: tuple[RefusedEvent, ...]

    @property
    def outcomes(self) -> Counter[str]:
        """How many events ended in each outcome."""
        written = {Outcome.ACCEPTED: self.accepted, Outcome.REPEATED: self.repeated, Outcome.QUEUED: self.queued}
        return Counter(refusal.outcome for refusal in self.refused) + Counter(written)


def sum_responses(answers: Iterable[EventsResponse]) -> EventsResponse:
    """Several answers as one; the places of refusals are those in each one's own list."""
    answers = list(answers)
    return EventsResponse(
        accepted=sum(a.accepted for a in answers),
        repeated=sum(a.repeated for a in answers),
        queued=sum(a.queued for a in answers),
        refused=tuple(r for a in answers for r in a.refused),
    )

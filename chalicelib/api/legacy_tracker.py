"""POST /collect: the protocol of the tracker that ABacus grew from.

It has no event id, so each call is an event of its own: a retry counts twice here, as do custom events at /track.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from chalicelib.api import parameters
from chalicelib.domain.clock import iso, utc_day
from chalicelib.domain.errors import InvalidInput, TooLarge
from chalicelib.domain.event import Event, Name, VisitorId
from chalicelib.ingestion.request import MAX_BODY, Batch, ParsedRequest, explain
from chalicelib.ingestion.sender import Sender
from chalicelib.reporting import queries
from chalicelib.storage.tally import Tally

if TYPE_CHECKING:
    from chalicelib.runtime.service import Service


class _Message(BaseModel):
    # Open, unlike everything else: the original ignored what it did not know, and so do its callers.
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", populate_by_name=True)
    experiment: Name = Field(alias="experimentId")


class Log(_Message):
    """An impression or a click of one visitor."""

    action: Literal["log_impression", "log_click"]
    visitor: VisitorId = Field(alias="userId")
    variant: Name


class GetStats(_Message):
    """A request for numbers; `start` and `end` are days, both included."""

    action: Literal["get_stats"]
    start: str | None = Field(None, alias="from")
    end: str | None = Field(None, alias="to")


_LEGACY_NAMES = {"experiment_id": "experimentId", "user_id": "userId"}


def answer(
    service: Service, body: bytes, *, now_ms: int, sender: Sender, may_read: Callable[[], None]
) -> dict[str, Any]:
    """The answer to one call, in the shape of the original. `now_ms`: epoch milliseconds; `may_read` raises where the
    caller may not see numbers.

    Raises InvalidInput for what cannot be read and for events that are refused, with the outcome in the message."""
    message = _parse(body)
    if isinstance(message, GetStats):
        may_read()
        return _stats(service, message, now_ms)
    event = Event(
        id=secrets.token_urlsafe(16),
        type="impression" if message.action == "log_impression" else "click",
        experiment=message.experiment,
        variant=message.variant,
        at=now_ms,
    )
    written = service.ingest.receive(
        ParsedRequest(Batch(visitor=message.visitor, events=(event,)), (0,)), now_ms=now_ms, sender=sender
    )
    for refusal in written.refused:
        raise InvalidInput(f"{refusal.outcome}: {refusal.message}", field="experimentId")
    return {
        "message": "Event logged",
        "data": {
            "experimentId": message.experiment,
            "timestamp": iso(now_ms, "milliseconds"),
            "userId": message.visitor,
            "variant": message.variant,
            "action": message.action,
        },
    }


def _parse(body: bytes) -> Log | GetStats:
    if len(body) > MAX_BODY:
        raise TooLarge(f"body: {len(body)} bytes; at most {MAX_BODY} are taken.")
    try:
        raw = TypeAdapter(dict[str, Any]).validate_json(body)
    except ValidationError as error:
        raise InvalidInput(explain(error)) from None
    raw = {_LEGACY_NAMES.get(name, name): value for name, value in raw.items()}
    kinds: dict[Any, type[Log | GetStats]] = {"log_impression": Log, "log_click": Log, "get_stats": GetStats}
    action = raw.get("action")
    kind = kinds.get(action) if isinstance(action, str) else None
    if kind is None:
        raise InvalidInput(f"action: {action!r:.80} is not one of {', '.join(kinds)}", field="action")
    try:
        return kind.model_validate(raw)
    except ValidationError as error:
        raise InvalidInput(explain(error), field=str(error.errors()[0]["loc"][0])) from None


def _stats(service: Service, message: GetStats, now_ms: int) -> dict[str, Any]:
    """Numbers by day of first exposure, so the window is whole days (UTC); the last 30 of them unless told."""
    query = {name: value for name, value in (("from", message.start), ("to", message.end)) if value}
    question = parameters.question(query)
    today = utc_day(now_ms)
    end = question.end or today
    start = question.start or date.fromordinal(max(1, end.toordinal() - 30))
    if start > end:
        raise InvalidInput(f"from: {start} is after to: {end}", field="from")
    manifest = service.catalog.refresh(now_ms)
    experiment = queries.known(manifest, message.experiment)
    per_variant = {key: Tally() for key in experiment.variant_keys}
    for cell, tally in queries.days(service.store, experiment.key, start, end).items():
        if cell.variant in per_variant:
            per_variant[cell.variant].add(tally)
    total = Tally()
    for tally in per_variant.values():
        total.add(tally)
    return {
        "experimentId": message.experiment,
        "window": {"from": f"{start}T00:00:00.000Z", "to": f"{end}T23:59:59.999Z"},
        "totals": _four(total),
        "variants": {key: _four(tally) for key, tally in per_variant.items()},
    }


def _four(tally: Tally) -> dict[str, float]:
    return {
        "impressions": tally.impressions,
        "clicks": tally.clicks,
        "ctr": tally.clicks / tally.impressions if tally.impressions else 0,
        "uniqueUsers": tally.visitors,
    }

"""Messages of events: in the queue while the table is busy, and in the journal of a developer's machine."""

from __future__ import annotations

from typing import Annotated, Any, Protocol

from pydantic import AfterValidator, Field, ValidationError

from chalicelib.domain.errors import InvalidInput
from chalicelib.domain.event import VisitorId
from chalicelib.domain.manifest import Model, Slug
from chalicelib.ingestion.request import MAX_EVENTS, explain
from chalicelib.storage import event_encoding


class Spill(Protocol):
    """Where events wait that cannot be written now: the table is busy, the time is over, too many wait.

    Called with the body of one message."""

    def __call__(self, body: str) -> None:
        """Put one message into the queue. Raises what the queue raises when it is busy."""


def _readable(element: str) -> str:
    event_encoding.decode(element)
    return element


class RowEvents(Model):
    """Events of one row, as elements."""

    visitor: VisitorId
    experiment: Slug
    elements: Annotated[
        tuple[Annotated[str, AfterValidator(_readable)], ...], Field(min_length=1, max_length=MAX_EVENTS)
    ]


class EventsMessage(Model):
    """The events of one request, by row. `received`: epoch milliseconds."""

    rows: tuple[RowEvents, ...]
    received: Annotated[int, Field(ge=0)]


class _MessageOfAnOlderVersion(RowEvents):
    received: int


def read_message(body: str) -> EventsMessage:
    """The rows in the body of a message. Raises InvalidInput for a body that this service did not write."""
    try:
        if '"rows"' in body:
            return EventsMessage.model_validate_json(body)
        old = _MessageOfAnOlderVersion.model_validate_json(body)
        row = RowEvents(visitor=old.visitor, experiment=old.experiment, elements=old.elements)
        return EventsMessage(rows=(row,), received=old.received)
    except ValidationError as error:
        raise InvalidInput(f"a spilled message cannot be read: {explain(error)}") from None


def sqs_spill(client: Any, queue_url: str) -> Spill | None:
    """A spill into SQS, or None where no queue is configured."""
    if not queue_url:
        return None
    return lambda body: client.send_message(QueueUrl=queue_url, MessageBody=body)

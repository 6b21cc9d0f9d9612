"""What POST /events answers: every event of the request, by outcome."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from chalicelib.domain.manifest import Model
from chalicelib.ingestion.validation import Outcome


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


def total(answers: Iterable[EventsResponse]) -> EventsResponse:
    """Several answers as one; the places of refusals are those in each one's own list."""
    answers = list(answers)
    return EventsResponse(
        accepted=sum(a.accepted for a in answers),
        repeated=sum(a.repeated for a in answers),
        queued=sum(a.queued for a in answers),
        refused=tuple(r for a in answers for r in a.refused),
    )

"""One request's events on their way into the rows: validate_event each, write each participant's once, or spill.

validate_event → group by experiment → one idempotent write a row → (table busy: spill queue) → answer
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from chalicelib.domain.clock import DAY_MS, SECOND_MS
from chalicelib.domain.errors import Busy
from chalicelib.domain.manifest import Manifest, Model
from chalicelib.ingestion.request import ParsedRequest
from chalicelib.ingestion.validation import WINDOW_BACK_MS, Outcome, validate_events
from chalicelib.storage import event_encoding
from chalicelib.storage.retry import is_busy
from chalicelib.storage.store import Full, ParticipantRow, RowKey, Store

# How many events either of a row's two sets may hold before a write, so a row holds at most twice that and a request's
# hundred: a condition can compare one size, but not add two up. Clicks and goals have room above the impressions, so
# that a frequent visitor's purchase still counts.
CAP_IMPRESSIONS = 200
CAP_OTHERS = 300
BUDGET = 3.0  # seconds for all rows of a request; the last one begun may take its own patience on top


class RefusedEvent(Model):
    """One event that was not written: its place in the request, and why."""

    index: int
    outcome: str
    message: str


class EventsResponse(Model):
    """What POST /events says: every event of the request is in exactly one of the four."""

    accepted: int
    repeated: int
    queued: int
    refused: tuple[RefusedEvent, ...]

    @property
    def outcomes(self) -> Counter[str]:
        """How many events ended in each outcome."""
        written = {Outcome.ACCEPTED: self.accepted, Outcome.REPEATED: self.repeated, Outcome.QUEUED: self.queued}
        return Counter(refusal.outcome for refusal in self.refused) + Counter(written)


class Spill(Protocol):
    """Where events wait while the table is busy."""

    def __call__(self, body: str) -> None: ...


class ManifestSource(Protocol):
    """Where the manifest comes from. `now_ms`: epoch milliseconds."""

    def current(self, now_ms: int) -> Manifest: ...
    def refresh(self, now_ms: int) -> Manifest: ...


def total(answers: Iterable[EventsResponse]) -> EventsResponse:
    """Several answers as one; the places of refusals are those in each one's own list."""
    answers = list(answers)
    return EventsResponse(
        accepted=sum(a.accepted for a in answers),
        repeated=sum(a.repeated for a in answers),
        queued=sum(a.queued for a in answers),
        refused=tuple(r for a in answers for r in a.refused),
    )


@dataclass(frozen=True)
class Ingest:
    """Receives events. `version()` makes a random string; `count_refusal(experiment or "?", outcome)` is called for
    every refused event, `count_outcomes(outcomes)` once for every request."""

    store: Store
    catalog: ManifestSource
    spill: Spill | None
    retention_days: int
    version: Callable[[], str]
    count_refusal: Callable[[str, str], None]
    count_outcomes: Callable[[Counter[str]], None] = lambda outcomes: None
    clock: Callable[[], float] = time.monotonic

    def receive(
        self,
        request: ParsedRequest,
        *,
        now_ms: int,
        bot: bool = False,
        window_back_ms: int = WINDOW_BACK_MS,
    ) -> EventsResponse:
        """Validate and write the events of one visitor. `now_ms`: epoch milliseconds; `bot`: whether the sender is
        automated. Raises Busy when neither table nor queue takes them; sending the same again is then safe."""
        batch, positions, malformed = request
        refused = [RefusedEvent(index=m.index, outcome=Outcome.MALFORMED, message=m.message) for m in malformed]
        manifest, verdicts = validate_events(
            batch.events,
            batch.visitor,
            self.catalog.current(now_ms),
            lambda: self.catalog.refresh(now_ms),
            now_ms=now_ms,
            window_back_ms=window_back_ms,
        )
        rows: dict[str, list[tuple[int, str]]] = {}
        for index, event, verdict in zip(positions, batch.events, verdicts, strict=True):
            experiment = manifest.experiment(event.experiment)
            if verdict is not None or experiment is None:
                assert verdict is not None
                refused.append(RefusedEvent(index=index, outcome=verdict.outcome, message=verdict.message))
                self.count_refusal(experiment.key if experiment else "?", verdict.outcome)
                continue
            element = event_encoding.write(
                event, phase=experiment.current_phase, bot=bot, client=experiment.assignment == "client"
            )
            rows.setdefault(experiment.key, []).append((index, element))
        for _ in malformed:
            self.count_refusal("?", Outcome.MALFORMED)

        outcomes: Counter[Outcome] = Counter()
        deadline = self.clock() + BUDGET
        busy = False
        for experiment_key, indexed in rows.items():
            key = RowKey(batch.visitor, experiment_key)
            # Once a row could not be written, or all of them together took too long, the next would only cost the
            # visitor another wait.
            busy = busy or self.clock() > deadline
            written = None if busy else self._try(key, [element for _, element in indexed], now_ms)
            if written is None:
                busy = True
                self._spill(key, [element for _, element in indexed], now_ms)
                outcomes[Outcome.QUEUED] += len(indexed)
                continue
            for (index, _), outcome in zip(indexed, written, strict=True):
                outcomes[outcome] += 1
                if outcome is Outcome.CAPPED:
                    message = f"{experiment_key} holds no more events of this visitor."
                    refused.append(RefusedEvent(index=index, outcome=outcome, message=message))
                    self.count_refusal(experiment_key, outcome)
        answer = EventsResponse(
            accepted=outcomes[Outcome.ACCEPTED],
            repeated=outcomes[Outcome.REPEATED],
            queued=outcomes[Outcome.QUEUED],
            refused=tuple(sorted(refused, key=lambda r: r.index)),
        )
        self.count_outcomes(answer.outcomes)
        return answer

    def write_spilled(self, body: str, *, now_ms: int) -> None:
        """Write what the spill queue kept. May be called again with the same: the write is idempotent, as long as the
        row lives; a message older than that would make the visitor a new one, and is dropped."""
        spilled = json.loads(body)
        if now_ms - spilled["received"] < self.retention_days * DAY_MS:
            self._write(RowKey(spilled["visitor"], spilled["experiment"]), spilled["elements"], now_ms)

    def _try(self, key: RowKey, events: list[str], now_ms: int) -> list[Outcome] | None:
        try:
            return self._write(key, events, now_ms)
        except Exception as error:
            if not is_busy(error):
                raise
            return None

    def _spill(self, key: RowKey, events: list[str], now_ms: int) -> None:
        try:
            if self.spill is None:
                raise Busy("The tables are busy. Send the same again.", retry_after=5)
            self.spill(json.dumps({**key._asdict(), "elements": events, "received": now_ms}))
        except Exception as error:
            if not is_busy(error):
                raise
            raise Busy("Tables and queue are busy. Send the same again.", retry_after=5) from None

    def _write(self, key: RowKey, events: list[str], now_ms: int) -> list[Outcome]:
        """The outcome of each of `events`, after one write of them all."""
        try:
            return _outcomes(events, self._add(key, events, now_ms))
        except Full as full:
            return self._write_to_full(key, events, full.row, now_ms)

    def _write_to_full(self, key: RowKey, events: list[str], row: ParticipantRow, now_ms: int) -> list[Outcome]:
        """The same for a row that takes no more of all of them: clicks and goals may still find room by themselves."""
        if row.expires_at < self._expiry(now_ms):
            self.store.extend_expiry(key, self._expiry(now_ms))  # nothing is written, but the visitor is still here
        capped = _outcomes(events, row, new=Outcome.CAPPED)
        others = [e for e in events if not event_encoding.is_impression(e)]
        if not others or len(others) == len(events):
            return capped
        try:
            written = iter(_outcomes(others, self._add(key, others, now_ms)))
        except Full:
            return capped
        return [o if event_encoding.is_impression(e) else next(written) for e, o in zip(events, capped, strict=True)]

    def _add(self, key: RowKey, events: list[str], now_ms: int) -> ParticipantRow:
        cap = CAP_IMPRESSIONS if any(event_encoding.is_impression(e) for e in events) else CAP_OTHERS
        return self.store.add(
            key, set(events), len(events), version=self.version(), expires_at=self._expiry(now_ms), cap=cap
        )

    def _expiry(self, now_ms: int) -> int:
        """Epoch seconds, rounded to the day: the value is in every row, and an unchanged value is an unchanged item."""
        return (now_ms // DAY_MS + self.retention_days + 1) * (DAY_MS // SECOND_MS)


def _outcomes(events: Iterable[str], before: ParticipantRow, *, new: Outcome = Outcome.ACCEPTED) -> list[Outcome]:
    """What became of each event, given the row as it was before. An id that was there is the same event."""
    known = {event_encoding.identifier(e) for e in before.pending | before.counted}
    outcomes = []
    for event in events:
        identifier = event_encoding.identifier(event)
        outcomes.append(Outcome.REPEATED if identifier in known else new)
        known.add(identifier)
    return outcomes


def sqs_spill(client: Any, queue_url: str) -> Spill | None:
    """A spill into SQS, or None where no queue is configured."""
    if not queue_url:
        return None
    return lambda body: client.send_message(QueueUrl=queue_url, MessageBody=body)

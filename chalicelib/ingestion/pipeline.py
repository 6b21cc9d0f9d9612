"""One request's events on their way into the rows.

limit by network → validate each event → group by row → one idempotent write a row → (where it cannot be written now:
one message to the queue) → answer
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from chalicelib.domain.clock import DAY_MS
from chalicelib.domain.errors import Busy
from chalicelib.ingestion.network_limit import NetworkLimit
from chalicelib.ingestion.request import EventsResponse, ParsedRequest, RefusedEvent
from chalicelib.ingestion.rows.memory import QUEUED_AT_MOST, RowMemory
from chalicelib.ingestion.rows.spill import EventsMessage, RowEvents, Spill, read_message
from chalicelib.ingestion.rows.writer import RowLimits, RowWriter, limits_of
from chalicelib.ingestion.sender import ANONYMOUS, Sender
from chalicelib.ingestion.validation import LATE_MS, WINDOW_BACK_MS, Outcome, Refusal, validate_events
from chalicelib.ingestion.visitor_segments import segments_of
from chalicelib.storage.event_encoding import Marks, element_of
from chalicelib.storage.manifest_cache import Catalog, FreshManifest
from chalicelib.storage.refusals import UNKNOWN, RefusalNote
from chalicelib.storage.retry import is_busy
from chalicelib.storage.store import RowKey, Store

BUDGET = 3.0  # seconds in which a request begins writes; the last one may take its timeout of 3 s on top, the queue too
# Ids that a page or a back end sends when its variable is empty.
SHARED_IDS = {"undefined", "null", "none", "nan", "nil", "true", "false", "0", "-1", "anonymous", "unknown", "guest"}
MAX_EXPERIMENTS = 25  # in a request; each is a row to write and to fold


@dataclass
class _Answer:
    """The answer to one visitor's events in the making. `host`: their page's; `rows`: index, element by experiment."""

    visitor: str
    host: str
    refused: list[RefusedEvent] = field(default_factory=list)
    notes: list[RefusalNote] = field(default_factory=list)
    rows: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    outcomes: Counter[Outcome] = field(default_factory=Counter)

    def refuse(self, index: int, experiment: str, refusal: Refusal, segments: tuple[str, ...] = ()) -> None:
        self.refused.append(RefusedEvent(index=index, outcome=refusal.outcome, message=refusal.message))
        reason = refusal.reason or refusal.message
        self.notes.append(RefusalNote(experiment, refusal.outcome, reason, self.host, segments))

    def finished(self) -> EventsResponse:
        return EventsResponse(
            accepted=self.outcomes[Outcome.ACCEPTED],
            repeated=self.outcomes[Outcome.REPEATED],
            queued=self.outcomes[Outcome.QUEUED],
            refused=tuple(sorted(self.refused, key=lambda refusal: refusal.index)),
        )


@dataclass(frozen=True)
class Ingest:
    """Receives events.

    store, catalog, spill: where rows are written, the manifest comes from, and events wait (None: nowhere).
    retention_days: how long a row lives after its last event. version(): makes a random string.
    count_refusals(notes, now_ms): called once a request or message. count_outcomes(outcomes): called once for every
    visitor's events. limit: of new visitors from one network; None: no limit. clock: seconds, monotonic.
    journal: called, before the answer, with a message of all rows that table or queue took; `write_spilled` reads it.
    """

    store: Store
    catalog: Catalog
    spill: Spill | None
    retention_days: int
    version: Callable[[], str]
    count_refusals: Callable[[Sequence[RefusalNote], int], None]
    count_outcomes: Callable[[Counter[str]], None] = lambda outcomes: None
    clock: Callable[[], float] = time.monotonic
    limit: NetworkLimit | None = None
    journal: Spill | None = None
    memory: RowMemory = field(default_factory=lambda: RowMemory(time.monotonic))

    def receive(self, request: ParsedRequest, *, now_ms: int, sender: Sender = ANONYMOUS) -> EventsResponse:
        """Validate and write the events of one visitor. See `receive_all`."""
        (answer,) = self.receive_all([request], now_ms=now_ms, sender=sender)
        return answer

    def receive_all(
        self, requests: Sequence[ParsedRequest], *, now_ms: int, sender: Sender = ANONYMOUS
    ) -> list[EventsResponse]:
        """Validate and write the events of several visitors, within one deadline.

        requests: one for each visitor. now_ms: epoch milliseconds. sender: of all of them. Returns one answer for each
        request, in order. Raises Busy when neither table nor queue takes the events, and TooManyRequests when the
        sender's network brings too many new visitors; sending the same again is then safe."""
        writer = self._writer(self.store.within(BUDGET))
        deadline = self.clock() + BUDGET
        bursts = [self._admit(request, sender) for request in requests]
        manifest = FreshManifest(self.catalog, now_ms)
        answers = [
            self._validate(request, sender, burst, manifest, now_ms)
            for request, burst in zip(requests, bursts, strict=True)
        ]
        spilled: list[RowEvents] = []
        journaled: list[RowEvents] = []
        busy = False
        for answer in answers:
            for experiment_key, indexed in answer.rows.items():
                key = RowKey(answer.visitor, experiment_key)
                elements = [element for _, element in indexed]
                # Once a row could not be written, or all of them together took too long, the next would only cost the
                # visitor another wait.
                busy = busy or self.clock() > deadline
                outcomes = None
                waits = self.spill is not None and writer.is_spent
                if not busy and not waits and not self._is_throttled(key):
                    limits = limits_of(manifest.manifest.experiment(experiment_key))
                    outcomes = self._try_to_write(writer, key, elements, limits, now_ms)
                    busy = outcomes is None
                outcomes = outcomes or [Outcome.QUEUED] * len(indexed)
                self._book(answer, key, indexed, outcomes, spilled)
                if self.journal is not None:
                    journaled += _accepted_rows(key, elements, outcomes)
        if spilled:
            self._spill(spilled, now_ms)
        if journaled and self.journal is not None:
            self.journal(EventsMessage(rows=tuple(journaled), received=now_ms).model_dump_json())
        finished = [answer.finished() for answer in answers]
        for response in finished:
            self.count_outcomes(response.outcomes)
        self.count_refusals([note for answer in answers for note in answer.notes], now_ms)
        return finished

    def write_spilled(self, body: str, *, now_ms: int) -> None:
        """Write events that waited in the queue.

        body: of one message. May be called again with the same one: the write is idempotent for as long as the row
        lives. Events older than that would make the visitor a new one: they are refused as too old. Raises InvalidInput
        for a message that cannot be read, and what the table raises when it is busy."""
        message = read_message(body)
        manifest = self.catalog.current(now_ms)
        for row in message.rows:
            key = RowKey(row.visitor, row.experiment)
            elements = list(row.elements)
            if now_ms - message.received >= self.retention_days * DAY_MS:
                outcomes = [Outcome.TOO_OLD] * len(elements)
            else:
                limits = limits_of(manifest.experiment(row.experiment))
                outcomes = self._writer(self.store).write(key, elements, limits, now_ms)
            if Outcome.QUEUED in outcomes:
                raise Busy("A row has too many events that are not counted yet.", retry_after=5)
            refused = [outcome for outcome in outcomes if outcome in (Outcome.CAPPED, Outcome.TOO_OLD)]
            reason = "Found when it left the queue."
            self.count_refusals([RefusalNote(row.experiment, outcome, reason) for outcome in refused], now_ms)

    def _writer(self, store: Store) -> RowWriter:
        return RowWriter(store, self.memory, self.retention_days, self.version)

    def _admit(self, request: ParsedRequest, sender: Sender) -> bool:
        return bool(self.limit and not sender.signed and self.limit.admit(sender.address, request.batch.visitor))

    def _validate(
        self, request: ParsedRequest, sender: Sender, burst: bool, manifest: FreshManifest, now_ms: int
    ) -> _Answer:
        """Sort the events of one visitor into refusals and rows."""
        batch, positions, malformed = request
        answer = _Answer(batch.visitor, sender.host)
        for problem in malformed:
            answer.refuse(problem.index, UNKNOWN, Refusal(Outcome.MALFORMED, problem.message, problem.rule))
        refusals = validate_events(
            batch.events,
            batch.visitor,
            manifest,
            now_ms=now_ms,
            window_back_ms=self.retention_days * DAY_MS if sender.signed else WINDOW_BACK_MS,
            signed=sender.signed,
        )
        bot = sender.bot or batch.bot
        shared = batch.visitor.lower() in SHARED_IDS
        no_cookie = sender.has_cookie is False and not sender.signed
        for index, event, refusal in zip(positions, batch.events, refusals, strict=True):
            experiment = manifest.manifest.experiment(event.experiment)
            segments = segments_of(experiment, event.segments, sender) if experiment else ()
            if refusal is None and event.experiment not in answer.rows and len(answer.rows) == MAX_EXPERIMENTS:
                message = f"experiment: the request has events of {MAX_EXPERIMENTS} others; send this one by itself."
                refusal = Refusal(Outcome.TOO_MANY_EXPERIMENTS, message)
            if refusal is not None or experiment is None:
                assert refusal is not None
                answer.refuse(index, experiment.key if experiment else UNKNOWN, refusal, segments)
                continue
            late = event.at < now_ms - LATE_MS and not sender.signed
            marks = Marks(bot, late, no_cookie, burst, shared)
            answer.rows.setdefault(experiment.key, []).append((index, element_of(event, experiment, marks, segments)))
        return answer

    def _book(
        self,
        answer: _Answer,
        key: RowKey,
        indexed: Sequence[tuple[int, str]],
        outcomes: Sequence[Outcome],
        spilled: list[RowEvents],
    ) -> None:
        """Note what became of the events of one row; those that are queued are added to `spilled`."""
        queued = []
        for (index, element), outcome in zip(indexed, outcomes, strict=True):
            answer.outcomes[outcome] += 1
            if outcome is Outcome.CAPPED:
                full = Refusal(outcome, f"{key.experiment} holds no more events of this visitor.")
                answer.refuse(index, key.experiment, full)
            elif outcome is Outcome.QUEUED:
                queued.append(element)
        if queued:
            spilled.append(RowEvents(visitor=key.visitor, experiment=key.experiment, elements=tuple(queued)))

    def _is_throttled(self, key: RowKey) -> bool:
        requests = self.memory.throttled(key)
        if requests is not None and requests > QUEUED_AT_MOST:
            raise Busy("The row of this visitor is busy. Send the same again.", retry_after=2)
        return requests is not None

    def _try_to_write(
        self, writer: RowWriter, key: RowKey, elements: list[str], limits: RowLimits, now_ms: int
    ) -> list[Outcome] | None:
        """The outcomes; None: the table is busy."""
        try:
            return writer.write(key, elements, limits, now_ms)
        except Exception as error:
            if not is_busy(error):
                raise
            self.memory.remember_throttled(key)
            return None

    def _spill(self, rows: Sequence[RowEvents], now_ms: int) -> None:
        try:
            if self.spill is None:
                raise Busy("The tables are busy. Send the same again.", retry_after=5)
            self.spill(EventsMessage(rows=tuple(rows), received=now_ms).model_dump_json())
        except Exception as error:
            if not is_busy(error):
                raise
            raise Busy("Tables and queue are busy. Send the same again.", retry_after=5) from None


def _accepted_rows(key: RowKey, elements: Sequence[str], outcomes: Sequence[Outcome]) -> list[RowEvents]:
    """The elements of one row that table or queue took, those that an earlier request brought among them."""
    accepted = tuple(e for e, outcome in zip(elements, outcomes, strict=True) if outcome is not Outcome.CAPPED)
    return [RowEvents(visitor=key.visitor, experiment=key.experiment, elements=accepted)] if accepted else []

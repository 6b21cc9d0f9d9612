"""One idempotent write of some events to a participant's row, and what became of each of them.

A row may hold so many events that no request can cost more than a known number of units. DynamoDB bills every write by
the size of the item, refused writes too. A condition can compare the size of one set, but cannot add up bytes, so the
limit in bytes becomes a number of events by the longest event that the experiment allows.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

from chalicelib.domain.clock import DAY_MS, SECOND_MS
from chalicelib.domain.manifest import Experiment
from chalicelib.ingestion.request import MAX_EVENTS
from chalicelib.ingestion.rows.memory import FullRow, RowMemory
from chalicelib.ingestion.validation import Outcome
from chalicelib.storage import event_encoding
from chalicelib.storage.store import Full, ParticipantRow, RowKey, RowLimit, Store

ROW_BYTES = 11_000  # for all events of a row
ROW_OVERHEAD = 400  # key, counters and names of attributes, at most

# Once the rows of a request held so many bytes, the rest of it waits in the queue, which is emptied at a limited rate:
# a write costs the size of its row, and a request for 25 full rows would cost ten times as much as one for a full row.
DIRECT_BYTES = ROW_BYTES

# A visitor has at most this many events, however short they are. The squares of CTR stop at 100 impressions as well.
MOST_IMPRESSIONS = 100
MOST_EVENTS = 150


class RowLimits(NamedTuple):
    """How many events the sets of a row may hold.

    impressions, events: a row with that many counted events takes no more impressions, or no more events at all; the
    difference is room for a frequent visitor's purchase. pending: events that may wait to be counted.
    """

    impressions: int
    events: int
    pending: int

    @property
    def most(self) -> int:
        """The largest number of events that a row can have."""
        return self.events - 1 + self.pending


@lru_cache(maxsize=256)
def _limits(element: int) -> RowLimits:
    most = ROW_BYTES // element
    pending = min(MAX_EVENTS, most // 2)
    events = min(MOST_EVENTS, most - pending)
    return RowLimits(min(MOST_IMPRESSIONS, events * 5 // 6), events, pending)


def limits_of(experiment: Experiment | None) -> RowLimits:
    """The limits of a row of `experiment`; None: of an experiment with the longest names there can be."""
    return _limits(event_encoding.longest_element(experiment) if experiment else event_encoding.LONGEST)


@dataclass
class RowWriter:
    """Writes events to the rows of one request.

    memory: what is known of full rows. version(): a random string. row_bytes: how many bytes of events it has written
    so far, and how many were in the rows before it: the table bills a write by the size of the row.
    """

    store: Store
    memory: RowMemory
    retention_days: int
    version: Callable[[], str]
    row_bytes: int = 0

    @property
    def is_spent(self) -> bool:
        """Whether the rest of the request should wait, so that it does not cost more."""
        return self.row_bytes > DIRECT_BYTES

    def write(self, key: RowKey, elements: list[str], limits: RowLimits, now_ms: int) -> list[Outcome]:
        """Write events to one row, at most once for all of them.

        elements: as `event_encoding` writes them. limits: of the row. now_ms: epoch milliseconds. Returns the
        outcome of each element; QUEUED: the row has too many events that are not counted yet, so it was not written.
        Raises what the table raises when it is busy."""
        known = self.memory.full(key)
        only_impressions = all(map(event_encoding.is_impression, elements))
        if known is not None and (only_impressions or not known.impressions_only):
            return _outcomes(elements, known.ids, new=Outcome.CAPPED)
        if known is not None:
            return self._write_to_full(key, elements, known.ids, limits, now_ms)
        if len(elements) > limits.pending:
            first, rest = elements[: limits.pending], elements[limits.pending :]
            return self.write(key, first, limits, now_ms) + [Outcome.QUEUED] * len(rest)
        try:
            return _outcomes(elements, _ids(self._add(key, elements, limits, now_ms)))
        except Full as full:
            row, ids = full.row, _ids(full.row)
        if len(row.counted) < limits.impressions:
            return _outcomes(elements, ids, new=Outcome.QUEUED)
        if row.expires_at < self._expiry(now_ms):
            self.store.extend_expiry(key, self._expiry(now_ms))  # nothing is written, but the visitor is still here
        self.memory.remember_full(key, FullRow(ids, impressions_only=len(row.counted) < limits.events))
        return self._write_to_full(key, elements, ids, limits, now_ms)

    def _write_to_full(
        self, key: RowKey, elements: list[str], ids: frozenset[str], limits: RowLimits, now_ms: int
    ) -> list[Outcome]:
        """The same for a row that takes no more impressions: clicks and goals may still find room by themselves."""
        capped = _outcomes(elements, ids, new=Outcome.CAPPED)
        others = [element for element in elements if not event_encoding.is_impression(element)]
        if not others:
            return capped
        try:
            written = iter(_outcomes(others, _ids(self._add(key, others, limits, now_ms))))
        except Full as full:
            if len(full.row.counted) < limits.events:
                written = iter(_outcomes(others, _ids(full.row), new=Outcome.QUEUED))
            else:
                self.memory.remember_full(key, FullRow(_ids(full.row), impressions_only=False))
                return capped
        return [o if event_encoding.is_impression(e) else next(written) for e, o in zip(elements, capped, strict=True)]

    def _add(self, key: RowKey, elements: list[str], limits: RowLimits, now_ms: int) -> ParticipantRow:
        distinct = set(elements)
        self.row_bytes += _bytes(distinct)
        counted = limits.impressions if any(map(event_encoding.is_impression, distinct)) else limits.events
        try:
            row = self.store.add(
                key,
                distinct,
                len(elements),
                version=self.version(),
                expires_at=self._expiry(now_ms),
                limit=RowLimit(counted, limits.pending - len(distinct) + 1),
            )
        except Full as full:
            self.row_bytes += _bytes(full.row.pending | full.row.counted)
            raise
        self.row_bytes += _bytes(row.pending | row.counted)
        return row

    def _expiry(self, now_ms: int) -> int:
        """Epoch seconds, rounded to the day: the value is in every row, and an unchanged value is an unchanged item."""
        return (now_ms // DAY_MS + self.retention_days + 1) * (DAY_MS // SECOND_MS)


def ids_of(rows: Iterable[ParticipantRow]) -> frozenset[str]:
    """The ids of all events in these rows."""
    ids = set()
    for element in chain.from_iterable(row.pending | row.counted for row in rows):
        with contextlib.suppress(event_encoding.Unreadable):  # `abacus audit` finds it; the visitor is not held up
            ids.add(event_encoding.identifier(element))
    return frozenset(ids)


def _bytes(elements: Iterable[str]) -> int:
    return sum(map(len, elements))


def _ids(row: ParticipantRow) -> frozenset[str]:
    return ids_of([row])


def _outcomes(elements: Iterable[str], known: frozenset[str], *, new: Outcome = Outcome.ACCEPTED) -> list[Outcome]:
    """What became of each event, given the ids that the row had before. An id that was there is the same event."""
    seen = set(known)
    outcomes = []
    for element in elements:
        identifier = event_encoding.identifier(element)
        outcomes.append(Outcome.REPEATED if identifier in seen else new)
        seen.add(identifier)
    return outcomes

"""The tables as dictionaries: what the contract of chalicelib.storage.store.Store means, in as few words as possible.

`fault` is called with the name of every operation before and after it takes effect; raising there is a crash.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from chalicelib.storage.store import (
    FIRST,
    Booking,
    Full,
    Generations,
    Move,
    ParticipantRow,
    RowKey,
    RowLimit,
    Stale,
    StoredText,
    generations_in,
)


def no_fault(moment: str) -> None:
    pass


def _transaction(rows: Sequence[Move | ParticipantRow], bookings: Sequence[Booking]) -> None:
    assert 0 < len(rows) + len(bookings) <= 100, "DynamoDB takes 1 to 100 items"
    assert len({(b.experiment, b.cell) for b in bookings}) == len(bookings), "... and each of them once"
    assert all(booking.numbers for booking in bookings), "... and no empty change"


@dataclass
class MemoryStore:
    rows: dict[RowKey, ParticipantRow] = field(default_factory=dict)
    tallies: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)
    texts_by_cell: dict[str, dict[str, str]] = field(default_factory=dict)
    fault: Callable[[str], None] = no_fault
    documents: dict[tuple[str, str], StoredText] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def within(self, seconds: float) -> MemoryStore:
        return self

    def add(
        self, key: RowKey, elements: Iterable[str], received: int, *, version: str, expires_at: int, limit: RowLimit
    ) -> ParticipantRow:
        self.fault("before add")
        assert type(expires_at) is int, "TTL needs whole seconds"
        with self.lock:
            row = self.rows.get(key, ParticipantRow(key))
            if len(row.counted) >= limit.counted or len(row.pending) >= limit.pending:
                raise Full(row)
            self.rows[key] = replace(
                row,
                pending=row.pending | set(elements),
                received=row.received + received,
                version=row.version or version,
                expires_at=expires_at,
            )
        self.fault("after add")
        return row

    def read(self, keys: Sequence[RowKey]) -> list[ParticipantRow]:
        self.fault("before read")
        return [self.rows[key] for key in keys if key in self.rows]

    def scan(self, segment: int = 0, segments: int = 1) -> Iterator[ParticipantRow]:
        yield from [row for i, row in enumerate(list(self.rows.values())) if i % segments == segment]

    def commit(self, moves: Sequence[Move], bookings: Sequence[Booking]) -> None:
        self.fault("before commit")
        _transaction(moves, bookings)
        with self.lock:
            for move in moves:
                self._unchanged(move.row)
            for move in moves:
                row = self.rows[move.row.key]
                self.rows[row.key] = replace(
                    row,
                    pending=row.pending - move.elements,
                    counted=row.counted | move.elements,
                    folded=move.row.received,
                    generation=move.generation,
                    version=move.version,
                )
            self.book(bookings)
        self.fault("after commit")

    def reopen(self, row: ParticipantRow, generation: int, version: str) -> None:
        self.fault("before reopen")
        with self.lock:
            now = self._unchanged(row)
            self.rows[row.key] = replace(
                now,
                pending=now.pending | now.counted,
                counted=frozenset(),
                folded=0,
                generation=generation,
                version=version,
            )
        self.fault("after reopen")

    def erase(self, row: ParticipantRow, bookings: Sequence[Booking]) -> None:
        self.fault("before erase")
        _transaction([row], bookings)
        with self.lock:
            if self._unchanged(row).received != row.received:
                raise Stale(row.key)
            del self.rows[row.key]
            self.book(bookings)
        self.fault("after erase")

    def extend_expiry(self, key: RowKey, expires_at: int) -> None:
        row = self.rows.get(key)
        if row is not None and row.expires_at < expires_at:
            self.rows[key] = replace(row, expires_at=expires_at)

    def rows_of(self, visitor: str) -> list[ParticipantRow]:
        return [row for row in self.rows.values() if row.key.visitor == visitor]

    def book(self, bookings: Sequence[Booking]) -> None:
        with self.lock:
            for booking in bookings:
                assert {type(n) for n in booking.numbers.values()} <= {int}, "DynamoDB would store them otherwise"
                assert type(booking.expires_at or 0) is int, "TTL needs whole seconds"
                item = self.tallies.setdefault(booking.experiment, {}).setdefault(booking.cell, {})
                for name, n in booking.numbers.items():
                    item[name] = item.get(name, 0) + n
                if booking.expires_at is not None:
                    item["expires_at"] = booking.expires_at
                if booking.text:
                    self.texts_by_cell.setdefault(booking.experiment, {})[booking.cell] = booking.text

    def cells(
        self, experiment: str, *, first: str, last: str, strong: bool = False, limit: int | None = None
    ) -> dict[str, dict[str, int]]:
        assert FIRST <= first <= last, "DynamoDB refuses an empty key, and a range that ends before it begins"
        items = self.tallies.get(experiment, {})
        found = [cell for cell in sorted(items) if first <= cell <= last]
        return {cell: dict(items[cell]) for cell in found[:limit]}

    def texts(self, experiment: str, *, first: str, last: str) -> dict[str, str]:
        texts = self.texts_by_cell.get(experiment, {})
        return {cell: texts[cell] for cell in sorted(texts) if first <= cell <= last}

    def generations(self, experiment: str) -> Generations:
        return generations_in(self.cells(experiment, first="meta", last="meta"))

    def open_generation(self, experiment: str, now: Generations, then: Generations) -> None:
        with self.lock:
            if self.generations(experiment) != now:
                raise Stale(experiment)
            meta = {"gen": then.live} | ({} if then.fill is None else {"fill": then.fill})
            self.tallies.setdefault(experiment, {})["meta"] = meta

    def delete_cells(self, experiment: str, cells: Iterable[str]) -> None:
        for cell in cells:
            self.tallies.get(experiment, {}).pop(cell, None)

    def document(self, experiment: str, cell: str) -> StoredText:
        return self.documents.get((experiment, cell), StoredText())

    def replace_document(self, experiment: str, cell: str, text: str, *, was: StoredText, version: str) -> StoredText:
        self.fault("before replace_document")
        with self.lock:
            if self.document(experiment, cell).version != was.version:
                raise Stale(experiment)
            self.documents[experiment, cell] = StoredText(text, version)
        self.fault("after replace_document")
        return StoredText(text, version)

    def _unchanged(self, row: ParticipantRow) -> ParticipantRow:
        now = self.rows.get(row.key)
        if now is None or now.version != row.version:
            raise Stale(row.key)
        return now

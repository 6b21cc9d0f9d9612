"""Find the rows whose stream record was lost and fold them; check on the way that every row adds up."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

from chalicelib.counting.fold import Fold
from chalicelib.storage.event_encoding import Unreadable, decode
from chalicelib.storage.store import Booking, ParticipantRow, RowKey, Store

log = logging.getLogger("abacus")

BATCH = 100  # rows folded at a time
# A large table is read in parts, the segments of a parallel scan, each of about so many bytes: some 250,000 rows, half
# a minute of a function (50 µs of a core a row, measured; 1,024 MB have six tenths of one).
PART_BYTES = 64 * 1024**2
MOST_PARTS = 1_000_000  # DynamoDB's limit of segments
SPARE_S = 60.0  # what is left of a run when it begins no further part, at least
# Experiment and cell of the item that counts the parts read; no key of an experiment.
PROGRESS = ("#reconcile", "parts")
NAMED = 1_000  # broken rows that are named; the others are only counted


@dataclass
class RowTotals:
    """What the rows hold. received = accepted + repeated and accepted = counted + pending, exactly, over the rows.

    broken: rows that cannot be read, that have counted events without a generation, or that received fewer events than
    they hold. broken_keys: the first thousand of them.
    """

    rows: int = 0
    received: int = 0
    accepted: int = 0
    counted: int = 0
    pending: int = 0
    broken: int = 0
    broken_keys: set[RowKey] = field(default_factory=set)

    def add(self, row: ParticipantRow) -> None:
        """Add one row. A row that cannot be read adds nothing but itself to `broken`."""
        self.rows += 1
        try:
            counted = {decode(element).id for element in row.counted}
            accepted = counted | {decode(element).id for element in row.pending}
        except Unreadable:
            self.add_broken(row.key)
            return
        if row.broken or row.received < len(accepted) or (row.counted and row.generation is None):
            self.add_broken(row.key)
        self.received += row.received
        self.accepted += len(accepted)
        self.counted += len(counted)
        self.pending += len(accepted - counted)

    def add_broken(self, key: RowKey) -> None:
        """Count a row as broken, once."""
        if key in self.broken_keys:
            return
        self.broken += 1
        if len(self.broken_keys) < NAMED:
            self.broken_keys.add(key)

    @property
    def repeated(self) -> int:
        """Events that were sent again."""
        return self.received - self.accepted


@dataclass
class Reconciled:
    """What a run found. folded: events that were pending and are counted now. failed: rows whose fold failed."""

    totals: RowTotals = field(default_factory=RowTotals)
    folded: int = 0
    failed: int = 0

    def figures(self) -> dict[str, int]:
        """All numbers by name, for the log."""
        totals = self.totals
        names = ("rows", "received", "accepted", "repeated", "counted", "pending", "broken")
        return {name: getattr(totals, name) for name in names} | {"folded": self.folded, "failed": self.failed}


def parts(table_bytes: int) -> int:
    """How many parts a table of that size is read in.

    >>> [parts(size) for size in (0, PART_BYTES, PART_BYTES + 1, 10**12, 10**15)]
    [1, 1, 2, 14902, 1000000]
    """
    return min(MOST_PARTS, max(1, -(-table_bytes // PART_BYTES)))


def reconcile_table(
    store: Store, fold: Fold, *, table_bytes: int, now_ms: int, seconds_left: Callable[[], float]
) -> dict[str, int]:
    """Reconcile part after part, from where the last run stopped, until the whole table is read or time runs out.

    The number of parts read is kept in the tallies after each part, so a run that is cut off loses one part at most.

    Args:
        table_bytes: about how large the table is. If that changes, the next run may begin elsewhere; each part still
            comes once in as many parts as there are.
        now_ms: epoch milliseconds.
        seconds_left: how long this run may still take.

    Returns: what was found, by name, with `parts` of the table and `parts_read` by this run."""
    experiment, cell = PROGRESS
    segments = parts(table_bytes)
    before = store.cells(experiment, first=cell, last=cell, strong=True).get(cell, {}).get("read", 0)
    total: Counter[str] = Counter()
    longest = 0.0
    read = 0
    while read < segments and (not read or seconds_left() > max(SPARE_S, 2 * longest)):
        left = seconds_left()
        segment = (before + read) % segments
        total.update(reconcile_rows(store, fold, now_ms=now_ms, segment=segment, segments=segments).figures())
        if segments > 1:
            store.book([Booking(experiment, cell, {"read": 1})])
        longest = max(longest, left - seconds_left())
        read += 1
    return {**total, "parts": segments, "parts_read": read}


def reconcile_rows(store: Store, fold: Fold, *, now_ms: int, segment: int = 0, segments: int = 1) -> Reconciled:
    """Fold every row that has changed, and every row of a replaced generation.

    now_ms: epoch milliseconds. segment, segments: which part of the table to read. One row that cannot be folded does
    not keep the others from it. Raises what the scan raises when the table stays busy."""
    result = Reconciled()
    late: list[RowKey] = []

    def fold_some(keys: list[RowKey]) -> None:
        folded = fold(keys, now_ms=now_ms)
        result.folded += folded.events
        for key in folded.broken:
            result.totals.add_broken(key)

    def fold_late() -> None:
        try:
            fold_some(late)
        except Exception:
            for key in late:  # one by one: this shows which row fails
                try:
                    fold_some([key])
                except Exception:
                    result.failed += 1
                    log.exception("a row of %s cannot be folded", key.experiment)
        late.clear()

    generations = cache(store.generations)
    for row in store.scan(segment, segments):
        result.totals.add(row)
        if row.needs_fold or row.is_replaced(generations(row.key.experiment)):
            late.append(row.key)
        if len(late) >= BATCH:
            fold_late()
    fold_late()
    return result

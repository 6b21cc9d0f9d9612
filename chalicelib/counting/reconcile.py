"""Find the rows whose stream record was lost, and fold them; on the way, check that every row adds up."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from chalicelib.counting.fold import Fold
from chalicelib.storage.event_encoding import identifier
from chalicelib.storage.store import Booking, ParticipantRow, Store

log = logging.getLogger("abacus")

BATCH = 100  # rows folded at a time
# A large table is read in parts, the segments of a parallel scan, each of about so many bytes: some 250,000 rows, half
# a minute of a function (50 µs of a core a row, measured; 1,024 MB have six tenths of one).
PART_BYTES = 64 * 1024**2
MOST_PARTS = 1_000_000  # DynamoDB's limit of segments
SPARE_S = 60.0  # what is left of a run when it begins no further part, at least
PROGRESS = (
    "#reconcile",
    "parts",
)  # experiment and cell of the item that counts the parts read; no key of an experiment


@dataclass
class RowTotals:
    """What the rows hold. received = accepted + repeated and accepted = counted + pending, exactly, over the rows."""

    rows: int = 0
    received: int = 0
    accepted: int = 0
    counted: int = 0
    pending: int = 0
    broken: int = 0  # rows that cannot be: unreadable, counted without a generation, or fewer received than there are

    def add(self, row: ParticipantRow) -> None:
        self.rows += 1
        try:
            counted = {identifier(e) for e in row.counted}
            accepted = counted | {identifier(e) for e in row.pending}
        except IndexError:
            self.broken += 1
            return
        self.received += row.received
        self.accepted += len(accepted)
        self.counted += len(counted)
        self.pending += len(accepted - counted)
        self.broken += row.received < len(accepted) or (bool(row.counted) and row.generation is None)

    @property
    def repeated(self) -> int:
        return self.received - self.accepted


def parts(table_bytes: int) -> int:
    """How many parts a table of that size is read in.

    >>> [parts(size) for size in (0, PART_BYTES, PART_BYTES + 1, 10**12, 10**15)]
    [1, 1, 2, 14902, 1000000]
    """
    return min(MOST_PARTS, max(1, -(-table_bytes // PART_BYTES)))


def reconcile_table(
    store: Store, fold: Fold, *, table_bytes: int, now_ms: int, seconds_left: Callable[[], float]
) -> dict[str, Any]:
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
        total.update(reconcile_rows(store, fold, now_ms=now_ms, segment=segment, segments=segments))
        if segments > 1:
            store.book([Booking(experiment, cell, {"read": 1})])
        longest = max(longest, left - seconds_left())
        read += 1
    return {**total, "parts": segments, "parts_read": read}


def reconcile_rows(store: Store, fold: Fold, *, now_ms: int, segment: int = 0, segments: int = 1) -> dict[str, Any]:
    """Fold every dirty row and every row of a replaced generation. `now_ms`: epoch milliseconds.

    Returns what was found, by name."""
    account = RowTotals()
    late: list[ParticipantRow] = []
    events = failed = 0

    def fold_late() -> None:
        """One row that cannot be folded must not keep the others from it: alone, each shows which one it is."""
        nonlocal events, failed
        try:
            events += fold((row.key for row in late), now_ms=now_ms).events
        except Exception:
            for row in late:
                try:
                    events += fold([row.key], now_ms=now_ms).events
                except Exception:
                    failed += 1
                    log.exception("a row of %s cannot be folded", row.key.experiment)
        late.clear()

    generations = cache(store.generations)
    for row in store.scan(segment, segments):
        account.add(row)
        if row.needs_fold or row.is_replaced(generations(row.key.experiment)):
            late.append(row)
        if len(late) >= BATCH:
            fold_late()
    fold_late()
    return {**asdict(account), "repeated": account.repeated, "folded": events, "failed": failed}

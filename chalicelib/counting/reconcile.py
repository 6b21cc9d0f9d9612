"""Find the rows whose stream record was lost, and fold them; on the way, check that every row adds up."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from chalicelib.counting.fold import Fold
from chalicelib.storage.event_encoding import identifier
from chalicelib.storage.store import ParticipantRow, Store

log = logging.getLogger("abacus")

BATCH = 100  # rows folded at a time
# Rows that one run reads. Each takes 50 µs of a core (measured), and 1,024 MB have six tenths of one: seven minutes,
# where a function has fifteen.
ROWS = 5_000_000


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


def parts(rows: int) -> int:
    """In how many parts a table of so many rows is read, one of them a run.

    >>> [parts(rows) for rows in (0, 5_000_000, 5_000_001, 260_000_000)]
    [1, 1, 2, 52]
    """
    return max(1, -(-rows // ROWS))


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

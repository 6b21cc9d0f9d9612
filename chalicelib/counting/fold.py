"""From rows that may have changed to tallies: read each, compute what it adds, commit row and tallies together.

A crash, a retried batch, a repeated or reordered stream record, two folds at once: each commits once or changes
nothing, because a row moves only from the version that was read, in one transaction with what it adds.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from chalicelib.counting.contribution import contribution
from chalicelib.domain.clock import DAY_MS, utc_datetime
from chalicelib.storage.event_encoding import Unreadable
from chalicelib.storage.retry import Patience
from chalicelib.storage.store import (
    TRANSACTION,
    Booking,
    Generations,
    Move,
    ParticipantRow,
    RandomBelow,
    RowKey,
    Stale,
    Store,
    cell_name,
    partition,
)
from chalicelib.storage.tally import Tallies, Tally, difference

# Rows in a transaction. It also holds the tallies that they change, a hundred items together at most. More rows a
# transaction are cheaper (they share tallies), fewer collide with other folds less often.
ROWS = 25
ACTIVITY_DAYS = 14
CLASHES = 3  # after that many in a row, the rows are split
LONGEST_WAIT = 1.0  # seconds

log = logging.getLogger("abacus")


@dataclass
class Folded:
    """What a fold did. stale: transactions refused because another fold was faster. broken: rows that cannot be read;
    they are left as they are."""

    rows: int = 0
    events: int = 0
    transactions: int = 0
    stale: int = 0
    broken: list[RowKey] = field(default_factory=list)


class _Part(NamedTuple):
    """Some of a row's pending events, and what they change."""

    elements: frozenset[str]
    delta: Tallies


@dataclass(frozen=True)
class Fold:
    """Folds rows into tallies.

    store: the tables. spread: items that a tally is distributed over. random_below(n): a random whole number below n.
    version(): a random string. patience: how long to try again while the tables are busy. rows: in a transaction, at
    most.
    """

    store: Store
    spread: int
    random_below: RandomBelow
    version: Callable[[], str]
    patience: Patience
    rows: int = ROWS

    def __call__(self, keys: Iterable[RowKey], *, now_ms: int) -> Folded:
        """Fold the rows under `keys` that have changed. `now_ms`: epoch milliseconds.

        Rows that cannot be read are skipped, logged and returned. Raises what the tables raise when they stay busy;
        then some transactions are committed and others are not, and folding the same keys again does the rest."""
        result = Folded()
        # Rows of one experiment next to each other: a transaction of them writes that experiment's tallies only.
        ordered = sorted(dict.fromkeys(keys), key=lambda key: key.experiment)
        generations: dict[str, Generations] = {}
        for start in range(0, len(ordered), self.rows):
            self._fold(ordered[start : start + self.rows], generations, now_ms, result)
        for key in result.broken:
            log.error("a row of %s cannot be read; it is not counted", key.experiment)
        return result

    def _fold(self, keys: Sequence[RowKey], generations: dict[str, Generations], now_ms: int, result: Folded) -> None:
        clashes = 0
        deadline = self.patience.clock() + self.patience.budget
        while keys:
            try:
                keys = self._commit_some(keys, generations, now_ms, result)
                clashes = 0
            except Stale:
                # Another fold was faster with one of the rows. Read again. If it keeps happening, split the rows, so
                # that most need not wait for the one that is contended.
                result.stale += 1
                clashes += 1
                generations.clear()
                if self.patience.clock() > deadline:
                    raise
                wait = min(self.patience.first_wait * 2**clashes, LONGEST_WAIT)
                self.patience.sleep(self.patience.jitter() * wait)
                if clashes >= CLASHES and len(keys) > 1:
                    half = len(keys) // 2
                    self._fold(keys[:half], generations, now_ms, result)
                    keys = keys[half:]

    def _commit_some(
        self, keys: Sequence[RowKey], generations: dict[str, Generations], now_ms: int, result: Folded
    ) -> Sequence[RowKey]:
        """One transaction. Returns the keys that still have to be folded."""
        rows = self.store.read(keys)
        for row in rows:
            experiment = row.key.experiment
            if experiment not in generations:
                generations[experiment] = self.store.generations(experiment)
            if row.is_replaced(generations[experiment]):
                # Read again before acting: this fold may have begun before the rebuild that the row has come through.
                generations[experiment] = self.store.generations(experiment)
                if row.is_replaced(generations[experiment]):
                    self.store.reopen(row, generations[experiment].for_new_rows, self.version())
                return keys

        moves: list[Move] = []
        deltas: dict[tuple[str, int], Tallies] = {}
        left: list[RowKey] = []
        for row in rows:
            if row.broken:
                result.broken.append(row.key)
            if not row.needs_fold:
                continue
            generation = generations[row.key.experiment].for_new_rows if row.generation is None else row.generation
            known = deltas.get((row.key.experiment, generation), {})
            room = TRANSACTION - len(moves) - 1 - sum(len(tallies) for tallies in deltas.values())
            try:
                part = _largest_part(row, room) if not moves else _Part(row.pending, _delta(row, row.pending))
            except Unreadable:
                result.broken.append(row.key)
                continue
            if len(part.delta.keys() - known.keys()) > room:
                left.append(row.key)
                continue
            moves.append(Move(row, part.elements, generation, self.version()))
            into = deltas.setdefault((row.key.experiment, generation), {})
            for cell, tally in part.delta.items():
                into.setdefault(cell, Tally()).add(tally)
            if part.elements != row.pending:
                left.append(row.key)
        if moves:
            # The spread is drawn for each transaction: deltas commute, and parallel folds rarely meet.
            self.store.commit(moves, bookings(deltas, now_ms, self.random_below(self.spread)))
            result.rows += len(moves)
            result.events += sum(len(move.elements) for move in moves)
            result.transactions += 1
        return left


def bookings(deltas: dict[tuple[str, int], Tallies], now_ms: int, place: int) -> list[Booking]:
    """Deltas as numbers to add to items of the tallies.

    deltas: tallies by experiment and generation. now_ms: epoch milliseconds; hours older than 14 days are left out.
    place: which of the items that a tally is distributed over."""
    horizon = utc_datetime(now_ms - ACTIVITY_DAYS * DAY_MS).strftime("%Y-%m-%dT%H")
    booked = []
    for (experiment, generation), tallies in deltas.items():
        for cell, tally in tallies.items():
            numbers = tally.numbers()
            if not numbers or (cell.span == "hour" and cell.when < horizon):
                continue
            expires_at = None
            if cell.span == "hour":
                hour = datetime.fromisoformat(cell.when + ":00+00:00")
                expires_at = int(hour.timestamp()) + ACTIVITY_DAYS * DAY_MS // 1000
            booked.append(Booking(partition(experiment, cell), cell_name(cell, generation, place), numbers, expires_at))
    return booked


def _delta(row: ParticipantRow, elements: frozenset[str]) -> Tallies:
    before = contribution(row.counted, row.folded)
    return difference(contribution(row.counted | elements, row.received), before)


def _largest_part(row: ParticipantRow, room: int) -> _Part:
    """As many of the row's pending elements as one transaction can hold: all, half, a quarter, ... of them.

    A visitor who came every hour for a week changes more hours than a transaction holds. Any part is right: the delta
    is the difference to the row's state before it."""
    elements = sorted(row.pending)
    while True:
        part = frozenset(elements)
        delta = _delta(row, part)
        if len(delta) <= room:
            return _Part(part, delta)
        if not elements:
            raise ValueError(f"{row.key.experiment}: one event of a row changes more than {room} tallies")
        elements = elements[: len(elements) // 2]

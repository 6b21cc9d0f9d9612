"""From rows that may be dirty to tallies: read each, compute what it adds, commit row and tallies in one transaction.

A crash, a retried batch, a repeated or reordered record, two folds at once: each commits once or changes nothing,
because a row moves only from the version that was read, together with what it adds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from chalicelib.counting.contribution import contribution
from chalicelib.domain.clock import DAY_MS, utc_datetime
from chalicelib.storage.retry import Patience
from chalicelib.storage.store import (
    TRANSACTION,
    Booking,
    Dice,
    Generations,
    Move,
    ParticipantRow,
    RowKey,
    Stale,
    Store,
    cell_name,
)
from chalicelib.storage.tally import Tallies, Tally, difference

# Rows a transaction: beside them stand the tallies they touch, a hundred items together at most. More rows a
# transaction are cheaper (tallies are shared), fewer meet other folds less often.
ROWS = 25
ACTIVITY_DAYS = 14


@dataclass
class Folded:
    """What a fold did."""

    rows: int = 0
    events: int = 0
    transactions: int = 0
    stale: int = 0  # transactions refused because somebody else was faster


@dataclass(frozen=True)
class Fold:
    """What it takes to fold. `spread`: items a tally is kept in; `dice(n)`: a random whole number below n;
    `version()`: a random string."""

    store: Store
    spread: int
    dice: Dice
    version: Callable[[], str]
    patience: Patience
    rows: int = ROWS  # in a transaction, at most

    def __call__(self, keys: Iterable[RowKey], *, now_ms: int) -> Folded:
        """Fold the rows under `keys`, as far as they are dirty. `now_ms`: epoch milliseconds.

        Raises what the tables raise when they stay busy; then some transactions are committed and the others not, and
        folding the same keys again does the rest."""
        done = Folded()
        # Rows of one experiment side by side: a transaction of them writes that experiment's tallies, and no others.
        todo = sorted(dict.fromkeys(keys), key=lambda key: key.experiment)
        generations: dict[str, Generations] = {}
        for start in range(0, len(todo), self.rows):
            self._fold(todo[start : start + self.rows], generations, now_ms, done)
        return done

    def _fold(self, keys: Sequence[RowKey], generations: dict[str, Generations], now_ms: int, done: Folded) -> None:
        clashes = 0
        deadline = self.patience.clock() + self.patience.budget
        while keys:
            try:
                keys = self._once(keys, generations, now_ms, done)
                clashes = 0
            except Stale:
                # Somebody else folded one of them first. Read again; if it keeps happening, part the rows, so that the
                # others need not wait for the one that is fought over.
                done.stale += 1
                clashes += 1
                generations.clear()
                if self.patience.clock() > deadline:
                    raise
                self.patience.sleep(self.patience.dice() * min(self.patience.first_wait * 2**clashes, 1.0))
                if clashes >= 3 and len(keys) > 1:
                    half = len(keys) // 2
                    self._fold(keys[:half], generations, now_ms, done)
                    keys = keys[half:]

    def _once(
        self, keys: Sequence[RowKey], generations: dict[str, Generations], now_ms: int, done: Folded
    ) -> Sequence[RowKey]:
        """One transaction; returns the keys that still have to be folded."""
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
        rest: list[RowKey] = []
        for row in filter(lambda row: row.needs_fold, rows):
            generation = generations[row.key.experiment].for_new_rows if row.generation is None else row.generation
            beside = deltas.get((row.key.experiment, generation), {})
            room = TRANSACTION - len(moves) - 1 - sum(len(tallies) for tallies in deltas.values())
            elements, delta = _largest_part(row, room) if not moves else (row.pending, _delta(row, row.pending))
            if len(delta.keys() - beside.keys()) > room:
                rest.append(row.key)
                continue
            moves.append(Move(row, elements, generation, self.version()))
            into = deltas.setdefault((row.key.experiment, generation), {})
            for cell, tally in delta.items():
                into.setdefault(cell, Tally()).add(tally)
            if elements != row.pending:
                rest.append(row.key)
        if moves:
            # The spread is drawn for each transaction: deltas commute, and folds side by side rarely meet.
            self.store.commit(moves, bookings(deltas, now_ms, self.dice(self.spread)))
            done.rows += len(moves)
            done.events += sum(len(move.elements) for move in moves)
            done.transactions += 1
        return rest


def bookings(deltas: dict[tuple[str, int], Tallies], now_ms: int, place: int) -> list[Booking]:
    """The deltas as items of the tallies, in spread `place`, without what is too old to be kept."""
    horizon = utc_datetime(now_ms - ACTIVITY_DAYS * DAY_MS).strftime("%Y-%m-%dT%H")
    booked = []
    for (experiment, generation), tallies in deltas.items():
        for cell, tally in tallies.items():
            numbers = tally.numbers()
            if not numbers or (cell.span == "hour" and cell.when < horizon):
                continue
            expires_at = None
            if cell.span == "hour":
                expires_at = (
                    int(datetime.fromisoformat(cell.when + ":00+00:00").timestamp()) + ACTIVITY_DAYS * DAY_MS // 1000
                )
            booked.append(Booking(experiment, cell_name(cell, generation, place), numbers, expires_at))
    return booked


def _delta(row: ParticipantRow, elements: frozenset[str]) -> Tallies:
    before = contribution(row.counted, row.folded)
    return difference(contribution(row.counted | elements, row.received), before)


def _largest_part(row: ParticipantRow, room: int) -> tuple[frozenset[str], Tallies]:
    """As many of the row's pending elements as one transaction can hold: half, a quarter, ... of them.

    A visitor who came every hour for a week touches more hours than a transaction holds. Any part will do: each is
    subtracted from the whole row's state before it."""
    elements = sorted(row.pending)
    while True:
        part = frozenset(elements)
        delta = _delta(row, part)
        if len(delta) <= room:
            return part, delta
        if not elements:
            raise ValueError(f"{row.key.experiment}: one event of a row touches more than {room} tallies")
        elements = elements[: len(elements) // 2]

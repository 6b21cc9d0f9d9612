"""What ingest, fold and stats need of the two tables: rows, moves, bookings, and how the items of a tally are named.

dynamodb.py keeps them in DynamoDB, tests/support/memory_store.py in dictionaries; tests/storage/test_store.py holds
both to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from chalicelib.storage.tally import Cell, Tallies, Tally

TRANSACTION = 100  # items, DynamoDB's limit
FIRST, LAST = "!", "~"  # sort before and behind everything the name of a cell can hold


class RowKey(NamedTuple):
    visitor: str
    experiment: str


@dataclass(frozen=True)
class ParticipantRow:
    """A participant's row as it was read."""

    key: RowKey
    pending: frozenset[str] = frozenset()
    counted: frozenset[str] = frozenset()
    received: int = 0
    folded: int = 0
    generation: int | None = None
    version: str = ""
    expires_at: int = field(default=0, compare=False)  # epoch seconds

    @property
    def needs_fold(self) -> bool:
        return bool(self.pending) or self.received != self.folded

    def is_replaced(self, generations: Generations) -> bool:
        """Whether what this row counted went into tallies that a rebuild has replaced. Numbers are never used twice,
        so a row is over for good, as long as `generations` were read after the row."""
        return self.generation is not None and self.generation not in generations


class Move(NamedTuple):
    """What a fold does to one row: these elements become counted, in generation `gen`, as version `version`."""

    row: ParticipantRow
    elements: frozenset[str]
    generation: int
    version: str


class Booking(NamedTuple):
    """Numbers to add to one item of the tallies; `expires_at`: epoch seconds, None: never."""

    experiment: str
    cell: str
    numbers: Mapping[str, int]
    expires_at: int | None = None


class Generations(NamedTuple):
    """`live` is shown; `fill` is what a rebuild is filling, if one is under way."""

    live: int = 0
    fill: int | None = None

    @property
    def for_new_rows(self) -> int:
        """Where a row that has counted nothing yet is to count: not where a rebuild would have to fetch it from."""
        return self.live if self.fill is None else self.fill


class Full(Exception):
    """The row has as many events as it may have. Carries the row as it is."""

    def __init__(self, row: ParticipantRow) -> None:
        super().__init__(row.key)
        self.row = row


class Stale(Exception):
    """A row changed since it was read; nothing was written."""


class Store(Protocol):
    """What ingest, fold and stats need of the tables. tests/storage/test_store.py holds every implementation to it."""

    def add(
        self, key: RowKey, elements: Iterable[str], received: int, *, version: str, expires_at: int, cap: int
    ) -> ParticipantRow:
        """Write events to a row, in one call that may be repeated. Returns the row as it was before.
        Raises Full when either set already has `cap` elements."""

    def read(self, keys: Sequence[RowKey]) -> list[ParticipantRow]:
        """The rows that exist, strongly consistent, in no order."""

    def scan(self, segment: int = 0, segments: int = 1) -> Iterator[ParticipantRow]:
        """All rows, or one segment's."""

    def commit(self, moves: Sequence[Move], bookings: Sequence[Booking]) -> None:
        """Commit a fold: all or nothing. Raises Stale when a row is not what was read."""

    def reopen(self, row: ParticipantRow, generation: int, version: str) -> None:
        """Move a row to generation `gen`, with everything pending again. Raises Stale."""

    def erase(self, row: ParticipantRow, bookings: Sequence[Booking]) -> None:
        """Delete a row and add `bookings`, all or nothing. Raises Stale."""

    def rows_of(self, visitor: str) -> list[ParticipantRow]: ...

    def book(self, bookings: Sequence[Booking]) -> None:
        """Add numbers outside a transaction, trying once; for what need not be exact."""

    def extend_expiry(self, key: RowKey, expires_at: int) -> None:
        """Let a row live on to `expires_at`, if it exists and would expire before."""

    def cells(
        self, experiment: str, *, first: str, last: str, strong: bool = False, limit: int | None = None
    ) -> dict[str, dict[str, int]]:
        """The items whose cell lies in [first, last], as numbers, in their order; at most `limit` of them."""

    def generations(self, experiment: str) -> Generations: ...

    def open_generation(self, experiment: str, now: Generations, then: Generations) -> None:
        """Change the generations, if they are still what `now` says. Raises Stale."""

    def delete_cells(self, experiment: str, cells: Iterable[str]) -> None:
        """Delete items of the tallies: those of a generation that is over."""


SIMULATED = "simulated"  # the cell {"visitors": n} of an experiment that has simulated visitors


def cell_name(cell: Cell, generation: int, spread: int) -> str:
    """The sort key of one item of a tally: total#3#0#green#1, day#3#2026-11-21#0#green#1."""
    return "#".join(
        str(part) for part in (cell.span, generation, *([cell.when] if cell.when else []), *cell[2:], spread)
    )


def tallies_in(cells: Mapping[str, Mapping[str, int]], generation: int) -> Tallies:
    """The tallies of one generation, their spreads added up."""
    tallies: Tallies = {}
    for name, numbers in cells.items():
        span, *rest = name.split("#")
        if span not in ("total", "day", "hour") or rest[0] != str(generation):
            continue
        when = rest[1] if span != "total" else ""
        cell = Cell(span, when, int(rest[-3]), rest[-2])  # type: ignore[arg-type]
        tallies.setdefault(cell, Tally()).add(Tally.of(numbers.items()))
    return tallies


def generations_in(cells: Mapping[str, Mapping[str, int]]) -> Generations:
    meta = cells.get("meta", {})
    return Generations(meta.get("gen", 0), meta.get("fill"))


Dice = Callable[[int], int]  # dice(n): a whole number in [0, n)

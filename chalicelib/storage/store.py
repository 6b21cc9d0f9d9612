"""The interface of the two tables: rows, moves, bookings, and the names of a tally's items.

dynamodb.py implements it with DynamoDB, tests/support/memory_store.py with dictionaries; tests/storage/test_store.py
runs the same tests on both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from chalicelib.domain.segments import NAME, VALUE
from chalicelib.storage.tally import SPANS, Cell, Tallies, Tally

TRANSACTION = 100  # items, DynamoDB's limit
FIRST, LAST = "!", "~"  # sort before and behind everything the name of a cell can hold


class RowKey(NamedTuple):
    """One visitor in one experiment."""

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
    broken: bool = False  # an attribute is missing or of the wrong type: only the key can be trusted

    @property
    def needs_fold(self) -> bool:
        """Whether something was written since the last fold."""
        return not self.broken and (bool(self.pending) or self.received != self.folded)

    def is_replaced(self, generations: Generations) -> bool:
        """Whether the tallies that this row was counted into have been replaced by a rebuild.

        Numbers of generations are never used twice, so the answer stays true, as long as `generations` were read after
        the row."""
        return self.generation is not None and self.generation not in generations


class RowLimit(NamedTuple):
    """A row that has `counted` counted or `pending` pending events takes no more."""

    counted: int
    pending: int


class Move(NamedTuple):
    """What a fold does to one row: these elements become counted, in `generation`, as version `version`."""

    row: ParticipantRow
    elements: frozenset[str]
    generation: int
    version: str


class Booking(NamedTuple):
    """Numbers to add to one item of the tallies; `expires_at`: epoch seconds, None: never. `text`: replaces the item's
    text; "" leaves it."""

    experiment: str
    cell: str
    numbers: Mapping[str, int]
    expires_at: int | None = None
    text: str = ""


class Generations(NamedTuple):
    """`live` is shown; `fill` is what a rebuild is filling, if one is under way."""

    live: int = 0
    fill: int | None = None

    @property
    def for_new_rows(self) -> int:
        """The generation for a row that has counted nothing yet: the one that a rebuild fills, if one runs."""
        return self.live if self.fill is None else self.fill


class StoredText(NamedTuple):
    """A text beside the tallies, and its optimistic lock. Both None: there is none."""

    text: str | None = None
    version: str | None = None


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
        self, key: RowKey, elements: Iterable[str], received: int, *, version: str, expires_at: int, limit: RowLimit
    ) -> ParticipantRow:
        """Write events to a row, in one call that may be repeated. Returns the row as it was before.
        Raises Full when the row has reached `limit`."""

    def within(self, seconds: float) -> Store:
        """The same tables, but no call is tried again after `seconds` from now."""

    def read(self, keys: Sequence[RowKey]) -> list[ParticipantRow]:
        """The rows that exist, strongly consistent, in no order."""

    def scan(self, segment: int = 0, segments: int = 1) -> Iterator[ParticipantRow]:
        """All rows, or one segment's."""

    def commit(self, moves: Sequence[Move], bookings: Sequence[Booking]) -> None:
        """Commit a fold: all or nothing. Raises Stale when a row is not what was read."""

    def reopen(self, row: ParticipantRow, generation: int, version: str) -> None:
        """Move a row to `generation`, with everything pending again. Raises Stale."""

    def erase(self, row: ParticipantRow, bookings: Sequence[Booking]) -> None:
        """Delete a row and add `bookings`, all or nothing. Raises Stale."""

    def rows_of(self, visitor: str) -> list[ParticipantRow]:
        """The rows of one visitor, in all experiments, strongly consistent."""

    def book(self, bookings: Sequence[Booking]) -> None:
        """Add numbers outside a transaction, trying once; for numbers that need not be exact."""

    def extend_expiry(self, key: RowKey, expires_at: int) -> None:
        """Make a row live until `expires_at`, epoch seconds, if it exists and would expire before."""

    def cells(
        self, experiment: str, *, first: str, last: str, strong: bool = False, limit: int | None = None
    ) -> dict[str, dict[str, int]]:
        """The items whose cell lies in [first, last], as numbers, in their order; at most `limit` of them."""

    def texts(self, experiment: str, *, first: str, last: str) -> dict[str, str]:
        """The texts of the items whose cell lies in [first, last]; items without one are left out."""

    def generations(self, experiment: str) -> Generations:
        """The generations of an experiment's tallies, strongly consistent."""

    def open_generation(self, experiment: str, now: Generations, then: Generations) -> None:
        """Change the generations, if they are still what `now` says. Raises Stale."""

    def delete_cells(self, experiment: str, cells: Iterable[str]) -> None:
        """Delete items of the tallies: those of a generation that a rebuild has replaced."""

    def document(self, experiment: str, cell: str) -> StoredText:
        """The text that is kept in `cell`, strongly consistent."""

    def replace_document(self, experiment: str, cell: str, text: str, *, was: StoredText, version: str) -> StoredText:
        """Put `text` into `cell`, if it still holds what `was` says. Returns the new document. Raises Stale."""


SIMULATED = "simulated"  # the cell {"visitors": n} of an experiment that has simulated visitors


SEGMENTS = "#segments"  # behind the experiment's key: the partition of its tallies by segment


def partition(experiment: str, cell: Cell) -> str:
    """The partition that holds a tally. Segments have one of their own, so that reading the totals does not grow."""
    return experiment + SEGMENTS if cell.span == "segment" else experiment


def all_cells(store: Store, experiment: str, *, strong: bool = False) -> dict[str, dict[str, int]]:
    """The items of both partitions of an experiment. Their names differ."""
    parts = (store.cells(key, first=FIRST, last=LAST, strong=strong) for key in (experiment, experiment + SEGMENTS))
    return {name: numbers for part in parts for name, numbers in part.items()}


def cell_name(cell: Cell, generation: int, spread: int) -> str:
    """The sort key of one item of a tally: total#3#0#green#1, day#3#2026-11-21#0#green#1."""
    return "#".join(
        str(part) for part in (cell.span, generation, *([cell.when] if cell.when else []), *cell[2:], spread)
    )


class NamedCell(NamedTuple):
    """What the sort key of a tally says: the generation, and which tally it is a part of."""

    generation: int
    cell: Cell


_CELL = re.compile(rf"(total|day|hour|segment)#([0-9]+)#(?:([0-9T-]+|{NAME}={VALUE})#)?([0-9]+)#([^#]+)#[0-9]+")


def parse_cell_name(name: str) -> NamedCell | None:
    """The inverse of cell_name(), without the spread; None for an item that is no tally, or that cannot be read.

    >>> parse_cell_name("day#3#2026-11-21#0#green#1")
    NamedCell(generation=3, cell=Cell(span='day', when='2026-11-21', phase=0, variant='green'))
    """
    match = _CELL.fullmatch(name)
    if match is None or (match[1] == "total") != (match[3] is None):
        return None
    if (match[1] == "segment") != ("=" in (match[3] or "")):
        return None
    return NamedCell(int(match[2]), Cell(match[1], match[3] or "", int(match[4]), match[5]))  # type: ignore[arg-type]


def tallies_in(cells: Mapping[str, Mapping[str, int]], generation: int) -> Tallies:
    """The tallies of one generation, their spreads added up. Items that cannot be read are skipped; `abacus audit`
    names them."""
    tallies: Tallies = {}
    for name, numbers in cells.items():
        named = parse_cell_name(name)
        if named is not None and named.generation == generation:
            tallies.setdefault(named.cell, Tally()).add(Tally.of(numbers.items()))
    return tallies


def unreadable_cells(cells: Iterable[str]) -> list[str]:
    """The names that look like a tally's and cannot be read."""
    return [name for name in cells if name.split("#")[0] in SPANS and parse_cell_name(name) is None]


def generations_in(cells: Mapping[str, Mapping[str, int]]) -> Generations:
    """The generations that the item `meta` names."""
    meta = cells.get("meta", {})
    return Generations(meta.get("gen", 0), meta.get("fill"))


RandomBelow = Callable[[int], int]  # random_below(n): a random whole number in [0, n)

"""Compare the tallies with a recount of the rows, and say in words what differs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from chalicelib.analysis.wording import count
from chalicelib.counting.contribution import contribution
from chalicelib.storage.event_encoding import Unreadable, distinct
from chalicelib.storage.store import ParticipantRow, RowKey, Store, all_cells, tallies_in, unreadable_cells
from chalicelib.storage.tally import Tallies, Tally, difference

SEGMENTS = 4  # of the parallel scan
# Seconds that a command tries a call of the tables. No visitor waits for it, and a page of a large table takes an
# emulator on a busy machine longer than the two seconds of a function.
CALL = 60.0
NAMED = 10  # broken rows in one message


@dataclass(frozen=True)
class Recount:
    """The tallies as they are (`live`) and as the rows have them (`expected`); `rows`: how many rows there are.

    broken: rows that cannot be read, and are in neither. unreadable: names of items of the tallies that cannot be read.
    """

    live: Tallies
    rows: int
    expected: Tallies
    broken: tuple[RowKey, ...] = ()
    unreadable: tuple[str, ...] = ()

    @property
    def differing(self) -> Tallies:
        """The cells in which both differ: expected − live."""
        return difference(self.expected, self.live)


def live_tallies(store: Store, experiment: str) -> Tallies:
    """The live tallies of an experiment, without activity by the hour, which no row can restore."""
    generation = store.generations(experiment).live
    return _without_hours(tallies_in(all_cells(store, experiment, strong=True), generation))


def _without_hours(tallies: Tallies) -> Tallies:
    return {cell: tally for cell, tally in tallies.items() if cell.span != "hour" and tally.numbers()}


def rows_of(store: Store, experiment: str, progress: Callable[[], None] = lambda: None) -> Iterator[ParticipantRow]:
    """Every row of the experiment, from parallel scans. `progress` is called for every row of the table."""

    def segment(n: int) -> list[ParticipantRow]:
        rows = []
        for row in store.scan(n, SEGMENTS):
            progress()
            if row.key.experiment == experiment:
                rows.append(row)
        return rows

    with ThreadPoolExecutor(SEGMENTS) as pool:
        for rows in pool.map(segment, range(SEGMENTS)):
            yield from rows


def recount(store: Store, experiment: str, progress: Callable[[], None] = lambda: None) -> Recount:
    """Compare the live tallies with what the rows say they have counted. Writes nothing.

    While events come in, both are read at different moments: a difference may be an event that is being counted.
    `progress` is called for every row read."""
    generation = store.generations(experiment).live
    cells = all_cells(store, experiment, strong=True)
    expected: Tallies = {}
    broken = []
    rows = 0
    for row in rows_of(store, experiment, progress):
        rows += 1
        try:
            # Also what is pending, so that a row is named before the fold meets it.
            distinct(row.pending)
            added = contribution(row.counted, row.folded)
        except Unreadable:
            broken.append(row.key)
            continue
        if row.broken:
            broken.append(row.key)
        for cell, tally in added.items():
            if cell.span != "hour":
                expected.setdefault(cell, Tally()).add(tally)
    live = _without_hours(tallies_in(cells, generation))
    return Recount(live, rows, expected, tuple(broken), tuple(unreadable_cells(cells)))


def loses_visitors(compared: Recount) -> str | None:
    """Why the tallies should stay: the rows know of fewer visitors. No setting has to be right to notice that."""

    def visitors(tallies: Tallies) -> int:
        return sum(tally.visitors for cell, tally in tallies.items() if cell.span == "total")

    live, expected = visitors(compared.live), visitors(compared.expected)
    if expected + len(compared.broken) >= live:
        return None
    return (
        f"the tallies count {live} visitors, the rows only {expected}. Have rows expired? "
        "If the tallies are wrong and the rows are right, add --force."
    )


def difference_in_words(compared: Recount) -> list[str]:
    """What differs, one line each: total, phase 0, green: visitors 10 → 11."""
    if not compared.differing:
        return [f"{compared.rows} rows; the tallies agree with them."]
    lines = [f"{compared.rows} rows; the tallies differ:"]
    for cell in sorted(compared.differing):
        live = compared.live.get(cell, Tally()).numbers()
        expected = compared.expected.get(cell, Tally()).numbers()
        where = f"{cell.span} {cell.when}".strip()
        lines += [
            f"{where}, phase {cell.phase}, {cell.variant}: {name} {live.get(name, 0)} → {expected.get(name, 0)}"
            for name in compared.differing[cell].numbers()
        ]
    return lines


def unreadable_in_words(compared: Recount) -> list[str]:
    """Which rows and items of the tallies cannot be read: a sentence each, with the first ten names."""
    lines = []
    if compared.broken:
        names = listed([f"{key.visitor} in {key.experiment}" for key in compared.broken])
        lines.append(
            f"{count(len(compared.broken), 'row')} cannot be read and {'is' if len(compared.broken) == 1 else 'are'} "
            f"not counted (broken): {names}. Delete with abacus erase VISITOR."
        )
    if compared.unreadable:
        names = listed(list(compared.unreadable))
        lines.append(f"{count(len(compared.unreadable), 'item')} of the tallies cannot be read: {names}.")
    return lines


def listed(names: Sequence[str]) -> str:
    """The first ten names, and how many more there are.

    >>> listed(["a", "b"])
    'a, b'
    """
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more

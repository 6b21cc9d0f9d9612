"""The small tables of an export: tallies by name, results, and whole reports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chalicelib.api.csv_report import RESULT_COLUMNS
from chalicelib.storage.store import FIRST, LAST, Store, tallies_in

TALLY_COLUMNS = {
    **dict.fromkeys(("experiment", "span", "when"), "VARCHAR"),
    "phase": "INTEGER",
    **dict.fromkeys(("variant", "name"), "VARCHAR"),
    "count": "BIGINT",
}
NUMBERS = {"estimate", "low", "high", "lift", "lift_low", "lift_high", "p"}
RESULT_TYPES = {
    name: "DOUBLE" if name in NUMBERS else "BIGINT" if name in ("visitors", "converted") else "VARCHAR"
    for name in RESULT_COLUMNS
} | {"control": "BOOLEAN"}


def tally_lines(store: Store, experiments: Sequence[str]) -> Iterator[Sequence[object]]:
    """Every number of the live tallies: totals ("total", ""), cohorts ("day", "2026-11-21"), raw activity ("hour",
    "2026-11-21T13") and segments ("segment", "device=mobile"), each with its name, such as visitors or converted.click.
    """
    for key in experiments:
        generation = store.generations(key).live
        for cell, tally in sorted(tallies_in(store.cells(key, first=FIRST, last=LAST), generation).items()):
            for name, count in sorted(tally.numbers().items()):
                yield key, cell.span, cell.when, cell.phase, cell.variant, name, count

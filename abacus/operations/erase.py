"""`abacus erase VISITOR`: forget one visitor. Rows and what they added to the tallies go in one transaction each."""

from __future__ import annotations

import random

import click

from abacus.aws.target import at_target
from chalicelib.counting.contribution import contribution
from chalicelib.counting.fold import bookings
from chalicelib.domain.clock import now_ms
from chalicelib.runtime.service import from_environment
from chalicelib.storage.store import Dice, Stale, Store
from chalicelib.storage.tally import difference


def erase(store: Store, visitor: str, *, now_ms: int, spread: int, dice: Dice) -> list[str]:
    """Delete the visitor's rows and take back what they added. Returns the experiments they were in.

    A row that changes meanwhile is read again; what was written and not yet counted goes uncounted."""
    experiments = []
    while rows := store.rows_of(visitor):
        for row in rows:
            # Not the hours: activity is never taken back, and a visitor may have been active in more of them than a
            # transaction holds.
            counted = contribution(row.counted, row.folded)
            delta = difference({}, {cell: tally for cell, tally in counted.items() if cell.span != "hour"})
            gen = store.generations(row.key.experiment).newborn if row.gen is None else row.gen
            try:
                store.erase(row, bookings({(row.key.experiment, gen): delta}, now_ms, dice(spread)))
            except Stale:
                continue
            experiments.append(row.key.experiment)
    return experiments


@click.command()
@click.argument("visitor")
@at_target
def command(visitor: str) -> None:
    """Delete everything kept about VISITOR, and take it out of the numbers."""
    service = from_environment()
    erased = erase(service.store, visitor, now_ms=now_ms(), spread=service.settings.spread, dice=random.randrange)
    click.echo(f"Erased from {', '.join(sorted(erased))}." if erased else "Nothing is kept under this id.")

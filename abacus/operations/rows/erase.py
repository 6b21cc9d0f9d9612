"""`abacus erase VISITOR`: delete one visitor. Each row and what it added to the tallies go in one transaction."""

from __future__ import annotations

import random

import click

from abacus.aws.target import at_target
from abacus.operations.rows.recount import CALL
from abacus.options import VISITOR
from chalicelib.counting.contribution import contribution
from chalicelib.counting.fold import bookings
from chalicelib.domain.clock import now_ms
from chalicelib.domain.errors import NotFound
from chalicelib.runtime.service import from_environment
from chalicelib.storage.event_encoding import Unreadable
from chalicelib.storage.store import ParticipantRow, RandomBelow, Stale, Store
from chalicelib.storage.tally import Tallies, difference


def erase(
    store: Store, visitor: str, *, now_ms: int, spread: int, random_below: RandomBelow, with_hours: bool = False
) -> list[str]:
    """Delete the visitor's rows and subtract what they added to the tallies.

    `now_ms`: epoch milliseconds. `with_hours`: subtract the activity by hour too, for a visitor of few hours, such as a
    simulated one. A row that changes meanwhile is read again; an event that was not counted yet is never counted.
    Returns the experiments that the visitor took part in."""
    experiments = []
    while rows := store.rows_of(visitor):
        for row in rows:
            try:
                erase_row(store, row, now_ms=now_ms, spread=random_below(spread), with_hours=with_hours)
            except Stale:
                continue
            experiments.append(row.key.experiment)
    return experiments


def erase_row(store: Store, row: ParticipantRow, *, now_ms: int, spread: int, with_hours: bool = False) -> None:
    """Delete one row and subtract what it added to the tallies, in one transaction. `spread`: which item of each tally
    takes the subtraction. Raises Stale if the row has changed since it was read."""
    # The hours stay: a visitor may have been active in more of them than a transaction holds.
    delta = difference({}, {c: tally for c, tally in _counted(row).items() if with_hours or c.span != "hour"})
    generation = store.generations(row.key.experiment).for_new_rows if row.generation is None else row.generation
    store.erase(row, bookings({(row.key.experiment, generation): delta}, now_ms, spread))


def _counted(row: ParticipantRow) -> Tallies:
    """What the row has added to the tallies. Nothing where it cannot be read: then a rebuild removes its numbers."""
    try:
        return contribution(row.counted, row.folded)
    except Unreadable:
        return {}


@click.command()
@click.argument("visitor", type=VISITOR)
@at_target
def command(visitor: str) -> None:
    """Delete all data of VISITOR and subtract it from the results.

    VISITOR is the visitor's id: the part before ~ in the cookie `abacus`. The whole cookie's value works too. An
    unknown id ends with exit code 1."""
    service = from_environment(seconds=CALL)
    erased = erase(
        service.store, visitor, now_ms=now_ms(), spread=service.settings.spread, random_below=random.randrange
    )
    if not erased:
        raise NotFound(
            f"There is no data of visitor {visitor!r}. The id is the part before ~ in the cookie `abacus`; check that "
            "it is complete, and --stage or --home."
        )
    click.echo(f"Erased visitor {visitor} from {', '.join(sorted(erased))}.")

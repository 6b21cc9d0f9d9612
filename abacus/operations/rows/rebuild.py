"""`abacus rebuild`: recount the tallies from the rows. By default it only compares; with --apply it fills a new
generation while traffic continues, and then makes it the live one.

    open generation → move every row into it (pending again) → fold → repeat until none is left → swap → clean up
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial
from typing import NamedTuple

import click
from click._termui_impl import ProgressBar

from abacus.aws.target import at_target
from abacus.operations.rows.recount import (
    CALL,
    Recount,
    difference_in_words,
    live_tallies,
    loses_visitors,
    recount,
    rows_of,
    unreadable_in_words,
)
from chalicelib.counting.fold import Fold
from chalicelib.domain.clock import SECOND_MS, now_ms, utc_datetime
from chalicelib.runtime.service import from_environment, version
from chalicelib.storage.store import (
    Generations,
    ParticipantRow,
    RowKey,
    Stale,
    Store,
    all_cells,
    parse_cell_name,
    partition,
    unreadable_cells,
)

BATCH = 100


def too_old(store: Store, experiment: str, *, now_ms: int, retention_days: int) -> str | None:
    """Why the tallies cannot be recounted: rows of the experiment's first days have expired, or may have."""
    oldest = (utc_datetime(now_ms) - timedelta(days=retention_days)).strftime("%Y-%m-%d")
    first = min((cell.when for cell in live_tallies(store, experiment) if cell.span == "day"), default=oldest)
    if first >= oldest:
        return None
    return f"{experiment} counts visitors since {first}, but rows are kept {retention_days} days; its tallies stay."


def rebuild(
    store: Store,
    fold: Fold,
    experiment: str,
    *,
    clock_ms: Callable[[], int],
    version: Callable[[], str],
    progress: Callable[[], None] = lambda: None,
) -> Recount:
    """Fill a new generation from the rows and make it the live one. Returns the old tallies beside the new.

    clock_ms(): now, epoch milliseconds. version(): a random string. progress: called for every row read. Rows that
    cannot be read are skipped and returned as broken. Raises Stale when another rebuild is under way."""
    before = live_tallies(store, experiment)
    current = store.generations(experiment)
    # A number that no row and no tally has ever had, also after the tallies were deleted or restored from a backup. An
    # abandoned rebuild left `fill`; this one starts above it.
    target = max((current.live if current.fill is None else current.fill) + 1, clock_ms() // SECOND_MS)
    filling = Generations(current.live, target)
    store.open_generation(experiment, current, filling)

    def move() -> _Moved:
        rows = rows_of(store, experiment, progress)
        return _move(store, fold, rows, target, clock_ms=clock_ms, version=version)

    while (moved := move()).rows:
        pass
    store.open_generation(experiment, filling, Generations(target))
    # A fold that read the old generation just before the swap may still have counted a new visitor into it.
    while (moved := move()).rows:
        pass
    cells = all_cells(store, experiment)
    for name in cells:
        named = parse_cell_name(name)
        if named is not None and named.generation < target:
            store.delete_cells(partition(experiment, named.cell), [name])
    after = live_tallies(store, experiment)
    return Recount(before, moved.read, after, tuple(sorted(moved.broken)), tuple(unreadable_cells(cells)))


class _Moved(NamedTuple):
    """One pass over the rows: how many were moved and how many read, and which are broken."""

    rows: int
    read: int
    broken: set[RowKey]


def _move(
    store: Store,
    fold: Fold,
    rows: Iterable[ParticipantRow],
    target: int,
    *,
    clock_ms: Callable[[], int],
    version: Callable[[], str],
) -> _Moved:
    """One pass over `rows`: move those of another generation, and fold what is pending."""
    moved = read = 0
    broken: set[RowKey] = set()
    batch: list[RowKey] = []
    for row in rows:
        read += 1
        if row.broken:
            broken.add(row.key)
            continue
        # A row that has counted nothing yet needs no move: any fold puts it where new rows go, which is here.
        if row.generation not in (target, None):
            moved += 1
            with contextlib.suppress(Stale):  # it changed; the next pass sees it
                store.reopen(row, target, version())
        elif not row.needs_fold:
            continue
        batch.append(row.key)
        if len(batch) >= BATCH:
            broken.update(fold(batch, now_ms=clock_ms()).broken)
            batch.clear()
    broken.update(fold(batch, now_ms=clock_ms()).broken)
    return _Moved(moved, read, broken)


@click.command()
@click.argument("experiment", required=False)
@click.option("--apply", is_flag=True, help="Replace the tallies by the recount. Without it, nothing is written.")
@click.option("--force", is_flag=True, help="Replace them even if the rows have fewer visitors than the tallies.")
@at_target
def command(experiment: str | None, apply: bool, force: bool) -> None:
    """Recount the tallies of EXPERIMENT (default: of all) from the rows, and show the differences.

    Exits with 1 when tallies differ and were not replaced, or when rows or tallies cannot be read."""
    service = from_environment(seconds=CALL)
    store = service.store
    manifest = service.catalog.refresh(now_ms())
    keys = [experiment] if experiment else [e.key for e in manifest.experiments]
    problems = 0
    for key in keys:
        resumed = store.generations(key).fill is not None  # an abandoned rebuild is finished whatever its age
        reason = too_old(store, key, now_ms=now_ms(), retention_days=service.settings.retention_days)
        if reason and not resumed:
            click.echo(f"{key}: not rebuilt. {reason}", err=True)
            problems += 1
            continue
        # The table's own count of its rows is hours old, and a rebuild reads them more than once.
        bar: ProgressBar[int]
        with click.progressbar(length=max(1, store.rows_about()), label=key, file=sys.stderr) as bar:
            progress = partial(bar.update, 1)
            compared = recount(store, key, progress)
            refusal = None if resumed or force or not apply else loses_visitors(compared)
            if apply and not refusal:
                compared = _apply(store, service.fold, key, progress)
        if refusal:
            click.echo(f"{key}: not rebuilt; {refusal}", err=True)
        for line in difference_in_words(compared):
            click.echo(f"  {line}")
        for problem in unreadable_in_words(compared):
            click.echo(f"  PROBLEM {problem}", err=True)
        problems += bool(refusal or (compared.differing and not apply) or compared.broken or compared.unreadable)
    raise SystemExit(1 if problems else 0)


def _apply(store: Store, fold: Fold, key: str, progress: Callable[[], None]) -> Recount:
    try:
        return rebuild(store, fold, key, clock_ms=now_ms, version=version, progress=progress)
    except Stale:
        raise click.ClickException(f"{key}: another rebuild is running. Try again when it is done.") from None
    except KeyboardInterrupt:
        click.echo(f"\n{key}: not finished; its live numbers no longer change. Run this again to finish.", err=True)
        raise

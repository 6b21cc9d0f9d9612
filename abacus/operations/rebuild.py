"""`abacus rebuild`: recount the tallies from the rows. Alone it only looks; with --apply it fills a new generation
while traffic goes on, and swaps.

    open generation → move every row into it (pending again) → fold → until nothing is left → swap → sweep → forget
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import click
from click._termui_impl import ProgressBar

from abacus.aws.target import at_target
from chalicelib.counting.contribution import contribution
from chalicelib.counting.fold import Fold
from chalicelib.domain.clock import SECOND_MS, now_ms, utc_datetime
from chalicelib.runtime.service import from_environment, version
from chalicelib.storage.store import FIRST, LAST, Generations, ParticipantRow, Stale, Store, tallies_in
from chalicelib.storage.tally import Tallies, Tally, difference

SEGMENTS = 4  # of the parallel scan
BATCH = 100


@dataclass(frozen=True)
class Recount:
    """The tallies as they are and as the rows have them; `rows`: how many rows there are."""

    live: Tallies
    rows: int
    due: Tallies

    @property
    def off(self) -> Tallies:
        return difference(self.due, self.live)


def live_tallies(store: Store, experiment: str) -> Tallies:
    generation = store.generations(experiment).live
    found = tallies_in(store.cells(experiment, first=FIRST, last=LAST, strong=True), generation)
    return {cell: tally for cell, tally in found.items() if cell.span != "hour" and tally.numbers()}


def rows_of(store: Store, experiment: str, progress: Callable[[], None] = lambda: None) -> Iterator[ParticipantRow]:
    """Every row of the experiment, from several scans side by side."""

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


def too_old(store: Store, experiment: str, *, now_ms: int, retention_days: int) -> str | None:
    """Why the tallies cannot be recounted: rows of the experiment's first days have expired, or may have."""
    oldest = (utc_datetime(now_ms) - timedelta(days=retention_days)).strftime("%Y-%m-%d")
    first = min((cell.when for cell in live_tallies(store, experiment) if cell.span == "day"), default=oldest)
    if first >= oldest:
        return None
    return f"{experiment} counts visitors since {first}, but rows are kept {retention_days} days; its tallies stay."


def recount(store: Store, experiment: str, progress: Callable[[], None] = lambda: None) -> Recount:
    """The live tallies beside what the rows say they have counted. Writes nothing.

    While events come in the two are read at different moments; what is off then is on its way, not lost."""
    live = live_tallies(store, experiment)
    due: Tallies = {}
    rows = 0
    for row in rows_of(store, experiment, progress):
        rows += 1
        for cell, tally in contribution(row.counted, row.folded).items():
            if cell.span != "hour":
                due.setdefault(cell, Tally()).add(tally)
    return Recount(live, rows, due)


def rebuild(
    store: Store,
    fold: Fold,
    experiment: str,
    *,
    clock_ms: Callable[[], int],
    version: Callable[[], str],
    progress: Callable[[], None] = lambda: None,
) -> Recount:
    """Fill a new generation from the rows and make it the live one. Returns the old tallies beside the new."""
    before = live_tallies(store, experiment)
    was = store.generations(experiment)
    # A number that no row and no tally has ever had, also after the tallies were deleted or restored from a backup; an
    # abandoned rebuild left `fill`, and this one begins anew above it.
    target = max((was.live if was.fill is None else was.fill) + 1, clock_ms() // SECOND_MS)
    filling = Generations(was.live, target)
    store.open_generation(experiment, was, filling)

    rows = 0
    while True:
        moved, rows = _move(store, fold, experiment, target, clock_ms, version, progress)
        if not moved:
            break
    store.open_generation(experiment, filling, Generations(target))
    # Whoever read the old generation just before the swap may still have counted a new visitor into it.
    while _move(store, fold, experiment, target, clock_ms, version, progress)[0]:
        pass
    gone = [
        cell
        for cell in store.cells(experiment, first=FIRST, last=LAST)
        if cell.split("#")[0] in ("total", "day", "hour") and int(cell.split("#")[1]) < target
    ]
    store.delete_cells(experiment, gone)
    return Recount(before, rows, live_tallies(store, experiment))


def _move(
    store: Store,
    fold: Fold,
    experiment: str,
    target: int,
    clock_ms: Callable[[], int],
    version: Callable[[], str],
    progress: Callable[[], None],
) -> tuple[int, int]:
    """One pass over the rows: those of another generation are moved, and what is pending is folded."""
    moved = rows = 0
    batch: list[ParticipantRow] = []
    for row in rows_of(store, experiment, progress):
        rows += 1
        # A row that has counted nothing yet needs no move: whatever folds it puts it where newborns go, which is here.
        if row.generation not in (target, None):
            moved += 1
            with contextlib.suppress(Stale):  # it changed; the next pass sees it
                store.reopen(row, target, version())
        elif not row.needs_fold:
            continue
        batch.append(row)
        if len(batch) >= BATCH:
            fold([r.key for r in batch], now_ms=clock_ms())
            batch.clear()
    fold([r.key for r in batch], now_ms=clock_ms())
    return moved, rows


def forgets(found: Recount) -> str | None:
    """Why the tallies had better stay: the rows know of fewer visitors. No setting has to be right to notice that."""

    def visitors(tallies: Tallies) -> int:
        return sum(tally.visitors for cell, tally in tallies.items() if cell.span == "total")

    if visitors(found.due) >= visitors(found.live):
        return None
    return (
        f"the tallies count {visitors(found.live)} visitors, the rows that are left {visitors(found.due)}. Have rows "
        "expired? If the tallies are wrong and the rows are right, say --force."
    )


@click.command()
@click.argument("experiment", required=False)
@click.option("--apply", is_flag=True, help="Swap in the recounted tallies. Without it, nothing is written.")
@click.option("--force", is_flag=True, help="Also where the rows know of fewer visitors than the tallies.")
@at_target
def command(experiment: str | None, apply: bool, force: bool) -> None:
    """Recount the tallies of EXPERIMENT (all, unless named) from the rows, and show what is off."""
    service = from_environment()
    store = service.store
    manifest = service.catalog.refresh(now_ms())
    keys = [experiment] if experiment else [e.key for e in manifest.experiments]
    off = 0
    for key in keys:
        open_already = store.generations(key).fill is not None  # an abandoned rebuild, to be finished whatever its age
        why = too_old(store, key, now_ms=now_ms(), retention_days=service.settings.retention_days)
        if why and not open_already:
            click.echo(f"{key}: not rebuilt. {why}", err=True)
            off += 1
            continue
        # The table's own count of its rows is hours old, and a rebuild passes over them more than once.
        bar: ProgressBar[int]
        with click.progressbar(length=max(1, store.rows_about()), label=key) as bar:
            progress = partial(bar.update, 1)
            found = recount(store, key, progress)
            if apply and not open_already and not force and (why := forgets(found)):
                raise click.ClickException(f"{key}: not rebuilt; {why}")
            if apply:
                found = _apply(store, service.fold, key, progress)
        for line in difference_in_words(found):
            click.echo(f"  {line}")
        off += bool(found.off) and not apply
    raise SystemExit(1 if off else 0)


def _apply(store: Store, fold: Fold, key: str, progress: Callable[[], None]) -> Recount:
    try:
        return rebuild(store, fold, key, clock_ms=now_ms, version=version, progress=progress)
    except Stale:
        raise click.ClickException(f"{key}: another rebuild of it is under way. Try again when it is done.") from None
    except KeyboardInterrupt:
        click.echo(f"\n{key}: not finished, and its live numbers stand still. Run this again to finish.", err=True)
        raise


def difference_in_words(found: Recount) -> list[str]:
    """What differs, a line each: total, phase 0, green: visitors 10 → 11."""
    if not found.off:
        return [f"{found.rows} rows; the tallies are what the rows say."]
    lines = [f"{found.rows} rows; the tallies differ:"]
    for cell in sorted(found.off):
        was, due = found.live.get(cell, Tally()).numbers(), found.due.get(cell, Tally()).numbers()
        for name in found.off[cell].numbers():
            where = f"{cell.span} {cell.when}".strip()
            lines.append(f"{where}, phase {cell.phase}, {cell.variant}: {name} {was.get(name, 0)} → {due.get(name, 0)}")
    return lines

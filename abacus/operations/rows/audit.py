"""`abacus audit`: does everything that came in add up? Reads every row, writes nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import click

from abacus.aws.target import at_target
from abacus.operations.rows.rebuild import too_old
from abacus.operations.rows.recount import CALL, Recount, listed, recount
from chalicelib.analysis.wording import count
from chalicelib.counting.reconcile import RowTotals, reconcile_rows
from chalicelib.domain.clock import now_ms
from chalicelib.runtime.service import from_environment
from chalicelib.storage.store import Store
from chalicelib.storage.tally import Tally

TRIES = 3


@dataclass(frozen=True)
class Audit:
    """totals: what all rows hold. recounts: for each experiment, its tallies beside what its rows say."""

    totals: RowTotals
    recounts: dict[str, Recount]

    @property
    def problems(self) -> list[str]:
        """What does not hold, a sentence each. Events that are still pending are no problem.

        A row has no number of repeats or of pending events that could differ from its events: the sums over the rows
        hold unless a row is broken."""
        totals = self.totals
        problems = []
        if totals.broken:
            names = listed(sorted(f"{key.visitor} in {key.experiment}" for key in totals.broken_keys))
            problems.append(
                f"{count(totals.broken, 'row')} broken: unreadable, fewer events received than held, or no generation. "
                f"{names}."
            )
        for key, compared in self.recounts.items():
            problems += _problems(key, compared)
        return problems


def _problems(key: str, compared: Recount) -> list[str]:
    problems = []
    if compared.differing:
        cells = [f"{cell.span} {cell.when} {cell.variant}".replace("  ", " ") for cell in compared.differing]
        problems.append(f"{key}: the tallies differ from the rows in {listed(cells)}. See abacus rebuild {key}.")
    if compared.unreadable:
        names = listed(compared.unreadable)
        problems.append(f"{key}: {count(len(compared.unreadable), 'item')} of the tallies cannot be read: {names}.")
    total = Tally()
    for cell, tally in compared.live.items():
        if cell.span == "total":
            total.add(tally)
    counted = total.impressions + total.clicks + sum(total.goal_events.values()) + total.excluded_events
    if counted != total.events:
        problems.append(f"{key}: {total.events} events accepted, but {counted} counted or excluded.")
    return problems


def audit(store: Store, experiments: list[str], *, sleep: Callable[[float], None]) -> Audit:
    """Add up every row, and compare the tallies of `experiments` with their rows. Reads only.

    Rows and tallies cannot be read at one moment. Differences are looked at again, up to three times, so that an event
    that is being counted causes no alarm. Under traffic that never pauses, run it at a quieter time. `sleep`: takes
    seconds."""
    totals = RowTotals()
    for row in store.scan():
        totals.add(row)
    recounts = {}
    for key in experiments:
        for left in reversed(range(TRIES)):
            recounts[key] = recount(store, key)
            if not recounts[key].differing or not left:
                break
            sleep(1.0)
        for broken in recounts[key].broken:
            totals.add_broken(broken)
    return Audit(totals, recounts)


@click.command("audit")
@at_target
def audit_command() -> None:
    """Check that every row can be true, that the tallies equal the rows, and that the tallies add up.

    Exits with 1 when it does not hold."""
    service = from_environment(seconds=CALL)
    manifest = service.catalog.refresh(now_ms())
    recent = []
    for experiment in manifest.experiments:
        reason = too_old(service.store, experiment.key, now_ms=now_ms(), retention_days=service.settings.retention_days)
        if reason:
            click.echo(f"{experiment.key}: not compared. {reason}")
        else:
            recent.append(experiment.key)
    result = audit(service.store, recent, sleep=time.sleep)
    t = result.totals
    click.echo(f"{t.rows} rows: received {t.received} = accepted {t.accepted} + repeated {t.repeated}")
    click.echo(f"{' ' * len(str(t.rows))}       accepted {t.accepted} = counted {t.counted} + pending {t.pending}")
    for key, compared in result.recounts.items():
        click.echo(f"{key}: {compared.rows} rows, tallies {'differ' if compared.differing else 'agree'}")
    for problem in result.problems:
        click.echo(f"PROBLEM {problem}", err=True)
    raise SystemExit(1 if result.problems else 0)


@click.command("reconcile")
@at_target
def reconcile_command() -> None:
    """Fold every event that is written and not counted yet."""
    service = from_environment(seconds=CALL)
    result = reconcile_rows(service.store, service.fold, now_ms=now_ms())
    click.echo(f"{result.totals.rows} rows read; {result.folded} events were pending and are counted now.")
    if result.totals.broken or result.failed:
        click.echo(f"PROBLEM {result.totals.broken} broken rows, {result.failed} failed. See abacus audit.", err=True)
        raise SystemExit(1)

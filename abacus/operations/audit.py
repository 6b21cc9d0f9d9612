"""`abacus audit`: does everything that came in add up? Reads every row, writes nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import click

from abacus.aws.target import at_target
from abacus.operations.rebuild import Recount, recount, too_old
from chalicelib.counting.reconcile import RowTotals, reconcile_rows
from chalicelib.domain.clock import now_ms
from chalicelib.runtime.service import from_environment
from chalicelib.storage.store import Store
from chalicelib.storage.tally import Tally


@dataclass(frozen=True)
class Audit:
    """The rows' account, and for each experiment what its tallies are beside what the rows say."""

    account: RowTotals
    recounts: dict[str, Recount]

    @property
    def problems(self) -> list[str]:
        """What does not hold, a sentence each; what is merely still pending is no problem."""
        account = self.account
        found = []
        if account.broken:
            found.append(f"{account.broken} rows cannot be: fewer events received than they hold, or no generation.")
        if account.received != account.accepted + account.repeated or account.repeated < 0:
            found.append("received is not accepted + repeated.")
        if account.accepted != account.counted + account.pending:
            found.append("accepted is not counted + pending.")
        for key, compared in self.recounts.items():
            if compared.off:
                cells = ", ".join(f"{cell.span} {cell.when} {cell.variant}".replace("  ", " ") for cell in compared.off)
                found.append(f"{key}: the tallies are not what the rows say, in {cells}. See abacus rebuild {key}.")
            whole = Tally()
            for cell, tally in compared.live.items():
                if cell.span == "total":
                    whole.add(tally)
            counted = whole.impressions + whole.clicks + sum(whole.goal_events.values()) + whole.excluded_events
            if counted != whole.events:
                found.append(f"{key}: {whole.events} events accepted, but {counted} counted or excluded.")
        return found


TRIES = 3


def audit(store: Store, experiments: list[str], *, sleep: Callable[[float], None]) -> Audit:
    """RowTotals for every row, and compare the tallies of `experiments` with their rows.

    Rows and tallies cannot be read at one moment. What differs is looked at again, so that an event that was being
    counted meanwhile is no alarm; under traffic that never pauses, ask at a quieter time."""
    account = RowTotals()
    for row in store.scan():
        account.add(row)
    recounts = {}
    for key in experiments:
        for left in reversed(range(TRIES)):
            recounts[key] = recount(store, key)
            if not recounts[key].off or not left:
                break
            sleep(1.0)
    return Audit(account, recounts)


@click.command("audit")
@at_target
def audit_command() -> None:
    """Check that received = accepted + repeated, accepted = counted + pending, and that tallies equal the rows.

    Exits with 1 when it does not hold."""
    service = from_environment()
    manifest = service.catalog.refresh(now_ms())
    young = []
    for experiment in manifest.experiments:
        why = too_old(service.store, experiment.key, now_ms=now_ms(), retention_days=service.settings.retention_days)
        if why:
            click.echo(f"{experiment.key}: not compared. {why}")
        else:
            young.append(experiment.key)
    found = audit(service.store, young, sleep=time.sleep)
    a = found.account
    click.echo(f"{a.rows} rows: received {a.received} = accepted {a.accepted} + repeated {a.repeated}")
    click.echo(f"{' ' * len(str(a.rows))}       accepted {a.accepted} = counted {a.counted} + pending {a.pending}")
    for key, compared in found.recounts.items():
        click.echo(f"{key}: {compared.rows} rows, tallies {'differ' if compared.off else 'agree'}")
    for problem in found.problems:
        click.echo(f"PROBLEM {problem}", err=True)
    raise SystemExit(1 if found.problems else 0)


@click.command("reconcile")
@at_target
def reconcile_command() -> None:
    """Fold every event that is written and not counted yet."""
    service = from_environment()
    found = reconcile_rows(service.store, service.fold, now_ms=now_ms())
    click.echo(f"{found['rows']} rows read; {found['folded']} events were pending and are counted now.")

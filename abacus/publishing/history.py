"""`abacus history` and `abacus rollback`: what was published, and how to return to it."""

from __future__ import annotations

from datetime import UTC, datetime
from time import time

import click

from abacus.publishing import manifest_store as published
from abacus.publishing.publish import plan, show, write
from abacus.publishing.remote import Remote, remote
from chalicelib.domain.manifest import Experiment, Manifest, Phase


def restored(old: Manifest, live: Manifest) -> Manifest:
    """`old` as far as it can return without spoiling what was counted since.

    Phases are history and stay; the old split is opened as a new one. What runs now and did not then is paused,
    not forgotten. What was removed since stays removed."""
    experiments = tuple(_restored(old.experiment(now.key), now) for now in live.experiments)
    drafts = tuple(e for e in old.experiments if e.status == "draft" and live.experiment(e.key) is None)
    every = sorted(experiments + drafts, key=lambda e: e.key)
    return Manifest(experiments=tuple(every), client_key=old.client_key)


def _restored(then: Experiment | None, now: Experiment) -> Experiment:
    if then is None or then.status == "draft":
        return now.model_copy(update={"status": "paused"}) if now.status == "running" else now
    phases = now.phases
    if len(now.phases) > len(then.phases):
        seed = then.seed_of(then.current_phase)
        last = then.phases[-1]
        again = Phase(weights=last.weights, coverage=last.coverage, seed=None if seed == now.seed else seed)
        phases += (again,) if again != now.phases[-1] else ()
    return then.model_copy(update={"phases": phases})


@click.command(name="history")
@remote
def history_command(at: Remote) -> None:
    """Everything that was ever published, oldest first."""
    for publishing in published.history(at.s3, at.bucket):
        click.echo(line(publishing))


def line(publishing: published.Publishing) -> str:
    when = datetime.fromtimestamp(publishing.at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    said = "".join(f"\n    {text}" for text in ([publishing.note] if publishing.note else []) + [*publishing.changes])
    return f"{publishing.digest}  {when}  {publishing.by}{said}"


@click.command(name="rollback")
@click.argument("digest")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@remote
def rollback_command(at: Remote, digest: str, dry_run: bool) -> None:
    """Return to the manifest that was published as DIGEST (see `abacus history`)."""
    now = round(time() * 1000)
    old = published.read_copy(at.s3, at.bucket, digest)
    wanted = restored(old, published.read_live(at.s3, at.bucket).manifest or Manifest())
    planned = plan(wanted, at.s3, at.bucket, now)
    show(planned)
    if planned.refusals:
        raise click.ClickException("nothing was published, for the refusals above")
    if dry_run:
        return
    write(planned, at.s3, at.bucket, now, by=at.person, note=f"rollback to {digest}")
    at.invalidate()
    click.echo(f"published {planned.manifest.digest}. Your files still say otherwise: change them too,")
    click.echo("or the next `abacus publish` brings back what you rolled back.")

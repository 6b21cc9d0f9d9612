"""`abacus history` and `abacus rollback`: what was published, and how to return to it."""

from __future__ import annotations

import click

from abacus.publishing import manifest_store as published
from abacus.publishing.publish import Author, plan, refused_line, show, write
from abacus.publishing.remote import Remote, remote
from abacus.publishing.yaml_lines import differing_lines
from chalicelib.domain import clock
from chalicelib.domain.manifest import Experiment, Manifest, Phase


def restored(old: Manifest, live: Manifest) -> Manifest:
    """`old`, as far as it can return without spoiling the counts since then.

    Phases are history and stay; the old split opens as a new phase. An experiment that runs now and did not run then is
    paused. An experiment that was removed since stays removed."""
    experiments = tuple(_restored(old.experiment(current.key), current) for current in live.experiments)
    drafts = tuple(e for e in old.experiments if e.status == "draft" and live.experiment(e.key) is None)
    ordered = sorted(experiments + drafts, key=lambda e: e.key)
    return Manifest(experiments=tuple(ordered), client_key=old.client_key)


def _restored(earlier: Experiment | None, current: Experiment) -> Experiment:
    if earlier is None or earlier.status == "draft":
        return current.model_copy(update={"status": "paused"}) if current.status == "running" else current
    phases = current.phases
    if len(current.phases) > len(earlier.phases):
        seed = earlier.seed_of(earlier.current_phase)
        last = earlier.phases[-1]
        again = Phase(weights=last.weights, coverage=last.coverage, seed=None if seed == current.seed else seed)
        phases += (again,) if again != current.phases[-1] else ()
    return earlier.model_copy(update={"phases": phases})


@click.command(name="history")
@remote
def history_command(at: Remote) -> None:
    """List everything that was published, oldest first."""
    for publishing in published.history(at.s3, at.bucket):
        click.echo(line(publishing))


def line(publishing: published.Publishing) -> str:
    """One entry of the history: digest, time, person, note, changes."""
    time = clock.utc_datetime(publishing.at).strftime("%Y-%m-%d %H:%M:%SZ")
    details = [publishing.note] if publishing.note else []
    return "\n    ".join([f"{publishing.digest}  {time}  {publishing.by}", *details, *publishing.changes])


@click.command(name="rollback")
@click.argument("digest")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@remote
def rollback_command(at: Remote, digest: str, dry_run: bool) -> None:
    """Return to the manifest that was published as DIGEST.

    `abacus history` lists the digests; the first characters are enough. Afterwards your files still describe the newer
    manifest: the command prints the lines that make them match."""
    now_ms = clock.now_ms()
    digest = published.complete_digest(at.s3, at.bucket, digest)
    old = published.read_copy(at.s3, at.bucket, digest)
    live = published.read_live(at.s3, at.bucket).manifest or Manifest()
    planned = plan(restored(old, live), at.s3, at.bucket, now_ms)
    show(planned)
    if not dry_run:
        write(planned, at.s3, at.bucket, now_ms, author=Author(at.person, f"rollback to {digest}"))
        at.refresh()
        click.echo(f"published {planned.manifest.digest}")
        for text in file_changes(live, planned.manifest):
            click.echo(text)
    if planned.refusals:
        raise click.ClickException(refused_line(planned))


def file_changes(before: Manifest, after: Manifest) -> list[str]:
    """The lines by which files that describe `before` come to describe `after`."""
    texts = []
    for experiment in after.experiments:
        earlier = before.experiment(experiment.key)
        lines = differing_lines(earlier, experiment) if earlier else []
        if lines:
            texts += [f"{experiment.key}:", *(f"    {line}" for line in lines)]
    if not texts:
        return []
    return [
        "Your files still describe the newer manifest: the next `abacus publish` would undo the rollback or refuse it. "
        "Write these lines into them:",
        *texts,
    ]

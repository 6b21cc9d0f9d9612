"""`abacus publish`: shows every change, then puts the experiments of a folder live."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import click

from abacus.authoring.load import NO_EXPERIMENTS, load
from abacus.options import manifest_option
from abacus.publishing.changes import Change
from abacus.publishing.publish import Author, Plan, plan, plan_and_write, refused_line, show
from abacus.publishing.remote import Remote, remote
from chalicelib.domain import clock

# The kinds of changes in the order of a comment on a pull request.
TITLES: dict[str, str] = {"refusal": "Refused", "warning": "Warnings", "change": "Changes"}


@click.command()
@manifest_option
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--note", metavar="TEXT", default="", help="The reason, for `abacus history`.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown"]),
    default="text",
    show_default=True,
    help="markdown: the changes as a comment for a pull request.",
)
@remote
def command(at: Remote, manifest: Path, dry_run: bool, note: str, form: str) -> None:
    """Put the experiments of a folder live.

    Shows every change first. A change that would spoil a running experiment is refused, with the lines to write
    instead; that experiment stays as it is, the others are published, and the exit code is 1."""
    wanted = load(manifest)
    if not wanted.experiments:
        click.echo(NO_EXPERIMENTS.format(folder=manifest), err=True)

    def shown(planned: Plan) -> None:
        if form == "markdown":
            click.echo(markdown(planned.changes, manifest))
        else:
            show(planned)

    if dry_run:
        planned = plan(wanted, at.s3, at.bucket, clock.now_ms())
        shown(planned)
    else:
        planned, paths = plan_and_write(wanted, at, shown, author=Author(at.person, note))
        did = "wrote the site again; live is already" if planned.unchanged else "published"
        click.echo(f"{did} {planned.manifest.digest}: {len(paths)} files, visible everywhere within 60 s")
    if planned.refusals:
        raise click.ClickException(refused_line(planned))


def markdown(changes: Sequence[Change], folder: Path) -> str:
    """Every change, warning and refusal as Markdown, for a comment on a pull request.

    Texts stand in code blocks, so that nothing in them becomes a link, a mention or a heading."""
    lines = [f"### What publishing `{folder}` changes", ""]
    for kind, title in TITLES.items():
        texts = [f"{c.experiment}: {c.text}" if c.experiment else c.text for c in changes if c.kind == kind]
        if texts:
            fence = "`" * max(3, *(1 + len(run) for text in texts for run in re.findall("`+", text)))
            lines += [f"**{title}**", "", f"{fence}text", *texts, fence, ""]
    if not changes:
        lines.append("No experiment changes.")
    if any(change.kind == "refusal" for change in changes):
        lines.append("A refused experiment stays as it is live. The others are published.")
    return "\n".join(lines).rstrip()

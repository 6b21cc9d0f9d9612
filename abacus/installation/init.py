"""`abacus init`: prepare a site's own repository."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from abacus.authoring.metrics.draft import DraftMetrics
from abacus.authoring.new import Draft, create
from abacus.authoring.syntax.writer import scalar
from abacus.aws.errors import report_errors
from abacus.aws.names import StageName
from abacus.project_file import NAME, ProjectFile, read
from chalicelib.domain.errors import AbacusError
from chalicelib.domain.manifest import CLICK
from chalicelib.domain.metrics import MetricName

IGNORED = (".local/", "build/", ".chalice/deployed/")
DRAFT = Draft(
    key="first-test",
    hypothesis="A shorter headline brings more clicks, because visitors read it.",
    page="",
    variants=("control", "treatment"),
    metrics=DraftMetrics(MetricName(CLICK)),
    lift=0.1,
)


class AlreadyThere(AbacusError):
    """The repository has what `init` would write."""


@click.command()
@click.option("--stage", type=StageName(), default="prod", show_default=True, help="The stage that the site uses.")
@click.option("--region", metavar="NAME", help="AWS region of the stage, such as eu-central-1.")
@click.option("--domain", metavar="HOST", help="A domain of your own for it, such as ab.example.com.")
@click.option("--manifest", metavar="FOLDER", default="manifest", show_default=True, help="Folder for experiments.")
@click.option("--ask/--no-ask", default=None, help="Ask for what is not given. Default: in a terminal.")
@report_errors
def command(stage: str, region: str | None, domain: str | None, manifest: str, ask: bool | None) -> None:
    """Prepare this folder for experiments: abacus.yaml, a first draft, and what git should ignore.

    Writes files that do not exist yet; nothing is deployed and nothing goes live."""
    if Path(NAME).exists():
        raise AlreadyThere(f"{NAME} exists already; edit it by hand")
    if Path(manifest).is_absolute() or ".." in Path(manifest).parts:
        raise click.BadParameter(f"{manifest!r} must lie in this folder", param_hint="--manifest")
    if sys.stdin.isatty() if ask is None else ask:
        region = region or click.prompt("AWS region of the stage (empty: as AWS is configured)", default="")
        domain = domain or click.prompt("A domain of your own for it (empty: none)", default="")
    Path(NAME).write_text(content(stage, region or "", domain or "", manifest), encoding="utf-8")
    try:
        project = read(Path(NAME))
    except AbacusError:
        Path(NAME).unlink()
        raise
    click.echo(f"wrote {NAME}")
    _write_draft(project)
    _ignore()
    click.echo(
        "\nNext:\n"
        f"  abacus validate                      check the files below {manifest}/\n"
        "  abacus run                           the whole product on http://127.0.0.1:8000\n"
        f"  abacus deploy --stage {stage} --dry-run   what AWS would get\n"
        "Set `status: running` in the draft when your page is ready; `abacus check URL` tells."
    )


def content(stage: str, region: str, domain: str, manifest: str) -> str:
    """The text of abacus.yaml. Options that are not given stand in it as comments: without its `#`, each
    of them is valid where it stands."""
    lines = [
        "# What every abacus command reads, here and in the folders below. A stage has the options of `abacus deploy`.",
        f"manifest: {scalar(manifest)}",
        "stages:",
        f"  {scalar(stage)}:",
        f"    region: {scalar(region)}" if region else "    #region: eu-central-1",
        f"    domain: {scalar(domain)}" if domain else "    #domain: ab.example.com",
        "    #certificate: arn:aws:acm:us-east-1:...   # of the domain",
        "    #email: team@example.com                  # for alarms and a budget",
        "#snippet:",
        "#  consent: true   # nothing is kept or sent before abacus.consent(true)",
    ]
    return "".join(f"{line}\n" for line in lines)


def _write_draft(project: ProjectFile) -> None:
    folder = Path(project.manifest)
    if folder.exists() and any(folder.glob("*.y*ml")):
        return
    file = create(DRAFT, folder)
    file.write_text(file.read_text(encoding="utf-8").replace("status: running", "status: draft"), encoding="utf-8")
    click.echo(f"wrote {file}")


def _ignore() -> None:
    file = Path(".gitignore")
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    missing = [name for name in IGNORED if name not in lines]
    if missing:
        file.write_text("\n".join([*lines, *missing]) + "\n", encoding="utf-8")
        click.echo(f"added to {file}: {', '.join(missing)}")

"""`abacus import growthbook`: GrowthBook's experiments as files of ours, one each."""

from __future__ import annotations

import json
from pathlib import Path

import click

from abacus.authoring.load import load
from abacus.authoring.problems import listed
from abacus.aws.errors import report_errors
from abacus.importing.growthbook import NotAPayload, import_payload
from abacus.options import manifest_option
from abacus.publishing.yaml_lines import experiment_lines
from chalicelib.domain.errors import AbacusError


class CannotImport(AbacusError):
    """Nothing is written; the message says why."""


@click.command("import")
@click.argument("tool", type=click.Choice(["growthbook"]))
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--visitor-attribute", metavar="NAME", default="id", show_default=True, help="What your ids are called.")
@click.option("--dry-run", is_flag=True, help="Show what would be taken, and write nothing.")
@manifest_option
@report_errors
def command(tool: str, file: Path, visitor_attribute: str, dry_run: bool, manifest: Path) -> None:
    """Write the experiments of another tool as files, one each.

    FILE is the features payload that GrowthBook's SDKs get from /api/features/KEY. Every visitor keeps the variant. An
    experiment for which that is impossible is left out, with the reason."""
    try:
        imported = import_payload(json.loads(file.read_text("utf-8")), visitor_attribute)
    except OSError as error:
        raise CannotImport(f"{file} cannot be read: {error.strerror}") from None
    except (ValueError, NotAPayload) as error:
        raise CannotImport(f"{file}: {error}") from None
    except (KeyError, TypeError, AttributeError) as error:
        raise CannotImport(f"{file} is not what GrowthBook's SDKs read: {error!r}") from None
    files = {manifest / f"{e.key}.yaml": e for e in imported.experiments}
    if there := [str(path) for path in files if path.exists()]:
        raise CannotImport(f"{listed(there)}: there already; nothing is written")
    for name, reason in imported.left_out.items():
        click.echo(f"left out {name}: {reason}")
    for path, experiment in files.items():
        click.echo(f"{'would write' if dry_run else 'wrote'} {path}")
        for note in imported.notes[experiment.key]:
            click.echo(f"  note: {note}")
    if not dry_run:
        write({path: "\n".join([*experiment_lines(e), ""]) for path, e in files.items()}, manifest)
    if not files:
        raise CannotImport("no experiment of this payload can be taken")


def write(files: dict[Path, str], manifest: Path) -> None:
    """Write the files and check the whole folder. Raises Problems, and removes them, if the result is not valid."""
    manifest.mkdir(parents=True, exist_ok=True)
    for path, text in files.items():
        path.write_text(text, "utf-8")
    try:
        load(manifest)
    except AbacusError:
        for path in files:
            path.unlink()
        raise

"""`abacus validate`: every problem of a folder of experiments, one a line, as compilers and CI read them."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from abacus.authoring.load import load
from abacus.authoring.problems import Problems


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path("manifest"))
def command(folder: Path) -> None:
    """Check the experiments in FOLDER (default: manifest). Exit code 1 when something is wrong."""
    try:
        manifest = load(folder)
    except Problems as error:
        click.echo(error.message, err=True)
        count = len(error.problems)
        click.echo(f"{count} problem{'s' if count > 1 else ''}", err=True)
        sys.exit(1)
    names = ", ".join(f"{e.key} ({e.status})" for e in manifest.experiments) or "none"
    click.echo(f"{len(manifest.experiments)} experiments, all well: {names}")

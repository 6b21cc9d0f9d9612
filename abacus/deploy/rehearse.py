"""`abacus rehearse`: a whole deployment without an account, into an emulator that is discarded afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import click

from abacus.installation.extras import provide
from abacus.local.emulated_stacks import emulator, environment

ABACUS = (sys.executable, "-m", "abacus")
STAGE = "rehearsal"


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def command(options: tuple[str, ...]) -> None:
    """Deploy into an emulator on this machine, test it, destroy it. OPTIONS are those of abacus deploy.

    Except --email: the emulator has no composite alarms."""
    provide("run")
    with (
        tempfile.TemporaryDirectory(prefix="abacus-") as home,
        emulator(Path(home), persist=False, policies=True) as (_, endpoint),
    ):
        for name, with_options in (("deploy", options), ("destroy", ("--with-data", "--yes"))):
            click.echo(f"$ abacus {name} --stage {STAGE}")  # the options may hold a read key
            # A process of its own, in whose environment nothing leads to a real account.
            process = subprocess.run(
                [*ABACUS, name, "--stage", STAGE, *with_options], env=environment(endpoint, os.environ), check=False
            )
            if process.returncode:
                raise SystemExit(process.returncode)
            click.echo()

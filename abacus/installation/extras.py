"""Packages that only some commands need. A command that needs them installs them on its first call, and says so."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from importlib.metadata import requires

import click

from abacus.paths import INSTALLED, has_node
from chalicelib.domain.errors import AbacusError

# Extra → the modules it brings, and what for.
EXTRAS = {"run": (("ministack", "samtranslator"), "the AWS emulator and Node, about 90 MB to download")}


class MissingExtra(AbacusError):
    """Packages are missing and could not be installed; the message says how to do it."""


def provide(extra: str) -> None:
    """Make the modules of `extra` importable; installs what is missing into this Python's environment.

    A checkout has them from `make setup`, and this does nothing there. Raises MissingExtra."""
    modules, purpose = EXTRAS[extra]
    complete = all(importlib.util.find_spec(module) for module in modules) and (extra != "run" or has_node())
    if not INSTALLED or complete:
        return
    click.echo(f"installing {purpose}, once ...", err=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages(extra)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr or done.stdout).strip().splitlines()
        raise MissingExtra(
            f"{purpose} could not be installed: {reason[-1] if reason else 'pip failed'}\n"
            f'Install them as you installed abacus, such as: pip install "abacus[{extra}]"'
        )
    importlib.invalidate_caches()


def packages(extra: str) -> list[str]:
    """The requirements of an extra, as this distribution declares them."""
    marked = re.compile(rf"""extra\s*==\s*["']{extra}["']""")
    parts = (requirement.partition(";") for requirement in requires("abacus") or [])
    return [name.strip() for name, _, marker in parts if marked.search(marker)]

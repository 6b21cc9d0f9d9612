"""The folders of a checkout that the command line reads, and the tools that `make setup` puts into it."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from chalicelib.domain.errors import AbacusError

PROJECT = Path(__file__).parents[1]
INFRA = PROJECT / "infra"
STATIC = PROJECT / "static"


class MissingTool(AbacusError):
    """A program that this machine lacks, and how to get it."""


def search_path() -> str:
    """The value of PATH for child processes: this Python's folder first, then the inherited folders.

    `make setup` installs Node into that folder where the machine has none."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])


def node() -> str:
    """The path of Node. Raises MissingTool when neither this machine nor `.venv` has it."""
    path = shutil.which("node", path=search_path())
    if path is None:
        raise MissingTool("Node is missing; the emulated CDN runs its functions in it. Run: make setup")
    return path

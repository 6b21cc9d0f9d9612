"""Make .venv and node_modules: `make setup`, and before `make run` and `make test` when something is missing.

    python3 -m scripts.set_up run     what `make run` and every command need
    python3 -m scripts.set_up test    that, and what `make test` needs

Only Python's standard library is needed. `.venv/.ready-run` and `.venv/.ready-test` say that a set-up finished, and
in which folder. A .venv without them is incomplete or was moved, and is made again from nothing; a changed lock file
is installed into the .venv that exists.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from scripts import installers
from scripts.commands import PROJECT, VENV, SetUpFailed, say

READY = {purpose: VENV / f".ready-{purpose}" for purpose in ("run", "test")}
# Measured on a Debian without Node and Chromium; docs/performance.md.
EXPECTED = {"run": "100 MB to download, half a minute", "test": "280 MB to download, two minutes"}


def main() -> None:
    """Read the purpose from the command line, set up, print time and size; exit 1 with the reason if it fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("purpose", choices=list(READY))
    purpose = parser.parse_args().purpose
    started = time.monotonic()
    try:
        set_up(purpose)
    except SetUpFailed as error:
        sys.exit(f"Set-up failed. {error}")
    except KeyboardInterrupt:
        sys.exit("\nSet-up interrupted. The next make starts it again.")
    total = sum(size(folder) for folder in (VENV, PROJECT / "node_modules")) / 1e6
    say(f"set up in {time.monotonic() - started:.0f} s; .venv and node_modules take {total:,.0f} MB")


def set_up(purpose: str) -> None:
    """Make .venv and node_modules complete for `purpose`. Raises SetUpFailed."""
    if READY["test"].exists():
        purpose = "test"  # whose packages include those of run; installing run's alone would remove some
    complete = any(file.exists() and file.read_text() == f"{PROJECT}\n" for file in READY.values())
    for file in READY.values():
        file.unlink(missing_ok=True)
    expected = "what changed" if complete else f"{EXPECTED[purpose]} on a fast line, once"
    say(f"setting up {PROJECT} for `make {purpose}`: {expected}")
    step("Python environment", lambda: installers.python_environment(keep=complete))
    step("Python packages", lambda: installers.python_packages(PROJECT / f"requirements-{purpose}.lock"))
    step("Node", installers.node)
    step("npm packages", lambda: installers.npm_packages(development=purpose == "test"))
    if purpose == "test":
        step("Chromium", installers.chromium)
        READY["test"].write_text(f"{PROJECT}\n")
    READY["run"].write_text(f"{PROJECT}\n")


def step(name: str, work: Callable[[], str]) -> None:
    """Do `work`, then print how long it took and what it returned."""
    started = time.monotonic()
    say(f"  {name} ...", passing=True)
    result = work()
    say(f"  {name:<20}{time.monotonic() - started:6.1f} s  {result}")


def size(folder: Path) -> int:
    """The bytes of all files below `folder`."""
    return sum(file.lstat().st_size for file in folder.rglob("*"))


if __name__ == "__main__":
    main()

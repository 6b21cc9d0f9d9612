"""One run per folder. The lock is a file that we and the emulator hold open together: after a crash it stays taken
until the emulator has saved everything, and the next start waits for that."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from chalicelib.domain.errors import AbacusError

PATIENCE = 60.0  # seconds that an emulator without a parent may take to save and leave


class AlreadyRunning(AbacusError):
    """Another run, or what is left of one, uses the folder."""


@contextlib.contextmanager
def locked(home: Path, pid: int, *, patience: float = PATIENCE) -> Iterator[IO[str]]:
    """Hold `home` for process `pid`. Yields the open file, to be inherited. Raises AlreadyRunning."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("a+") as file:
        deadline = time.monotonic() + patience
        while not _taken(file):
            file.seek(0)
            holder = file.read().strip()
            if _alive(holder):
                raise AlreadyRunning(
                    f"ABacus runs in this folder already (process {holder}). Stop it with: kill {holder}"
                )
            if time.monotonic() > deadline:
                raise AlreadyRunning(
                    f"What is left of an earlier run still uses {home}. `fuser {home}/lock` names it; stop that."
                )
            time.sleep(0.1)
        file.truncate(0)
        file.write(str(pid))
        file.flush()
        yield file


def running(home: Path) -> bool:
    """Whether the process that last held `home` is alive."""
    lock = home / "lock"
    return lock.exists() and _alive(lock.read_text().strip())


def _taken(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True

"""Child processes that never outlive us.

A child's standard input is a pipe that only we hold. When we end, in whatever way, the kernel closes it and the
child stops itself as if told to. Not prctl(PR_SET_PDEATHSIG): that is Linux only, and fires when the *thread*
that started the child ends. Each child has a session of its own, so a Ctrl-C in the terminal reaches us alone and
we decide the order; and the last resort, SIGKILL, takes the child's own children too.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from socket import SO_REUSEADDR, SOL_SOCKET, socket
from typing import IO

import click

from abacus.aws.target import is_alive
from chalicelib.domain.errors import AbacusError

HOST = "127.0.0.1"
READY = "ABACUS_READY_DESCRIPTOR"  # where a child says that it serves


def listen(port: int = 0) -> socket:
    """A listening socket on loopback; port 0: any free one. Handed to a child by its number, so that the port
    is known before the child runs and nobody can take it in between; early callers wait in the backlog."""
    server = socket()
    server.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)  # or a restart would wait a minute for its own old connections
    server.bind((HOST, port))
    server.listen(1024)
    return server


class Child:
    """`python -m module arguments`, with its output in a log file."""

    def __init__(
        self,
        module: str,
        arguments: Sequence[str],
        *,
        environment: Mapping[str, str],
        log: Path,
        sockets: Sequence[socket] = (),
        inherits: Sequence[IO[str]] = (),
    ) -> None:
        self.name = module.rpartition(".")[2]
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        self._hears, says = os.pipe()
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                env=dict(environment) | {READY: str(says)},
                pass_fds=[says, *(s.fileno() for s in sockets), *(f.fileno() for f in inherits)],
                start_new_session=True,
            )
        os.close(says)
        for server in sockets:
            server.close()  # or callers of a dead child would wait for ever instead of being refused

    def ended(self) -> bool:
        return self.process.poll() is not None

    async def ready(self) -> bool:
        """Waits until the child has called say_ready(); False when it ended instead."""
        loop, heard = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self._hears, heard.set)
        try:
            await heard.wait()
            return os.read(self._hears, 1) != b""
        finally:
            loop.remove_reader(self._hears)

    def last_words(self, lines: int = 5) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def stop(self, patience: float = 30) -> None:
        """SIGTERM, wait, and only after `patience` seconds SIGKILL to it and all it started."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            click.echo(f"{self.name} did not stop within {patience:.0f} s and is killed", err=True)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        assert self.process.stdin is not None
        self.process.stdin.close()
        os.close(self._hears)


def end_with_parent() -> None:
    """Called first thing in a child: SIGTERM to ourselves when the parent is gone."""
    threading.Thread(target=_watch, name="parent", daemon=True).start()


def say_ready() -> None:
    """Called in a child once it serves."""
    descriptor = int(os.environ[READY])
    os.write(descriptor, b"1")
    os.close(descriptor)


def _watch() -> None:
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


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
            if is_alive(holder):
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


def _taken(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

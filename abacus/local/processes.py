"""Child processes that never outlive their parent.

A child's standard input is a pipe that only the parent holds. When the parent ends, for whatever reason, the kernel
closes the pipe and the child stops itself. Not prctl(PR_SET_PDEATHSIG): that is Linux only, and fires when the
*thread* that started the child ends. Each child has a session of its own, so that Ctrl-C in the terminal reaches only
the parent, which decides the order; SIGKILL, the last resort, ends the child's own children too.
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
READY = "ABACUS_READY_DESCRIPTOR"  # the pipe by which a child reports that it serves


def listen(port: int = 0) -> socket:
    """A listening socket on loopback; port 0: any free one.

    A child gets its descriptor: so the port is known before the child runs, no other program can take it meanwhile,
    and early callers wait in the backlog."""
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
        self._ready_read, ready_write = os.pipe()
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                env=dict(environment) | {READY: str(ready_write)},
                pass_fds=[ready_write, *(s.fileno() for s in sockets), *(f.fileno() for f in inherits)],
                start_new_session=True,
            )
        os.close(ready_write)
        for server in sockets:
            server.close()  # else callers of a dead child would wait instead of being refused

    def ended(self) -> bool:
        """Whether the process has ended."""
        return self.process.poll() is not None

    async def ready(self) -> bool:
        """Wait until the child has called say_ready(); False when it ended instead."""
        loop, readable = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self._ready_read, readable.set)
        try:
            await readable.wait()
            return os.read(self._ready_read, 1) != b""
        finally:
            loop.remove_reader(self._ready_read)

    def last_words(self, lines: int = 5) -> str:
        """The last lines of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def stop(self, patience: float = 30) -> None:
        """Send SIGTERM and wait; after `patience` seconds send SIGKILL to it and everything it started."""
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
        os.close(self._ready_read)


def end_with_parent() -> None:
    """Called first in a child: send SIGTERM to this process when the parent is gone."""
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


PATIENCE = 60.0  # seconds in which an emulator without a parent saves its state and ends


class AlreadyRunning(AbacusError):
    """Another run, or a process that one left behind, uses the folder."""


@contextlib.contextmanager
def locked(home: Path, pid: int, *, patience: float = PATIENCE) -> Iterator[IO[str]]:
    """Lock the folder `home` for process `pid`. Yields the open file, which children inherit. Raises AlreadyRunning."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("a+") as file:
        deadline = time.monotonic() + patience
        while not _is_locked_now(file):
            file.seek(0)
            holder = file.read().strip()
            if is_alive(holder):
                raise AlreadyRunning(
                    f"ABacus runs in this folder already (process {holder}). Stop it with: kill {holder}"
                )
            if time.monotonic() > deadline:
                raise AlreadyRunning(
                    f"A process of an earlier run still uses {home}. `fuser {home}/lock` shows it; stop it."
                )
            time.sleep(0.1)
        file.truncate(0)
        file.write(str(pid))
        file.flush()
        yield file


def _is_locked_now(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

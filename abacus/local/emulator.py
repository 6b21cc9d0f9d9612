"""ministack as a child process: `python -m abacus.local.emulator SOCKET`. Configured by its environment.

ministack keeps its tables in memory and saves them only when it is stopped by SIGTERM; a crash would lose everything.
This wrapper takes a snapshot a few seconds after each change, and then deletes what the snapshot contains from the
journal of accepted events. It forks, and the fork, which has a frozen copy of the
memory, writes the snapshot while the original keeps serving (as Redis does). The table handlers and the fork run on
the same event loop, so no snapshot holds half a transaction.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from pathlib import Path
from typing import Any

from abacus.local.journal import FOLDER, Journal, sync
from abacus.local.processes import end_with_parent

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

PAUSE = 2.0  # seconds between snapshots, at least
SHARE = 10  # ... and ten times as long as the last one took, so that a big store takes a tenth of a core at most
DEADLINE = 120.0  # seconds; a fork that inherited a held lock would never end
FILES = ("dynamodb.json", "sqs.json")  # what ministack saves of the tables and of the queue
READS = ("Get", "Describe", "List", "Query", "Scan", "BatchGet", "TransactGet", "ReceiveMessage")


class Snapshots:
    """An ASGI application around another one, which calls `save` in a fork after something changed.

    state: the folder that `save` and the application's own stop write to."""

    def __init__(self, app: App, save: Callable[[], None], state: Path, *, pause: float = PAUSE) -> None:
        self.app = app
        self.save = save
        self.state = state
        self.journal = Journal(state / FOLDER)
        self.pause = pause
        self.changed = False
        self.saver: int | None = None

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Hand a message on, and note whether it may have changed the state. This is ASGI's interface."""
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
            return
        await self.app(scope, receive, send)
        if scope["type"] == "http" and _writes(scope):
            self.changed = True

    async def _live(self, scope: Message, receive: Receive, send: Send) -> None:
        saving = asyncio.create_task(self._save_when_changed())
        stopping = contextlib.ExitStack()

        async def before_the_app() -> Message:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                # The regular stop saves to the same files, so the fork must end first.
                saving.cancel()
                self._end_saver()
                stopping.enter_context(self._shortening_the_journal())
            return message

        with stopping:
            await self.app(scope, before_the_app, send)

    async def _save_when_changed(self) -> None:
        rest = self.pause
        while True:
            await asyncio.sleep(rest)
            if self.changed:
                self.changed = False
                started = time.monotonic()
                await self._snapshot()
                rest = max(self.pause, SHARE * (time.monotonic() - started))

    async def _snapshot(self) -> None:
        with self._shortening_the_journal():
            self.saver = os.fork()
            if self.saver == 0:
                self._write_down()
            deadline = time.monotonic() + DEADLINE
            while os.waitpid(self.saver, os.WNOHANG)[0] == 0:
                if time.monotonic() > deadline:
                    self._end_saver()
                    return
                await asyncio.sleep(0.05)
            self.saver = None

    @contextlib.contextmanager
    def _shortening_the_journal(self) -> Iterator[None]:
        """Save the state inside the block; if that worked, the lines from before it are deleted.

        ministack logs an error in saving and goes on, so only a new file of each kind is a proof."""
        segments = self.journal.close_segment()
        before = self._saved()
        yield
        after = self._saved()
        if all(after[name] != before[name] for name in FILES):
            sync(self.state)
            self.journal.delete(segments)

    def _saved(self) -> dict[str, int]:
        """When each file was last saved and is on disk; 0: never. Nanoseconds."""
        times = {}
        for name in FILES:
            try:
                with (self.state / name).open("rb") as file:
                    os.fsync(file.fileno())
                    times[name] = os.fstat(file.fileno()).st_mtime_ns
            except FileNotFoundError:
                times[name] = 0
        return times

    def _write_down(self) -> None:
        status = 1
        try:
            os.nice(10)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            self.save()
            self._saved()  # wait for the disk here, not in the process that serves
            status = 0
        finally:
            os._exit(status)  # no clean-up of the original may run here

    def _end_saver(self) -> None:
        if self.saver:
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(self.saver, signal.SIGKILL)
                os.waitpid(self.saver, 0)
            self.saver = None


def _writes(scope: Message) -> bool:
    for name, value in scope["headers"]:
        if name == b"x-amz-target":
            return not value.decode("latin-1").rpartition(".")[2].startswith(READS)
    return scope["method"] not in ("GET", "HEAD")


def main(descriptor: str) -> None:
    """Serve the emulator until it is stopped. descriptor: of the listening socket."""
    end_with_parent()
    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from ministack import app as ministack  # type: ignore[import-untyped]
    from ministack.core import persistence  # type: ignore[import-untyped]

    def save() -> None:
        ministack.save_all(ministack._build_persistence_save_dict())

    config = Config()
    config.bind = [f"fd://{descriptor}"]
    config.keep_alive_timeout = 75
    config.loglevel = "WARNING"
    app = Snapshots(ministack.app, save, Path(persistence.STATE_DIR)) if ministack.PERSIST_STATE else ministack.app
    asyncio.run(serve(app, config))  # type: ignore[arg-type]  # hypercorn names each message


if __name__ == "__main__":
    main(sys.argv[1])

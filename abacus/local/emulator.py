"""ministack as a child process: `python -m abacus.local.emulator SOCKET`. Configured by its environment.

ministack keeps its tables in memory and saves them only when it is stopped by SIGTERM; a crash would lose everything.
This wrapper takes a snapshot a few seconds after each change. It forks, and the fork, which has a frozen copy of the
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
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from abacus.local.processes import end_with_parent

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

PAUSE = 2.0  # seconds between snapshots, at least
SHARE = 10  # ... and ten times as long as the last one took, so that a big store takes a tenth of a core at most
DEADLINE = 120.0  # seconds; a fork that inherited a held lock would never end
READS = ("Get", "Describe", "List", "Query", "Scan", "BatchGet", "TransactGet", "ReceiveMessage")


class Snapshots:
    """An ASGI application around another one, which calls `save` in a fork after something changed."""

    def __init__(self, app: App, save: Callable[[], None], *, pause: float = PAUSE) -> None:
        self.app = app
        self.save = save
        self.pause = pause
        self.changed = False
        self.saver: int | None = None

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
            return
        await self.app(scope, receive, send)
        if scope["type"] == "http" and _writes(scope):
            self.changed = True

    async def _live(self, scope: Message, receive: Receive, send: Send) -> None:
        saving = asyncio.create_task(self._save_when_changed())

        async def before_the_app() -> Message:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                # The regular stop saves to the same files, so the fork must end first.
                saving.cancel()
                self._end_saver()
            return message

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

    def _write_down(self) -> None:
        status = 1
        try:
            os.nice(10)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            self.save()
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
    end_with_parent()
    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from ministack import app as ministack  # type: ignore[import-untyped]

    def save() -> None:
        ministack.save_all(ministack._build_persistence_save_dict())

    config = Config()
    config.bind = [f"fd://{descriptor}"]
    config.keep_alive_timeout = 75
    config.loglevel = "WARNING"
    app = Snapshots(ministack.app, save) if ministack.PERSIST_STATE else ministack.app
    asyncio.run(serve(app, config))  # type: ignore[arg-type]  # hypercorn names each message


if __name__ == "__main__":
    main(sys.argv[1])

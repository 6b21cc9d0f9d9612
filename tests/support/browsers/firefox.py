"""Firefox, driven by WebDriver BiDi: JSON commands over a web socket, which Firefox itself serves."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse

from tests.support.browsers.driver import Driver


def program() -> str | None:
    """The path of Firefox, or None where it is not installed."""
    return shutil.which("firefox-esr") or shutil.which("firefox")


class Connection:
    """Sends commands and waits for their results, in a thread of its own: Playwright has a loop in ours."""

    def __init__(self, url: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._ids = itertools.count(1)
        self._session: ClientSession
        self._socket: ClientWebSocketResponse
        self._run(self._connect(url))
        self.send("session.new", capabilities={})

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        """Return the result of a command. Raises AssertionError with the browser's words."""
        answer = self._run(self._send(next(self._ids), method, params))
        assert answer["type"] == "success", answer
        return answer["result"]  # type: ignore[no-any-return]

    def close(self) -> None:
        self._run(self._session.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(60)

    async def _connect(self, url: str) -> None:
        self._session = ClientSession()
        self._socket = await self._session.ws_connect(url, max_msg_size=0)

    async def _send(self, number: int, method: str, params: dict[str, Any]) -> dict[str, Any]:
        await self._socket.send_json({"id": number, "method": method, "params": params})
        async for message in self._socket:
            answer: dict[str, Any] = json.loads(message.data)
            if answer.get("id") == number:
                return answer
        raise AssertionError("Firefox closed the connection")


class Firefox(Driver):
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._user: str = connection.send("browser.createUserContext")["userContext"]
        created = connection.send("browsingContext.create", type="tab", userContext=self._user)
        self._context: str = created["context"]

    def visit(self, url: str) -> None:
        self._connection.send("browsingContext.navigate", context=self._context, url=url, wait="complete")

    def back(self) -> None:
        self._connection.send("browsingContext.traverseHistory", context=self._context, delta=-1)

    def evaluate(self, expression: str) -> Any:
        code = f"Promise.resolve({expression}).then((value) => JSON.stringify(value ?? null))"
        target = {"context": self._context}
        result = self._connection.send("script.evaluate", expression=code, target=target, awaitPromise=True)
        assert result["type"] == "success", result["exceptionDetails"]["text"]
        return json.loads(result["result"]["value"])

    def click(self, selector: str) -> None:
        box = f"document.querySelector({json.dumps(selector)}).getBoundingClientRect()"
        x, y = self.evaluate(f"(({{ x, y, width, height }}) => [x + width / 2, y + height / 2])({box})")
        steps = [
            {"type": "pointerMove", "x": round(x), "y": round(y)},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        pointer = {"type": "pointer", "id": "mouse", "actions": steps}
        self._connection.send("input.performActions", context=self._context, actions=[pointer])

    def close(self) -> None:
        self._connection.send("browser.removeUserContext", userContext=self._user)


@contextmanager
def firefox(profile: Path) -> Iterator[Connection]:
    """A Firefox without a window, on a port of its own choice."""
    path = program()
    assert path
    command = [path, "--headless", "--no-remote", "--remote-debugging-port=0", "--profile", str(profile)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        try:
            lines = iter(process.stderr.readline, "")
            url = next(match[1] for line in lines if (match := re.search(r"BiDi listening on (ws://\S+)", line)))
            rest = threading.Thread(target=process.stderr.read, daemon=True)
            rest.start()
            connection = Connection(f"{url}/session")
            try:
                yield connection
            finally:
                connection.close()
        finally:
            process.kill()
            rest.join()

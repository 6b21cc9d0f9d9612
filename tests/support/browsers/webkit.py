"""WebKitGTK, driven by its own WebDriver over HTTP, on a virtual screen."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.browsers.driver import Driver

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # by this name WebDriver refers to elements


def program() -> str | None:
    """The path of the driver, or None where WebKitGTK, its driver or Xvfb is not installed."""
    return shutil.which("WebKitWebDriver") if shutil.which("Xvfb") and _browser() else None


def _browser() -> str | None:
    found = sorted(Path("/usr/lib").glob("*/webkit2gtk-4.*/MiniBrowser"))
    return str(found[-1]) if found else None


def _call(port: int, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    data = json.dumps(body or {}).encode() if method == "POST" else None
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["value"]
    except urllib.error.HTTPError as error:
        raise AssertionError(error.read().decode()) from None


class WebKit(Driver):
    def __init__(self, port: int) -> None:
        options = {"binary": _browser(), "args": ["--automation"]}
        wanted = {"capabilities": {"alwaysMatch": {"webkitgtk:browserOptions": options}}}
        self._port = port
        self._session = f"/session/{_call(port, 'POST', '/session', wanted)['sessionId']}"

    def _post(self, path: str, **body: Any) -> Any:
        return _call(self._port, "POST", self._session + path, body)

    def visit(self, url: str) -> None:
        self._post("/url", url=url)

    def back(self) -> None:
        self._post("/back")

    def evaluate(self, expression: str) -> Any:
        code = f"Promise.resolve({expression}).then((value) => arguments[0](JSON.stringify(value ?? null)))"
        return json.loads(self._post("/execute/async", script=code, args=[]))

    def click(self, selector: str) -> None:
        element = self._post("/element", using="css selector", value=selector)[ELEMENT]
        self._post(f"/element/{element}/click")

    def close(self) -> None:
        _call(self._port, "DELETE", self._session)


@contextmanager
def webkit() -> Iterator[int]:
    """The port of a WebKitWebDriver of our own."""
    path, screen = program(), shutil.which("Xvfb")
    assert path
    assert screen
    reading, writing = os.pipe()
    command = [screen, "-displayfd", str(writing), "-screen", "0", "1000x800x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL) as display:
        try:
            os.close(writing)
            with os.fdopen(reading) as pipe:
                number = pipe.readline().strip()
            variables = os.environ | {"DISPLAY": f":{number}", "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1"}
            port = _free_port()
            with subprocess.Popen([path, f"--port={port}"], env=variables) as driver:
                try:
                    _until_ready(port)
                    yield port
                finally:
                    driver.terminate()
        finally:
            display.terminate()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _until_ready(port: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            _call(port, "GET", "/status")
            return
        except urllib.error.URLError:
            assert time.monotonic() < deadline, "WebKitWebDriver does not start"
            time.sleep(0.05)

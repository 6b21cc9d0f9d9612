"""`abacus run` as a user starts it, for tests that need the whole product."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from abacus.paths import PROJECT

ABACUS = Path(sys.executable).with_name("abacus")


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Product:
    """A running one. `base_url` is empty when it did not get ready; then `said` holds what it said instead."""

    process: subprocess.Popen[str]
    home: Path
    base_url: str = ""
    said: str = ""
    family: set[int] = field(default_factory=set)

    def ask(self, path: str, body: object = None, method: str | None = None, **headers: str) -> Answer:
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = Request(self.base_url + path, data, {"Content-Type": "application/json"} | named, method=method)
        try:
            with urlopen(request, timeout=30) as response:
                return Answer(response.status, response.headers, response.read())
        except HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read())

    def variants(self, experiment: str) -> dict[str, tuple[int, int]]:
        """Impressions and clicks of each variant, as GET /stats has them now."""
        said = self.ask(f"/stats/{experiment}").json()["variants"]
        return {v["variant"]: (v["impressions"], v["clicks"]) for v in said}

    def stop_after(self, words: str) -> str:
        """Stop it once it has said `words` on standard error; all it said from there."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if words in line:
                return line + self.stop().partition(": ")[2]
        raise AssertionError(f"it never said {words!r}")

    def stop(self, how: int = signal.SIGTERM) -> str:
        """Its exit status and last words, after it and everything it started is gone."""
        self.family |= descendants(self.process.pid)
        self.process.send_signal(how)
        _, error = self.process.communicate(timeout=60)
        until(lambda: not any(alive(pid) for pid in self.family))
        return f"{self.process.returncode}: {error}"


def start(
    home: Path,
    *,
    port: int = 0,
    empty: bool = True,
    manifest: Path = PROJECT / "manifest",
    environment: Mapping[str, str] | None = None,
) -> Product:
    """`abacus run` with its state in `home`, ready, or ended with something to say. `environment`: what to add."""
    command = [ABACUS, "run", "--port", str(port), "--home", str(home), "--manifest", str(manifest)]
    process = subprocess.Popen(
        [*command, *(["--empty"] if empty else [])],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **(environment or {})},
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    if line.startswith("ready "):
        return Product(process, home, base_url=line.split()[1])
    return Product(process, home, said=process.communicate(timeout=60)[1])


def a_visit(visitor: str, variant: str, *kinds: str) -> dict[str, Any]:
    """The body of POST /events for a visitor of cta-color who does `kinds` now."""
    at = round(time.time() * 1000)
    events = [
        {"id": f"{visitor}-{i}", "type": kind, "experiment": "cta-color", "variant": variant, "at": at}
        for i, kind in enumerate(kinds)
    ]
    return {"visitor": visitor, "events": events}


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Waits for what must come true; how long it takes is not what is tested."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.05)


def descendants(pid: int) -> set[int]:
    """The process and all below it, zombies left out."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            fields = _stat(int(entry.name))
            if fields:
                parents[int(entry.name)] = int(fields[1])
    family, size = {pid}, 0
    while size != len(family):
        size = len(family)
        family |= {child for child, parent in parents.items() if parent in family}
    return family


def kill_all(product: Product) -> None:
    """SIGKILL to every process at once, as in a power failure."""
    family = descendants(product.process.pid)
    for pid in family:
        os.kill(pid, signal.SIGSTOP)  # none of them may save anything because it sees another one end
    for pid in family:
        os.kill(pid, signal.SIGKILL)
    product.process.communicate(timeout=60)
    until(lambda: not any(alive(pid) for pid in family))


def alive(pid: int) -> bool:
    fields = _stat(pid)
    return bool(fields) and fields[0] != "Z"


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []

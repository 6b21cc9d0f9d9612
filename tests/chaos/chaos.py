"""The whole product under everything at once: kills of every process, tables that refuse every fifth call, rebuilds,
erasures and publishes, while visitors send events. Then every event that was acknowledged must be there, once.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import re
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout

from abacus.authoring.load import load
from abacus.paths import PROJECT
from tests.chaos.visitors import Expected, visits
from tests.support.product import ABACUS, Product, alive, descendants, kill_all, start

THROTTLED, LOST = 0.2, 0.01  # shares of the calls to tables, stream and queue
SENDERS = 12
REPEATED = 0.05  # share of requests that are sent twice
QUIET = 0.8  # share of the requests after which no rebuild runs: one would repair a wrong tally
ERASED = 0.004  # share of the events whose visitors are erased again
FAULTY = {
    "PYTHONPATH": os.pathsep.join([str(PROJECT / "tests/chaos/faulty"), str(PROJECT)]),
    "ABACUS_CHAOS_THROTTLED": str(THROTTLED),
    "ABACUS_CHAOS_LOST": str(LOST),
}
PARTS = {"app": b"abacus.local.app_server", "worker": b"abacus.local.worker", "emulator": b"abacus.local.emulator"}
VICTIMS = (*PARTS, "front", "everything", "command")


def log(text: str) -> None:
    """One line of progress, with the time."""
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


@dataclass
class Chaos:
    """One run. home: folder of the product's state. events, kills: how many, at least. rng: all decisions."""

    home: Path
    events: int
    kills: int
    rng: random.Random
    counts: Counter[str] = field(default_factory=Counter)
    expected: Expected = field(default_factory=Expected)
    to_erase: list[str] = field(default_factory=list)
    erased: set[str] = field(default_factory=set)
    acknowledged: int = 0  # requests
    product: Product | None = None
    up: asyncio.Event = field(default_factory=asyncio.Event)
    rebuilt: asyncio.Event = field(default_factory=asyncio.Event)  # the last rebuild is done

    async def run(self) -> None:
        """Send everything, with all that goes on meanwhile, and wait until it is acknowledged."""
        self.manifest = self.home / "manifest"
        shutil.copytree(PROJECT / "manifest", self.manifest)
        experiments = [e for e in load(self.manifest).experiments if e.key in ("cta-color", "hero")]
        of_the_others = visits(experiments, max(25, int(self.events * ERASED)), "gone", self.rng, None)
        bodies = [*visits(experiments, self.events, "v", self.rng, self.expected), *of_the_others]
        self.rng.shuffle(bodies)
        self.requests = len(bodies)
        await self._start()
        queue = iter(bodies)
        # The first failure of a task ends all of them.
        async with ClientSession(timeout=ClientTimeout(total=30)) as session, asyncio.TaskGroup() as meanwhile:
            others = [meanwhile.create_task(step) for step in (self._rebuild(), self._erase(), self._publish())]
            async with asyncio.TaskGroup() as visitors:
                visitors.create_task(self._kill_now_and_then())
                for _ in range(SENDERS):
                    visitors.create_task(self._send(session, queue))
            for task in others:
                task.cancel()

    # ------------------------------------------------------------ visitors

    async def _send(self, session: ClientSession, queue: Iterator[dict[str, Any]]) -> None:
        for body in queue:
            if self.acknowledged >= QUIET * self.requests:
                await self.rebuilt.wait()
            for _ in range(2 if self.rng.random() < REPEATED else 1):
                await self._until_acknowledged(session, body)
            self.acknowledged += 1
            if body["visitor"].startswith("gone"):
                self.to_erase.append(body["visitor"])

    async def _until_acknowledged(self, session: ClientSession, body: dict[str, Any]) -> None:
        while True:
            await self.up.wait()
            assert self.product is not None
            with contextlib.suppress(ClientError, TimeoutError):
                async with session.post(f"{self.product.base_url}/events", json=body) as response:
                    self.counts[f"answer {response.status}"] += 1
                    if response.status == 202:
                        answer = await response.json()
                        assert not answer["refused"], answer
                        for name in ("accepted", "repeated", "queued"):
                            self.counts[name] += answer[name]
                        return
                    assert response.status >= 429, await response.text()
            self.counts["sent again"] += 1
            await asyncio.sleep(self.rng.uniform(0.2, 1.0))

    # ------------------------------------------------------------ kills

    async def _kill_now_and_then(self) -> None:
        victims = [*VICTIMS * (self.kills // len(VICTIMS)), *self.rng.sample(VICTIMS, self.kills % len(VICTIMS))]
        self.rng.shuffle(victims)
        for number, victim in enumerate(victims, 1):
            await self._progress(number / (len(victims) + 1))
            await self._kill(victim)

    async def _progress(self, share: float) -> None:
        while self.acknowledged < share * self.requests:
            await asyncio.sleep(0.1)

    async def _kill(self, victim: str) -> None:
        product = self.product
        assert product is not None
        if victim == "command":
            commands = [pid for pid in descendants(os.getpid()) if b"--home" in (line := _command(pid)) and _acts(line)]
            for pid in commands[:1]:
                self._signal(pid, victim)
            return
        self.up.clear()
        family = descendants(product.process.pid)
        if victim == "everything":
            await asyncio.to_thread(kill_all, product)
            self.counts["killed everything"] += 1
        elif victim == "front":
            self._signal(product.process.pid, victim)
        else:
            for pid in family:
                if PARTS[victim] in _command(pid):  # the emulator's snapshot is a fork of it: both, if there are two
                    self._signal(pid, victim)
        await asyncio.to_thread(product.process.communicate)
        await self._start()
        assert not any(alive(pid) for pid in family)
        log(f"{self.acknowledged} of {self.requests} requests acknowledged; killed {victim}, started again")

    def _signal(self, pid: int, victim: str) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            self.counts[f"killed {victim}"] += 1

    async def _start(self) -> None:
        for _ in range(10):
            product = await asyncio.to_thread(start, self.home / "state", manifest=self.manifest, environment=FAULTY)
            if product.base_url:
                self.product = product
                self.up.set()
                return
            self.counts["starts that failed"] += 1
            log(f"the start failed: {product.said}")
        raise AssertionError("it does not start any more")

    # ------------------------------------------------------------ what goes on meanwhile

    async def command(self, name: str, *arguments: str) -> tuple[int, str]:
        """`abacus name arguments` on the product; its exit status and output."""
        await self.up.wait()
        child = await asyncio.create_subprocess_exec(
            ABACUS,
            *(name, *arguments, "--home", str(self.home / "state")),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **FAULTY},
            cwd=PROJECT,
        )
        output, _ = await child.communicate()
        self.counts[f"{name}: {'done' if child.returncode == 0 else 'broken off'}"] += 1
        if child.returncode:
            log(f"{name} ended with {child.returncode}: {output.decode().strip()[-200:]}")
        return child.returncode or 0, output.decode()

    async def _rebuild(self) -> None:
        while self.acknowledged < QUIET * self.requests:
            for key in ("cta-color", "hero"):
                await self.command("rebuild", key, "--apply")
                await asyncio.sleep(1)
        for key in ("cta-color", "hero"):  # an interrupted one is repeated until it is done
            while (await self.command("rebuild", key, "--apply"))[0]:
                await asyncio.sleep(1)
        self.rebuilt.set()

    async def _erase(self) -> None:
        while True:
            if self.to_erase and (await self.command("erase", visitor := self.to_erase[0]))[0] == 0:
                self.erased.add(visitor)
            self.to_erase[:1] = []  # one that failed is erased at the end
            await asyncio.sleep(0.5)

    async def _publish(self) -> None:
        number = 0
        while True:
            await asyncio.sleep(5)
            number += 1
            self._edit(number)
            self.counts["edits of the manifest"] += 1

    def _edit(self, number: int) -> None:
        text = (PROJECT / "manifest" / "cta-color.yaml").read_text()
        text = re.sub("description: .*", f"description: Edit {number}.", text)
        if number // 4 % 2:  # another split begins another phase; visitors name theirs
            text = text.replace("weight: 50 %", "weight: 20 %", 1).replace("weight: 50 %", "weight: 80 %", 1)
        new = self.manifest / "new"
        new.write_text(text)
        new.replace(self.manifest / "cta-color.yaml")


def _acts(line: bytes) -> bool:
    return b"\0rebuild\0" in line or b"\0erase\0" in line


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""

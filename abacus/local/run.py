"""`abacus run`: the whole product on one port of this machine, with no account and no Docker.

browser → front ─┬→ app on Chalice's local server ─→ ministack (tables, stream, queue, bucket, CDN)
                 └→ ministack's distribution            ↑ worker: stream → fold, queue, schedule
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from socket import socket

import click

from abacus.authoring.load import load
from abacus.local.emulated_stacks import LocalAws
from abacus.local.processes import HOST, Child, listen, locked
from abacus.local.services import Behind, started
from abacus.local.site_watcher import watch
from abacus.simulation import demo
from abacus.simulation.simulate import with_progress
from abacus.site.esbuild import BuildError
from chalicelib.domain.errors import AbacusError

LOOK = 0.5  # seconds between two looks whether all children are alive


class CannotRun(AbacusError):
    """What keeps the product from running here, and what to do about it."""


@click.command()
@click.option("--port", envvar="PORT", type=click.IntRange(0, 65535), default=8000, show_default=True)
@click.option("--empty", envvar="EMPTY", is_flag=True, help="No simulated visitors on the first start.")
@click.option("--manifest", type=click.Path(path_type=Path), default=Path("manifest"), show_default=True)
@click.option("--home", type=click.Path(path_type=Path), default=Path(".local"), show_default=True)
def command(port: int, empty: bool, manifest: Path, home: Path) -> None:
    """Serve everything on http://127.0.0.1:8000; its state stays in .local."""
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, _interrupt)
    home = home.absolute()
    try:
        _find_node()
        load(manifest)  # a wrong one is best said at once
        with _port(port) as server, locked(home, os.getpid()) as lock, started(home, manifest, lock) as behind:
            asyncio.run(_serve(behind, server, home, manifest, empty))
            click.echo("stopping; the state stays in " + str(home), err=True)
    except (AbacusError, BuildError) as error:
        raise click.ClickException(str(error)) from None
    except KeyboardInterrupt:
        click.echo("stopped", err=True)


def _interrupt(*_: object) -> None:
    _ignore_signals()
    raise KeyboardInterrupt


def _ignore_signals() -> None:
    # From here on everything is being stopped in order; a second Ctrl-C would only lose what is being saved.
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, signal.SIG_IGN)


def _find_node() -> None:
    beside_python = str(Path(sys.executable).parent)  # where `make setup` puts one if there is none
    os.environ["PATH"] = beside_python + os.pathsep + os.environ.get("PATH", "")
    if shutil.which("node") is None:
        raise CannotRun("node is missing; the CDN's functions run in it. Run: make setup")


def _port(port: int) -> socket:
    try:
        return listen(port)
    except OSError as error:
        raise CannotRun(
            f"Port {port} cannot be had ({error.strerror}). Take another one: PORT={port % 65535 + 1} make run"
        ) from None


async def _serve(behind: Behind, server: socket, home: Path, manifest: Path, empty: bool) -> None:
    """Answer until a signal comes. Raises CannotRun when a child ends by itself."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: loop.call_soon_threadsafe(stop.set))
    try:
        async with behind.front.serving(server):
            base_url = f"http://{HOST}:{server.getsockname()[1]}"
            work = (stop.wait(), _look_after(behind.children), _work(behind, base_url, home, manifest, empty))
            tasks = [asyncio.ensure_future(step) for step in work]
            done, others = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            for task in done:
                task.result()
    finally:
        _ignore_signals()


async def _work(behind: Behind, base_url: str, home: Path, manifest: Path, empty: bool) -> None:
    """Play the first visitors, say that we are ready, then publish whatever changes."""
    if not empty and not _participants(behind.aws):
        people = demo.crowd(load(manifest).experiments, now=time.time_ns() // 1_000_000)
        await with_progress(base_url, people, headers=partial(demo.signed, behind.demo_key))
    for child in behind.serving:
        if not await child.ready():
            await asyncio.Event().wait()  # it ended; _look_after says so
    click.echo(f"ready {base_url}")
    await watch(behind.aws, manifest, home)


def _participants(aws: LocalAws) -> int:
    return aws.dynamodb.scan(TableName=aws.names["ParticipantsName"], Limit=1)["Count"]


async def _look_after(children: Sequence[Child]) -> None:
    while True:
        for child in children:
            if child.ended():
                raise CannotRun(f"{child.name} ended by itself; {child.log} says:\n{child.last_words()}")
        await asyncio.sleep(LOOK)

"""`abacus run`: the whole product on one port of this machine, without an account and without Docker.

browser → proxy ─┬→ app on Chalice's local server ─→ ministack (tables, stream, queue, bucket, CDN)
                 └→ ministack's distribution            ↑ worker: stream → fold, queue, schedule
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from socket import socket

import click

from abacus.authoring.load import NO_EXPERIMENTS, load
from abacus.aws.errors import report_errors
from abacus.installation.extras import provide
from abacus.local.processes import HOST, Child, listen, locked
from abacus.local.services import Services, started
from abacus.local.site_watcher import watch
from abacus.options import home_option, manifest_option
from abacus.paths import RUN, node
from abacus.simulation import demo
from abacus.simulation.simulate import mark, with_progress
from chalicelib.domain import clock
from chalicelib.domain.errors import AbacusError
from chalicelib.storage.dynamodb import DynamoStore

LOOK = 0.5  # seconds between two checks that all children are alive


class CannotRun(AbacusError):
    """The product cannot run here; the message says why and what to do."""


@click.command()
@click.option(
    "--port",
    envvar="PORT",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="Port on 127.0.0.1; 0 takes any free one. Or set PORT.",
)
@click.option("--empty", envvar="EMPTY", is_flag=True, help="No simulated visitors on the first start. Or set EMPTY=1.")
@manifest_option
@home_option
@report_errors
def command(port: int, empty: bool, manifest: Path, home: Path) -> None:
    """Serve the whole product on http://127.0.0.1:8000 until you press Ctrl-C.

    Its state stays in --home. A change in --manifest is published within two seconds."""
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, _interrupt)
    home = home.absolute()
    try:
        provide("run")
        node()  # reported before anything starts
        if not load(manifest).experiments:  # an error in a file is best reported before anything starts
            click.echo(NO_EXPERIMENTS.format(folder=manifest), err=True)
        # The folder first: a second run here is told so, not that the port of the first one is in use.
        with locked(home, os.getpid()) as lock, _port(port) as server:
            base_url = f"http://{HOST}:{server.getsockname()[1]}"
            with started(home, manifest, lock, base_url) as services:
                asyncio.run(_serve(services, server, base_url, home, manifest, empty))
                click.echo("stopping; the state stays in " + str(home), err=True)
    except KeyboardInterrupt:
        click.echo("stopped", err=True)


def _interrupt(*_: object) -> None:
    _ignore_signals()
    raise KeyboardInterrupt


def _ignore_signals() -> None:
    # From here on everything stops in order; a second Ctrl-C would only lose what is being saved.
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, signal.SIG_IGN)


def _port(port: int) -> socket:
    try:
        return listen(port)
    except OSError as error:
        raise CannotRun(
            f"Port {port} is already in use ({error.strerror}). Take another one: PORT={port % 65535 + 1} {RUN}"
        ) from None


async def _serve(services: Services, server: socket, base_url: str, home: Path, manifest: Path, empty: bool) -> None:
    """Answer until a signal comes. Raises CannotRun when a child process ends by itself."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: loop.call_soon_threadsafe(stop.set))
    try:
        async with services.proxy.serving(server):
            steps = (stop.wait(), _supervise(services.children), _work(services, base_url, home, manifest, empty))
            tasks = [asyncio.ensure_future(step) for step in steps]
            finished, running = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            for task in finished:
                task.result()
    finally:
        _ignore_signals()


async def _work(services: Services, base_url: str, home: Path, manifest: Path, empty: bool) -> None:
    """Send the demo's visitors on the first start, print `ready`, then publish every change."""
    if not empty:
        await _send_demo(services, base_url, manifest)
    for child in services.serving:
        if not await child.ready():
            await asyncio.Event().wait()  # it ended; _supervise reports it
    click.echo(f"ready {base_url}")
    await watch(services.aws, manifest, home)


async def _send_demo(services: Services, base_url: str, manifest: Path) -> None:
    aws = services.aws
    if aws.dynamodb.scan(TableName=aws.names["ParticipantsName"], Limit=1)["Count"]:
        return
    simulated = demo.demo_visitors(load(manifest).experiments, now_ms=clock.now_ms())
    if simulated:
        mark(DynamoStore(aws.dynamodb, aws.names["ParticipantsName"], aws.names["TalliesName"]), simulated)
        await with_progress(base_url, simulated, headers=partial(demo.signed, services.demo_key))


async def _supervise(children: Sequence[Child]) -> None:
    while True:
        for child in children:
            if child.ended():
                raise CannotRun(f"{child.name} ended by itself; {child.log} says:\n{child.last_words()}")
        await asyncio.sleep(LOOK)

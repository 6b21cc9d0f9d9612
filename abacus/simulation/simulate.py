"""`abacus simulate`: visitors with a known effect (crowd.py), through the real HTTP API."""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click
from aiohttp import ClientConnectionError, ClientSession, ClientTimeout, TCPConnector

from abacus.authoring.load import load
from abacus.simulation.visitors import RATE, Visitor, truth, visitors
from chalicelib.domain.errors import AbacusError, Busy
from chalicelib.domain.manifest import Experiment

AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"  # no bot would say that
ATTEMPTS = 8

Sleep = Callable[[float], Awaitable[None]]
Headers = Callable[[bytes], dict[str, str]]
JSON = {"Content-Type": "application/json"}


async def play(
    base_url: str,
    crowd: Iterable[Visitor],
    *,
    senders: int = 8,
    met: Callable[[], None] = lambda: None,
    headers: Headers = lambda body: {},
    sleep: Sleep = asyncio.sleep,
) -> Counter[str]:
    """Send every visit, each visitor's in order, `senders` visitors at a time; how many events had which outcome.
    Calls `met` after each visitor. `headers(body)`: what goes along with a request, such as a signature.
    Raises Busy when the service refuses to take an event for too long."""
    outcomes: Counter[str] = Counter()
    queue = iter(crowd)

    async def sender(session: ClientSession) -> None:
        for visitor in queue:
            for visit in visitor.visits:
                body = json.dumps({"visitor": visitor.id, "events": visit}).encode()
                answer = await _post(session, f"{base_url}/events", body, headers, sleep)
                outcomes.update({name: answer[name] for name in ("accepted", "repeated", "queued")})
                outcomes.update(refusal["outcome"] for refusal in answer["refused"])
            met()

    connector = TCPConnector(limit=senders)
    async with ClientSession(
        connector=connector, headers={"User-Agent": AGENT}, timeout=ClientTimeout(total=60)
    ) as session:
        tasks = [asyncio.create_task(sender(session)) for _ in range(senders)]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
    return +outcomes


async def _post(session: ClientSession, url: str, body: bytes, headers: Headers, sleep: Sleep) -> Any:
    # Every event has its id: sending one again, after whatever went wrong, counts it once.
    for attempt in range(ATTEMPTS):
        pause = random.uniform(0, min(2**attempt / 4, 10))
        try:
            async with session.post(url, data=body, headers=JSON | headers(body)) as response:
                if response.status == 202:
                    return await response.json()
                if response.status not in (429, 500, 502, 503, 504):
                    raise AbacusError(f"{url} answers {response.status}: {(await response.text())[:300]}")
                said = response.headers.get("Retry-After", "")
                pause = max(pause, float(said) if said.isdecimal() else 0)
        except (ClientConnectionError, TimeoutError):
            pass
        await sleep(pause)
    raise Busy(f"{url} did not take events {ATTEMPTS} times in a row. Is it running? Try again later.", retry_after=60)


def parse_rates(given: Sequence[str], experiments: Sequence[Experiment]) -> dict[str, float]:
    """`experiment:variant=rate` by experiment and variant. Raises click.BadParameter that says what there is."""
    known = [f"{e.key}:{v}" for e in experiments for v in e.variant_keys]
    rates = {}
    for text in given:
        name, _, value = text.partition("=")
        if name not in known:
            raise click.BadParameter(f"{name!r} does not run here; there are {', '.join(known)}")
        try:
            rates[name] = float(value)
        except ValueError:
            rates[name] = -1
        if not 0 <= rates[name] <= 1:
            raise click.BadParameter(f"{text}: {value!r} is not a share from 0 to 1, such as 0.12")
    return rates


@click.command()
@click.option("--visitors", "count", type=click.IntRange(1), default=1000, show_default=True)
@click.option("--rates", multiple=True, metavar="EXPERIMENT:VARIANT=RATE", help=f"Share who click; else {RATE}.")
@click.option("--aa", is_flag=True, help="No effect anywhere, whatever --rates says.")
@click.option("--days", type=click.FloatRange(0.01, 6.9), default=6, show_default=True, help="How far back.")
@click.option("--seed", type=int, default=None, help="The same seed counts nothing new; default: a new one.")
@click.option("--senders", type=click.IntRange(1, 64), default=8, show_default=True, help="Visitors at a time.")
@click.option("--base-url", default="http://127.0.0.1:8000", show_default=True)
@click.option("--manifest", type=click.Path(path_type=Path), default=Path("manifest"), show_default=True)
def command(
    count: int,
    rates: Sequence[str],
    aa: bool,
    days: float,
    seed: int | None,
    senders: int,
    base_url: str,
    manifest: Path,
) -> None:
    """Play visitors with a known effect through a running ABacus."""
    try:
        running = [e for e in load(manifest).experiments if e.status == "running"]
        known = {} if aa else parse_rates(rates, running)
        seed = random.randrange(10**9) if seed is None else seed
        now = time.time_ns() // 1_000_000
        crowd = list(visitors(running, known, count=count, days=days, seed=seed, now=now))
        outcomes = asyncio.run(with_progress(base_url.rstrip("/"), crowd, senders=senders))
    except AbacusError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"seed {seed}: " + ", ".join(f"{n} {name}" for name, n in sorted(outcomes.items())))
    for line in truth(crowd):
        click.echo(line)


async def with_progress(
    base_url: str, crowd: Sequence[Visitor], *, senders: int = 8, headers: Headers = lambda body: {}
) -> Counter[str]:
    """play(), with a bar on standard error."""
    with click.progressbar(length=len(crowd), label=f"simulating {len(crowd)} visitors", file=sys.stderr) as bar:
        return await play(base_url, crowd, senders=senders, met=partial(bar.update, 1), headers=headers)

"""`abacus simulate`: visitors with a known effect, sent through the real HTTP API."""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click
from aiohttp import ClientConnectionError, ClientSession, ClientTimeout, TCPConnector

from abacus.authoring.load import load
from abacus.aws.target import Product, at_product
from abacus.options import manifest_option
from abacus.simulation.traffic.effects import ORDER, SPREAD, parse_effects, plan_lines
from abacus.simulation.traffic.truth import truth
from abacus.simulation.traffic.visitors import Visitor, visitors
from chalicelib.domain import clock
from chalicelib.domain.errors import AbacusError, Busy
from chalicelib.runtime.service import from_environment
from chalicelib.storage.store import SIMULATED, Booking, Store

ATTEMPTS = 8

Sleep = Callable[[float], Awaitable[None]]
Headers = Callable[[bytes], dict[str, str]]
JSON = {"Content-Type": "application/json"}


async def play(
    base_url: str,
    simulated: Iterable[Visitor],
    *,
    senders: int = 8,
    met: Callable[[], None] = lambda: None,
    headers: Headers = lambda body: {},
    sleep: Sleep = asyncio.sleep,
) -> Counter[str]:
    """Send every visit, each visitor's visits in order, `senders` visitors at a time.

    Calls `met` after each visitor. `headers(body)`: headers of a request, such as a signature. Returns the number of
    events by outcome. Raises Busy when the service takes no event for too long."""
    outcomes: Counter[str] = Counter()
    queue = iter(simulated)

    async def sender(session: ClientSession) -> None:
        for visitor in queue:
            for visit in visitor.visits:
                body = json.dumps({"visitor": visitor.id, "events": visit}).encode()
                sent = JSON | visitor.traits.headers | headers(body)
                answer = await _post(session, f"{base_url}/events", body, sent, sleep)
                outcomes.update({name: answer[name] for name in ("accepted", "repeated", "queued")})
                outcomes.update(refusal["outcome"] for refusal in answer["refused"])
            met()

    connector = TCPConnector(limit=senders)
    async with ClientSession(connector=connector, timeout=ClientTimeout(total=60)) as session:
        tasks = [asyncio.create_task(sender(session)) for _ in range(senders)]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
    return +outcomes


async def _post(session: ClientSession, url: str, body: bytes, headers: dict[str, str], sleep: Sleep) -> Any:
    # Every event has its id: sending one again, after whatever went wrong, counts it once.
    for attempt in range(ATTEMPTS):
        pause = random.uniform(0, min(2**attempt / 4, 10))
        try:
            async with session.post(url, data=body, headers=headers) as response:
                if response.status == 202:
                    return await response.json()
                if response.status not in (429, 500, 502, 503, 504):
                    raise AbacusError(f"{url} answers {response.status}: {(await response.text())[:300]}")
                retry_after = response.headers.get("Retry-After", "")
                pause = max(pause, float(retry_after) if retry_after.isdecimal() else 0)
        except (ClientConnectionError, TimeoutError):
            pass
        await sleep(pause)
    raise Busy(f"{url} did not take events {ATTEMPTS} times in a row. Is it running? Try again later.", retry_after=60)


# The service refuses events from before an experiment began, less ten minutes for clocks that differ.
TEN_MINUTES = 0.0069  # days: a little less, so that an experiment of this minute can be simulated too
DAYS = "How far back they start. The service refuses events from more than ten minutes before an experiment began."


OF_EFFECTS = ("rates", "values", "refunds", "spread", "shares")
PLACE = "EXPERIMENT:VARIANT[.GOAL][@SEGMENT=VALUE]"


@click.command()
@click.option("--visitors", "count", type=click.IntRange(1), default=1000, show_default=True, help="How many.")
@click.option(
    "--rates",
    multiple=True,
    metavar=f"{PLACE}=SHARE",
    help="Share of visitors who click, such as hero:bold=12% or hero:bold@device=mobile=20%, or who reach a goal, such "
    "as hero:bold.signup=5%. Default: 10 % click; 40 % of them and 1 % of the others reach each goal.",
)
@click.option(
    "--values",
    multiple=True,
    metavar="EXPERIMENT:VARIANT.GOAL[@SEGMENT=VALUE]=MEAN",
    help=f"Mean of an order, such as cart:new.purchase=42.50, in the goal's unit. Default: {ORDER:g}.",
)
@click.option(
    "--refunds",
    multiple=True,
    metavar="EXPERIMENT:VARIANT.GOAL[@SEGMENT=VALUE]=SHARE",
    help="Share of orders that are refunded in full, such as cart:new.purchase=8%. Default: none.",
)
@click.option(
    "--spread",
    type=click.FloatRange(0, 3),
    default=SPREAD,
    show_default=True,
    help="Of the orders, which are log-normal: 0 makes all equal, 1.5 a heavy tail.",
)
@click.option(
    "--shares",
    multiple=True,
    metavar="SEGMENT=VALUE=SHARE",
    help="Share of visitors with a device, browser, country or attribute, such as device=mobile=70%.",
)
@click.option("--aa", is_flag=True, help="The same for all variants (an A/A test); not with rates, values or refunds.")
@click.option("--days", type=click.FloatRange(0.001, 6.9), default=TEN_MINUTES, show_default="ten minutes", help=DAYS)
@click.option("--seed", type=int, default=None, help="A seed that was used before counts nothing new. Default: random.")
@click.option("--senders", type=click.IntRange(1, 64), default=8, show_default=True, help="Visitors at the same time.")
@click.option("--dry-run", is_flag=True, help="Show the plan and what there would be to find; send nothing.")
@manifest_option
@at_product
def command(product: Product, manifest: Path, aa: bool, senders: int, dry_run: bool, **options: Any) -> None:
    """Send simulated visitors with a known effect to a running product.

    They take part in every running experiment, which is then marked as containing simulated visitors. Remove them with
    `abacus demo --clear`."""
    running = [e for e in load(manifest).experiments if e.status == "running"]
    if aa and any(options[name] for name in ("rates", "values", "refunds")):
        raise click.UsageError("--aa gives all variants the same; leave --rates, --values and --refunds out")
    known = parse_effects(running, **{name: options.pop(name) for name in OF_EFFECTS})
    options["seed"] = random.randrange(10**9) if options["seed"] is None else options["seed"]
    simulated = list(visitors(running, known, **options, now_ms=clock.now_ms()))
    for line in plan_lines(running, known):
        click.echo(line, err=not dry_run)
    if not dry_run:
        mark_simulated(product, simulated)
        outcomes = asyncio.run(with_progress(product.base_url, simulated, senders=senders))
        click.echo(f"seed {options['seed']}: " + outcome_line(outcomes))
    for line in truth(simulated, running):
        click.echo(line)


def mark_simulated(product: Product, simulated: Iterable[Visitor]) -> None:
    """Mark each experiment of `simulated`, so that GET /stats and the results page say that it has demo data."""
    if not product.tables:
        click.echo("These experiments are not marked as simulated: that needs --stage or --home.", err=True)
        return
    mark(from_environment().store, simulated)


def mark(store: Store, simulated: Iterable[Visitor]) -> None:
    """Book the number of simulated visitors of each experiment, which GET /stats reads along with the totals."""
    experiments = Counter(
        key for visitor in simulated for key in {event["experiment"] for visit in visitor.visits for event in visit}
    )
    for key, number in experiments.items():
        store.book([Booking(key, SIMULATED, {"visitors": number})])


def outcome_line(outcomes: Mapping[str, int]) -> str:
    """`200 accepted, 3 repeated`"""
    return ", ".join(f"{number} {name}" for name, number in sorted(outcomes.items()))


async def with_progress(
    base_url: str, simulated: Sequence[Visitor], *, senders: int = 8, headers: Headers = lambda body: {}
) -> Counter[str]:
    """play(), with a progress bar on standard error."""
    label = f"sending {len(simulated)} simulated visitors"
    with click.progressbar(length=len(simulated), label=label, file=sys.stderr) as bar:
        return await play(base_url, simulated, senders=senders, met=partial(bar.update, 1), headers=headers)

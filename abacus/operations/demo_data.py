"""`abacus demo`: send the demo's visitors to a running product, or remove every simulated visitor."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import click

from abacus.authoring.load import load
from abacus.aws.target import Product, at_product
from abacus.operations.rows.erase import erase, erase_row
from abacus.options import manifest_option
from abacus.simulation.demo import CLIENT, STORIES, VISITORS, demo_visitors, signed
from abacus.simulation.simulate import mark_simulated, outcome_line, with_progress
from abacus.simulation.traffic.visitors import ID_PREFIX
from chalicelib.domain import clock
from chalicelib.domain.errors import AbacusError
from chalicelib.runtime.service import Service
from chalicelib.runtime.settings import Settings
from chalicelib.storage.store import SIMULATED, ParticipantRow, RandomBelow, Stale, Store


@click.command("demo")
@click.option("--visitors", type=click.IntRange(1), default=VISITORS, show_default=True, help="How many.")
@click.option("--clear", is_flag=True, help="Remove all simulated visitors instead; real ones stay.")
@manifest_option
@at_product
def command(product: Product, manifest: Path, visitors: int, clear: bool) -> None:
    """Send three weeks of simulated visitors to the demo's experiments, or remove them with --clear.

    Only the experiments of the demo get visitors; your own get none. GET /stats and the results page mark each
    experiment with simulated visitors."""
    if clear:
        _clear(product)
        return
    key = Settings.of(os.environ).sender_keys.get(CLIENT)
    if key is None:
        raise AbacusError(f"This product has no key for the sender {CLIENT!r}: see docs/results.md, section The demo.")
    experiments = load(manifest).experiments
    simulated = demo_visitors(experiments, visitors=visitors, now_ms=clock.now_ms())
    if not simulated:
        raise AbacusError(f"No experiment of the demo is in {manifest}; the demo has {', '.join(sorted(STORIES))}.")
    mark_simulated(product, simulated)
    outcomes = asyncio.run(with_progress(product.base_url, simulated, headers=partial(signed, key)))
    click.echo(outcome_line(outcomes))


def _clear(product: Product) -> None:
    if not product.tables:
        raise AbacusError("--clear needs the tables: name the product with --stage or --home, not with --base-url.")
    # boto3's clients are more patient than the service's own, which must answer a visitor.
    client: Any = boto3.client
    service = Service(Settings.of(os.environ), client)
    experiments = [e.key for e in service.catalog.refresh(clock.now_ms()).experiments]
    rows = simulated_rows(service.store)
    with click.progressbar(rows, label="removing simulated visitors", file=sys.stderr) as bar:
        spread = service.settings.spread
        remove_simulated(service.store, bar, experiments, now_ms=clock.now_ms(), spread=spread)
    visitors = {row.key.visitor for row in rows}
    click.echo(f"removed {len(visitors)} simulated visitors; all others stay")


def simulated_rows(store: Store) -> list[ParticipantRow]:
    """The rows of all simulated visitors."""
    return [row for row in store.scan() if row.key.visitor.startswith(ID_PREFIX)]


def remove_simulated(
    store: Store,
    rows: Iterable[ParticipantRow],
    experiments: Iterable[str],
    *,
    now_ms: int,
    spread: int,
    random_below: RandomBelow = random.randrange,
) -> None:
    """Erase the simulated visitors' `rows` and the mark of all `experiments`.

    `now_ms`: epoch milliseconds. May be repeated after an interruption: the marks go last."""
    marked = set(experiments)
    for row in rows:
        marked.add(row.key.experiment)
        try:
            erase_row(store, row, now_ms=now_ms, spread=random_below(spread), with_hours=True)
        except Stale:  # it was counted since it was read
            erase(store, row.key.visitor, now_ms=now_ms, spread=spread, random_below=random_below, with_hours=True)
    for experiment in marked:
        store.delete_cells(experiment, [SIMULATED])

"""`abacus link`: an address that opens the results until it expires, for people without the read key."""

from __future__ import annotations

import os
import time

import click

from abacus.aws.target import Product, at_product
from abacus.product_api import ProductApi
from chalicelib.api.read_links import EVERYTHING, LONGEST_DAYS, sign_link
from chalicelib.domain.clock import DAY_MS, SECOND_MS
from chalicelib.domain.errors import AbacusError


@click.command("link")
@click.argument("experiment", required=False)
@click.option(
    "--days", type=click.IntRange(1, LONGEST_DAYS), default=7, show_default=True, help="Days until it expires."
)
@click.option("--card", is_flag=True, help="Print the address of the small card, for a frame in another page.")
@click.option("--read-key", metavar="KEY", help="The product's read key. Or set ABACUS_READ_KEY.")
@at_product
def command(product: Product, experiment: str | None, days: int, card: bool, read_key: str | None) -> None:
    """Print a link that opens EXPERIMENT without the read key, until it expires; without one, all experiments.

    Anyone who has the link can read. A new read key ends all links.
    """
    if card and not experiment:
        raise click.UsageError("--card needs an EXPERIMENT")
    key = os.environ.get("ABACUS_READ_KEY", "") if read_key is None else read_key
    api = ProductApi(product.base_url, key)
    place = f"{product.base_url}/results/{'card.html' if card else ''}#/{experiment or ''}"
    # Also the test of the key: a link that is signed with a wrong one opens nothing.
    if experiment:
        api.experiment(experiment)
    else:
        api.experiments()
    if not key:
        raise AbacusError(f"This product has no read key, so its address opens the results: {place}")
    expires = int(time.time()) + days * DAY_MS // SECOND_MS
    click.echo(f"{place}?link={sign_link(key, api.stage(), experiment or EVERYTHING, expires)}")

"""`abacus reconcile`: fold what a lost stream record left behind. The service does the same once a day."""

from __future__ import annotations

import time

import click

from abacus.aws.target import at_target
from chalicelib.counting.reconcile import reconcile_rows
from chalicelib.runtime.service import from_environment


@click.command()
@at_target
def command() -> None:
    """Fold every event that is written and not counted yet."""
    service = from_environment()
    found = reconcile_rows(service.store, service.fold, now=time.time())
    click.echo(f"{found['rows']} rows read; {found['folded']} events were pending and are counted now.")

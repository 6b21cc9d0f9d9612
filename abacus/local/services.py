"""Everything behind the proxy: the emulator with its stacks, the app, the worker, the published site."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import click

from abacus.aws.target import URL, announced, service_environment
from abacus.local.emulated_stacks import STATE, LocalAws, data_stack, edge_stack, emulator, environment
from abacus.local.journal import FOLDER, Journal
from abacus.local.processes import HOST, Child, listen
from abacus.local.proxy import Proxy
from abacus.local.site_watcher import publish_changes
from abacus.simulation import demo
from abacus.site import snippet
from chalicelib.domain import clock
from chalicelib.domain.errors import Busy, InvalidInput
from chalicelib.ingestion.rows.spill import EventsMessage, read_message
from chalicelib.ingestion.rows.writer import ids_of
from chalicelib.runtime.service import Service
from chalicelib.runtime.settings import Settings
from chalicelib.storage import event_encoding
from chalicelib.storage.store import RowKey, Store

PATIENCE = 60.0  # seconds in which the worker counts what fills a row


@dataclass(frozen=True)
class Services:
    """The running parts of the local product. `serving`: those children that report when they serve; `demo_key`: the
    key that signs the demo's events."""

    aws: LocalAws
    proxy: Proxy
    children: Sequence[Child]
    serving: Sequence[Child]
    demo_key: str


@contextlib.contextmanager
def started(home: Path, manifest: Path, lock: IO[str], base_url: str) -> Iterator[Services]:
    """Start all parts, with state and logs in `home`; stop them at the end, the emulator last.

    `base_url`: where the proxy will answer; other commands find it in `home`."""
    click.echo("starting ...", err=True)
    with contextlib.ExitStack() as stack:
        journal = Journal(home / STATE / FOLDER)
        journal.keep_for_replay()
        ministack, endpoint = stack.enter_context(emulator(home, persist=True, inherits=[lock]))
        aws = data_stack(endpoint)
        secret = secrets.token_urlsafe(24)
        variables = environment(endpoint, os.environ) | service_environment(aws.names)
        senders = dict(Settings.of(os.environ).sender_keys)
        demo_key = senders.setdefault(demo.CLIENT, secrets.token_urlsafe(24))
        variables |= {
            "ABACUS_STAGE": "local",
            "ABACUS_ORIGIN_SECRETS": secret,
            "ABACUS_SENDER_KEYS": json.dumps(senders),
            "ABACUS_RESULTS_URL": f"{base_url}/results/",
        }
        stack.enter_context(announced(home, variables | {URL: base_url}))
        app, api = _app(home, variables, journal)
        stack.callback(app.stop)
        arguments = [aws.names[n] for n in ("ParticipantsStreamArn", "SpillQueueUrl", "FoldDeadLettersUrl")]
        worker = Child("abacus.local.worker", arguments, environment=variables, log=home / "worker.log")
        stack.callback(worker.stop)
        events = _events_path()
        domain = edge_stack(aws, api, secret, events)
        publish_changes(aws, manifest, home, clock.now_ms())
        _replay(journal, Service(Settings.of(variables), aws.client))
        proxy = Proxy(f"http://{HOST}:{api}", endpoint, domain, secret, events)
        yield Services(aws, proxy, (ministack, app, worker), (app, worker), demo_key)


def _app(home: Path, variables: dict[str, str], journal: Journal) -> tuple[Child, int]:
    server = listen()
    port = server.getsockname()[1]
    arguments = [str(server.fileno()), str(journal.folder)]
    child = Child("abacus.local.app_server", arguments, environment=variables, log=home / "app.log", sockets=[server])
    return child, port


def restore(line: str, service: Service, *, now_ms: int) -> int:
    """Write those events of a line that the tables lack. now_ms: epoch milliseconds. Returns how many there were.

    Waits while a row has too many events that are not counted yet. Raises Busy after a minute, and InvalidInput for a
    line that cannot be read."""
    message = read_message(line)
    deadline = time.monotonic() + PATIENCE
    while missing := _missing(message, service.store):
        try:
            # Not all of them: a row counts what it received, repetitions too.
            service.ingest.write_spilled(missing.model_dump_json(), now_ms=now_ms)
            return sum(len(row.elements) for row in missing.rows)
        except Busy:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
    return 0


def _missing(message: EventsMessage, store: Store) -> EventsMessage | None:
    rows = []
    for row in message.rows:
        stored = ids_of(store.read([RowKey(row.visitor, row.experiment)]))
        elements = tuple(element for element in row.elements if event_encoding.identifier(element) not in stored)
        if elements:
            rows.append(row.model_copy(update={"elements": elements}))
    return message.model_copy(update={"rows": tuple(rows)}) if rows else None


def _replay(journal: Journal, service: Service) -> None:
    """Write the events that were accepted after the last snapshot, if the last run ended in a crash."""
    restored = 0
    for line in journal.replay():
        try:
            restored += restore(line, service, now_ms=clock.now_ms())
        except InvalidInput as error:
            click.echo(f"A line of the journal in {journal.folder} cannot be read and is left out: {error}", err=True)
    if restored:
        click.echo(f"restored {restored} events that were accepted just before the last run ended", err=True)


def _events_path() -> str:
    # A whole URL means another host, which this product does not serve.
    given = snippet.options().events
    return given if given.startswith("/") else "/events"

"""Everything behind the proxy: the emulator with its stacks, the app, the worker, the published site."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import click

from abacus.aws.target import URL, announced, named
from abacus.local.emulated_stacks import LocalAws, data_stack, edge_stack, emulator, environment
from abacus.local.processes import HOST, Child, listen
from abacus.local.proxy import Proxy
from abacus.local.site_watcher import publish_changes
from abacus.simulation import demo
from abacus.site import snippet
from chalicelib.domain import clock
from chalicelib.runtime.settings import Settings


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
        ministack, endpoint = stack.enter_context(emulator(home, persist=True, inherits=[lock]))
        aws = data_stack(endpoint)
        secret = secrets.token_urlsafe(24)
        variables = environment(endpoint, os.environ) | named(aws.names)
        senders = dict(Settings.of(os.environ).sender_keys)
        demo_key = senders.setdefault(demo.CLIENT, secrets.token_urlsafe(24))
        variables |= {
            "ABACUS_STAGE": "local",
            "ABACUS_ORIGIN_SECRETS": secret,
            "ABACUS_SENDER_KEYS": json.dumps(senders),
        }
        stack.enter_context(announced(home, variables | {URL: base_url}))
        app, api = _app(home, variables)
        stack.callback(app.stop)
        arguments = [aws.names[n] for n in ("ParticipantsStreamArn", "SpillQueueUrl", "FoldDeadLettersUrl")]
        worker = Child("abacus.local.worker", arguments, environment=variables, log=home / "worker.log")
        stack.callback(worker.stop)
        events = _events_path()
        domain = edge_stack(aws, api, secret, events)
        publish_changes(aws, manifest, home, clock.now_ms())
        proxy = Proxy(f"http://{HOST}:{api}", endpoint, domain, secret, events)
        yield Services(aws, proxy, (ministack, app, worker), (app, worker), demo_key)


def _app(home: Path, variables: dict[str, str]) -> tuple[Child, int]:
    server = listen()
    port = server.getsockname()[1]
    descriptor = [str(server.fileno())]
    child = Child("abacus.local.app_server", descriptor, environment=variables, log=home / "app.log", sockets=[server])
    return child, port


def _events_path() -> str:
    # A whole URL means another host, which this product does not serve.
    given = snippet.options().events
    return given if given.startswith("/") else "/events"

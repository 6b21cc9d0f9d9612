"""Everything behind the front: the emulator with its stacks, the app, the worker, the published site."""

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

from abacus.aws.target import announced, named
from abacus.local.emulated_stacks import LocalAws, data_stack, edge_stack, emulator, environment
from abacus.local.processes import HOST, Child, listen
from abacus.local.proxy import Front
from abacus.local.site_watcher import publish_changes
from abacus.publishing.publish import Refused
from abacus.simulation import demo
from abacus.site import snippet
from chalicelib.runtime.settings import Settings


@dataclass(frozen=True)
class Behind:
    aws: LocalAws
    front: Front  # knows where all of it is
    children: Sequence[Child]
    serving: Sequence[Child]  # those of them that say when they serve
    demo_key: str  # by which the demo's events are signed


@contextlib.contextmanager
def started(home: Path, manifest: Path, lock: IO[str]) -> Iterator[Behind]:
    """All of it, with its state and logs in `home`; gone at the end, emulator last."""
    click.echo("starting ...", err=True)
    with contextlib.ExitStack() as stack:
        ministack, endpoint = stack.enter_context(emulator(home, persist=True, inherits=[lock]))
        aws = data_stack(endpoint)
        secret = secrets.token_urlsafe(24)
        told = environment(endpoint, os.environ) | named(aws.names)
        senders = dict(Settings.of(os.environ).sender_keys)
        demo_key = senders.setdefault(demo.CLIENT, secrets.token_urlsafe(24))
        told |= {"ABACUS_STAGE": "local", "ABACUS_ORIGIN_SECRETS": secret, "ABACUS_SENDER_KEYS": json.dumps(senders)}
        stack.enter_context(announced(home, told))
        app, api = _app(home, told)
        stack.callback(app.stop)
        names = [aws.names[n] for n in ("ParticipantsStreamArn", "SpillQueueUrl", "FoldDeadLettersUrl")]
        worker = Child("abacus.local.worker", names, environment=told, log=home / "worker.log")
        stack.callback(worker.stop)
        events = _events_path()
        domain = edge_stack(aws, api, secret, events)
        _publish(aws, manifest, home)
        front = Front(f"http://{HOST}:{api}", endpoint, domain, secret, events)
        yield Behind(aws, front, (ministack, app, worker), (app, worker), demo_key)


def _app(home: Path, told: dict[str, str]) -> tuple[Child, int]:
    server = listen()
    port = server.getsockname()[1]
    number = [str(server.fileno())]
    return Child("abacus.local.app_server", number, environment=told, log=home / "app.log", sockets=[server]), port


def _events_path() -> str:
    # A whole url means another host, which is not ours to serve.
    given = snippet.options().events
    return given if given.startswith("/") else "/events"


def _publish(aws: LocalAws, manifest: Path, home: Path) -> None:
    try:
        publish_changes(aws, manifest, home, time.time_ns() // 1_000_000)
    except Refused as refused:
        click.echo(f"not published, what was live stays:\n{refused}", err=True)

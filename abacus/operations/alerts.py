"""`abacus alerts`: what was told about each experiment, what could not be sent, and a message to try the channels."""

from __future__ import annotations

import json
from collections.abc import Mapping

import boto3
import click
from botocore.config import Config

from abacus.aws import cloudformation, names
from abacus.aws.target import at_target
from abacus.local.worker import schedule_event
from abacus.results.table import table
from chalicelib.alerting import wiring
from chalicelib.alerting.alerts import Alerts
from chalicelib.alerting.outbox import Outbox
from chalicelib.analysis import wording
from chalicelib.analysis.checks.check import TITLES
from chalicelib.domain.clock import SECOND_MS, iso, now_ms
from chalicelib.domain.errors import AbacusError
from chalicelib.runtime.service import Service, from_environment

TIMEOUT_S = 330  # the function may run 300
SETUP = "No channel is set up. docs/alerts.md shows how: an e-mail address, a webhook, or both."


@click.group()
def command() -> None:
    """Alerts tell you once when an experiment has a winner or a loser, ends, or has a problem.

    `list` shows what was told, `test` sends a message to every channel, `retry` sends again what was given up."""


@command.command("list")
@at_target
def list_command() -> None:
    """List for each experiment what was told, and what is still to be sent or was given up."""
    alerts, keys = _alerts()
    rows = [row for key in keys for row in _rows(key, alerts.outbox(key))]
    if not rows:
        click.echo("Nothing was told yet.")
        return
    for line in table(["experiment", "state", "what", "since"], rows, left_aligned=range(4)):
        click.echo(line)


def _rows(key: str, outbox: Outbox) -> list[list[str]]:
    told = [
        [key, "told", f"{_subject(topic)}: {told.state}", iso(told.at)]
        for topic, told in sorted(outbox.told.items())
        if told.state
    ]
    waiting = [
        [
            key,
            f"waits for {out.channel}",
            f"{out.message.text[:60]} ({out.error or 'not tried yet'})",
            iso(out.message.at),
        ]
        for out in outbox.sending
    ]
    given_up = [
        [key, f"given up by {out.channel}", f"{out.message.text[:60]} ({out.error})", iso(out.message.at)]
        for out in outbox.undelivered
    ]
    return told + waiting + given_up


def _subject(topic: str) -> str:
    """What a topic is about, as people call it: `check:twyman` is the check Striking difference."""
    kind, *parts = topic.split(":")
    if kind == "check":
        parts = [TITLES.get(name, name) for name in parts]
    return f"{kind} {' of '.join(parts)}" if parts else kind


@command.command("test")
@at_target
def test_command() -> None:
    """Send a test message to every channel. For a deployed stage its own function sends it."""
    service = from_environment()
    results = wiring.alerts(service).test() if service.settings.stage == "local" else _by_function(service)
    if not results:
        raise AbacusError(SETUP)
    for channel, result in results.items():
        click.echo(f"{channel}: {result}")
    if set(results.values()) != {"sent"}:
        raise SystemExit(1)


def _by_function(service: Service) -> Mapping[str, str]:
    """What the function of the stage answers: it has the permissions and the network that count."""
    stage = service.settings.stage
    outputs = cloudformation.outputs(boto3.client("cloudformation"), names.stack(stage, "api"))
    name = outputs.get("AlertName", f"{names.prefix(stage)}-alert")  # `chalice deploy` has no stack, but fixed names
    client = boto3.client("lambda", config=Config(read_timeout=TIMEOUT_S, retries={"total_max_attempts": 1}))
    event = schedule_event(now_ms() / SECOND_MS) | {"detail": {"test": True}}
    answer = client.invoke(FunctionName=name, Payload=json.dumps(event).encode())
    results = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise AbacusError(f"{name} failed: {results.get('errorMessage', '')}. Its log says more.")
    return {str(channel): str(result) for channel, result in results.items()}


@command.command("retry")
@at_target
def retry_command() -> None:
    """Send again what was given up, in the next round."""
    alerts, keys = _alerts()
    count = sum(alerts.retry(key) for key in keys)
    click.echo(f"{wording.count(count, 'message')} will be sent in the next round, within the hour.")


def _alerts() -> tuple[Alerts, list[str]]:
    """The alerts of the product, and the keys of its experiments."""
    service = from_environment()
    manifest = service.catalog.refresh(now_ms())
    return wiring.alerts(service), [experiment.key for experiment in manifest.experiments]

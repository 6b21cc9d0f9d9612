"""`abacus alerts` as a person calls it, on the tables of the emulator."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from click.testing import CliRunner, Result

from abacus.aws.target import service_environment
from abacus.cli import main
from abacus.local.emulated_stacks import LocalAws, environment
from abacus.local.worker import schedule_event
from chalicelib.alerting.alerts import CELL
from chalicelib.alerting.messages import Message
from chalicelib.alerting.outbox import Outbox, Outgoing, Told
from chalicelib.storage.dynamodb import DynamoStore
from chalicelib.storage.manifest_cache import LIVE
from chalicelib.storage.store import StoredText
from tests.alerting.test_webhook import Receiver, receiver
from tests.support.builders import NOON, a_manifest, an_experiment

pytestmark = pytest.mark.ministack
__all__ = ["receiver"]  # the fixture


@pytest.fixture
def store(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> DynamoStore:
    for name, value in (
        environment(aws.endpoint, {}) | service_environment(aws.names) | {"ABACUS_STAGE": "local"}
    ).items():
        monkeypatch.setenv(name, value)
    body = a_manifest(an_experiment()).model_dump_json().encode()
    aws.s3.put_object(Bucket=aws.names["BucketName"], Key=LIVE, Body=body)
    return DynamoStore(aws.dynamodb, aws.names["ParticipantsName"], aws.names["TalliesName"])


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["alerts", *arguments])


def test_before_anything_was_told_the_list_says_so(store: DynamoStore) -> None:
    assert run("list").output == "Nothing was told yet.\n"


def test_the_list_shows_what_was_told_and_what_was_given_up_and_a_retry_empties_that(store: DynamoStore) -> None:
    message = Message(id="ab_1", experiment="cta-color", kind="winner", text="Ship green.", at=NOON)
    outbox = Outbox(
        told={
            "verdict": Told(state="winner:green:ship", kind="winner", at=NOON),
            "traffic": Told(state="", kind="traffic", at=NOON),
            "check:twyman": Told(state="alarm", kind="check", at=NOON),
            "guardrail:error:green": Told(state="broken", kind="guardrail", at=NOON),
        },
        undelivered=(Outgoing(message=message, channel="webhook", rounds=24, error="HTTP 404"),),
    )
    store.replace_document("cta-color", CELL, outbox.model_dump_json(), was=StoredText(), version="v")
    assert [line.split() for line in run("list").output.splitlines()] == [
        ["experiment", "state", "what", "since"],
        ["cta-color", "told", "check", "Striking", "difference:", "alarm", "2026-11-21T12:00:00Z"],
        ["cta-color", "told", "guardrail", "error", "of", "green:", "broken", "2026-11-21T12:00:00Z"],
        ["cta-color", "told", "verdict:", "winner:green:ship", "2026-11-21T12:00:00Z"],
        ["cta-color", "given", "up", "by", "webhook", "Ship", "green.", "(HTTP", "404)", "2026-11-21T12:00:00Z"],
    ]
    assert run("retry").output == "1 message will be sent in the next round, within the hour.\n"
    after = Outbox.of(store.document("cta-color", CELL).text)
    assert ([o.message.id for o in after.sending], after.undelivered) == (["ab_1"], ())
    assert "waits for webhook" in run("list").output


def test_a_test_posts_to_the_webhook(store: DynamoStore, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ABACUS_ALERT_WEBHOOK", receiver.url)
    result = run("test")
    assert (result.output, result.exit_code) == ("webhook: sent\n", 0)
    assert json.loads(receiver.requests[0][2])["kind"] == "test"
    receiver.status = 404
    result = run("test")
    assert (result.output, result.exit_code) == ("webhook: HTTP 404\n", 1)


def test_a_test_without_a_channel_says_what_is_missing(store: DynamoStore) -> None:
    result = run("test")
    assert result.exit_code == 1
    assert "No channel is set up. docs/alerts.md shows how" in result.output


def test_of_a_stage_its_own_function_sends_the_test(store: DynamoStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ABACUS_STAGE", "prod")
    calls: list[dict[str, Any]] = []

    class Payload:
        def read(self) -> bytes:
            return b'{"e-mail": "sent", "webhook": "sent"}'

    class Lambda:
        def invoke(self, **arguments: Any) -> dict[str, Any]:
            calls.append(arguments)
            return {"Payload": Payload()}

    real = boto3.client
    monkeypatch.setattr(boto3, "client", lambda name, **k: Lambda() if name == "lambda" else real(name, **k))
    assert run("test").output == "e-mail: sent\nwebhook: sent\n"
    (call,) = calls
    assert call["FunctionName"] == "abacus-prod-alert"  # no stack here: the name that `chalice deploy` gives
    event = json.loads(call["Payload"])
    assert (event["detail"], event.keys()) == ({"test": True}, schedule_event(0).keys())

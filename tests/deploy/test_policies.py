"""Each function may do what it does, and nothing else: its policy against the calls that botocore sees it make."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import boto3
import pytest
from chalice.test import Client

import app
from abacus.local.emulated_stacks import REGION, LocalAws
from abacus.local.worker import Stream, schedule_event
from abacus.paths import PROJECT
from chalicelib.ingestion.sender import sign
from chalicelib.runtime.json_logging import CallFailed
from chalicelib.runtime.service import Service
from chalicelib.runtime.settings import Settings
from chalicelib.storage.manifest_cache import LIVE
from chalicelib.storage.retry import client_config
from tests.support import faults
from tests.support.builders import a_manifest, a_visitor, an_experiment
from tests.support.streaming import records_of

pytestmark = pytest.mark.ministack

Need = tuple[str, str]  # action and what it is done to
POLICIES = PROJECT / ".chalice" / "policies" / "prod"

# What AWS itself does in a function's name: read its triggers, write its log, say what it gave up. No call of ours.
AWS_DOES = (
    "logs:",
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
)
# And what no call names: without it a missing object is a 403 instead of a 404; a failure destination.
UNSEEN = {("s3:ListBucket", "*"), ("sqs:SendMessage", "fold-dead-letters")}


class Functions:
    """The app's functions on the emulator, and what each call of theirs needs."""

    def __init__(self, aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
        self.aws = aws
        self.seen: set[Need] = set()
        self.clients = {name: self._client(name) for name in ("dynamodb", "s3", "sns", "sqs", "ssm")}
        aws.s3.put_object(
            Bucket=aws.names["BucketName"], Key=LIVE, Body=a_manifest(an_experiment()).model_dump_json().encode()
        )
        ssm: Any = aws.client("ssm")
        ssm.put_parameter(Name="/abacus/sender-keys", Value='{"shop": "hush"}', Type="SecureString", Overwrite=True)
        self.settings = Settings(
            participants=aws.names["ParticipantsName"],
            tallies=aws.names["TalliesName"],
            bucket=aws.names["BucketName"],
            spill_queue_url=aws.names["SpillQueueUrl"],
            sender_keys_parameter="/abacus/sender-keys",
            alert_topic=self.clients["sns"].create_topic(Name="abacus-api-alerts")["TopicArn"],
            alert_webhook_parameter="/abacus/alert-webhook",
        )
        ssm.put_parameter(Name="/abacus/alert-webhook", Value="https://127.0.0.1/", Type="SecureString", Overwrite=True)
        monkeypatch.setattr(app, "service", Service(self.settings, self.clients.__getitem__))
        self.monkeypatch = monkeypatch
        self.stream = Stream(aws.streams, aws.names["ParticipantsStreamArn"])
        self.stream.read()

    def _client(self, name: str) -> Any:
        client = boto3.client(name, REGION, endpoint_url=self.aws.endpoint, config=client_config(), **KEYS)  # type: ignore[call-overload]
        client.meta.events.register("before-parameter-build", self._note)
        return client

    def _note(self, params: Mapping[str, Any], model: Any, **_: Any) -> None:
        service = model.service_model.service_name
        if model.name == "TransactWriteItems":  # needs, for each item, what the item alone would need
            for (kind, item), *_ in (list(item.items()) for item in params["TransactItems"]):
                self.seen.add((f"dynamodb:{kind}Item", resource(item)))
        elif model.name == "BatchGetItem":
            self.seen |= {("dynamodb:BatchGetItem", resource({"TableName": t})) for t in params["RequestItems"]}
        else:
            self.seen.add((f"{service}:{model.name}", resource(params)))

    def needs(self, function: Callable[[], object]) -> set[Need]:
        """What a cold start of `function` and one call of it need."""
        self.monkeypatch.setattr(app, "service", Service(self.settings, self.clients.__getitem__))
        self.seen = set()
        function()
        return self.seen - {("s3:HeadBucket", "*")}

    def post(self, visitor: str, experiment: str = "cta-color") -> None:
        event = {"id": "i", "type": "impression", "experiment": experiment, "variant": "green"}
        body = json.dumps({"visitor": visitor, "events": [event | {"at": now_ms()}]}).encode()
        signature = sign("hush", now_ms() // 1000, body)
        signed = {"X-Client-Id": "shop", "X-Timestamp": str(now_ms() // 1000), "X-Signature": signature}
        self.ask("POST", "/events", body, signed)

    def ask(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        with Client(app.app) as client:
            client.http.request(method, path, {"Content-Type": "application/json"} | (headers or {}), body)

    def spill(self) -> None:
        stop = faults.inject(self.clients["dynamodb"], "UpdateItem", lambda: faults.THROTTLED)
        self.post(a_visitor("green", nth=1))
        stop()

    def whole_api(self) -> None:
        self.post(a_visitor("green"))
        self.post(a_visitor("green"), "no-such-experiment")  # a refusal, which is counted
        self.spill()
        for path in ("/stats", "/stats/cta-color", "/stats/cta-color?series=hour", "/health", "/openapi.json"):
            self.ask("GET", path)


KEYS = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}


def now_ms() -> int:
    return round(time.time() * 1000)


def resource(params: Mapping[str, Any]) -> str:
    """A call's parameters as the last part of the name of what it is done to, such as `participants`."""
    if "Key" in params and "Bucket" in params:
        return str(params["Key"])
    name = str(params.get("TableName") or params.get("QueueUrl") or params.get("Name") or "")
    name = name or str(params.get("TopicArn", "")).rpartition(":")[2]
    return name.rpartition("/")[2].removeprefix("abacus-")


def allowed(function: str) -> set[Need]:
    """A policy in the same words."""
    needs = set()
    for statement in json.loads((POLICIES / f"{function}.json").read_text())["Statement"]:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        name = statement["Resource"].rpartition("abacus-prod-")[2].removeprefix("*/")
        name = name.rpartition("/abacus-prod/")[2]
        needs |= {(action, name) for action in actions if not action.startswith(AWS_DOES)}
    return needs


@pytest.fixture
def functions(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> Functions:
    return Functions(aws, monkeypatch)


def test_the_api_may_do_what_it_does(functions: Functions) -> None:
    assert functions.needs(functions.whole_api) == allowed("api_handler") - UNSEEN


def test_the_fold_may_do_what_it_does(functions: Functions) -> None:
    visitor = a_visitor("green")
    functions.post(visitor)
    event = {"Records": records_of(functions.stream, {visitor})}
    assert functions.needs(lambda: app.fold(event, None)) == allowed("fold") - UNSEEN


def test_writing_what_was_spilled_may_do_what_it_does(functions: Functions) -> None:
    functions.spill()
    (message,) = functions.aws.sqs.receive_message(QueueUrl=functions.aws.names["SpillQueueUrl"])["Messages"]
    late = json.dumps(json.loads(message["Body"]) | {"received": 0})  # too old by now: a refusal, which is counted
    records = [{"messageId": "m", "receiptHandle": "r", "body": body} for body in (message["Body"], late)]
    assert functions.needs(lambda: app.write_spilled({"Records": records}, None)) == allowed("write_spilled") - UNSEEN


def test_reconcile_may_do_what_it_does(functions: Functions) -> None:
    functions.post(a_visitor("green"))
    event = schedule_event(time.time())
    assert functions.needs(lambda: app.reconcile(event, None)) == allowed("reconcile")


def test_telling_what_changed_may_do_what_it_does(functions: Functions) -> None:
    stopped = [a_manifest(an_experiment(status=status)).model_dump_json() for status in ("running", "stopped")]
    for manifest in stopped:  # the end of an experiment is told; the webhook's address is private, so it is given up
        functions.aws.s3.put_object(Bucket=functions.aws.names["BucketName"], Key=LIVE, Body=manifest.encode())
        needs = functions.needs(lambda: _failing(lambda: app.alert(schedule_event(time.time()), None)))
    assert needs == allowed("alert") - UNSEEN


def _failing(function: Callable[[], object]) -> None:
    with contextlib.suppress(CallFailed):
        function()

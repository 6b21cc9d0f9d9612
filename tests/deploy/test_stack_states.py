"""`abacus deploy` and `abacus destroy` with a data stack in each state that CloudFormation can leave it in.

The emulator reaches few of these states and takes operations that CloudFormation refuses. So the state is forced on its
answers, and the operations are refused by CloudFormation's rules: an update needs a stack that was created and is at
rest, a creation needs a free name, a deletion must not meet a running operation.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import botocore.handlers
import pytest
from botocore.awsrequest import AWSResponse
from botocore.session import get_session
from click.testing import CliRunner

from abacus.aws import cloudformation
from abacus.aws.retained import import_template
from abacus.aws.templates import parse, references
from abacus.cli import main
from abacus.local.emulated_stacks import data_stack, emulator, environment
from abacus.paths import INFRA, PROJECT

pytestmark = pytest.mark.ministack

STATES = get_session().get_service_model("cloudformation").shape_for("StackStatus").enum
NEVER_CREATED = {"CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "REVIEW_IN_PROGRESS", "DELETE_FAILED"}
UPDATABLE = {
    "CREATE_COMPLETE",
    "UPDATE_COMPLETE",
    "UPDATE_FAILED",
    "UPDATE_ROLLBACK_COMPLETE",
    "IMPORT_COMPLETE",
    "IMPORT_ROLLBACK_COMPLETE",
}
# What a running operation ends in; both a success and a failure of a creation.
ENDS = {
    "CREATE_IN_PROGRESS": "ROLLBACK_COMPLETE",
    "ROLLBACK_IN_PROGRESS": "ROLLBACK_FAILED",
    "DELETE_IN_PROGRESS": "DELETE_FAILED",
    "IMPORT_IN_PROGRESS": "IMPORT_COMPLETE",
    "IMPORT_ROLLBACK_IN_PROGRESS": "IMPORT_ROLLBACK_COMPLETE",
    "UPDATE_IN_PROGRESS": "UPDATE_COMPLETE",
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_IN_PROGRESS": "UPDATE_ROLLBACK_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": "UPDATE_ROLLBACK_COMPLETE",
}


class _Raw:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self._body


class Forced:
    """Forces one stack into a state, until an operation that the state permits is sent."""

    def __init__(self, name: str, state: str) -> None:
        self.name = name
        self.state: str | None = state
        self.looks = 0

    def answer(self, parsed: dict[str, Any], **_: Any) -> None:
        for stack in parsed.get("Stacks", []):
            if stack["StackName"] == self.name and self.state is not None:
                stack["StackStatus"] = self.state
                if self.state in NEVER_CREATED or self.state.startswith("CREATE_IN"):
                    stack.pop("Outputs", None)
                self.looks += 1
                if self.looks == 3:
                    self.state = ENDS.get(self.state, self.state)

    def send(self, request: Any, event_name: str, **_: Any) -> AWSResponse | None:
        body = request.body.decode() if isinstance(request.body, bytes) else str(request.body)
        operation = event_name.rpartition(".")[2]
        if self.state is None or self.name not in body:
            return None
        permitted = {
            "UpdateStack": self.state in UPDATABLE,
            "CreateStack": self.state == "DELETE_COMPLETE",
            "CreateChangeSet": self.state in {"DELETE_COMPLETE", "REVIEW_IN_PROGRESS"},
            "DeleteStack": not self.state.endswith("IN_PROGRESS") or self.state == "REVIEW_IN_PROGRESS",
        }
        if operation not in permitted:
            return None
        if permitted[operation]:
            self.state = None
            return None
        message = f"Stack:{self.name} is in {self.state} state and {operation} is not permitted."
        xml = f"<ErrorResponse><Error><Code>ValidationError</Code><Message>{message}</Message></Error></ErrorResponse>"
        raw: Any = _Raw(xml.encode())
        return AWSResponse("https://cloudformation", 400, {}, raw)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(PROJECT)
        with emulator(tmp_path_factory.mktemp("account"), persist=False) as (_, address):
            for name, value in environment(address, {}).items():
                patch.setenv(name, value)
            yield address


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package whose stack CloudFormation refuses: a deploy ends there, with the data stack done."""
    declared = json.loads((PROJECT / ".chalice" / "package.json").read_text())["Parameters"]
    refused = {"Parameters": declared, "Resources": {"Broken": {"Type": "AWS::No::Such"}}}
    (tmp_path / "sam.json").write_text(json.dumps(refused))
    (tmp_path / "deployment.zip").write_bytes(b"no code")
    return tmp_path


def stage_in(state: str, patch: pytest.MonkeyPatch, endpoint: str) -> str:
    """A stage whose data stack is in `state`."""
    stage = state.lower().replace("_", "")[:18]
    name = f"abacus-{stage}-data"
    if state in NEVER_CREATED or ENDS.get(state) in NEVER_CREATED:
        broken = {"Type": "AWS::SQS::Queue", "Properties": {"RedrivePolicy": {"deadLetterTargetArn": "x"}}}
        parsed = parse((INFRA / "data.yaml").read_text())
        template = {"Parameters": parsed.parameters, "Resources": {**parsed.resources, "Broken": broken}}
        with pytest.raises(cloudformation.StackFailed):
            cloudformation.apply(
                boto3.client("cloudformation"),
                name,
                json.dumps(template),
                {"Name": f"abacus-{stage}"},
                watch=cloudformation.Watch(poll=0),
            )
    elif state != "DELETE_COMPLETE":
        data_stack(endpoint, name)
    forced = Forced(name, state)
    handlers = [
        *botocore.handlers.BUILTIN_HANDLERS,
        ("after-call.cloudformation.DescribeStacks", forced.answer),
        ("before-send.cloudformation", forced.send),
    ]
    patch.setattr(botocore.handlers, "BUILTIN_HANDLERS", handlers)
    return stage


@pytest.mark.parametrize("state", [s for s in STATES if s not in ("UPDATE_ROLLBACK_FAILED", "IMPORT_ROLLBACK_FAILED")])
def test_a_deploy_brings_the_data_stack_up_to_date_from_any_state(
    state: str, monkeypatch: pytest.MonkeyPatch, endpoint: str, package: Path
) -> None:
    stage = stage_in(state, monkeypatch, endpoint)
    ran = CliRunner().invoke(main, ["deploy", "--stage", stage, "--package", str(package)], catch_exceptions=False)
    assert f"Error: stack abacus-{stage}-api: " in ran.output, ran.output
    client = boto3.client("cloudformation")
    assert cloudformation.outputs(client, f"abacus-{stage}-data")["BucketName"].startswith(f"abacus-{stage}-")


@pytest.mark.parametrize(
    ("state", "command"),
    [("UPDATE_ROLLBACK_FAILED", "continue-update-rollback"), ("IMPORT_ROLLBACK_FAILED", "rollback-stack")],
)
def test_a_stack_that_only_a_person_can_resolve_is_refused_with_the_command_for_it(
    state: str, command: str, monkeypatch: pytest.MonkeyPatch, endpoint: str, package: Path
) -> None:
    stage = stage_in(state, monkeypatch, endpoint)
    ran = CliRunner().invoke(main, ["deploy", "--stage", stage, "--package", str(package)], catch_exceptions=False)
    assert ran.exit_code == 1
    assert f"Run: aws cloudformation {command} --stack-name abacus-{stage}-data. Then try again." in ran.output


@pytest.mark.parametrize("state", STATES)
def test_a_destroy_with_data_leaves_nothing_from_any_state(
    state: str, monkeypatch: pytest.MonkeyPatch, endpoint: str
) -> None:
    stage = stage_in(state, monkeypatch, endpoint)
    arguments = ["destroy", "--stage", stage, "--with-data", "--yes"]
    ran = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert ran.exit_code == 0, ran.output
    assert [name for name in boto3.client("dynamodb").list_tables()["TableNames"] if f"abacus-{stage}-" in name] == []


def test_a_failed_first_deploy_must_be_given_its_read_key_again(
    monkeypatch: pytest.MonkeyPatch, endpoint: str, package: Path
) -> None:
    def run(*options: str) -> str:
        arguments = ["deploy", "--stage", "locked", "--package", str(package), *options]
        return CliRunner().invoke(main, arguments, catch_exceptions=False).output

    monkeypatch.delenv("ABACUS_READ_KEY", raising=False)
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"RedrivePolicy": {"deadLetterTargetArn": "x"}}}
    template = {"Parameters": {"ReadKey": {"Type": "String", "NoEcho": True}}, "Resources": {"Broken": queue}}
    with pytest.raises(cloudformation.StackFailed):
        cloudformation.apply(
            boto3.client("cloudformation"),
            "abacus-locked-api",
            json.dumps(template),
            {"ReadKey": "hush"},
            watch=cloudformation.Watch(poll=0),
        )
    assert "Error: --read-key: the first deploy of abacus-locked-api failed" in run()
    assert "Error: stack abacus-locked-api: " in run("--read-key", "hush")


def test_a_stack_is_adopted_without_its_dead_letters_and_gets_them_afterwards(endpoint: str, package: Path) -> None:
    stage = "orphaned"
    data_stack(endpoint, f"abacus-{stage}-data")
    sqs, client = boto3.client("sqs"), boto3.client("cloudformation")
    cloudformation.remove(client, f"abacus-{stage}-data", watch=cloudformation.Watch(poll=0))
    sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName=f"abacus-{stage}-spill-dead-letters")["QueueUrl"])
    ran = CliRunner().invoke(main, ["deploy", "--stage", stage, "--package", str(package)], catch_exceptions=False)
    assert f"    found and taken in: abacus-{stage}-spill\n" in ran.output, ran.output
    url = sqs.get_queue_url(QueueName=f"abacus-{stage}-spill")["QueueUrl"]
    redrive = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])["Attributes"]["RedrivePolicy"]
    assert json.loads(redrive)["deadLetterTargetArn"].endswith(f":abacus-{stage}-spill-dead-letters")


def test_an_import_refers_to_nothing_that_it_does_not_hold() -> None:
    template = parse(import_template("abacus-prod", ["SpillQueue", "Participants"]))
    assert references(list(template.resources.values())) <= {"Name", *template.resources}
    assert "RedrivePolicy" not in template.resources["SpillQueue"]["Properties"]
    both = parse(import_template("abacus-prod", ["SpillQueue", "SpillDeadLetters"]))
    assert "RedrivePolicy" in both.resources["SpillQueue"]["Properties"]

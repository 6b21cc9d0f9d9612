"""Plain `chalice deploy`, as far as the emulator goes: roles, functions and triggers. At the REST API it stops, for the
emulator answers its import in a way that botocore cannot read."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from abacus.aws.account import Account
from abacus.deploy import chalice_deploy
from abacus.deploy.chalice_deploy import ChaliceFailed, configure, deploy, function_name, record, remove, set_triggers
from abacus.local.emulated_stacks import LocalAws, data_stack, environment

pytestmark = pytest.mark.ministack

STAGE = "bychalice"


@pytest.fixture(scope="module")
def tables(ministack: str) -> LocalAws:
    return data_stack(ministack, "abacus-bychalice-data")


@pytest.fixture(scope="module")
def source(ministack: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment(ministack, {}).items():
            patch.setenv(name, value)
        yield tmp_path_factory.mktemp("chalice") / "source"
    record(STAGE).unlink(missing_ok=True)


@pytest.fixture(scope="module")
def parameters(tables: LocalAws) -> dict[str, str]:
    of_data = ("ParticipantsStreamArn", "SpillQueueArn", "SpillQueueUrl", "FoldDeadLettersArn", "BucketName")
    return {name: tables.names[name] for name in of_data} | {"OriginSecrets": "hush", "CookieDomain": ""}


@pytest.fixture(scope="module")
def stopped(source: Path, parameters: dict[str, str]) -> str:
    """What it said when it stopped."""
    with pytest.raises(ChaliceFailed) as raised:
        deploy(STAGE, parameters, Account.of(None), source)
    return str(raised.value)


def test_it_stops_where_the_emulator_does_and_tells_the_last_line_of_chalice(stopped: str) -> None:
    assert stopped == f"chalice deploy --stage {STAGE}: ValueError: invalid literal for int() with base 10: ''"


def test_each_function_has_its_role_and_the_environment_of_the_package(
    stopped: str, parameters: dict[str, str], source: Path
) -> None:
    found = {f["FunctionName"]: f for f in boto3.client("lambda").list_functions()["Functions"]}
    for function in chalice_deploy.FUNCTIONS:
        made = found[function_name(STAGE, function)]
        variables = made["Environment"]["Variables"]
        assert made["Role"].endswith(f":role/abacus-{STAGE}-{function}")
        assert (variables["ABACUS_BUCKET"], variables["ABACUS_STAGE"]) == (parameters["BucketName"], STAGE)
        assert ("ABACUS_ORIGIN_SECRETS" in variables) == (function == "api_handler")


def test_no_secret_stays_on_this_machine(stopped: str, source: Path) -> None:
    assert not [file for file in source.rglob("*.json") if "hush" in file.read_text()]


def test_the_triggers_are_set_as_the_package_has_them(
    stopped: str, parameters: dict[str, str], tables: LocalAws
) -> None:
    client = boto3.client("lambda")
    set_triggers(STAGE, parameters, client)
    (stream,) = client.list_event_source_mappings(FunctionName=function_name(STAGE, "fold"))["EventSourceMappings"]
    (queue,) = client.list_event_source_mappings(FunctionName=function_name(STAGE, "write_spilled"))[
        "EventSourceMappings"
    ]
    pattern = json.loads(stream["FilterCriteria"]["Filters"][0]["Pattern"])
    assert pattern["dynamodb"] == {"NewImage": {"pending": {"SS": [{"exists": True}]}}}
    said = ("BisectBatchOnFunctionError", "MaximumRetryAttempts", "MaximumRecordAgeInSeconds", "BatchSize")
    assert [stream[name] for name in said] == [True, 3, 86400, 200]  # type: ignore[literal-required]
    assert stream["MaximumBatchingWindowInSeconds"] == 2
    assert stream["DestinationConfig"] == {"OnFailure": {"Destination": tables.names["FoldDeadLettersArn"]}}
    assert queue["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_what_is_not_said_again_stays(stopped: str, source: Path, parameters: dict[str, str]) -> None:
    client, name = boto3.client("lambda"), function_name(STAGE, "api_handler")
    variables = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    client.update_function_configuration(
        FunctionName=name, Environment={"Variables": variables | {"ABACUS_READ_KEY": "key"}}
    )
    set_triggers(STAGE, parameters | {"FoldWindowSeconds": "9"}, client)
    config, values = configure(STAGE, parameters, client, source)
    common = config["stages"][STAGE]["environment_variables"]
    given = config["stages"][STAGE]["lambda_functions"]["api_handler"]["environment_variables"]
    assert common | given == variables | {"ABACUS_READ_KEY": "key"}
    assert values["FoldWindowSeconds"] == "9"


def test_what_chalice_has_recorded_is_deleted_again(stopped: str, source: Path) -> None:
    # As Chalice writes it after a whole deploy; after one that stopped it writes nothing.
    made = []
    for f in boto3.client("lambda").list_functions()["Functions"]:
        if f["FunctionName"].startswith(f"abacus-{STAGE}"):
            name = f["FunctionName"].removeprefix(f"abacus-{STAGE}").strip("-") or "api_handler"
            role = {"name": f"{name}-role", "resource_type": "iam_role", "role_arn": f["Role"]}
            made += [role | {"role_name": f"abacus-{STAGE}-{name}"}]
            made += [{"name": name, "resource_type": "lambda_function", "lambda_arn": f["FunctionArn"]}]
    record(STAGE).parent.mkdir(exist_ok=True)
    record(STAGE).write_text(json.dumps({"resources": made, "schema_version": "2.0", "backend": "api"}))
    remove(STAGE, Account.of(None), source)
    names = [f["FunctionName"] for f in boto3.client("lambda").list_functions()["Functions"]]
    roles = [r["RoleName"] for r in boto3.client("iam").list_roles()["Roles"]]
    assert len(made) == 10
    assert [name for name in names + roles if name.startswith(f"abacus-{STAGE}")] == []
    assert not record(STAGE).exists()


class BusyLambda:
    """A Lambda whose trigger is busy for some looks, and in use at some updates after that."""

    class exceptions:
        class ResourceInUseException(Exception): ...

    def __init__(self, looks: int, refusals: int) -> None:
        self.looks, self.refusals = looks, refusals
        self.updates: list[dict[str, Any]] = []

    def list_event_source_mappings(self, FunctionName: str) -> dict[str, Any]:
        scheduled = FunctionName.endswith(("reconcile", "alert"))  # by EventBridge, not by a trigger
        return {"EventSourceMappings": [] if scheduled else [{"UUID": FunctionName}]}

    def get_event_source_mapping(self, UUID: str) -> dict[str, Any]:
        self.looks -= 1
        return {"State": "Creating" if self.looks >= 0 else "Enabled"}

    def update_event_source_mapping(self, **changes: Any) -> None:
        self.refusals -= 1
        if self.refusals >= 0:
            raise self.exceptions.ResourceInUseException
        self.updates.append(changes)


def test_a_trigger_is_updated_when_lambda_is_done_with_it(parameters: dict[str, str]) -> None:
    client = BusyLambda(looks=3, refusals=2)
    pauses: list[float] = []
    set_triggers(STAGE, parameters, client, clock=lambda: 0, sleep=pauses.append)  # type: ignore[arg-type]
    assert (len(pauses), [update["UUID"] for update in client.updates]) == (
        5,
        [f"abacus-{STAGE}-fold", f"abacus-{STAGE}-write_spilled"],
    )


def test_a_trigger_that_stays_busy_is_named(parameters: dict[str, str]) -> None:
    seconds = iter(range(0, 10_000, 100))
    with pytest.raises(ChaliceFailed, match=rf"trigger abacus-{STAGE}-fold .* was busy for 300 s\. Deploy again\."):
        set_triggers(
            STAGE,
            parameters,
            BusyLambda(looks=10_000, refusals=0),  # type: ignore[arg-type]
            clock=lambda: next(seconds),
            sleep=lambda _: None,
        )


def test_chalice_works_in_the_region_of_the_option_and_each_stage_has_an_api_of_its_own(
    source: Path, parameters: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[tuple[list[str], dict[str, str]]] = []

    def run(command: list[str], *, env: dict[str, str], **_: Any) -> subprocess.CompletedProcess[str]:
        ran.append((command[3:], env))
        made = {"resource_type": "rest_api", "rest_api_id": api["id"], "rest_api_url": "https://x.example/api"}
        record("west").parent.mkdir(exist_ok=True)
        record("west").write_text(json.dumps({"resources": [made]}))
        return subprocess.CompletedProcess(command, 0, "", "")

    account = Account.of("eu-west-1")
    api = account.client("apigateway").create_rest_api(name="abacus")
    monkeypatch.setattr(chalice_deploy.subprocess, "run", run)
    try:
        outputs = deploy("west", parameters, account, source)
    finally:
        record("west").unlink(missing_ok=True)
    (words, environment) = ran[0]
    assert words == ["deploy", "--stage", "west"]
    assert (environment["AWS_DEFAULT_REGION"], environment["AWS_REGION"]) == ("eu-west-1", "eu-west-1")
    found = account.client("apigateway").get_rest_api(restApiId=api["id"])["name"]
    assert (found, outputs["RestAPIName"]) == ("abacus-west-api", "abacus-west-api")

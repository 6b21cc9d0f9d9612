"""Which ABacus a command speaks to."""

from __future__ import annotations

import json
import os
from pathlib import Path

import boto3
import pytest

from abacus.aws.target import NoTarget, announced, service_environment, target
from abacus.local.emulated_stacks import environment

OUTPUTS = {
    "ParticipantsName": "p",
    "ParticipantsStreamArn": "s",
    "TalliesName": "t",
    "BucketName": "b",
    "SpillQueueUrl": "u",
    "SpillQueueArn": "a",
}


def test_a_local_run_is_found_as_long_as_it_lasts(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text(str(os.getpid()))
    variables = service_environment(OUTPUTS) | {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
    with announced(tmp_path, variables | {"HOME": "not ours to repeat"}):
        assert target(None, tmp_path, {}) == variables
        assert (tmp_path / "environment.json").stat().st_mode & 0o077 == 0
    with pytest.raises(NoTarget, match=r"No ABacus runs here\. Start one with `make run`"):
        target(None, tmp_path, {})


def test_what_a_killed_run_left_behind_is_not_believed(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("999999999")
    (tmp_path / "environment.json").write_text("{}")
    with pytest.raises(NoTarget):
        target(None, tmp_path, {})


def test_an_environment_that_names_the_tables_is_left_as_it_is(tmp_path: Path) -> None:
    assert target(None, tmp_path, {"ABACUS_PARTICIPANTS": "p"}) == {}


@pytest.fixture
def account(ministack: str, monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in environment(ministack, {}).items():
        monkeypatch.setenv(name, value)
    return ministack


def test_a_stage_that_is_not_deployed_is_told(tmp_path: Path, account: str) -> None:
    with pytest.raises(NoTarget, match=r"There is no stack abacus-nowhere-data in this account and region\."):
        target("nowhere", tmp_path, {})


def test_a_stages_names_are_its_stacks_outputs_and_its_retention_what_it_was_deployed_with(
    tmp_path: Path, account: str
) -> None:
    queue = {"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}}
    cloudformation = boto3.client("cloudformation")
    body = queue | {"Outputs": {name: {"Value": value} for name, value in OUTPUTS.items()}}
    cloudformation.create_stack(StackName="abacus-test-data", TemplateBody=json.dumps(body))
    assert target("test", tmp_path, {}) == service_environment(OUTPUTS) | {"ABACUS_STAGE": "test"}
    body = queue | {"Parameters": {"RetentionDays": {"Type": "Number", "Default": 365}, "ReadKey": {"Type": "String"}}}
    read_key = {"ParameterKey": "ReadKey", "ParameterValue": "hush"}
    cloudformation.create_stack(StackName="abacus-test-api", TemplateBody=json.dumps(body), Parameters=[read_key])
    asked = {"ABACUS_STAGE": "test", "ABACUS_RETENTION_DAYS": "365"}
    assert target("test", tmp_path, {}) == service_environment(OUTPUTS) | asked

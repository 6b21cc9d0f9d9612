"""Every failure that we or AWS can name is one sentence; a bug of ours keeps its traceback."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import boto3
import click
import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ReadTimeoutError,
)
from click.testing import CliRunner

from abacus.aws.account import Account, NoAccount
from abacus.aws.errors import NO_CREDENTIALS, NO_REGION, report_errors
from chalicelib.domain.errors import AbacusError, NotFound


def failing(error: Exception) -> click.Command:
    @click.command()
    @report_errors
    def command() -> None:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (AbacusError("Say what to do."), "Error: Say what to do.\n"),
        (NotFound("There is none.", field="key"), "Error: There is none.\n"),
        (NoRegionError(), f"Error: {NO_REGION}\n"),
        (NoCredentialsError(), f"Error: {NO_CREDENTIALS}\n"),
        (ReadTimeoutError(endpoint_url="http://x"), 'Error: AWS: Read timeout on endpoint URL: "http://x" (Check'),
        (EndpointConnectionError(endpoint_url="http://x"), "Error: AWS: Could not connect to the endpoint URL"),
        (ClientError({"Error": {"Code": "NoSuchBucket"}}, "GetObject"), "Error: There is no such bucket."),
        (
            ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetObject"),
            "Error: AWS: An error occurred",
        ),
    ],
)
def test_a_known_error_is_a_sentence_and_exit_code_1(error: Exception, message: str) -> None:
    result = CliRunner().invoke(failing(error))
    assert (result.exit_code, result.output[: len(message)]) == (1, message)


@pytest.mark.parametrize("error", [KeyError("x"), RuntimeError("bug")])
def test_a_bug_keeps_its_traceback(error: Exception) -> None:
    assert CliRunner().invoke(failing(error)).exception is error


def test_the_decorated_command_keeps_its_options() -> None:
    def command(stage: str) -> None:
        click.echo(stage)

    decorated: Callable[[str], None] = report_errors(command)
    assert decorated.__name__ == "command"


class Refusing:
    """A session whose calls fail with `error`."""

    region_name = "eu-central-1"

    def __init__(self, error: Exception) -> None:
        self.error = error

    def client(self, service: str, region_name: str | None = None) -> Refusing:
        return self

    def get_caller_identity(self) -> None:
        raise self.error


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (NoCredentialsError(), f"{NO_CREDENTIALS} Or add --dry-run."),
        (
            ClientError({"Error": {"Code": "ExpiredToken", "Message": "it has expired"}}, "GetCallerIdentity"),
            "AWS does not accept the credentials: An error occurred (ExpiredToken) when calling the GetCallerIdentity "
            "operation: it has expired. Configure them, or add --dry-run.",
        ),
    ],
)
def test_credentials_that_are_missing_or_refused_are_told_with_the_next_step(error: Exception, message: str) -> None:
    with pytest.raises(NoAccount) as raised:
        Account(cast(boto3.Session, Refusing(error))).authenticate()
    assert str(raised.value) == message

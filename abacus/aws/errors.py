"""The errors of a command as one sentence on standard error and exit code 1, instead of a traceback."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import ParamSpec

import click

from chalicelib.domain.errors import AbacusError

P = ParamSpec("P")
NO_REGION = "No region is configured. Add --region eu-central-1, or set AWS_DEFAULT_REGION."
NO_CREDENTIALS = "AWS has no credentials here. Run `aws configure` or `aws sso login`, or set AWS_PROFILE."


def report_errors(command: Callable[P, None]) -> Callable[P, None]:
    """Decorate a click command: each error that we or AWS can name becomes a `click.ClickException`.

    An AbacusError says what to do in its own message. An error of AWS keeps AWS's words, after the prefix `AWS:`.
    Anything else is a bug of ours and keeps its traceback."""

    @functools.wraps(command)
    def wrapped(*args: P.args, **options: P.kwargs) -> None:
        try:
            command(*args, **options)
        except AbacusError as error:
            raise click.ClickException(str(error)) from None
        except Exception as error:
            message = aws_message(error)
            if message is None:
                raise
            raise click.ClickException(message) from None

    return wrapped


def aws_message(error: Exception) -> str | None:
    """What an error of the AWS client means and what to do next; None for any other error.

    botocore is looked up, not imported: a command that never calls AWS must not wait for it."""
    botocore = sys.modules.get("botocore.exceptions")
    if botocore is None or not isinstance(error, botocore.BotoCoreError | botocore.ClientError):
        return None
    if isinstance(error, botocore.NoRegionError):
        return NO_REGION
    if isinstance(error, botocore.NoCredentialsError | botocore.PartialCredentialsError):
        return NO_CREDENTIALS
    response = getattr(error, "response", None)  # a ClientError's; an error of the network has one that is None
    if response and response.get("Error", {}).get("Code") == "NoSuchBucket":
        return "There is no such bucket. Check --bucket, --stage and --region."
    return f"AWS: {error} (Check credentials, region and names.)"

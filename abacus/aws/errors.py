"""The errors of a command as one sentence on standard error and exit code 1, instead of a traceback."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec

import click
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.domain.errors import AbacusError

P = ParamSpec("P")


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
        except (ClientError, BotoCoreError) as error:
            raise click.ClickException(f"AWS: {error} (Check credentials, region and names.)") from None

    return wrapped

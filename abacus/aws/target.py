"""Which ABacus a command speaks to: the one the environment names, a deployed stage, or the one that runs here."""

from __future__ import annotations

import contextlib
import functools
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import click
from botocore.exceptions import BotoCoreError, ClientError

from abacus.aws import cloudformation as stacks
from abacus.local.processes import running
from chalicelib.domain.errors import AbacusError

FILE = "environment.json"  # in the folder of a local run, while it runs
STACK = "abacus-{stage}-data"
FUNCTIONS = "abacus-{stage}-api"
# The outputs of infra/data.yaml, as chalicelib/runtime/settings.py calls them.
OUTPUTS = {
    "ABACUS_PARTICIPANTS": "ParticipantsName",
    "ABACUS_PARTICIPANTS_STREAM": "ParticipantsStreamArn",
    "ABACUS_TALLIES": "TalliesName",
    "ABACUS_BUCKET": "BucketName",
    "ABACUS_SPILL_QUEUE_URL": "SpillQueueUrl",
    "ABACUS_SPILL_QUEUE_ARN": "SpillQueueArn",
}


# What a deploy was asked for and a rebuild has to know: parameters of the functions' stack.
ASKED = {"ABACUS_RETENTION_DAYS": "RetentionDays", "ABACUS_SPREAD": "Spread"}


class NoTarget(AbacusError):
    """Nothing says which ABacus is meant."""


def named(outputs: Mapping[str, str]) -> dict[str, str]:
    """The service's environment from the outputs of its data stack."""
    return {name: outputs[output] for name, output in OUTPUTS.items()}


@contextlib.contextmanager
def announced(home: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """Leave `environment` in `home` for the commands, as long as a local run lasts."""
    file = home / FILE
    file.touch(mode=0o600)
    file.write_text(json.dumps({k: v for k, v in environment.items() if k.startswith(("AWS_", "ABACUS_"))}, indent=1))
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def target(stage: str | None, home: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """What to add to the environment so that AWS clients and settings reach the ABacus that is meant.

    Raises NoTarget when neither a stage, nor the environment, nor a local run says which."""
    if stage:
        name = STACK.format(stage=stage)
        cloudformation = boto3.client("cloudformation")
        outputs = stacks.outputs(cloudformation, name)
        if not outputs:
            raise NoTarget(f"There is no stack {name} in this account and region. Is it deployed: abacus deploy?")
        functions = stacks.describe(cloudformation, FUNCTIONS.format(stage=stage))
        parameters = functions.get("Parameters", []) if functions else []
        given = {p["ParameterKey"]: p["ParameterValue"] for p in parameters}
        asked = {name: given[parameter] for name, parameter in ASKED.items() if parameter in given}
        return named(outputs) | asked | {"ABACUS_STAGE": stage}
    if environ.get("ABACUS_PARTICIPANTS") or environ.get("ABACUS_BUCKET"):
        return {}
    if (home / FILE).exists() and running(home):  # a killed run leaves its file behind
        found: dict[str, str] = json.loads((home / FILE).read_text())
        return found
    raise NoTarget("Which ABacus? Start one with make run, or name a deployed one: --stage prod")


def at_target(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a click command --stage and --home, and points its process at the ABacus they name."""

    @click.option("--stage", help="A deployed stage, such as prod. Without it: the one that runs here.")
    @click.option("--home", type=click.Path(path_type=Path), default=Path(".local"), help="Folder of the local run.")
    @functools.wraps(command)
    def wrapped(stage: str | None, home: Path, **options: Any) -> None:
        try:
            os.environ.update(target(stage, home, os.environ))
            command(**options)
        except AbacusError as error:
            raise click.ClickException(str(error)) from None
        except (ClientError, BotoCoreError) as error:
            raise click.ClickException(f"AWS: {error}") from None

    return wrapped

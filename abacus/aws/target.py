"""Which ABacus a command works on: the one that the environment names, a deployed stage, or the local run."""

from __future__ import annotations

import contextlib
import functools
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from abacus.aws import cloudformation as stacks
from abacus.aws import names
from abacus.aws.errors import report_errors
from chalicelib.domain.errors import AbacusError

FILE = "environment.json"  # in the folder of a local run, while it runs
# The outputs of infra/data.yaml, as chalicelib/runtime/settings.py calls them.
OUTPUTS = {
    "ABACUS_PARTICIPANTS": "ParticipantsName",
    "ABACUS_PARTICIPANTS_STREAM": "ParticipantsStreamArn",
    "ABACUS_TALLIES": "TalliesName",
    "ABACUS_BUCKET": "BucketName",
    "ABACUS_SPILL_QUEUE_URL": "SpillQueueUrl",
    "ABACUS_SPILL_QUEUE_ARN": "SpillQueueArn",
}
# Options of the deploy that a rebuild has to know: parameters of the functions' stack.
PARAMETERS = {"ABACUS_RETENTION_DAYS": "RetentionDays", "ABACUS_SPREAD": "Spread"}


class NoTarget(AbacusError):
    """Neither an option, nor the environment, nor a local run says which ABacus to work on."""


def named(outputs: Mapping[str, str]) -> dict[str, str]:
    """The service's environment from the outputs of its data stack."""
    return {name: outputs[output] for name, output in OUTPUTS.items()}


@contextlib.contextmanager
def announced(home: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """Keep `environment` in the folder `home` for other commands, as long as a local run lasts."""
    file = home / FILE
    file.touch(mode=0o600)
    file.write_text(json.dumps({k: v for k, v in environment.items() if k.startswith(("AWS_", "ABACUS_"))}, indent=1))
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def target(stage: str | None, home: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """What to add to the environment so that AWS clients and settings reach the ABacus to work on.

    Args:
        stage: a deployed stage; None for the one that `environ` or a local run names.
        home: the folder of the local run.

    Raises: NoTarget."""
    if stage:
        return _of_stage(stage)
    if environ.get("ABACUS_PARTICIPANTS") or environ.get("ABACUS_BUCKET"):
        return {}
    if (home / FILE).exists() and is_running(home):  # a killed run leaves its file behind
        found: dict[str, str] = json.loads((home / FILE).read_text())
        return found
    raise NoTarget("Which ABacus? Start one with make run, or name a deployed one: --stage prod")


def _of_stage(stage: str) -> dict[str, str]:
    import boto3  # half a second that the children of a local run, which import this module too, need not pay

    name, functions = names.stack(stage, "data"), names.stack(stage, "api")
    cloudformation = boto3.client("cloudformation")
    outputs = stacks.outputs(cloudformation, name)
    if not outputs:
        raise NoTarget(f"There is no stack {name} in this account and region. Is it deployed: abacus deploy?")
    described = stacks.describe(cloudformation, functions)
    parameters = described.get("Parameters", []) if described else []
    given = {p["ParameterKey"]: p["ParameterValue"] for p in parameters}
    options = {name: given[parameter] for name, parameter in PARAMETERS.items() if parameter in given}
    return named(outputs) | options | {"ABACUS_STAGE": stage}


def is_running(home: Path) -> bool:
    """Whether the process that last locked the folder `home` of a local run is alive."""
    lock = home / "lock"
    return lock.exists() and is_alive(lock.read_text().strip())


def is_alive(pid: str) -> bool:
    """Whether there is a process of this number, of any user."""
    try:
        os.kill(int(pid), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True


def at_target(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a click command the options --stage and --home, and point its process at the ABacus they name."""

    @click.option("--stage", help="A deployed stage, such as prod. Without it: the local run.")
    @click.option("--home", type=click.Path(path_type=Path), default=Path(".local"), help="Folder of the local run.")
    @functools.wraps(command)
    @report_errors
    def wrapped(stage: str | None, home: Path, **options: Any) -> None:
        os.environ.update(target(stage, home, os.environ))
        command(**options)

    return wrapped

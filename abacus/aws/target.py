"""Which ABacus a command works on: the one that the environment names, a deployed stage, or the local run."""

from __future__ import annotations

import contextlib
import functools
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from abacus.aws import cloudformation as stacks
from abacus.aws import names
from abacus.aws.errors import report_errors
from abacus.options import home_option, region_option, stage_option, use_region
from abacus.paths import RUN
from chalicelib.domain.errors import AbacusError

URL = "ABACUS_URL"  # where the local product answers
NOT_RUNNING = (
    f"No ABacus runs here. Start one with `{RUN}` (or name its folder: --home FOLDER), or name a deployed one: "
    "--stage prod"
)
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


def service_environment(outputs: Mapping[str, str]) -> dict[str, str]:
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
        variables: dict[str, str] = json.loads((home / FILE).read_text())
        return variables
    raise NoTarget(NOT_RUNNING)


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
    return service_environment(outputs) | options | {"ABACUS_STAGE": stage}


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
    """Give a click command --stage, --region and --home, and point its process at the product they name."""

    @stage_option
    @region_option
    @home_option
    @functools.wraps(command)
    @report_errors
    def wrapped(stage: str | None, region: str | None, home: Path, **options: Any) -> None:
        use_region(region)
        os.environ.update(target(stage, home, os.environ))
        command(**options)

    return wrapped


@dataclass(frozen=True)
class Product:
    """A running product. `base_url`: without a slash at the end. `tables`: whether this process can reach its tables,
    by the environment."""

    base_url: str
    tables: bool


def at_product(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a click command --base-url, --stage, --region and --home, and pass it a Product."""

    @click.option("--base-url", metavar="URL", help="Address of any other product, instead of --stage or --home.")
    @stage_option
    @region_option
    @home_option
    @functools.wraps(command)
    @report_errors
    def wrapped(base_url: str | None, stage: str | None, region: str | None, home: Path, **options: Any) -> None:
        if base_url:
            command(Product(base_url.rstrip("/"), tables=False), **options)
            return
        use_region(region)
        url = address(stage, home, os.environ)
        with contextlib.suppress(NoTarget):
            os.environ.update(target(stage, home, os.environ))
        command(Product(url.rstrip("/"), tables="ABACUS_TALLIES" in os.environ), **options)

    return wrapped


def address(stage: str | None, home: Path, environ: Mapping[str, str]) -> str:
    """The URL of a deployed stage, or of the product that runs here.

    Raises NoTarget where the stage is not deployed or nothing runs."""
    if stage:
        import boto3  # as in _of_stage

        name = names.stack(stage, "edge")
        outputs = stacks.outputs(boto3.client("cloudformation"), name)
        if "Url" not in outputs:
            raise NoTarget(f"There is no stack {name} in this account and region. Is it deployed: abacus deploy?")
        return outputs["Url"]
    if is_running(home) and (home / FILE).exists():
        known: dict[str, str] = json.loads((home / FILE).read_text())
        if URL in known:
            return known[URL]
    if "PORT" in environ:
        return f"http://127.0.0.1:{environ['PORT']}"
    raise NoTarget(NOT_RUNNING)

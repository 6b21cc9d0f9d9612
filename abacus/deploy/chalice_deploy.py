"""The functions by plain `chalice deploy`, for who prefers it to a stack: the same environment, roles and triggers.

Chalice reads no stack's outputs and knows nothing of a trigger's retries. So it is given a copy of its configuration
with the environment of .chalice/package.json filled in, and its triggers are set right afterwards.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from abacus.deploy.package import CHALICE, prepare
from abacus.paths import PROJECT
from chalicelib.domain.errors import AbacusError

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

# Chalice's name of each function, and the resource of .chalice/package.json that says the rest.
FUNCTIONS = {"api_handler": "APIHandler", "fold": "Fold", "write_spilled": "WriteSpilled", "reconcile": "Reconcile"}
# Of a trigger's properties in a template, those that cannot be changed later.
FIXED = {"Stream", "Queue", "StartingPosition"}


class NotDeployed(AbacusError):
    """What Chalice said instead of deploying."""


def record(stage: str) -> Path:
    """What Chalice remembers of a deploy: it finds its functions by it, and so does `chalice delete`."""
    return PROJECT / ".chalice" / "deployed" / f"{stage}.json"


def deploy(stage: str, parameters: Mapping[str, str], client: LambdaClient, source: Path) -> dict[str, str]:
    """Deploys a stage's functions and REST API from a copy in `source`. `parameters`: those of .chalice/package.json;
    what is not given stays what it was. Returns what a stack of them would. Raises NotDeployed."""
    config, values = configure(stage, parameters, client, source)
    _run("deploy", stage, source, config, values)
    set_triggers(stage, values, client)
    rest = next(r for r in json.loads(record(stage).read_text())["resources"] if r["resource_type"] == "rest_api")
    return {
        "APIHandlerName": name_of(stage, "api_handler"),
        "FoldName": name_of(stage, "fold"),
        "WriteSpilledName": name_of(stage, "write_spilled"),
        "ReconcileName": name_of(stage, "reconcile"),
        "RestAPIId": rest["rest_api_id"],
        "RestAPIName": "abacus",
        "RestDomain": rest["rest_api_url"].split("/")[2],
    }


def configure(
    stage: str, parameters: Mapping[str, str], client: LambdaClient, source: Path
) -> tuple[dict[str, Any], dict[str, str]]:
    """Chalice's configuration of a stage, for the copy made in `source`, and every parameter's value."""
    merged = json.loads((PROJECT / ".chalice" / "package.json").read_text())
    values = {**_kept(merged, stage, client), **parameters}
    prepare(source, stage)
    config = json.loads((source / ".chalice" / "config.json").read_text())
    for function, resource in FUNCTIONS.items():
        variables = merged["Resources"][resource]["Properties"]["Environment"]["Variables"]
        said = config["stages"][stage]["lambda_functions"].setdefault(function, {})
        said["environment_variables"] = _filled(variables, values)
    return config, values


def remove(stage: str, source: Path) -> None:
    """Everything that `deploy` made. Raises NotDeployed."""
    prepare(source, stage)
    config = json.loads((source / ".chalice" / "config.json").read_text())
    _run("delete", stage, source, config, {})
    record(stage).unlink(missing_ok=True)


def name_of(stage: str, function: str) -> str:
    """What Chalice calls a function in AWS."""
    return f"abacus-{stage}" if function == "api_handler" else f"abacus-{stage}-{function}"


def set_triggers(stage: str, values: Mapping[str, str], client: LambdaClient) -> None:
    """Retries, bisecting, failure destination and filter of the triggers, as .chalice/package.json has them."""
    merged = json.loads((PROJECT / ".chalice" / "package.json").read_text())
    said = {**_defaults(merged), **values}
    typed = {name: int(value) if value.isdecimal() else value for name, value in said.items()}
    for function, resource in FUNCTIONS.items():
        for trigger in merged["Resources"][resource]["Properties"].get("Events", {}).values():
            due = _filled({k: v for k, v in trigger["Properties"].items() if k not in FIXED}, typed)
            name = name_of(stage, function)
            for mapping in client.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]:
                client.update_event_source_mapping(UUID=mapping["UUID"], **due)


def _run(what: str, stage: str, source: Path, config: Mapping[str, Any], values: Mapping[str, str]) -> None:
    file, kept = source / ".chalice" / "config.json", source / ".chalice" / "deployed" / f"{stage}.json"
    kept.parent.mkdir(exist_ok=True)
    kept.unlink(missing_ok=True)
    if record(stage).exists():
        shutil.copyfile(record(stage), kept)
    file.write_text(json.dumps(config))
    imported = {
        "ABACUS_PARTICIPANTS_STREAM": values.get("ParticipantsStreamArn", ""),
        "ABACUS_SPILL_QUEUE_ARN": values.get("SpillQueueArn", ""),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONSAFEPATH": "",
    }
    try:
        done = subprocess.run(
            [str(CHALICE), what, "--stage", stage],
            cwd=source,
            env={**os.environ, **imported},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        file.unlink()  # it holds the origin's secret
        record(stage).parent.mkdir(exist_ok=True)
        if kept.exists():  # also after a failure: what was made is made
            shutil.copyfile(kept, record(stage))
    if done.returncode:
        lines = (done.stdout + done.stderr).strip().splitlines()
        raise NotDeployed(f"chalice {what} --stage {stage}: {lines[-1] if lines else 'says nothing'}")


def _kept(merged: Mapping[str, Any], stage: str, client: LambdaClient) -> dict[str, str]:
    """Each parameter as the deployed functions have it, else the template's default."""
    values = _defaults(merged)
    try:
        now = client.get_function_configuration(FunctionName=name_of(stage, "api_handler"))
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return values
    known = now.get("Environment", {}).get("Variables", {})
    variables = merged["Resources"]["APIHandler"]["Properties"]["Environment"]["Variables"]
    values |= {said["Ref"]: known[name] for name, said in variables.items() if name in known}
    for trigger in client.list_event_source_mappings(FunctionName=name_of(stage, "fold"))["EventSourceMappings"]:
        values["FoldWindowSeconds"] = str(trigger["MaximumBatchingWindowInSeconds"])  # which Chalice sets back
    return values


def _defaults(merged: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(said["Default"]) for name, said in merged["Parameters"].items() if "Default" in said}


def _filled(value: Any, values: Mapping[str, Any]) -> Any:
    """A template's value with its references replaced."""
    if isinstance(value, dict):
        if value.keys() == {"Ref"}:
            return values[value["Ref"]]
        return {name: _filled(member, values) for name, member in value.items()}
    return [_filled(member, values) for member in value] if isinstance(value, list) else value

"""The functions by plain `chalice deploy` instead of a stack: the same environment, roles and triggers.

Chalice reads no stack's outputs, knows nothing of a trigger's retries, and calls the API of every stage alike. So it
gets a copy of its configuration with the environment of .chalice/package.json filled in, and its triggers and the API's
name are corrected afterwards.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from abacus.aws import names
from abacus.aws.account import Account
from abacus.deploy.package import LAMBDA, chalice, chalice_environment, prepare
from abacus.paths import INSTALLED, PROJECT
from abacus.project_file import project_file
from chalicelib.domain.errors import AbacusError

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

# Chalice's name of each function, and the resource of .chalice/package.json that says the rest.
FUNCTIONS = {"api_handler": "APIHandler", "fold": "Fold", "write_spilled": "WriteSpilled", "reconcile": "Reconcile"}
FUNCTIONS |= {"alert": "Alert"}
# Of a trigger's properties in a template, those that cannot be changed later.
FIXED = {"Stream", "Queue", "StartingPosition"}
AT_REST = {"Enabled", "Disabled"}  # the states in which a trigger takes an update
TRIGGER_TIMEOUT_S = 300  # a new trigger takes up to some minutes


class ChaliceFailed(AbacusError):
    """Chalice, or a trigger that it made, failed; the message says how."""


def record(stage: str) -> Path:
    """The file in which Chalice keeps what it deployed. It finds its functions by it; so does `chalice delete`."""
    folder = project_file().path(".chalice") if INSTALLED else PROJECT / ".chalice"
    return folder / "deployed" / f"{stage}.json"


def deploy(stage: str, parameters: Mapping[str, str], account: Account, source: Path) -> dict[str, str]:
    """Deploy a stage's functions and REST API.

    Args:
        parameters: those of .chalice/package.json; one that is not given stays as it is deployed.
        source: folder for the copy that Chalice works on.

    Returns: the outputs that a stack of them would have.
    Raises: ChaliceFailed."""
    client = account.client("lambda")
    config, values = configure(stage, parameters, client, source)
    _run("deploy", stage, account.region, source, config, values)
    set_triggers(stage, values, client)
    rest_api = next(r for r in json.loads(record(stage).read_text())["resources"] if r["resource_type"] == "rest_api")
    api_name = names.stack(stage, "api")  # what the packaged API is called too; the alarms find it by its name
    rename_api(account.client("apigateway"), rest_api["rest_api_id"], api_name)
    return {
        "APIHandlerName": function_name(stage, "api_handler"),
        "FoldName": function_name(stage, "fold"),
        "WriteSpilledName": function_name(stage, "write_spilled"),
        "ReconcileName": function_name(stage, "reconcile"),
        "AlertName": function_name(stage, "alert"),
        "RestAPIId": rest_api["rest_api_id"],
        "RestAPIName": api_name,
        "RestDomain": rest_api["rest_api_url"].split("/")[2],
    }


def configure(
    stage: str, parameters: Mapping[str, str], client: LambdaClient, source: Path
) -> tuple[dict[str, Any], dict[str, str]]:
    """Chalice's configuration of a stage, for the copy made in `source`, and every parameter's value."""
    merged = _merged_template()
    values = {**_deployed_values(merged, stage, client), **parameters}
    prepare(source, stage)
    config = json.loads((source / ".chalice" / "config.json").read_text())
    for function, resource in FUNCTIONS.items():
        variables = merged["Resources"][resource]["Properties"]["Environment"]["Variables"]
        settings = config["stages"][stage]["lambda_functions"].setdefault(function, {})
        settings["environment_variables"] = _filled(variables, values)
    return config, values


def remove(stage: str, account: Account, source: Path) -> None:
    """Delete everything that `deploy` made. Raises ChaliceFailed."""
    prepare(source, stage)
    config = json.loads((source / ".chalice" / "config.json").read_text())
    _run("delete", stage, account.region, source, config, {})
    record(stage).unlink(missing_ok=True)


def function_name(stage: str, function: str) -> str:
    """What Chalice calls a function in AWS."""
    return f"abacus-{stage}" if function == "api_handler" else f"abacus-{stage}-{function}"


def set_triggers(
    stage: str,
    values: Mapping[str, str],
    client: LambdaClient,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Give the triggers retries, bisecting, failure destination and filter, as .chalice/package.json has them.

    Lambda refuses the update of a trigger that it is still creating or updating, so this waits. Raises ChaliceFailed.
    """
    merged = _merged_template()
    given = {**_defaults(merged), **values}
    typed = {name: int(value) if value.isdecimal() else value for name, value in given.items()}
    deadline = clock() + TRIGGER_TIMEOUT_S
    for function, resource in FUNCTIONS.items():
        name = function_name(stage, function)
        for trigger in merged["Resources"][resource]["Properties"].get("Events", {}).values():
            changes = _filled({k: v for k, v in trigger["Properties"].items() if k not in FIXED}, typed)
            for mapping in client.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]:
                while not _updated(client, mapping["UUID"], changes):
                    if clock() > deadline:
                        raise ChaliceFailed(
                            f"The trigger {mapping['UUID']} of {name} was busy for {TRIGGER_TIMEOUT_S} s. Deploy again."
                        )
                    sleep(2)


def _updated(client: LambdaClient, uuid: str, changes: Mapping[str, Any]) -> bool:
    """Whether the trigger took the changes; it does not while Lambda is still at an earlier one."""
    if client.get_event_source_mapping(UUID=uuid)["State"] not in AT_REST:
        return False
    try:
        client.update_event_source_mapping(UUID=uuid, **changes)
    except client.exceptions.ResourceInUseException:
        return False
    return True


def rename_api(apigateway: Any, api_id: str, name: str) -> None:
    """Give a REST API a name. Chalice calls every stage's API `abacus`, and CloudWatch tells APIs apart by name."""
    operations = [{"op": "replace", "path": "/name", "value": name}]
    apigateway.update_rest_api(restApiId=api_id, patchOperations=operations)


def _run(
    action: str, stage: str, region: str, source: Path, config: Mapping[str, Any], values: Mapping[str, str]
) -> None:
    file, copied_record = source / ".chalice" / "config.json", source / ".chalice" / "deployed" / f"{stage}.json"
    copied_record.parent.mkdir(exist_ok=True)
    copied_record.unlink(missing_ok=True)
    if record(stage).exists():
        shutil.copyfile(record(stage), copied_record)
    file.write_text(json.dumps(config))
    environment = {
        **chalice_environment(LAMBDA),
        # Read when Chalice imports app.py.
        "ABACUS_PARTICIPANTS_STREAM": values.get("ParticipantsStreamArn", ""),
        "ABACUS_SPILL_QUEUE_ARN": values.get("SpillQueueArn", ""),
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
    }
    try:
        process = subprocess.run(
            chalice(action, "--stage", stage), cwd=source, env=environment, capture_output=True, text=True, check=False
        )
    finally:
        file.unlink()  # it holds the origin's secret
        record(stage).parent.mkdir(parents=True, exist_ok=True)
        if copied_record.exists():  # also after a failure, for what was made until then
            shutil.copyfile(copied_record, record(stage))
    if process.returncode:
        lines = (process.stdout + process.stderr).strip().splitlines()
        raise ChaliceFailed(f"chalice {action} --stage {stage}: {lines[-1] if lines else 'no output'}")


def _merged_template() -> dict[str, Any]:
    template: dict[str, Any] = json.loads((PROJECT / ".chalice" / "package.json").read_text())
    return template


def _deployed_values(merged: Mapping[str, Any], stage: str, client: LambdaClient) -> dict[str, str]:
    """Each parameter as the deployed functions have it, else the template's default."""
    values = _defaults(merged)
    try:
        configuration = client.get_function_configuration(FunctionName=function_name(stage, "api_handler"))
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return values
    deployed = configuration.get("Environment", {}).get("Variables", {})
    variables = merged["Resources"]["APIHandler"]["Properties"]["Environment"]["Variables"]
    values |= {reference["Ref"]: deployed[name] for name, reference in variables.items() if name in deployed}
    triggers = client.list_event_source_mappings(FunctionName=function_name(stage, "fold"))["EventSourceMappings"]
    for trigger in triggers:
        values["FoldWindowSeconds"] = str(trigger["MaximumBatchingWindowInSeconds"])  # which Chalice resets
    return values


def _defaults(merged: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: str(declaration["Default"])
        for name, declaration in merged["Parameters"].items()
        if "Default" in declaration
    }


def _filled(value: Any, values: Mapping[str, Any]) -> Any:
    """A template's value with its references replaced. Chalice makes nothing that depends on a condition, so of a
    choice the second value holds."""
    if isinstance(value, dict):
        if value.keys() == {"Fn::If"}:
            return _filled(value["Fn::If"][2], values)
        if value.keys() == {"Ref"}:
            return values[value["Ref"]]
        return {name: _filled(member, values) for name, member in value.items()}
    return [_filled(member, values) for member in value] if isinstance(value, list) else value

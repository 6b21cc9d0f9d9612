"""CloudFormation stacks: create or update, wait, say why it failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError, WaiterError

from chalicelib.errors import AbacusError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import StackTypeDef


class StackFailed(AbacusError):
    """A stack that CloudFormation could not make; the message is the failed resource's own reason."""

    code = "stack-failed"


def apply(
    cloudformation: CloudFormationClient,
    name: str,
    template: str,
    parameters: Mapping[str, str],
    *,
    capabilities: Sequence[str] = ("CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"),
    tags: Mapping[str, str] | None = None,
    poll: int = 5,
) -> dict[str, str]:
    """Make stack `name` be `template` with `parameters`; its outputs. Raises StackFailed.

    Unchanged is fine. `poll`: seconds between two looks at its state."""
    request = {
        "StackName": name,
        "TemplateBody": template,
        "Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()],
        "Capabilities": list(capabilities),
        "Tags": [{"Key": k, "Value": v} for k, v in (tags or {}).items()],
    }
    before = describe(cloudformation, name)
    try:
        if before is None:
            cloudformation.create_stack(**request)  # type: ignore[arg-type]
            waiter = cloudformation.get_waiter("stack_create_complete")
        else:
            cloudformation.update_stack(**request)  # type: ignore[arg-type]
            waiter = cloudformation.get_waiter("stack_update_complete")  # type: ignore[assignment]
        waiter.wait(StackName=name, WaiterConfig={"Delay": poll, "MaxAttempts": 3600 // max(poll, 1)})
    except WaiterError as error:
        raise StackFailed(f"stack {name}: {why(cloudformation, name)}") from error
    except ClientError as error:
        if "No updates are to be performed" not in str(error):
            raise StackFailed(f"stack {name}: {error.response['Error']['Message']}") from error
    return outputs(cloudformation, name)


def describe(cloudformation: CloudFormationClient, name: str) -> StackTypeDef | None:
    """The stack, or None where there is none."""
    try:
        return cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise


def outputs(cloudformation: CloudFormationClient, name: str) -> dict[str, str]:
    stack = describe(cloudformation, name)
    return {o["OutputKey"]: o["OutputValue"] for o in stack.get("Outputs", [])} if stack else {}


def why(cloudformation: CloudFormationClient, name: str) -> str:
    """The reason of the first resource that failed: the later ones only say that they were cancelled."""
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    for event in reversed(events):
        reason = event.get("ResourceStatusReason", "")
        if event["ResourceStatus"].endswith("FAILED") and "cancelled" not in reason:
            return f"{event['LogicalResourceId']}: {reason}"
    return "no resource says why"

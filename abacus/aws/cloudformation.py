"""CloudFormation stacks: create or update, follow, remove; and say why it failed."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError, WaiterError

from chalicelib.domain.errors import AbacusError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import ResourceToImportTypeDef, StackEventTypeDef, StackTypeDef

Follow = Callable[["StackEventTypeDef"], None]
CAPABILITIES: Final = ("CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND")
# A stack that was never made, or that its first failure took apart again. It can only be made anew.
NEVER_MADE = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED")
REVIEW = "REVIEW_IN_PROGRESS"  # there is but a change set of it
UNCHANGED = "No updates are to be performed"
LONGEST = 3600  # seconds that a stack may take; a distribution needs five minutes


class StackFailed(AbacusError):
    """A stack that CloudFormation could not make; the message is the failed resource's own reason."""

    code = "stack-failed"


def apply(
    cloudformation: CloudFormationClient,
    name: str,
    template: str,
    parameters: Mapping[str, str],
    *,
    capabilities: Sequence[str] = CAPABILITIES,
    tags: Mapping[str, str] | None = None,
    keep: bool = False,
    follow: Follow = lambda event: None,
    poll: float = 5,
) -> dict[str, str]:
    """Make stack `name` be `template` with `parameters`; its outputs. Raises StackFailed.

    Unchanged is fine. `keep`: parameters not given stay what they were, instead of falling back to the template's
    defaults. `follow` hears of each resource; `poll`: seconds between two looks at the stack's state."""
    before = _at_rest(cloudformation, name, follow, poll)
    given = [{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()]
    if keep and before is not None:
        known = {p["ParameterKey"] for p in before.get("Parameters", [])} - parameters.keys()
        declared = {p["ParameterKey"] for p in cloudformation.get_template_summary(TemplateBody=template)["Parameters"]}
        given += [{"ParameterKey": k, "UsePreviousValue": True} for k in sorted(known & declared)]  # type: ignore[dict-item]
    request = {
        "StackName": name,
        "TemplateBody": template,
        "Parameters": given,
        "Capabilities": list(capabilities),
        "Tags": [{"Key": k, "Value": v} for k, v in (tags or {}).items()],
    }
    earlier = _events(cloudformation, name) if before else set()
    try:
        if before is not None:
            cloudformation.update_stack(**request)  # type: ignore[arg-type]
        else:
            cloudformation.create_stack(**request)  # type: ignore[arg-type]
    except ClientError as error:
        if UNCHANGED not in str(error):
            raise StackFailed(f"stack {name}: {error.response['Error']['Message']}") from error
        return outputs(cloudformation, name)
    made = _wait(cloudformation, name, earlier, follow, poll)
    if made is None or made["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        raise StackFailed(f"stack {name}: {why(cloudformation, name, earlier)}")
    return outputs(cloudformation, name)


def adopt(
    cloudformation: CloudFormationClient,
    name: str,
    template: str,
    resources: Sequence[ResourceToImportTypeDef],
    *,
    follow: Follow = lambda event: None,
    poll: float = 5,
) -> None:
    """Make stack `name` of resources that exist already, and nothing else: `template` holds these alone, without
    outputs. What is missing comes with the next `apply`. Raises StackFailed."""
    change = f"adopt-{uuid.uuid4().hex}"
    cloudformation.create_change_set(
        StackName=name,
        ChangeSetName=change,
        ChangeSetType="IMPORT",
        TemplateBody=template,
        ResourcesToImport=resources,
        Capabilities=CAPABILITIES,
    )
    try:
        waiter = cloudformation.get_waiter("change_set_create_complete")
        waiter.wait(StackName=name, ChangeSetName=change, WaiterConfig={"Delay": 1})
    except WaiterError as error:
        found = cloudformation.describe_change_set(StackName=name, ChangeSetName=change)
        raise StackFailed(f"stack {name}: {found.get('StatusReason', error)}") from error
    cloudformation.execute_change_set(StackName=name, ChangeSetName=change)
    made = _wait(cloudformation, name, set(), follow, poll)
    if made is None or made["StackStatus"] != "IMPORT_COMPLETE":
        raise StackFailed(f"stack {name}: {why(cloudformation, name)}")


def remove(
    cloudformation: CloudFormationClient, name: str, *, follow: Follow = lambda event: None, poll: float = 5
) -> bool:
    """Delete stack `name`, if there is one; whether there was. Raises StackFailed."""
    stack = describe(cloudformation, name)
    if stack is None:
        return False
    earlier = _events(cloudformation, name)
    # By its id: under its name nobody finds a stack that is gone.
    cloudformation.delete_stack(StackName=name)
    gone = _wait(cloudformation, stack["StackId"], earlier, follow, poll)
    if gone is not None and gone["StackStatus"] != "DELETE_COMPLETE":
        raise StackFailed(f"stack {name}: {why(cloudformation, stack['StackId'], earlier)}")
    return True


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


def why(cloudformation: CloudFormationClient, name: str, earlier: set[str] | None = None) -> str:
    """The reason of the first resource that failed, events in `earlier` left out: the later ones only say that they
    were cancelled."""
    for event in reversed(_page(cloudformation, name, earlier or set())):
        reason = event.get("ResourceStatusReason", "")
        if event["ResourceStatus"].endswith("FAILED") and "cancelled" not in reason:
            return _invalid(cloudformation, event["StackId"]) or f"{event['LogicalResourceId']}: {reason}"
    return "no resource says why"


def _invalid(cloudformation: CloudFormationClient, stack: str) -> str:
    """What CloudFormation found wrong before it touched anything, which it tells apart from the other events."""
    found = cloudformation.describe_events(StackName=stack, Filters={"FailedEvents": True})["OperationEvents"]
    wrong = [event for event in found if event.get("EventType") == "VALIDATION_ERROR"]
    return "; ".join(f"{event['LogicalResourceId']}: {event['ValidationStatusReason']}" for event in wrong)


def _at_rest(cloudformation: CloudFormationClient, name: str, follow: Follow, poll: float) -> StackTypeDef | None:
    """The stack as an update finds it: finished with what an interrupted deploy began, and never half made."""
    stack = describe(cloudformation, name)
    if stack is not None and stack["StackStatus"].endswith("IN_PROGRESS") and stack["StackStatus"] != REVIEW:
        stack = _wait(cloudformation, name, _events(cloudformation, name), follow, poll)
    if stack is None or stack["StackStatus"] in (REVIEW, "DELETE_COMPLETE"):
        return None
    if stack["StackStatus"] in NEVER_MADE:
        remove(cloudformation, name, follow=follow, poll=poll)
        return None
    return stack


def _wait(
    cloudformation: CloudFormationClient, name: str, earlier: set[str], follow: Follow, poll: float
) -> StackTypeDef | None:
    """The stack when nothing moves any more. Each event that is not in `earlier` goes to `follow`, once."""
    told = set(earlier)
    deadline = time.monotonic() + LONGEST
    while True:
        stack = describe(cloudformation, name)  # before its events, so that the last of them are told too
        if stack is None:
            return None
        for event in reversed(_page(cloudformation, name, told)):
            told.add(event["EventId"])
            follow(event)
        if not stack["StackStatus"].endswith("IN_PROGRESS"):
            return stack
        if time.monotonic() > deadline:
            raise StackFailed(f"stack {name}: still {stack['StackStatus']} after {LONGEST // 60} minutes")
        time.sleep(poll or 0.05)


def _events(cloudformation: CloudFormationClient, name: str) -> set[str]:
    return {event["EventId"] for event in _page(cloudformation, name, set())}


def _page(cloudformation: CloudFormationClient, name: str, known: set[str]) -> list[StackEventTypeDef]:
    """Events that are not in `known`, newest first."""
    found = []
    for page in cloudformation.get_paginator("describe_stack_events").paginate(StackName=name):
        new = [event for event in page["StackEvents"] if event["EventId"] not in known]
        found += new
        if len(new) < len(page["StackEvents"]):
            break
    return found

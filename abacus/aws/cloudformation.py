"""CloudFormation stacks: create or update one, follow its progress, delete it, and say why an operation failed."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from botocore.exceptions import ClientError, WaiterError

from abacus.aws.stack_state import STUCK, SUCCEEDED, event_ids, failure_reason, in_progress, is_created, new_events
from chalicelib.domain.errors import AbacusError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import ResourceToImportTypeDef, StackEventTypeDef, StackTypeDef

Follow = Callable[["StackEventTypeDef"], None]
CAPABILITIES: Final = ("CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND")
UNCHANGED = "No updates are to be performed"
HIDDEN = "****"  # what CloudFormation shows for a NoEcho parameter
TIMEOUT_S = 3600  # for one operation; a distribution needs five minutes


class Watch(NamedTuple):
    """How an operation is followed until it is over.

    follow: called with each event of a resource. poll: seconds between two looks at the stack."""

    follow: Follow = lambda event: None
    poll: float = 5


WATCH = Watch()


class StackFailed(AbacusError):
    """An operation on a stack failed; the message gives the failed resource and CloudFormation's own reason."""

    code = "stack-failed"


def apply(
    cloudformation: CloudFormationClient,
    name: str,
    template: str,
    parameters: Mapping[str, str],
    *,
    tags: Mapping[str, str] | None = None,
    watch: Watch = WATCH,
) -> dict[str, str]:
    """Create or update stack `name`, whatever state an earlier operation left it in.

    Waits for an operation that is still running, and deletes what a failed first creation left.

    Args:
        template: the template's text.
        parameters: name → value. One that is not given keeps its value; a new stack gets the template's default.

    Returns: the stack's outputs.
    Raises: StackFailed."""
    before = wait_until_idle(cloudformation, name, watch=watch)
    created = is_created(cloudformation, before)
    values: list[Any] = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
    if before is not None:
        declared = {p["ParameterKey"] for p in cloudformation.get_template_summary(TemplateBody=template)["Parameters"]}
        values += _current_parameters(before, declared - parameters.keys(), created)
    if before is not None and not created:
        remove(cloudformation, name, retain_undeletable=True, watch=watch)
    request: dict[str, Any] = {
        "StackName": name,
        "TemplateBody": template,
        "Parameters": values,
        "Capabilities": list(CAPABILITIES),
        "Tags": [{"Key": k, "Value": v} for k, v in (tags or {}).items()],
    }
    earlier = event_ids(cloudformation, name) if created else set()
    try:
        answer = cloudformation.update_stack(**request) if created else cloudformation.create_stack(**request)
    except ClientError as error:
        if UNCHANGED not in str(error):
            raise StackFailed(f"stack {name}: {error.response['Error']['Message']}") from error
        return outputs(cloudformation, name)
    after = _wait(cloudformation, name, earlier, watch)
    if after is None or after["StackStatus"] not in SUCCEEDED:
        raise StackFailed(
            f"stack {name}: {failure_reason(cloudformation, name, earlier, answer.get('OperationId', ''))}"
        )
    return outputs(cloudformation, name)


def adopt(
    cloudformation: CloudFormationClient,
    name: str,
    template: str,
    resources: Sequence[ResourceToImportTypeDef],
    *,
    watch: Watch = WATCH,
) -> None:
    """Create stack `name` around resources that exist already; the next `apply` adds what is missing.

    Args:
        template: holds these resources alone, without outputs.
        resources: which resource of the template is which existing one.

    Raises: StackFailed."""
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
        reason = cloudformation.describe_change_set(StackName=name, ChangeSetName=change).get("StatusReason", error)
        raise StackFailed(f"stack {name}: {reason}") from error
    cloudformation.execute_change_set(StackName=name, ChangeSetName=change)
    after = _wait(cloudformation, name, set(), watch)
    if after is None or after["StackStatus"] not in SUCCEEDED:
        raise StackFailed(f"stack {name}: {failure_reason(cloudformation, name)}")


def remove(
    cloudformation: CloudFormationClient,
    name: str,
    *,
    retain_undeletable: bool = False,
    watch: Watch = WATCH,
) -> bool:
    """Delete stack `name`, if it exists, after waiting for an operation that is still running.

    Args:
        retain_undeletable: a resource that cannot be deleted, such as a table under deletion protection, leaves the
            stack and stays. Without it that is a failure.

    Returns: whether the stack existed.
    Raises: StackFailed."""
    stack = wait_until_idle(cloudformation, name, watch=watch, resolvable=False)
    if stack is None:
        return False
    earlier = event_ids(cloudformation, name)
    after = _delete(cloudformation, stack, earlier, watch)
    if after is not None and after["StackStatus"] == "DELETE_FAILED" and retain_undeletable:
        pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack["StackId"])
        summaries = [summary for page in pages for summary in page["StackResourceSummaries"]]
        failed = [s["LogicalResourceId"] for s in summaries if s["ResourceStatus"] == "DELETE_FAILED"]
        after = _delete(cloudformation, stack, earlier, watch, RetainResources=failed)
    if after is not None and after["StackStatus"] != "DELETE_COMPLETE":
        raise StackFailed(f"stack {name}: {failure_reason(cloudformation, stack['StackId'], earlier)}")
    return True


def describe(cloudformation: CloudFormationClient, name: str) -> StackTypeDef | None:
    """The stack as CloudFormation describes it, or None if there is no such stack."""
    try:
        return cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise


def outputs(cloudformation: CloudFormationClient, name: str) -> dict[str, str]:
    """The stack's outputs, name → value; empty if it does not exist or has none yet."""
    stack = describe(cloudformation, name)
    return {o["OutputKey"]: o["OutputValue"] for o in stack.get("Outputs", [])} if stack else {}


def wait_until_idle(
    cloudformation: CloudFormationClient,
    name: str,
    *,
    watch: Watch = WATCH,
    resolvable: bool = True,
) -> StackTypeDef | None:
    """The stack, after waiting for an operation that is still running; None if it does not exist.

    Args:
        resolvable: raise StackFailed if only a person can bring the stack back into a state that takes updates."""
    stack = describe(cloudformation, name)
    if stack is not None and in_progress(stack):
        stack = _wait(cloudformation, name, event_ids(cloudformation, name), watch)
    if stack is None or stack["StackStatus"] == "DELETE_COMPLETE":
        return None
    if resolvable and stack["StackStatus"] in STUCK and is_created(cloudformation, stack):
        what = "continue-update-rollback" if stack["StackStatus"] == "UPDATE_ROLLBACK_FAILED" else "rollback-stack"
        raise StackFailed(
            f"stack {name} is in the state {stack['StackStatus']} and takes no update. "
            f"Run: aws cloudformation {what} --stack-name {name}. Then try again."
        )
    return stack


def _current_parameters(before: StackTypeDef, names: set[str], created: bool) -> list[dict[str, Any]]:
    """The parameters `names` as the stack has them. A stack that was never created is about to be deleted, so its
    values are read and given again. CloudFormation does not show hidden ones."""
    values = {p["ParameterKey"]: p["ParameterValue"] for p in before.get("Parameters", [])}
    if created:
        return [{"ParameterKey": name, "UsePreviousValue": True} for name in sorted(names & values.keys())]
    return [
        {"ParameterKey": name, "ParameterValue": values[name]}
        for name in sorted(names & values.keys())
        if values[name] != HIDDEN
    ]


def _delete(
    cloudformation: CloudFormationClient,
    stack: StackTypeDef,
    earlier: set[str],
    watch: Watch,
    **options: Any,
) -> StackTypeDef | None:
    # By its id: a deleted stack is not found by its name.
    cloudformation.delete_stack(StackName=stack["StackId"], **options)
    return _wait(cloudformation, stack["StackId"], earlier, watch)


def _wait(cloudformation: CloudFormationClient, name: str, earlier: set[str], watch: Watch) -> StackTypeDef | None:
    """The stack once no operation is running. Each event that is not in `earlier` goes to `watch.follow`, once."""
    reported = set(earlier)
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        stack = describe(cloudformation, name)  # before its events, so that none of them is missed
        if stack is None:
            return None
        for event in reversed(new_events(cloudformation, name, reported)):
            reported.add(event["EventId"])
            watch.follow(event)
        if not in_progress(stack):
            return stack
        if time.monotonic() > deadline:
            raise StackFailed(f"stack {name}: still {stack['StackStatus']} after {TIMEOUT_S // 60} minutes")
        time.sleep(watch.poll or 0.05)

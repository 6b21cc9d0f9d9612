"""The state of a stack: whether an operation is running, whether it takes updates, its events, why it failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import StackEventTypeDef, StackTypeDef

REVIEW = "REVIEW_IN_PROGRESS"  # the stack is only a change set so far
# A stack in one of these states was never created, or its deletion began. It takes no update: it must be deleted first.
NOT_CREATED = frozenset(
    {REVIEW, "CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED", "DELETE_COMPLETE"}
)
# A failed import leaves these: with resources if the stack existed before the import, else without.
FAILED_IMPORT = frozenset({"IMPORT_ROLLBACK_COMPLETE", "IMPORT_ROLLBACK_FAILED"})
STUCK = frozenset({"UPDATE_ROLLBACK_FAILED", "IMPORT_ROLLBACK_FAILED"})  # a person has to resolve it
SUCCEEDED = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"})


def in_progress(stack: StackTypeDef) -> bool:
    """Whether an operation is running on the stack."""
    return stack["StackStatus"].endswith("IN_PROGRESS") and stack["StackStatus"] != REVIEW


def is_created(cloudformation: CloudFormationClient, stack: StackTypeDef | None) -> bool:
    """Whether a stack at rest takes updates, or would once its rollback is resolved."""
    if stack is None or stack["StackStatus"] in NOT_CREATED:
        return False
    if stack["StackStatus"] in FAILED_IMPORT:
        return bool(cloudformation.list_stack_resources(StackName=stack["StackId"])["StackResourceSummaries"])
    return True


def failure_reason(
    cloudformation: CloudFormationClient, name: str, earlier: set[str] | None = None, operation: str = ""
) -> str:
    """The reason of the first resource that failed; the later ones only say that they were cancelled.

    Args:
        earlier: ids of events that belong to earlier operations.
        operation: id of the operation, if known."""
    for event in reversed(new_events(cloudformation, name, earlier or set())):
        reason = event.get("ResourceStatusReason", "")
        if event["ResourceStatus"].endswith("FAILED") and "cancelled" not in reason:
            invalid = _validation_errors(cloudformation, event["StackId"], operation or event.get("OperationId", ""))
            return invalid or f"{event['LogicalResourceId']}: {reason}"
    return "CloudFormation gives no reason"


def _validation_errors(cloudformation: CloudFormationClient, stack: str, operation: str) -> str:
    """What CloudFormation found wrong before it touched anything. It reports that apart from the other events, and
    beside that of every earlier operation, hence the filter."""
    only = {"OperationId": operation} if operation else {}
    events = cloudformation.describe_events(StackName=stack, Filters={"FailedEvents": True}, **only)["OperationEvents"]
    return "; ".join(
        f"{event['LogicalResourceId']}: {event['ValidationStatusReason']}"
        for event in events
        if event.get("EventType") == "VALIDATION_ERROR" and (not operation or event.get("OperationId") == operation)
    )


def event_ids(cloudformation: CloudFormationClient, name: str) -> set[str]:
    """The ids of all events of a stack until now."""
    return {event["EventId"] for event in new_events(cloudformation, name, set())}


def new_events(cloudformation: CloudFormationClient, name: str, known: set[str]) -> list[StackEventTypeDef]:
    """The events whose ids are not in `known`, the newest first."""
    events: list[StackEventTypeDef] = []
    for page in cloudformation.get_paginator("describe_stack_events").paginate(StackName=name):
        new = [event for event in page["StackEvents"] if event["EventId"] not in known]
        events += new
        if len(new) < len(page["StackEvents"]):
            break
    return events

"""The events of a stack: those of the operation that runs now, and the reason that it failed for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import StackEventTypeDef


def why(cloudformation: CloudFormationClient, name: str, earlier: set[str] | None = None, operation: str = "") -> str:
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

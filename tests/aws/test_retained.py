"""What a deleted queue leaves for a minute, and a failed operation's own reason."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from abacus.aws.retained import BUCKET, QUEUE, Retained, Waiting, wait_until_deleted
from abacus.aws.stack_state import failure_reason

RESOURCES = [Retained("SpillQueue", QUEUE, "abacus-prod-spill"), Retained("Bucket", BUCKET, "abacus-prod-1-eu")]


class Sqs:
    """Answers for a deleted queue for `lasts` seconds, as SQS may."""

    def __init__(self, lasts: float) -> None:
        self.lasts = lasts
        self.now = 0.0

    def client(self, service: str) -> Any:
        return self

    poll = 5.0

    def get_queue_url(self, QueueName: str) -> dict[str, str]:
        if self.now < self.lasts:
            return {"QueueUrl": QueueName}
        error = {"Error": {"Code": "AWS.SimpleQueueService.NonExistentQueue", "Message": "gone"}}
        raise ClientError(error, "GetQueueUrl")  # type: ignore[arg-type]

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def wait(self, **options: bool) -> list[Retained]:
        return wait_until_deleted(RESOURCES, self, waiting=Waiting(lambda: self.now, self.sleep), **options)  # type: ignore[arg-type]


def test_a_queue_that_still_answers_is_waited_for_and_so_is_its_name() -> None:
    sqs = Sqs(lasts=30)
    assert (sqs.wait(), sqs.now) == ([], 60)  # seconds, for which SQS blocks the name of a deleted queue
    late = Sqs(lasts=70)
    assert (late.wait(), late.now) == ([], 70)


def test_an_emulator_that_blocks_no_name_is_not_waited_for() -> None:
    sqs = Sqs(lasts=0)
    assert (sqs.wait(name_is_blocked=False), sqs.now) == ([], 0)


def test_a_queue_that_does_not_go_is_reported_after_two_minutes() -> None:
    sqs = Sqs(lasts=1000)
    assert (sqs.wait(), sqs.now) == ([RESOURCES[0]], 120)


class Events:
    """A stack that failed its validation twice: yesterday for its queue, today for its table."""

    def get_paginator(self, name: str) -> Any:
        return self

    def paginate(self, StackName: str) -> list[dict[str, Any]]:
        failed = {"EventId": "2", "StackId": "s", "LogicalResourceId": "stack", "ResourceStatus": "UPDATE_FAILED"}
        return [{"StackEvents": [failed | {"OperationId": "today", "ResourceStatusReason": "Validation failed"}]}]

    def describe_events(self, **request: Any) -> dict[str, Any]:
        events = [
            {"OperationId": "yesterday", "LogicalResourceId": "Queue", "ValidationStatusReason": "fixed since"},
            {"OperationId": "today", "LogicalResourceId": "Table", "ValidationStatusReason": "no such key"},
        ]
        return {"OperationEvents": [event | {"EventType": "VALIDATION_ERROR"} for event in events]}


def test_the_reason_of_a_failure_is_that_of_its_own_operation() -> None:
    assert failure_reason(Events(), "abacus-prod-data") == "Table: no such key"  # type: ignore[arg-type]
    assert failure_reason(Events(), "abacus-prod-data", operation="yesterday") == "Queue: fixed since"  # type: ignore[arg-type]

"""The local stand-in for Lambda's triggers: what it passes on, retries, splits and gives up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from abacus.local.emulated_stacks import LocalAws
from abacus.local.worker import Schedule, Stream, deliver, drain, passes, schedule_event
from tests.support.streaming import records_of


def record(name: str, event: str = "MODIFY", **image: Any) -> dict[str, Any]:
    return {"eventName": event, "dynamodb": {"Keys": {"visitor": {"S": name}}, "NewImage": image}}


class Trigger:
    """A handler that fails on what it is told to, and remembers every batch it saw."""

    def __init__(self, poison: str = "", failures: int = 0) -> None:
        self.poison, self.failures = poison, failures
        self.batches: list[list[str]] = []
        self.given_up: list[str] = []
        self.slept: list[float] = []

    def handle(self, event: dict[str, Any], context: Any) -> None:
        names = [r["dynamodb"]["Keys"]["visitor"]["S"] for r in event["Records"]]
        self.batches.append(names)
        if self.poison in names or len(self.batches) <= self.failures:
            raise RuntimeError("poison")

    def give_up(self, records: Sequence[dict[str, Any]], error: Exception) -> None:
        self.given_up += [r["dynamodb"]["Keys"]["visitor"]["S"] for r in records]

    def deliver(self, *names: str) -> None:
        deliver([record(n) for n in names], self.handle, self.give_up, sleep=self.slept.append, attempts=2)


def test_the_folds_own_writes_and_removals_do_not_pass() -> None:
    pending = {"pending": {"SS": ["i"]}}
    assert passes(record("a", "INSERT", **pending))
    assert passes(record("a", "MODIFY", **pending))
    assert not passes(record("a", "MODIFY", counted={"SS": ["i"]}))
    removed = record("a", "REMOVE")
    removed["dynamodb"].pop("NewImage")  # AWS sends none for a removed row
    assert not passes(removed)


def test_a_batch_that_succeeds_is_delivered_once() -> None:
    trigger = Trigger()
    trigger.deliver("a", "b")
    assert trigger.batches == [["a", "b"]]


def test_a_failure_that_passes_is_retried_whole_and_after_a_while() -> None:
    trigger = Trigger(failures=1)
    trigger.deliver("a", "b")
    assert trigger.batches == [["a", "b"], ["a", "b"]]
    assert trigger.slept == [0, 0.2]


def test_a_poison_record_is_found_by_halves_and_given_up_alone() -> None:
    trigger = Trigger(poison="c")
    trigger.deliver("a", "b", "c", "d")
    assert trigger.given_up == ["c"]
    assert [b for b in trigger.batches if "c" not in b] == [["a", "b"], ["d"]]


def test_a_schedule_says_when_it_is_due() -> None:
    assert schedule_event(1795248000)["time"] == "2026-11-21T08:00:00Z"


@pytest.mark.ministack
def test_the_stream_is_read_once_from_its_beginning(aws: LocalAws) -> None:
    table = aws.names["ParticipantsName"]
    stream = Stream(aws.streams, aws.names["ParticipantsStreamArn"])
    names = ["stream-test-a", "stream-test-b"]
    for name in names:
        key = {"visitor": {"S": name}, "experiment": {"S": "cta-color"}}
        aws.dynamodb.put_item(TableName=table, Item=key | {"pending": {"SS": ["i"]}})
    read = records_of(stream, set(names))
    assert [r["dynamodb"]["Keys"]["visitor"]["S"] for r in read] == names
    assert [r["eventSourceARN"] for r in read] == [aws.names["ParticipantsStreamArn"]] * 2
    assert [stream.read() for _ in range(3)] == [[], [], []]


@pytest.mark.ministack
def test_only_what_was_written_leaves_the_queue(aws: LocalAws) -> None:
    queue = aws.names["SpillQueueUrl"]
    for body in ("good", "bad"):
        aws.sqs.send_message(QueueUrl=queue, MessageBody=body)

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        failed = [{"itemIdentifier": r["messageId"]} for r in event["Records"] if r["body"] == "bad"]
        return {"batchItemFailures": failed}

    assert drain(aws.sqs, queue, handler) == 2
    left = aws.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["ApproximateNumberOfMessagesNotVisible"])
    assert left["Attributes"] == {"ApproximateNumberOfMessagesNotVisible": "1"}
    assert drain(aws.sqs, queue, handler) == 0


def test_a_scheduled_function_runs_when_it_is_due_and_a_failure_waits_for_the_next_time() -> None:
    events: list[dict[str, Any]] = []

    def function(event: dict[str, Any], context: Any) -> None:
        events.append(event)
        raise RuntimeError("the first call fails")

    schedule = Schedule(function, 60.0, last=100.0)
    schedule.run(159.9)
    assert events == []
    with pytest.raises(RuntimeError):
        schedule.run(160.0)
    schedule.run(219.9)
    assert [event["detail-type"] for event in events] == ["Scheduled Event"]

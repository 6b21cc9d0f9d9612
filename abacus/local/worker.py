"""AWS's triggers, as a child process: `python -m abacus.local.worker STREAM QUEUE DEAD_LETTERS`.

Polls the participants stream into `fold`, the spill queue into `write_spilled`, and runs the schedules `reconcile` and
`alert`; all by their own names and with the events that Lambda would send, so that the real decorators run. Retries,
bisects and gives up as the trigger does on AWS: the emulator stores those settings and ignores them.
"""

from __future__ import annotations

import json
import logging
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from abacus.local.emulated_stacks import ACCOUNT, REGION
from abacus.local.processes import end_with_parent, say_ready

if TYPE_CHECKING:
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient
    from mypy_boto3_sqs import SQSClient

POLL = 0.2  # seconds; takes 1-2 % of a core, and an event waits half of it on average
BATCH = 200  # records, as in the trigger
ATTEMPTS = 4  # one and three retries, as in the trigger
ALERT = 60.0  # seconds; on AWS once an hour
RECONCILE = 600.0  # seconds; on AWS once a day, but there no stream forgets its records at a restart

Handler = Callable[[dict[str, Any], Any], Any]
Record = dict[str, Any]
log = logging.getLogger("abacus.local.worker")


class Stopped(BaseException):
    """SIGTERM came; not an Exception, so that no retry catches it."""


class Stream:
    """The participants stream, oldest record first. ministack has one shard."""

    def __init__(self, client: DynamoDBStreamsClient, arn: str) -> None:
        self._client = client
        self._arn = arn
        self._iterator: str | None = None

    def read(self) -> list[Record]:
        """The next records that the trigger would pass on; empty when there is nothing new."""
        if self._iterator is None:
            (shard,) = self._client.describe_stream(StreamArn=self._arn)["StreamDescription"]["Shards"]
            self._iterator = self._client.get_shard_iterator(
                StreamArn=self._arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
        page = self._client.get_records(ShardIterator=self._iterator)
        self._iterator = page.get("NextShardIterator")
        return [record | {"eventSourceARN": self._arn} for record in page["Records"] if passes(record)]


def passes(record: Any) -> bool:
    """The trigger's filter (.chalice/package.json): something is pending. A removed row has no new image. Keeps the
    fold's own writes, which leave nothing pending, from starting it again."""
    return bool(record["dynamodb"].get("NewImage", {}).get("pending", {}).get("SS"))


def deliver(
    records: Sequence[Record],
    handler: Handler,
    give_up: Callable[[Sequence[Record], Exception], None],
    *,
    sleep: Callable[[float], None] = time.sleep,
    attempts: int = ATTEMPTS,
) -> None:
    """Call `handler` with `records`. After `attempts` failures, deliver each half of them separately. A single record
    that cannot be handled goes to `give_up`."""
    error: Exception | None = None
    for attempt in range(attempts):
        sleep(min(2**attempt, 8) / 10 if attempt else 0)
        try:
            handler({"Records": list(records)}, None)
            return
        except Exception as failed:
            log.exception("the fold failed with %d records", len(records))
            error = failed
    assert error is not None
    if len(records) == 1:
        give_up(records, error)
        return
    middle = len(records) // 2
    for half in (records[:middle], records[middle:]):
        deliver(half, handler, give_up, sleep=sleep, attempts=attempts)


def drain(client: SQSClient, queue: str, handler: Handler) -> int:
    """One batch from the queue to `handler`; what it does not report as failed is deleted. Returns the messages."""
    messages = client.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
    if not messages:
        return 0
    records = [{"messageId": m["MessageId"], "receiptHandle": m["ReceiptHandle"], "body": m["Body"]} for m in messages]
    answer = handler({"Records": records}, None) or {}
    failed = {item["itemIdentifier"] for item in answer.get("batchItemFailures", [])}
    for message in messages:
        if message["MessageId"] not in failed:
            client.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return len(messages)


def schedule_event(now: float) -> dict[str, Any]:
    """What EventBridge sends when a rule is due at `now`, epoch seconds."""
    return {
        "version": "0",
        "id": "local",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "time": datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": [],
        "detail": {},
    }


@dataclass
class Schedule:
    """A function that runs every `seconds`. `last`: when it ran, by the monotonic clock."""

    function: Handler
    seconds: float
    last: float

    def run(self, now: float) -> None:
        """Call it, if it is due at `now`."""
        if now >= self.last + self.seconds:
            self.last = now  # before the call: one that fails is not repeated at once
            self.function(schedule_event(time.time()), None)


def main(stream_arn: str, queue: str, dead_letters: str) -> None:
    """Call the triggers of the app as Lambda would: for the stream, for the queue, and once a day."""
    end_with_parent()
    signal.signal(signal.SIGTERM, _stop)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    import boto3

    import app

    sqs = boto3.client("sqs")
    stream = Stream(boto3.client("dynamodbstreams"), stream_arn)

    def give_up(records: Sequence[Record], error: Exception) -> None:
        keys = [record["dynamodb"]["Keys"] for record in records]
        sqs.send_message(QueueUrl=dead_letters, MessageBody=json.dumps({"keys": keys, "error": str(error)}))

    _survive(lambda: app.reconcile(schedule_event(time.time()), None))  # the emulator forgot the stream's records
    schedules = [Schedule(app.reconcile, RECONCILE, time.monotonic()), Schedule(app.alert, ALERT, time.monotonic())]
    say_ready()
    while True:
        for schedule in schedules:
            _survive(partial(schedule.run, time.monotonic()))
        records = _survive(stream.read) or []
        for start in range(0, len(records), BATCH):
            deliver(records[start : start + BATCH], app.fold, give_up)
        spilled = _survive(lambda: drain(sqs, queue, app.write_spilled))
        if not records and not spilled:
            time.sleep(POLL)


def _survive(step: Callable[[], Any]) -> Any:
    # A failed round is logged, and the next one tries again, as AWS's own pollers do.
    try:
        return step()
    except Exception:
        log.exception("a round failed")
        time.sleep(POLL)
        return None


def _stop(*_: object) -> None:
    raise Stopped


if __name__ == "__main__":
    try:
        main(*sys.argv[1:4])
    except Stopped:
        sys.exit(0)

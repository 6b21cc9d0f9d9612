"""Trying again: only where it can help, only while there is time."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from chalicelib.storage.retry import Patience, is_busy


def client_error(code: str, status: int = 400, *reasons: str) -> ClientError:
    response = {
        "Error": {"Code": code, "Message": code},
        "ResponseMetadata": {"HTTPStatusCode": status},
        "CancellationReasons": [{"Code": reason} for reason in reasons],
    }
    return ClientError(response, "UpdateItem")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "busy"),
    [
        (client_error("ProvisionedThroughputExceededException"), True),
        (client_error("ThrottlingException"), True),
        (client_error("TransactionConflictException"), True),
        (client_error("TransactionCanceledException", 400, "None", "TransactionConflict"), True),
        (client_error("TransactionCanceledException", 400, "None", "ConditionalCheckFailed"), False),
        (client_error("TransactionCanceledException", 400, "TransactionConflict", "ConditionalCheckFailed"), False),
        (client_error("TransactionCanceledException", 400, "ValidationError"), False),
        (client_error("SomethingNew", 503), True),
        (client_error("ConditionalCheckFailedException"), False),
        (client_error("ResourceNotFoundException"), False),
        (EndpointConnectionError(endpoint_url="https://table"), True),
        (ReadTimeoutError(endpoint_url="https://table"), True),
        (ValueError("ours"), False),
    ],
)
def test_what_is_worth_trying_again(error: Exception, busy: bool) -> None:
    assert is_busy(error) is busy


class Time:
    """A clock that moves only by sleeping."""

    def __init__(self) -> None:
        self.now = 0.0
        self.sleeps: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds


def patience(time: Time, jitter: float = 1.0) -> Patience:
    return Patience(2.0, 0.025, 0.8, clock=lambda: time.now, sleep=time.sleep, jitter=lambda: jitter)


def test_waits_double_up_to_the_longest_and_end_with_the_budget() -> None:
    time, calls = Time(), [0]

    def call() -> None:
        calls[0] += 1
        raise client_error("ThrottlingException")

    with pytest.raises(ClientError):
        patience(time)(call)
    assert time.sleeps == [0.025, 0.05, 0.1, 0.2, 0.4, 0.8]
    assert calls == [7]


def test_the_dice_spread_the_waits() -> None:
    time = Time()
    answers = iter([client_error("ThrottlingException"), client_error("ThrottlingException"), "done"])

    def call() -> str:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert patience(time, jitter=0.5)(call) == "done"
    assert time.sleeps == [0.0125, 0.025]


def test_what_waiting_cannot_mend_is_raised_at_once() -> None:
    time = Time()

    def call() -> None:
        raise client_error("ResourceNotFoundException")

    with pytest.raises(ClientError):
        patience(time)(call)
    assert time.sleeps == []


@pytest.mark.parametrize(("begin", "sleeps"), [(0.0, [0.025, 0.05, 0.1]), (0.15, [0.025]), (0.18, [])])
def test_calls_within_a_deadline_end_with_it_together(begin: float, sleeps: list[float]) -> None:
    time = Time()
    together = patience(time).within(0.1875)

    def call() -> None:
        raise client_error("ThrottlingException")

    time.now = begin
    with pytest.raises(ClientError):
        together(call)
    assert time.sleeps == sleeps
    with pytest.raises(ClientError):
        patience(time).within(0.0)(call)
    assert time.sleeps == sleeps


def test_a_deadline_far_away_does_not_lengthen_the_budget() -> None:
    time = Time()

    def call() -> None:
        raise client_error("ThrottlingException")

    with pytest.raises(ClientError):
        patience(time).within(60.0)(call)
    assert sum(time.sleeps) <= 2.0

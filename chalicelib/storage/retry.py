"""Trying again when a table is busy: full jitter, inside a time budget, and only where it can help.

botocore's own retries are switched off (see `client_config`): its tables know neither TransactionConflict nor a
cancelled transaction, and two layers of retries multiply.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ParamSpec, TypeVar

from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

P = ParamSpec("P")
T = TypeVar("T")

BUSY_CODES = {
    "InternalServerError",
    "InternalFailure",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingException",
    "Throttling",
    "RequestThrottled",
    "TransactionConflictException",
    "TransactionInProgressException",
}
# Why a transaction may be cancelled without being wrong.
BUSY_REASONS = {"TransactionConflict", "ProvisionedThroughputExceeded", "ThrottlingError", "None"}


class TableBusy(Exception):
    """The table answered, and did none of what it was asked."""


def client_config(*, read_timeout: float = 2.0) -> Config:
    """botocore settings for every client of the service. Seconds."""
    return Config(
        connect_timeout=1,
        read_timeout=read_timeout,
        retries={"total_max_attempts": 1, "mode": "standard"},
        user_agent="abacus",  # botocore's own is put together for every call, which takes a fifth of its time
    )


def is_busy(error: Exception) -> bool:
    """Whether the same call may succeed a moment later."""
    if isinstance(error, ConnectionError | HTTPClientError | TableBusy):
        return True
    if not isinstance(error, ClientError):
        return False
    code = error.response["Error"]["Code"]
    if code == "TransactionCanceledException":
        return {r.get("Code", "None") for r in error.response.get("CancellationReasons", [])} <= BUSY_REASONS
    return code in BUSY_CODES or error.response["ResponseMetadata"].get("HTTPStatusCode", 0) >= 500


@dataclass(frozen=True)
class Patience:
    """How long to try again. `budget` and waits in seconds; clock, sleep and jitter are arguments for the tests.

    deadline: a moment of `clock` after which no call is tried again, whatever is left of its budget; None: no such."""

    budget: float = 2.0
    first_wait: float = 0.025
    longest_wait: float = 0.8
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random
    deadline: float | None = None

    def within(self, seconds: float) -> Patience:
        """The same patience, but all calls together end about `seconds` from now."""
        return replace(self, deadline=self.clock() + seconds)

    def __call__(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of `call`, tried again while the table is busy and time is left; else its last error.

        Waits jitter · min(longest, first · 2ⁿ): "full jitter", so that those who collided do not meet again.
        Source: Brooker, Exponential Backoff And Jitter, AWS Architecture Blog 2015."""
        deadline = self.clock() + self.budget
        if self.deadline is not None:
            deadline = min(deadline, self.deadline)
        wait = self.first_wait
        while True:
            try:
                return call(*args, **kwargs)
            except Exception as error:
                pause = self.jitter() * min(wait, self.longest_wait)
                if not is_busy(error) or self.clock() + pause > deadline:
                    raise
            self.sleep(pause)
            wait *= 2

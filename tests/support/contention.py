"""Folds side by side, with the conflicts that DynamoDB would report: the emulator takes one transaction at a time and
never reports any.

Of two transactions that touch one item at the same time, DynamoDB cancels one. So here, at the wire: a transaction
holds its items of the tallies from when it is sent until it is answered, and another that wants one of them meanwhile
is answered with a conflict instead of being sent.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Condition, Lock, local
from typing import Any

from botocore.awsrequest import AWSResponse

from abacus.local.emulated_stacks import LocalAws
from chalicelib.counting.fold import Fold
from chalicelib.runtime.service import version
from chalicelib.storage.dynamodb import DynamoStore
from chalicelib.storage.retry import Patience
from chalicelib.storage.store import RowKey, RowLimit
from tests.support.builders import NOON
from tests.support.faults import cancelled

ROWS = 5  # a call of the fold, and so a transaction
PATIENCE = 120.0  # seconds in which a transaction has to get through; on an idle machine it takes one


class Meeting:
    """Where threads wait for each other, as at a barrier, but one that a thread may leave for good."""

    def __init__(self, members: int) -> None:
        self._members = members
        self._waiting = 0
        self._round = 0
        self._changed = Condition()

    def wait(self) -> None:
        """Return when every member waits, or has left."""
        with self._changed:
            current = self._round
            self._waiting += 1
            self._open_if_complete()
            assert self._changed.wait_for(lambda: self._round != current, timeout=300), "a member never came"

    def leave(self) -> None:
        """The others wait for this thread no longer."""
        with self._changed:
            self._members -= 1
            self._open_if_complete()

    def _open_if_complete(self) -> None:
        if self._waiting >= self._members:
            self._waiting = 0
            self._round += 1
            self._changed.notify_all()


@dataclass
class Contention:
    """What was tried and what came of it. `meet`: where all folders wait for each other with every new transaction, so
    that who collides does not depend on who is fast; retries come when they come."""

    tallies: str
    meet: Meeting | None = None
    attempts: int = 0
    commits: int = 0
    at_once: int = 0  # of the commits, those by the first attempt
    held: set[tuple[str, str]] = field(default_factory=set)
    lock: Lock = field(default_factory=Lock)
    mine: local = field(default_factory=local)

    def sent(self, request: Any, **_: Any) -> AWSResponse | None:
        updates = [item["Update"] for item in json.loads(request.body)["TransactItems"]]
        keys = [u["Key"] for u in updates if u["TableName"] == self.tallies]
        wanted = {(key["experiment"]["S"], key["cell"]["S"]) for key in keys}
        first = not vars(self.mine).get("tried")
        self.mine.tried = True
        if first:
            self._wait()  # for all others to want something too
        with self.lock:
            self.attempts += 1
            free = not wanted & self.held
            if free:
                self.at_once += first
                self.held |= wanted
                self.mine.items = wanted
        if first:
            self._wait()  # and no transaction ends before all have tried
        return None if free else cancelled("TransactionConflict")

    def answered(self, http_response: Any, **_: Any) -> None:
        with self.lock:
            self.held -= vars(self.mine).pop("items", set())
            if http_response.status_code == 200:
                self.commits += 1
                self.mine.tried = False

    def _wait(self) -> None:
        if self.meet:
            self.meet.wait()


@contextmanager
def contended(client: Any, contention: Contention) -> Iterator[None]:
    hooks = (("before-send", contention.sent), ("after-call", contention.answered))
    for name, hook in hooks:
        client.meta.events.register(f"{name}.dynamodb.TransactWriteItems", hook)
    try:
        yield
    finally:
        for name, hook in hooks:
            client.meta.events.unregister(f"{name}.dynamodb.TransactWriteItems", hook)


def fold_side_by_side(
    aws: LocalAws, experiment: str, *, spread: int, folders: int, each: int, meet: bool
) -> Contention:
    """So many folders at once, each with rows of its own, all of one experiment: `each` calls of the fold."""
    store = DynamoStore(
        aws.dynamodb, aws.names["ParticipantsName"], aws.names["TalliesName"], patience=Patience(PATIENCE)
    )
    calls = [
        [[RowKey(f"v{folder}-{call}-{row}", experiment) for row in range(ROWS)] for call in range(each)]
        for folder in range(folders)
    ]
    for key in (key for folder in calls for keys in folder for key in keys):
        store.add(key, [f"i|green|0|{NOON}|e"], 1, version=version(), expires_at=0, limit=RowLimit(200, 200))

    contention = Contention(aws.names["TalliesName"], Meeting(folders) if meet else None)
    failures: list[Exception] = []

    def take(folder: int) -> None:
        fold = Fold(store, spread, random.Random(folder).randrange, version, Patience(PATIENCE))
        try:
            for keys in calls[folder]:
                contention.mine.tried = False
                fold(keys, now_ms=NOON)
        except Exception as error:
            failures.append(error)
        finally:
            if contention.meet:
                contention.meet.leave()  # the others may have transactions left, each with a meeting of its own

    with contended(aws.dynamodb, contention), ThreadPoolExecutor(folders) as pool:
        list(pool.map(take, range(folders)))
    for error in failures:
        raise error
    return contention

"""Folding on the emulator: events a second, calls and capacity an event, beside a counter bumped once an event.

The emulator is a process of its own and slower than DynamoDB, so events a second are its speed more than ours; CPU is
ours alone. Capacity is what the answers say, but for BatchGetItem, where the emulator says nothing: there it is
computed from the items' sizes (abacus/operations/metering.py).
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable
from itertools import count
from pathlib import Path
from statistics import median

from abacus.local.emulated_stacks import LocalAws, data_stack, emulator
from abacus.operations.capacity import EVENT_ID, VISITOR
from abacus.operations.metering import Use, metered
from bench.support.rounds import Taken, timed
from chalicelib.counting.fold import Fold
from chalicelib.runtime.service import version
from chalicelib.storage.dynamodb import DynamoStore
from chalicelib.storage.retry import Patience
from chalicelib.storage.store import RowKey, RowLimit

ROWS = 200  # as many records as the trigger hands over at most
KINDS = ("i", "c", "g:signup")  # the events of each row
ROUNDS = 3
NOON = 1_795_262_400_000  # 2026-11-21T12:00:00Z, epoch milliseconds
numbers = count()


SEGMENTS = ("device=mobile", "country=US", "visitor=new"), ("device=desktop", "country=GB", "visitor=returning")


def written(store: DynamoStore, experiments: int, segments: bool) -> list[RowKey]:
    """ROWS rows with an event of each kind each, written and not counted yet. `segments`: three of each impression."""
    keys = []
    for number in range(ROWS):
        key = RowKey(f"{next(numbers):0{VISITOR}d}", f"experiment-{number % experiments}")
        variant = ("blue", "green")[number % 2]
        elements = [f"{kind}|{variant}|0|{NOON}|{next(numbers):0{EVENT_ID}d}" for kind in KINDS]
        if segments:
            elements[0] += f"|||{','.join(SEGMENTS[number // 2 % 2])}"
        store.add(key, elements, len(elements), version=version(), expires_at=0, limit=RowLimit(200, 200))
        keys.append(key)
    return keys


def folding(aws: LocalAws, batch: int, experiments: int, *, segments: bool = False) -> tuple[Taken, Use]:
    """What it takes to fold ROWS rows, `batch` of them at once."""
    store = DynamoStore(aws.dynamodb, aws.names["ParticipantsName"], aws.names["TalliesName"])
    fold = Fold(store, 2, random.randrange, version, Patience())
    keys = written(store, experiments, segments)
    with metered(aws.dynamodb) as use:

        def work() -> None:
            for start in range(0, ROWS, batch):
                fold(keys[start : start + batch], now_ms=NOON)

        return timed(work), use


def bumping(aws: LocalAws) -> tuple[Taken, Use]:
    """The peer: a counter for each kind and variant, bumped in the request. Retries and visitors count twice."""
    with metered(aws.dynamodb) as use:

        def work() -> None:
            for number in range(ROWS * len(KINDS)):
                aws.dynamodb.update_item(
                    TableName=aws.names["TalliesName"],
                    Key={"experiment": {"S": "peer"}, "cell": {"S": ("blue", "green")[number % 2]}},
                    UpdateExpression="ADD impressions :one",
                    ExpressionAttributeValues={":one": {"N": "1"}},
                )

        return timed(work), use


def main() -> None:
    with tempfile.TemporaryDirectory() as home, emulator(Path(home), persist=False) as (_, endpoint):
        aws = data_stack(endpoint)
        works: dict[str, Callable[[], tuple[Taken, Use]]] = {
            "peer: a counter bumped an event": lambda: bumping(aws),
            "fold, 1 row at once": lambda: folding(aws, 1, 1),
            "fold, 25 rows at once": lambda: folding(aws, 25, 1),
            "fold, 1 row, three segments": lambda: folding(aws, 1, 1, segments=True),
            "fold, 25 rows, three segments": lambda: folding(aws, 25, 1, segments=True),
            "fold, 200 rows at once": lambda: folding(aws, 200, 1),
            "fold, 200 rows of 10 experiments": lambda: folding(aws, 200, 10),
        }
        rounds = [{name: work() for name, work in works.items()} for _ in range(ROUNDS)]
    total = ROWS * len(KINDS)
    heading = f"{ROWS} rows of {len(KINDS)} events; an event:"
    print(f"{heading:33}{'events/s':>16}{'CPU ms':>9}{'calls':>8}{'WRU':>7}{'RRU':>7}")
    for name in works:
        taken = [round_[name][0] for round_ in rounds]
        use = rounds[-1][name][1].shared(total)
        wall, cpu = median(t.wall for t in taken), median(t.cpu for t in taken)
        print(
            f"{name:33}{total / wall:16,.0f}{cpu / total * 1000:9.2f}{use.calls:8.2f}{use.written:7.2f}{use.read:7.2f}"
        )

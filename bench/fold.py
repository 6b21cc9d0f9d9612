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
from abacus.operations.capacity import EVENT_ID, VISITOR, an_experiment
from abacus.operations.metering import Use, metered
from abacus.operations.tally_size import SPREAD, full_tally
from bench.support.rounds import Taken, timed
from chalicelib.counting.fold import Fold
from chalicelib.domain.clock import utc_day
from chalicelib.runtime.service import version
from chalicelib.storage.dynamodb import DynamoStore
from chalicelib.storage.event_encoding import Amount
from chalicelib.storage.retry import Patience
from chalicelib.storage.store import Booking, RowKey, RowLimit, cell_name, partition
from chalicelib.storage.tally import Cell

ROWS = 200  # as many records as the trigger hands over at most
KINDS = ("i", "c", "g:signup")  # the events of each row
ROUNDS = 3
NOON = 1_795_262_400_000  # 2026-11-21T12:00:00Z, epoch milliseconds
numbers = count()


SHOP, VARIANTS = "shop", ("blue", "green")  # SHOP: the experiment with values
SEGMENTS = ("device=mobile", "country=US", "visitor=new"), ("device=desktop", "country=GB", "visitor=returning")


def written(store: DynamoStore, experiments: int, segments: bool, values: bool) -> list[RowKey]:
    """ROWS rows with an event of each kind each, written and not counted yet. `segments`: three of each impression.
    `values`: of the goal."""
    keys = []
    kinds = ("i", "c", "g:purchase") if values else KINDS
    for number in range(ROWS):
        key = RowKey(f"{next(numbers):0{VISITOR}d}", SHOP if values else f"experiment-{number % experiments}")
        variant = VARIANTS[number % 2]
        elements = [f"{kind}|{variant}|0|{NOON}|{next(numbers):0{EVENT_ID}d}" for kind in kinds]
        if values:
            elements[-1] += f"||{Amount(4990, 50_000).text()}"
        if segments:
            elements[0] += f"|||{','.join(SEGMENTS[number // 2 % 2])}"
        store.add(key, elements, len(elements), version=version(), expires_at=0, limit=RowLimit(200, 200))
        keys.append(key)
    return keys


def filled(store: DynamoStore, values: int) -> None:
    """Make the tallies those of an experiment with so many goals with values, a million visitors after its start."""
    if not values:
        return
    tally = full_tally(an_experiment(SHOP, values=values)).numbers()
    cells = [Cell("total", "", 0, variant) for variant in VARIANTS]
    cells += [Cell("day", utc_day(NOON).isoformat(), 0, variant) for variant in VARIANTS]
    cells += [Cell("segment", marker, 0, variant) for markers in SEGMENTS for marker in markers for variant in VARIANTS]
    store.book([Booking(partition(SHOP, c), cell_name(c, 0, n), tally) for c in cells for n in range(SPREAD)])


def folding(
    aws: LocalAws, batch: int, experiments: int, *, segments: bool = False, values: int = 0
) -> tuple[Taken, Use]:
    """What it takes to fold ROWS rows, `batch` of them at once, in an experiment with so many goals with values."""
    store = DynamoStore(aws.dynamodb, aws.names["ParticipantsName"], aws.names["TalliesName"])
    fold = Fold(store, SPREAD, random.randrange, version, Patience())
    keys = written(store, experiments, segments, values > 0)
    filled(store, values)
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
            "fold, 1 row, three values": lambda: folding(aws, 1, 1, values=3),
            "fold, 25 rows, three values": lambda: folding(aws, 25, 1, values=3),
            "fold, 1 row, both": lambda: folding(aws, 1, 1, segments=True, values=3),
            "fold, 25 rows, both": lambda: folding(aws, 25, 1, segments=True, values=3),
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

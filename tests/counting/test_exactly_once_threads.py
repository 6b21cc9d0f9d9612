"""The same promise as test_exactly_once.py, on real threads against the emulator's DynamoDB and its stream.

Senders post the same batches more than once, in their own order; folders take the stream's records with some lost,
some repeated, all shuffled; transactions are made to conflict, and processes to die after a commit.
"""

from __future__ import annotations

import contextlib
import random
import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from abacus.local.emulated_stacks import LocalAws
from abacus.operations.rows.audit import audit
from chalicelib.counting.fold import Fold
from chalicelib.counting.reconcile import reconcile_rows
from chalicelib.domain.event import Event
from chalicelib.ingestion.pipeline import Ingest
from chalicelib.ingestion.request import Batch, ParsedRequest
from chalicelib.ingestion.sender import Sender
from chalicelib.runtime.service import version
from chalicelib.storage.dynamodb import DynamoStore
from chalicelib.storage.event_encoding import decode
from chalicelib.storage.retry import Patience
from chalicelib.storage.store import FIRST, LAST, RowKey, tallies_in
from tests.counting.test_exactly_once import MANIFEST, NOW, FixedCatalog, cents_of, fields_of, recount_of
from tests.support import faults
from tests.support.builders import HOUR, NOON
from tests.support.recount import Sent, merge

VISITORS = 60
BATCHES = 240
SENDERS = 4
FOLDERS = 3


class Died(Exception):
    """The folder's process is gone: before its transaction, or after it and before it knew."""


def a_batch(rng: random.Random) -> tuple[Batch, bool]:
    events = []
    for _ in range(rng.randint(1, 4)):
        experiment = rng.choice(["hashed", "client"])
        kind = rng.choice(["impression", "impression", "click", "goal"])
        phase = rng.randint(0, 1) if experiment == "hashed" and rng.random() < 0.1 else 0
        variant = ("blue", "green")[phase] if experiment == "hashed" else rng.choice(["blue", "green"])
        goal = rng.choice(["signup", "buy"] if experiment == "hashed" else ["signup"]) if kind == "goal" else None
        events.append(
            Event(
                id=f"e{rng.randrange(400)}",
                type=kind,  # type: ignore[arg-type]
                goal=goal,
                value=Decimal(rng.choice(["9.99", "12.5", "-4", "99"])) if goal == "buy" else None,
                experiment=experiment,
                variant=variant,
                phase=phase,
                at=NOON + rng.randrange(20) * HOUR // 2,
            )
        )
    return Batch(visitor=f"v{rng.randrange(VISITORS)}", events=tuple(events)), rng.random() < 0.05


@pytest.mark.ministack
def test_many_senders_and_folders_at_once_count_everything_once(aws: LocalAws) -> None:
    store = DynamoStore(
        aws.dynamodb, aws.names["ParticipantsName"], aws.names["TalliesName"], patience=Patience(budget=120.0)
    )
    fold = Fold(store, 2, random.randrange, version, Patience(budget=120.0))
    ingest = Ingest(store, FixedCatalog(), None, 90, version, lambda *_: None)
    rng = random.Random(20)
    batches = [a_batch(rng) for _ in range(BATCHES)]
    dirty: list[RowKey] = []
    all_sent = threading.Event()
    sent_received: dict[RowKey, int] = defaultdict(int)
    lock = threading.Lock()

    def conflicts() -> object:
        return faults.cancelled("TransactionConflict", "None") if random.random() < 0.2 else None

    def die(**_: object) -> None:
        if random.random() < 0.1:
            deaths.append(1)
            raise Died

    deaths: list[int] = []
    moments = ("before-call.dynamodb.TransactWriteItems", "after-call.dynamodb.TransactWriteItems")

    def send(seed: int) -> None:
        own = random.Random(seed)
        for batch, bot in own.sample(batches, len(batches)):
            for _ in range(own.choice([1, 1, 2])):
                answer = ingest.receive(
                    ParsedRequest(batch, tuple(range(len(batch.events)))), now_ms=NOW, sender=Sender(bot=bot)
                )
                assert answer.accepted + answer.repeated == len(batch.events)
                with lock:
                    for event in batch.events:
                        sent_received[RowKey(batch.visitor, event.experiment)] += 1
                        dirty.append(RowKey(batch.visitor, event.experiment))

    def take(seed: int) -> None:
        own = random.Random(seed)
        while not all_sent.is_set():
            with lock:
                records = own.choices(dirty, k=40) if dirty else []
            with contextlib.suppress(Died):
                fold(records, now_ms=NOW)

    stop = faults.inject(aws.dynamodb, "TransactWriteItems", conflicts)  # type: ignore[arg-type]
    for moment in moments:
        aws.dynamodb.meta.events.register(moment, die)
    try:
        with ThreadPoolExecutor(SENDERS + FOLDERS) as pool:
            folders = [pool.submit(take, seed) for seed in range(FOLDERS)]
            try:
                for sender in [pool.submit(send, seed) for seed in range(SENDERS)]:
                    sender.result()
            finally:
                all_sent.set()  # also when a sender failed: else the folders, and so the pool, never end
            for folder in folders:
                folder.result()
    finally:
        stop()
        for moment in moments:
            aws.dynamodb.meta.events.unregister(moment, die)
    assert deaths
    reconcile_rows(store, fold, now_ms=NOW)

    sent: dict[RowKey, list[Sent]] = defaultdict(list)
    for batch, bot in batches:
        for e in batch.events:
            assert e.phase is not None
            key = RowKey(batch.visitor, e.experiment)
            sent[key].append(Sent(*key, *fields_of(e), bot, e.at < NOW - HOUR, cents_of(e)))
    for experiment in ("hashed", "client"):
        cells = store.cells(experiment, first=FIRST, last=LAST, strong=True)
        found = {tuple(cell): tally.numbers() for cell, tally in tallies_in(cells, 0).items() if tally.numbers()}
        counts_sent = [
            recount_of(experiment, sent[key], sent_received[key]) for key in sent if key.experiment == experiment
        ]
        assert found == merge(counts_sent)
    assert audit(store, [e.key for e in MANIFEST.experiments], sleep=lambda _: None).problems == []
    assert any(decode(element).bot for row in store.scan() for element in row.counted)

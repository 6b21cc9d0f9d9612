"""One request's events into the rows; and what happens when the table says no."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import boto3
import pytest
from botocore.exceptions import ClientError

from chalicelib.domain.errors import Busy
from chalicelib.domain.event import Event
from chalicelib.domain.manifest import Manifest
from chalicelib.ingestion.pipeline import EventsResponse, Ingest, Spill, sqs_spill
from chalicelib.ingestion.request import Batch, ParsedRequest
from chalicelib.storage.dynamodb import DynamoStore
from chalicelib.storage.retry import Patience, client_config
from chalicelib.storage.store import RowKey, Store
from tests.support import faults
from tests.support.builders import DAY, NOON, a_manifest, a_visitor, an_event, an_experiment
from tests.support.memory_store import MemoryStore

GREEN = a_visitor("green")
KEY = RowKey(GREEN, "cta-color")


@dataclass
class Desk:
    """Ingest with everything around it in memory."""

    store: Store = field(default_factory=MemoryStore)
    manifest: Manifest = field(default_factory=a_manifest)
    spill: Spill | None = None
    notes: Counter[tuple[str, str]] = field(default_factory=Counter)

    def current(self, now: int) -> Manifest:
        return self.manifest

    refresh = current

    @property
    def ingest(self) -> Ingest:
        def note(experiment: str, outcome: str) -> None:
            self.notes[experiment, outcome] += 1

        return Ingest(self.store, self, self.spill, 90, lambda: "v", note)

    def send(self, *events: Event, bot: bool = False, visitor: str = GREEN) -> EventsResponse:
        batch = Batch(visitor=visitor, events=events)
        return self.ingest.receive(ParsedRequest(batch, tuple(range(len(events)))), now_ms=NOON, bot=bot)


def answer(accepted: int = 0, repeated: int = 0, queued: int = 0) -> EventsResponse:
    return EventsResponse(accepted=accepted, repeated=repeated, queued=queued, refused=())


def impressions(n: int, start: int = 0) -> list[Event]:
    return [an_event(id=f"i{i}", at=NOON + i) for i in range(start, start + n)]


def test_the_same_request_again_is_repeated() -> None:
    desk = Desk()
    events = [an_event(), an_event(id="c1", type="click")]
    assert desk.send(*events) == answer(accepted=2)
    assert desk.send(*events) == answer(repeated=2)


def test_one_id_twice_in_a_request_is_one_event() -> None:
    assert Desk().send(an_event(), an_event()) == answer(accepted=1, repeated=1)


def test_an_id_with_other_contents_is_the_same_event() -> None:
    desk = Desk()
    desk.send(an_event())
    assert desk.send(an_event(at=NOON + 1)) == answer(repeated=1)


def test_a_refused_event_writes_nothing_and_is_noted() -> None:
    desk = Desk()
    said = desk.send(an_event(experiment="hreo"), an_event(variant="blue"))
    assert [(r.index, r.outcome) for r in said.refused] == [(0, "unknown-experiment"), (1, "wrong-variant")]
    assert said.refused[0].message == "No experiment 'hreo'; the manifest has cta-color."
    assert desk.store.rows_of(GREEN) == []
    assert desk.notes == {("?", "unknown-experiment"): 1, ("cta-color", "wrong-variant"): 1}


def test_a_row_is_written_once_a_request_and_lives_to_the_end_of_a_day() -> None:
    desk = Desk()
    store = desk.store
    assert isinstance(store, MemoryStore)
    calls: list[int] = []
    add = store.add

    def counting(*args: object, **kwargs: int) -> object:
        calls.append(kwargs["expires_at"])
        return add(*args, **kwargs)  # type: ignore[arg-type]

    store.add = counting  # type: ignore[method-assign, assignment]
    desk.send(*impressions(10))
    assert calls == [(NOON // 86_400_000 + 91) * 86_400]


def test_a_full_row_takes_no_more_impressions_but_still_a_purchase() -> None:
    desk = Desk(manifest=a_manifest(an_experiment(goals=("purchase",))))
    for start in range(0, 200, 100):
        desk.send(*impressions(100, start))
    goal = an_event(id="g1", type="goal", goal="purchase")
    said = desk.send(*impressions(2, 199), goal)
    assert (said.accepted, said.repeated, [r.outcome for r in said.refused]) == (1, 1, ["capped"])
    assert said.refused[0].index == 1
    assert desk.notes == {("cta-color", "capped"): 1}


def test_a_row_full_of_clicks_takes_nothing() -> None:
    desk = Desk()
    desk.send(an_event())
    for start in range(0, 400, 100):
        desk.send(*[an_event(id=f"c{i}", type="click", at=NOON + i) for i in range(start, start + 100)])
    said = desk.send(an_event(id="i2"), an_event(id="c9999", type="click"), an_event())
    assert ([r.outcome for r in said.refused], said.repeated) == (["capped", "capped"], 1)


def test_a_bots_events_are_accepted_and_marked() -> None:
    desk = Desk()
    assert desk.send(an_event(), bot=True) == answer(accepted=1)
    (row,) = desk.store.rows_of(GREEN)
    assert row.pending == {f"i|green|0|{NOON}|e1|b"}


# ---------------------------------------------------------------- the table says no


def a_failing_desk(fault: faults.Fault, spill: Spill | None = None) -> Desk:
    client = boto3.client(
        "dynamodb", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x", config=client_config()
    )
    faults.inject(client, "UpdateItem", fault)
    waits = iter(range(10_000))
    patience = Patience(1.0, clock=lambda: next(waits) / 10, sleep=lambda _: None)
    return Desk(DynamoStore(client, "participants", "tallies", patience=patience), spill=spill)


def one_of(*responses: object) -> faults.Fault:
    iterator = iter(responses)
    return lambda: next(iterator)  # type: ignore[return-value]


@pytest.mark.parametrize("busy", [faults.THROTTLED, faults.CONFLICT, faults.BROKEN, faults.answer(503)])
def test_a_busy_table_is_asked_again(busy: object) -> None:
    assert a_failing_desk(one_of(busy, busy, faults.answer(200))).send(an_event()) == answer(accepted=1)


def test_a_request_of_many_slow_rows_is_queued_before_its_time_is_over() -> None:
    kept: list[str] = []
    time = iter(range(100))
    keys = [f"e{n}" for n in range(40)]
    desk = Desk(manifest=a_manifest(*(an_experiment(key, seed="cta-color") for key in keys)), spill=kept.append)
    slow = replace(desk.ingest, clock=lambda: float(next(time)))  # a second a row
    events = tuple(an_event(experiment=key) for key in keys)
    said = slow.receive(ParsedRequest(Batch(visitor=GREEN, events=events), tuple(range(40))), now_ms=NOON)
    assert (said.accepted, said.queued, len(kept)) == (3, 37, 37)


def test_a_message_older_than_its_row_is_not_a_new_visitor() -> None:
    kept: list[str] = []
    a_failing_desk(lambda: faults.THROTTLED, kept.append).send(an_event())
    later = Desk()
    later.ingest.write_spilled(kept[0], now_ms=NOON + 90 * DAY)
    assert later.store.rows_of(GREEN) == []


def test_a_full_row_lives_on_with_its_visitor() -> None:
    desk = Desk()
    for start in range(0, 200, 100):
        desk.send(*impressions(100, start))
    batch = Batch(visitor=GREEN, events=(an_event(id="another"),))
    assert desk.ingest.receive(ParsedRequest(batch, (0,)), now_ms=NOON + 5 * DAY).refused[0].outcome == "capped"
    (row,) = desk.store.rows_of(GREEN)
    assert row.expires_at == (NOON // DAY + 96) * 86_400


@pytest.mark.parametrize("fault", [lambda: faults.THROTTLED, faults.unreachable])
def test_events_for_a_table_that_stays_busy_are_queued(fault: faults.Fault) -> None:
    kept: list[str] = []
    two = an_experiment("two", seed="cta-color")
    desk = a_failing_desk(fault, kept.append)
    desk.manifest = a_manifest(an_experiment(), two)
    assert desk.send(an_event(), an_event(experiment="two")) == answer(queued=2)
    assert [json.loads(body) for body in kept] == [
        {"visitor": GREEN, "experiment": key, "elements": [f"i|green|0|{NOON}|e1"], "received": NOON}
        for key in ("cta-color", "two")
    ]


def test_what_was_queued_is_written_from_there_and_a_second_time_changes_nothing() -> None:
    kept: list[str] = []
    a_failing_desk(lambda: faults.THROTTLED, kept.append).send(an_event(), an_event(id="e2"))
    later = Desk()
    for _ in range(2):
        later.ingest.write_spilled(kept[0], now_ms=NOON)
    (row,) = later.store.rows_of(GREEN)
    assert (row.pending, row.received) == ({f"i|green|0|{NOON}|e1", f"i|green|0|{NOON}|e2"}, 4)


def a_queue(fault: faults.Fault) -> Spill | None:
    client = boto3.client(
        "sqs", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x", config=client_config()
    )
    faults.inject(client, "SendMessage", fault)
    return sqs_spill(client, "https://queue")


def refuse() -> None:
    return None


@pytest.mark.parametrize("spill", [refuse, lambda: a_queue(lambda: faults.BROKEN), lambda: a_queue(faults.unreachable)])
def test_when_the_queue_refuses_too_the_sender_is_told_to_come_back(spill: Callable[[], Spill | None]) -> None:
    with pytest.raises(Busy) as busy:
        a_failing_desk(lambda: faults.THROTTLED, spill()).send(an_event())
    assert (busy.value.status, busy.value.retry_after) == (503, 5)


def test_an_error_that_waiting_cannot_mend_is_not_hidden() -> None:
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        a_failing_desk(lambda: faults.error("ResourceNotFoundException")).send(an_event())

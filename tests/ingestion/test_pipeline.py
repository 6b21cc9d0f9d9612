"""One request's events into the rows; and what happens when the table says no."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError

from chalicelib.counting.fold import Fold
from chalicelib.domain.errors import Busy, InvalidInput, TooManyRequests
from chalicelib.domain.event import Event
from chalicelib.domain.manifest import Manifest, Period, Phase, Segment
from chalicelib.ingestion.network_limit import NetworkLimit
from chalicelib.ingestion.pipeline import Ingest
from chalicelib.ingestion.request import Batch, EventsResponse, ParsedRequest, each, parse, sum_responses
from chalicelib.ingestion.rows.spill import Spill, sqs_spill
from chalicelib.ingestion.sender import Sender
from chalicelib.storage.dynamodb import DynamoStore
from chalicelib.storage.refusals import RefusalNote
from chalicelib.storage.retry import Patience, client_config
from chalicelib.storage.store import RowKey, RowLimit, Store
from tests.support import faults
from tests.support.builders import DAY, HOUR, NOON, a_manifest, a_visitor, an_event, an_experiment
from tests.support.memory_store import MemoryStore

GREEN = a_visitor("green")
KEY = RowKey(GREEN, "cta-color")


@dataclass
class Desk:
    """Ingest with everything around it in memory."""

    store: Store = field(default_factory=MemoryStore)
    manifest: Manifest = field(default_factory=a_manifest)
    spill: Spill | None = None
    notes: list[RefusalNote] = field(default_factory=list)

    def current(self, now: int) -> Manifest:
        return self.manifest

    refresh = current

    @property
    def ingest(self) -> Ingest:
        return Ingest(self.store, self, self.spill, 90, lambda: "v", lambda notes, now_ms: self.notes.extend(notes))

    def fold(self) -> None:
        versions = iter(range(10**6))
        Fold(self.store, 1, lambda n: 0, lambda: f"f{next(versions)}", Patience())([KEY], now_ms=NOON)

    def send(self, *events: Event, bot: bool = False, visitor: str = GREEN) -> EventsResponse:
        batch = Batch(visitor=visitor, events=events)
        return self.ingest.receive(ParsedRequest(batch, tuple(range(len(events)))), now_ms=NOON, sender=Sender(bot=bot))


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
    assert desk.notes == [
        RefusalNote("?", "unknown-experiment", said.refused[0].message, ""),
        RefusalNote("cta-color", "wrong-variant", said.refused[1].message, ""),
    ]


def test_a_refusal_is_noted_with_the_segments_of_its_sender() -> None:
    plan = Segment(name="plan", values=("pro",), attribute=True)
    desk = Desk(manifest=a_manifest(an_experiment(segments=(plan,))))
    desk.send(an_event(variant="blue", segments={"plan": "pro"}), an_event(experiment="hreo", segments={"plan": "pro"}))
    assert [note.segments for note in desk.notes] == [("plan=pro",), ()]


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


def fill(desk: Desk, impressions_: int, clicks: int = 0) -> None:
    """Send that many events and fold them, in batches that a row takes."""
    events = impressions(impressions_) + [an_event(id=f"c{i}", type="click", at=NOON + i) for i in range(clicks)]
    for start in range(0, len(events), 50):
        desk.send(*events[start : start + 50])
        desk.fold()


def test_a_full_row_takes_no_more_impressions_but_still_a_purchase() -> None:
    desk = Desk(manifest=a_manifest(an_experiment(goals=("purchase",))))
    fill(desk, 95)
    goal = an_event(id="g1", type="goal", goal="purchase")
    response = desk.send(*impressions(2, 94), goal)
    assert (response.accepted, response.repeated, [r.outcome for r in response.refused]) == (1, 1, ["capped"])
    assert response.refused[0].index == 1
    assert [note[:2] for note in desk.notes] == [("cta-color", "capped")]


def test_a_row_full_of_clicks_takes_nothing() -> None:
    desk = Desk()
    fill(desk, 1, clicks=200)
    response = desk.send(an_event(id="i2"), an_event(id="c9999", type="click"), an_event(id="i0"))
    assert ([r.outcome for r in response.refused], response.repeated) == (["capped", "capped"], 1)


def test_a_row_that_waits_for_the_fold_queues_what_it_has_no_room_for() -> None:
    messages: list[str] = []
    desk = Desk(spill=messages.append)
    assert desk.send(*impressions(100)) == answer(accepted=100)
    assert desk.send(*impressions(2, 99)) == answer(repeated=1, queued=1)
    with pytest.raises(Busy):  # the message stays in the queue
        desk.ingest.write_spilled(messages[0], now_ms=NOON)
    desk.fold()
    desk.ingest.write_spilled(messages[0], now_ms=NOON)
    assert [note[:2] for note in desk.notes] == [("cta-color", "capped")]


def test_a_known_full_row_is_answered_without_another_write() -> None:
    desk = Desk()
    fill(desk, 1, clicks=200)
    ingest = desk.ingest

    def send(*events: Event) -> EventsResponse:
        request = ParsedRequest(Batch(visitor=GREEN, events=events), tuple(range(len(events))))
        return ingest.receive(request, now_ms=NOON)

    assert send(an_event(id="another")).refused[0].outcome == "capped"
    store = desk.store
    assert isinstance(store, MemoryStore)
    store.fault = pytest.fail  # type: ignore[assignment]
    response = send(an_event(id="c3", type="click"), an_event(id="more", type="click"))
    assert (response.repeated, [r.outcome for r in response.refused]) == (1, ["capped"])


def test_a_throttled_row_is_queued_without_another_write_and_then_told_to_wait() -> None:
    messages: list[str] = []
    writes = []

    def throttled() -> AWSResponse:
        writes.append(1)
        return faults.THROTTLED

    ingest = a_failing_desk(throttled, messages.append).ingest
    request = ParsedRequest(Batch(visitor=GREEN, events=(an_event(),)), (0,))
    assert ingest.receive(request, now_ms=NOON) == answer(queued=1)
    tried = len(writes)
    for _ in range(5):
        assert ingest.receive(request, now_ms=NOON) == answer(queued=1)
    with pytest.raises(Busy, match="busy"):
        ingest.receive(request, now_ms=NOON)
    assert (len(writes), len(messages)) == (tried, 6)


def test_a_request_of_too_many_experiments_writes_the_first_twenty_five() -> None:
    keys = [f"e{n}" for n in range(27)]
    desk = Desk(manifest=a_manifest(*(an_experiment(key, seed="cta-color") for key in keys)))
    response = desk.send(*(an_event(experiment=key) for key in keys))
    assert response.accepted == 25
    assert [(r.index, r.outcome) for r in response.refused] == [
        (25, "too-many-experiments"),
        (26, "too-many-experiments"),
    ]


def test_a_request_for_large_rows_writes_as_much_as_one_full_row_and_queues_the_rest() -> None:
    messages: list[str] = []
    keys = [f"e{n}" for n in range(6)]
    desk = Desk(manifest=a_manifest(*(an_experiment(key, seed="cta-color") for key in keys)), spill=messages.append)
    for key in keys:  # 100 elements of 27 or 28 bytes: five such rows are 14 KB, four are 11
        desk.send(*(an_event(experiment=key, id=f"i{n}") for n in range(100)))
    assert desk.send(*(an_event(experiment=key, id="i0") for key in keys)) == answer(repeated=5, queued=1)
    assert [row["experiment"] for row in json.loads(messages[0])["rows"]] == ["e5"]
    nowhere_to_wait = replace(desk, spill=None)
    assert nowhere_to_wait.send(*(an_event(experiment=key, id="i0") for key in keys)) == answer(repeated=6)


def test_the_journal_gets_what_was_taken_before_the_answer_and_nothing_that_was_refused() -> None:
    queue: list[str] = []
    journal: list[str] = []
    keys = ("cta-color", "two")
    desk = Desk(manifest=a_manifest(*(an_experiment(key, seed="cta-color") for key in keys)), spill=queue.append)
    desk.send(*impressions(99))
    ingest = replace(desk.ingest, journal=journal.append)
    events = (
        an_event(id="i0"),
        an_event(id="i99"),
        an_event(id="i100"),
        an_event(experiment="two"),
        an_event(variant="blue"),
    )
    response = ingest.receive(ParsedRequest(Batch(visitor=GREEN, events=events), tuple(range(5))), now_ms=NOON)
    assert (response.accepted, response.repeated, response.queued, len(response.refused)) == (1, 1, 2, 1)
    rows = [
        {"visitor": GREEN, "experiment": "cta-color", "elements": [f"i|green|0|{NOON}|i{n}" for n in (0, 99, 100)]},
        {"visitor": GREEN, "experiment": "two", "elements": [f"i|green|0|{NOON}|e1"]},
    ]
    assert [json.loads(line) for line in journal] == [{"rows": rows, "received": NOON}]
    fill(full := Desk(), 100)
    nothing: list[str] = []
    capped = ParsedRequest(Batch(visitor=GREEN, events=(an_event(id="more"),)), (0,))
    assert replace(full.ingest, journal=nothing.append).receive(capped, now_ms=NOON).refused[0].outcome == "capped"
    assert nothing == []


def test_each_visitor_of_a_request_has_an_answer_and_each_outcome_is_counted_once() -> None:
    desk = Desk()
    counted: list[Counter[str]] = []
    ingest = replace(desk.ingest, count_outcomes=counted.append)
    blue = a_visitor("blue")
    requests = [
        each(GREEN, [{"id": "no id"}]),
        ParsedRequest(Batch(visitor=blue, events=(an_event(variant="blue"),)), (0,)),
    ]
    answers = ingest.receive_all(requests, now_ms=NOON)
    assert [(a.accepted, [r.outcome for r in a.refused]) for a in answers] == [(0, ["malformed"]), (1, [])]
    assert [+count for count in counted] == [Counter({"malformed": 1}), Counter({"accepted": 1})]
    both = sum_responses(answers)
    assert (both.accepted, both.repeated, both.queued, both.refused) == (1, 0, 0, answers[0].refused)
    twice = sum_responses([answer(1, 2, 3), answer(4, 5, 6)])
    assert twice == answer(5, 7, 9)


def test_where_no_queue_is_configured_nothing_is_spilled() -> None:
    assert sqs_spill(None, "") is None


def test_an_unreadable_row_does_not_hold_up_its_visitor() -> None:
    desk = Desk()
    desk.store.add(KEY, {"nonsense"}, 1, version="v", expires_at=0, limit=RowLimit(9, 9))
    assert desk.send(an_event()) == answer(accepted=1)


def test_marks_are_stored_with_the_impression() -> None:
    desk = Desk()
    sender = Sender(has_cookie=False)
    events = (an_event(at=NOON - HOUR - 1), an_event(id="c1", type="click", at=NOON - HOUR - 1))
    request = ParsedRequest(Batch(visitor=GREEN, events=events), (0, 1))
    desk.ingest.receive(request, now_ms=NOON, sender=sender)
    (row,) = desk.store.rows_of(GREEN)
    assert row.pending == {f"i|green|0|{NOON - HOUR - 1}|e1|ln", f"c|green|0|{NOON - HOUR - 1}|c1|l"}


def test_events_of_a_signed_sender_are_not_marked_as_late() -> None:
    desk = Desk()
    request = ParsedRequest(Batch(visitor=GREEN, events=(an_event(at=NOON - 30 * DAY),)), (0,))
    assert desk.ingest.receive(request, now_ms=NOON, sender=Sender(client="shop")) == answer(accepted=1)
    (row,) = desk.store.rows_of(GREEN)
    assert row.pending == {f"i|green|0|{NOON - 30 * DAY}|e1"}


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
    keys = [f"e{n}" for n in range(25)]
    desk = Desk(manifest=a_manifest(*(an_experiment(key, seed="cta-color") for key in keys)), spill=kept.append)
    slow = replace(desk.ingest, clock=lambda: float(next(time)))  # a second a row
    events = tuple(an_event(experiment=key) for key in keys)
    said = slow.receive(ParsedRequest(Batch(visitor=GREEN, events=events), tuple(range(25))), now_ms=NOON)
    assert (said.accepted, said.queued, len(kept)) == (3, 22, 1)
    assert len(json.loads(kept[0])["rows"]) == 22


def test_a_message_older_than_its_row_is_not_a_new_visitor() -> None:
    kept: list[str] = []
    a_failing_desk(lambda: faults.THROTTLED, kept.append).send(an_event())
    later = Desk()
    later.ingest.write_spilled(kept[0], now_ms=NOON + 90 * DAY)
    assert later.store.rows_of(GREEN) == []
    assert [note[:2] for note in later.notes] == [("cta-color", "too-old")]


def test_a_full_row_lives_on_with_its_visitor() -> None:
    desk = Desk()
    fill(desk, 100)
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
    rows = [{"visitor": GREEN, "experiment": key, "elements": [f"i|green|0|{NOON}|e1"]} for key in ("cta-color", "two")]
    assert [json.loads(body) for body in kept] == [{"rows": rows, "received": NOON}]


def test_what_was_queued_is_written_from_there_and_a_second_time_changes_nothing() -> None:
    kept: list[str] = []
    a_failing_desk(lambda: faults.THROTTLED, kept.append).send(an_event(), an_event(id="e2"))
    later = Desk()
    for _ in range(2):
        later.ingest.write_spilled(kept[0], now_ms=NOON)
    (row,) = later.store.rows_of(GREEN)
    assert (row.pending, row.received) == ({f"i|green|0|{NOON}|e1", f"i|green|0|{NOON}|e2"}, 4)


def test_a_message_of_an_older_version_is_written_too() -> None:
    desk = Desk()
    body = {"visitor": GREEN, "experiment": "cta-color", "elements": [f"i|green|0|{NOON}|e1"], "received": NOON}
    desk.ingest.write_spilled(json.dumps(body), now_ms=NOON)
    (row,) = desk.store.rows_of(GREEN)
    assert row.pending == {f"i|green|0|{NOON}|e1"}


@pytest.mark.parametrize(
    "change",
    [
        {"visitor": "no space"},
        {"experiment": "No"},
        {"elements": []},
        {"elements": ["nonsense"]},
        {"elements": ["i|gr#en|0|1|e1"]},
        {"received": -1},
    ],
)
def test_a_message_that_the_service_did_not_write_is_refused_by_name(change: dict[str, object]) -> None:
    desk = Desk()
    body = {"visitor": GREEN, "experiment": "cta-color", "elements": [f"i|green|0|{NOON}|e1"], "received": NOON}
    with pytest.raises(InvalidInput, match="a spilled message cannot be read: "):
        desk.ingest.write_spilled(json.dumps(body | change), now_ms=NOON)
    assert desk.store.rows_of(GREEN) == []


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


# ---------------------------------------------------------------- one sentence each


def test_an_event_that_is_counted_already_is_repeated() -> None:
    desk = Desk()
    desk.send(an_event())
    desk.fold()
    assert desk.send(an_event()) == answer(repeated=1)


def test_a_duplicate_within_one_request_is_received_too() -> None:
    desk = Desk()
    desk.send(an_event(), an_event())
    (row,) = desk.store.rows_of(GREEN)
    assert (row.received, len(row.pending)) == (2, 1)


def test_a_malformed_event_is_noted_with_its_rule_and_without_its_value() -> None:
    desk = Desk()
    desk.ingest.receive(each(GREEN, [{"id": "no id"}]), now_ms=NOON, sender=Sender(host="shop.example.com"))
    reason = "id: its value is not an event id: 1–64 characters of A–Z a–z 0–9 _ . : -"
    assert desk.notes == [RefusalNote("?", "malformed", reason, "shop.example.com")]


def test_the_manifest_is_read_again_before_an_event_is_refused_as_not_running() -> None:
    stopped = a_manifest(an_experiment(status="stopped", periods=(Period(end=NOON - 1),)))
    desk = Desk(manifest=stopped)
    desk.refresh = lambda now: a_manifest()  # type: ignore[method-assign, assignment]
    ingest = replace(desk.ingest, catalog=desk)
    request = ParsedRequest(Batch(visitor=GREEN, events=(an_event(),)), (0,))
    assert ingest.receive(request, now_ms=NOON) == answer(accepted=1)


def request_of(visitor: str, *events: Event) -> ParsedRequest:
    return ParsedRequest(Batch(visitor=visitor, events=events), tuple(range(len(events))))


def test_a_network_of_many_new_visitors_is_marked_and_then_refused_but_not_a_signed_sender() -> None:
    desk = Desk()
    ingest = replace(desk.ingest, limit=NetworkLimit(2, lambda: 0.0))
    visitors = [a_visitor("green", nth=n) for n in range(6)]
    network = Sender(address="192.0.2.1")
    for visitor in visitors[:4]:
        ingest.receive(request_of(visitor, an_event()), now_ms=NOON, sender=network)
    marks = [next(iter(desk.store.rows_of(visitor)[0].pending)).rpartition("|")[2] for visitor in visitors[:4]]
    assert marks == ["e1", "m", "m", "m"]
    with pytest.raises(TooManyRequests):
        ingest.receive(request_of(visitors[4], an_event()), now_ms=NOON, sender=network)
    for sender, visitor in ((network, visitors[0]), (Sender(address="192.0.3.1"), visitors[4])):
        assert not ingest.receive(request_of(visitor, an_event()), now_ms=NOON, sender=sender).refused
    assert ingest.receive(request_of(visitors[5], an_event()), now_ms=NOON, sender=network._replace(client="shop")) == (
        answer(accepted=1)
    )


@pytest.mark.parametrize(("visitor", "mark"), [("undefined", "s"), ("Undefined", "s"), ("GUEST", "s"), ("guest1", "")])
def test_an_id_that_many_senders_use_is_marked(visitor: str, mark: str) -> None:
    everyone = an_experiment(phases=(Phase(weights=(0.0, 1.0)),))
    desk = Desk(manifest=a_manifest(everyone))
    desk.send(an_event(), visitor=visitor)
    (row,) = desk.store.rows_of(visitor)
    assert row.pending == {f"i|green|0|{NOON}|e1" + (f"|{mark}" if mark else "")}


def test_an_event_is_late_more_than_an_hour_after_it() -> None:
    desk = Desk()
    desk.send(an_event(at=NOON - HOUR), an_event(id="e2", at=NOON - HOUR - 1))
    (row,) = desk.store.rows_of(GREEN)
    assert row.pending == {f"i|green|0|{NOON - HOUR}|e1", f"i|green|0|{NOON - HOUR - 1}|e2|l"}


@pytest.mark.parametrize(("client", "outcomes"), [(None, ["too-old", "before-start"]), ("shop", [])])
def test_only_a_signed_sender_is_trusted_with_old_events(client: str | None, outcomes: list[str]) -> None:
    desk = Desk(manifest=a_manifest(an_experiment(began=NOON - HOUR)))
    request = request_of(GREEN, an_event(at=NOON - 30 * DAY), an_event(id="e2", at=NOON - 2 * HOUR))
    response = desk.ingest.receive(request, now_ms=NOON, sender=Sender(client=client))
    assert [refused.outcome for refused in response.refused] == outcomes


@pytest.mark.parametrize(("later_ms", "outcomes"), [(90 * DAY - 1, []), (90 * DAY, ["too-old"])])
def test_a_message_is_written_for_as_long_as_its_row_lives(later_ms: int, outcomes: list[str]) -> None:
    message = {"visitor": GREEN, "experiment": "cta-color", "elements": [f"i|green|0|{NOON}|e1"]}
    desk = Desk()
    desk.ingest.write_spilled(json.dumps({"rows": [message], "received": NOON}), now_ms=NOON + later_ms)
    assert [(note.outcome, note.reason) for note in desk.notes] == [
        (outcome, "Found when it left the queue.") for outcome in outcomes
    ]


def test_who_is_told_to_come_back_is_told_when() -> None:
    desk = Desk(spill=(queue := list[str]()).append)
    desk.send(*impressions(100))
    desk.send(*impressions(1, 100))
    with pytest.raises(Busy) as full:
        desk.ingest.write_spilled(queue[0], now_ms=NOON)
    ingest = a_failing_desk(lambda: faults.THROTTLED, queue.append).ingest
    for _ in range(6):
        ingest.receive(request_of(GREEN, an_event()), now_ms=NOON)
    with pytest.raises(Busy) as throttled:
        ingest.receive(request_of(GREEN, an_event()), now_ms=NOON)
    assert (full.value.retry_after, throttled.value.retry_after) == (5, 2)


def test_a_sender_that_says_it_is_a_bot_is_believed_also_where_one_event_is_malformed() -> None:
    event = {"id": "e1", "type": "impression", "experiment": "cta-color", "variant": "green", "at": NOON}
    for events in ([event], [event, {"id": "no id"}]):
        desk = Desk()
        desk.ingest.receive(parse(json.dumps({"visitor": GREEN, "bot": True, "events": events}).encode()), now_ms=NOON)
        (row,) = desk.store.rows_of(GREEN)
        assert row.pending == {f"i|green|0|{NOON}|e1|b"}

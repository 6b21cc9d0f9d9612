"""The demo's past: each of its experiments is in the state that it is there to show, whenever it is played."""

from __future__ import annotations

import subprocess
from collections import Counter, defaultdict
from typing import Any

import pytest

from abacus.authoring.load import load
from abacus.paths import PROJECT
from abacus.simulation.demo import STORIES, demo_visitors
from abacus.simulation.visitors import Visitor
from chalicelib.counting.contribution import contribution
from chalicelib.domain.event import Event
from chalicelib.ingestion.request import parse
from chalicelib.ingestion.sender import Sender
from chalicelib.ingestion.validation import validate_event
from chalicelib.ingestion.visitor_segments import segments_of
from chalicelib.reporting import queries
from chalicelib.reporting.report import Question
from chalicelib.storage import event_encoding
from chalicelib.storage.store import Booking, cell_name, partition
from tests.support.builders import DAY, HOUR, NOON
from tests.support.memory_store import MemoryStore
from tests.support.product import ABACUS, Product, until
from tests.support.tallied import as_json

MANIFEST = load(PROJECT / "manifest")
PEOPLE = demo_visitors(MANIFEST.experiments, now_ms=NOON)


def counted(people: list[Visitor]) -> MemoryStore:
    rows = defaultdict(list)
    for visitor in people:
        for event in (Event(**event) for visit in visitor.visits for event in visit):
            experiment = MANIFEST.experiment(event.experiment)
            assert experiment is not None
            segments = segments_of(experiment, event.segments, Sender(client="demo"))
            element = event_encoding.encode(
                event, phase=0, client=False, segments=segments if event.type == "impression" else ()
            )
            rows[visitor.id, event.experiment].append(element)
    store = MemoryStore()
    for (_, experiment), events in rows.items():
        for cell, tally in contribution(set(events), len(events)).items():
            store.book([Booking(partition(experiment, cell), cell_name(cell, 0, 0), tally.numbers())])
    return store


def told(people: list[Visitor], now_ms: int) -> dict[str, dict[str, Any]]:
    store = counted(people)
    return {key: as_json(queries.detail(store, MANIFEST, key, Question(), now_ms=now_ms)) for key in STORIES}


SHOWN = {
    "cta-color": "winner",
    "hero": "winner",
    "footer-links": "inconclusive",
    "checkout-steps": "invalid",
    "free-shipping": "inconclusive",
    "newsletter": "collecting",
    "sticky-header": "winner",
    "tea-cards": "winner",
}


@pytest.mark.parametrize("now", [NOON, NOON + 3 * DAY + 9 * HOUR], ids=["Saturday noon", "Tuesday night"])
def test_each_experiment_is_in_the_state_that_it_is_there_to_show(now: int) -> None:
    reports = told(demo_visitors(MANIFEST.experiments, now_ms=now), now)
    assert {key: report["verdict"]["state"] for key, report in reports.items()} == SHOWN
    assert (reports["cta-color"]["verdict"]["variant"], reports["hero"]["verdict"]["variant"]) == ("green", "benefit")


def test_one_experiment_helps_on_phones_alone() -> None:
    answer = queries.by_segment(counted(PEOPLE), MANIFEST, "tea-cards", "device", now_ms=NOON)
    [click] = answer.metrics
    directions = {row.value: row.comparisons[0].direction for row in click.values}
    assert (directions["mobile"], directions["desktop"]) == ("higher", "open")
    assert click.interactions[0].differs
    assert (answer.split.state, answer.without_segment) == ("ok", 0)


def test_the_weights_changed_while_it_ran() -> None:
    first, second = told(PEOPLE, NOON)["free-shipping"]["phases"]
    shares = [
        [v["visitors"] / sum(w["visitors"] for w in p["variants"]) for v in p["variants"]] for p in (first, second)
    ]
    assert shares[0][0] == pytest.approx(0.9, abs=0.05)
    assert shares[1][0] == pytest.approx(0.5, abs=0.05)
    assert first["last"] <= second["first"]


def test_the_service_takes_every_event_from_a_signed_sender() -> None:
    for visitor in PEOPLE:
        batch, _, malformed = parse(f'{{"visitor":"{visitor.id}","events":[]}}'.encode())
        events = [Event(**event) for visit in visitor.visits for event in visit]
        verdicts = [validate_event(e, batch.visitor, MANIFEST, now_ms=NOON, window_back_ms=90 * DAY) for e in events]
        assert (malformed, set(verdicts)) == ((), {None})


def test_it_reaches_three_weeks_back_and_has_a_few_of_everything() -> None:
    events = [event for visitor in PEOPLE for event in visitor.visits[0]]
    days = (NOON - min(e["at"] for e in events)) / DAY
    assert 20 < days < 21
    assert {e["type"] for e in events} == {"impression", "click", "goal"}
    assert 10 < sum(len(visitor.visits) > 1 for visitor in PEOPLE) < 100
    assert sum(told(PEOPLE, NOON)[key]["excluded"]["no-impression"] for key in STORIES) > 5


def test_played_again_it_is_the_same_people_with_the_same_ids() -> None:
    later = demo_visitors(MANIFEST.experiments, now_ms=NOON + HOUR)
    ids = [{event["id"] for person in people for event in person.visits[0]} for people in (PEOPLE, later)]
    assert [person.id for person in later] == [person.id for person in PEOPLE]
    assert len(ids[0] & ids[1]) > 0.99 * len(ids[0])


@pytest.mark.ministack
def test_a_running_abacus_takes_all_of_it_and_none_of_it_twice(product: Product) -> None:
    command = [str(ABACUS), "demo", "--home", str(product.home), "--visitors", "40"]
    before = received(product)
    said = [subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True).stdout for _ in range(2)]
    first, again = (Counter({name: int(n) for n, name in map(str.split, line.split(","))}) for line in said)
    assert first.keys() | again.keys() == {"accepted", "repeated"}
    # Some seconds later, so one visit or another has slipped into the next hour, where there are more or fewer people.
    assert again["repeated"] > 0.9 * first.total()
    until(lambda: received(product) >= before + first.total() + again.total())
    days = {point["at"] for key in STORIES for point in product.ask(f"/stats/{key}").json()["series"]}
    assert len(days) > 15
    by_device, whole = (product.ask(f"/stats/tea-cards?{query}").json() for query in ("by=device", "series=none"))
    assert by_device["visitors"] == sum(variant["visitors"] for variant in whole["variants"]) > 0
    assert by_device["without_segment"] == 0
    assert {entry["simulated"] for entry in product.ask("/stats").json()["experiments"]} == {True}
    clear = [str(ABACUS), "demo", "--clear", "--home", str(product.home)]
    removed = subprocess.run(clear, cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    assert removed.endswith(" simulated visitors; all others stay\n")
    assert {entry["simulated"] for entry in product.ask("/stats").json()["experiments"]} == {False}
    assert received(product) == before


def received(product: Product) -> int:
    """How many events of the demo's experiments are counted."""
    reports = [product.ask(f"/stats/{key}?series=none").json() for key in STORIES]
    return sum(report["health"]["conservation"]["received"] for report in reports)


def test_an_experiment_of_your_own_gets_no_simulated_visitors() -> None:
    own = MANIFEST.experiments[0].model_copy(update={"key": "my-own", "seed": "my-own"})
    people = demo_visitors((*MANIFEST.experiments, own), visitors=200, now_ms=NOON)
    experiments = {event["experiment"] for visitor in people for visit in visitor.visits for event in visit}
    assert experiments == set(STORIES)

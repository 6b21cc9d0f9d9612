"""The demo's past: each of its experiments is in the state that it is there to show, whenever it is played."""

from __future__ import annotations

import subprocess
from collections import Counter, defaultdict
from functools import cache
from typing import Any

import pytest

from abacus.authoring.load import load
from abacus.paths import PROJECT
from abacus.simulation.demo import STORIES, demo_visitors
from abacus.simulation.traffic.truth import count
from abacus.simulation.traffic.visitors import Visitor
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
            element = event_encoding.element_of(event, experiment, event_encoding.NO_MARKS, segments)
            rows[visitor.id, event.experiment].append(element)
    store = MemoryStore()
    for (_, experiment), events in rows.items():
        for cell, tally in contribution(set(events), len(events)).items():
            store.book([Booking(partition(experiment, cell), cell_name(cell, 0, 0), tally.numbers())])
    return store


@cache
def shown() -> dict[str, dict[str, Any]]:
    """The reports of PEOPLE at noon."""
    return told(PEOPLE, NOON)


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
    "buy-button": "winner",
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


def test_one_experiment_wins_clicks_and_breaks_the_guardrail_of_its_revenue() -> None:
    report = shown()["buy-button"]
    verdict, [guardrail], [revenue] = (report[name] for name in ("verdict", "guardrails", "means"))
    assert (verdict["next"], verdict["headline"]) == ("keep", "Do not ship buy-now: purchase.value got worse")
    assert (guardrail["state"], guardrail["metric"], guardrail["margin"]) == ("broken", "purchase.value", 0.05)
    worse = f"Purchase.value of buy-now is {-guardrail['lift']:.0%} worse (at least {-guardrail['bounds'][1]:.0%})"
    assert f"{worse}, and at most 5% is acceptable.".replace("%", " %") in verdict["reason"]
    assert {v["variant"]: v["visitors"] > 500 for v in revenue["variants"]} == {"add": True, "buy-now": True}


def test_the_revenue_that_is_shown_is_that_of_an_independent_count() -> None:
    report = shown()["buy-button"]
    arms = {
        v: arm for (key, v), arm in count(without_stray(PEOPLE), MANIFEST.experiments).items() if key == "buy-button"
    }
    revenue = {
        v["variant"]: (v["visitors"], v["with_value"], v["total"], v["mean"]) for v in report["means"][0]["variants"]
    }
    assert revenue == {
        variant: (
            arm.visitors,
            arm.spent["purchase"].visitors,
            pytest.approx(arm.spent["purchase"].capped / 100),
            pytest.approx(arm.spent["purchase"].capped / 100 / arm.visitors),
        )
        for variant, arm in arms.items()
    }
    assert {v["converted"] for v in report["variants"]} == {arm.clicked for arm in arms.values()}
    assert sum(arm.spent["purchase"].refunds for arm in arms.values()) > 10


def without_stray(people: list[Visitor]) -> list[Visitor]:
    """Visitors without the events of experiments of which no impression arrived, or that came before it."""
    kept = []
    for visitor in people:
        visit = visitor.visits[0]
        first = {e["experiment"]: e["at"] for e in reversed(visit) if e["type"] == "impression"}
        kept.append(visitor._replace(visits=[[e for e in visit if e["at"] >= first.get(e["experiment"], e["at"] + 1)]]))
    return kept


def test_the_weights_changed_while_it_ran() -> None:
    first, second = shown()["free-shipping"]["phases"]
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
    assert sum(shown()[key]["excluded"]["no-impression"] for key in STORIES) > 5


def test_played_again_it_is_the_same_people_with_the_same_ids() -> None:
    later = demo_visitors(MANIFEST.experiments, now_ms=NOON + HOUR)
    ids = [{event["id"] for person in people for event in person.visits[0]} for people in (PEOPLE, later)]
    assert [person.id for person in later] == [person.id for person in PEOPLE]
    assert len(ids[0] & ids[1]) > 0.99 * len(ids[0])


@pytest.mark.ministack
def test_a_running_abacus_takes_all_of_it_and_none_of_it_twice(product: Product) -> None:
    command = [str(ABACUS), "demo", "--home", str(product.home), "--visitors", "40"]
    clear = [str(ABACUS), "demo", "--clear", "--home", str(product.home)]
    subprocess.run(clear, cwd=PROJECT, capture_output=True, check=True)  # the simulated visitors of other tests
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

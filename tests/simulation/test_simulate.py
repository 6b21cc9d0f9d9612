"""Simulated visitors: as the seed says, as the assignment says, with the rates that were asked for, all delivered."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

import click
import pytest
from aiohttp import web
from click.testing import CliRunner

from abacus.authoring.load import load
from abacus.cli import main
from abacus.local.processes import listen
from abacus.paths import PROJECT
from abacus.simulation.simulate import play
from abacus.simulation.traffic.effects import Effects, parse_effects
from abacus.simulation.traffic.traits import AGENTS
from abacus.simulation.traffic.truth import truth
from abacus.simulation.traffic.visitors import Visitor, visitors
from chalicelib.domain.clock import DAY_MS
from chalicelib.domain.errors import AbacusError, Busy
from chalicelib.domain.manifest import Segment
from chalicelib.ingestion.sender import is_bot
from chalicelib.ingestion.visitor_segments import browser, device
from tests.support.product import Product, until

NOW = 1_795_248_000_000
EXPERIMENTS = [e for e in load(PROJECT / "manifest").experiments if e.key in ("cta-color", "hero")]


def a_crowd(count: int = 200, seed: int = 7, **rates: float) -> list[Visitor]:
    named = {name.replace("_", "-").replace("--", ":"): rate for name, rate in rates.items()}
    return list(visitors(EXPERIMENTS, Effects(rates=named), count=count, days=6, seed=seed, now_ms=NOW))


def events(crowd: Sequence[Visitor]) -> list[tuple[str, dict[str, Any]]]:
    return [(v.id, event) for v in crowd for visit in v.visits for event in visit]


def test_the_seed_decides_everything() -> None:
    assert a_crowd(seed=7) == a_crowd(seed=7)
    assert {v.id for v in a_crowd(seed=7)}.isdisjoint(v.id for v in a_crowd(seed=8))


def test_every_visitor_is_in_the_variant_that_the_hash_gives_him() -> None:
    assert {e.key for e in EXPERIMENTS} == {e["experiment"] for _, e in events(a_crowd())}
    for visitor, event in events(a_crowd()):
        (experiment,) = [e for e in EXPERIMENTS if e.key == event["experiment"]]
        assert event["variant"] == experiment.assign(visitor, event["phase"])


def test_everything_happens_within_the_days_before_now() -> None:
    times = [event["at"] for _, event in events(a_crowd())]
    assert min(times) >= NOW - 6 * DAY_MS
    assert max(times) < NOW


def test_no_two_events_have_the_same_id() -> None:
    ids = [event["id"] for _, event in events(a_crowd())]
    assert len(set(ids)) == len(ids)


def test_one_visitor_sees_an_experiment_one_to_five_times() -> None:
    seen = Counter((v, e["experiment"]) for v, e in events(a_crowd(1000)) if e["type"] == "impression")
    assert set(seen.values()) == {1, 2, 3, 4, 5}


def test_as_many_click_as_the_rate_says() -> None:
    crowd = a_crowd(4000, cta_color__green=0.5)
    seen = {v for v, e in events(crowd) if e["variant"] == "green"}
    clicked = {v for v, e in events(crowd) if e["variant"] == "green" and e["type"] == "click"}
    # 2,000 visitors: 5 standard errors, wrong once in two million seeds (and this one is fixed)
    assert len(clicked) / len(seen) == pytest.approx(0.5, abs=5 * (0.25 / len(seen)) ** 0.5)


def test_nobody_clicks_at_rate_zero_and_everybody_at_one() -> None:
    crowd = a_crowd(100, cta_color__green=1.0, cta_color__blue=0.0)
    lines = list(truth(crowd, EXPERIMENTS))
    assert lines[0].endswith(" 0 clicked (0.00%)")
    assert lines[1].endswith(" clicked (100.00%)")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("cta:green=0.1", "'cta:green' does not run here; write one of cta-color:blue, cta-color:green, hero:plain"),
        (
            "hero:plain=12",
            "hero:plain=12: '12' is not a share: write 50 % or 0.5, from 0 % to 100 %.",
        ),
        ("hero:plain=120 %", "hero:plain=120 %: '120 %' is more than 100 %"),
    ],
)
def test_a_wrong_rate_is_answered_with_what_there_is(given: str, said: str) -> None:
    with pytest.raises(click.BadParameter, match="^" + said.replace("(", r"\(")):
        parse_effects(EXPERIMENTS, rates=[given])


class Service:
    """A service that answers each POST with the next of `statuses`, and 202 after them."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.taken: list[Any] = []
        self.slept: list[float] = []

    async def _events(self, request: web.Request) -> web.Response:
        status = self.statuses.pop(0) if self.statuses else 202
        body = await request.json()
        if status != 202:
            return web.json_response({}, status=status, headers={"Retry-After": "7"})
        self.taken.append(body)
        return web.json_response(
            {"accepted": len(body["events"]), "repeated": 0, "queued": 0, "refused": []}, status=202
        )

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def play(self, crowd: list[Visitor]) -> Counter[str]:
        async def run() -> Counter[str]:
            app = web.Application()
            app.router.add_post("/events", self._events)
            runner = web.AppRunner(app, access_log=None)
            await runner.setup()
            server = listen()
            await web.SockSite(runner, server).start()
            url = f"http://127.0.0.1:{server.getsockname()[1]}"
            try:
                return await play(url, crowd, senders=2, sleep=self._sleep)
            finally:
                await runner.cleanup()

        return asyncio.run(run())


def test_each_visit_is_one_request_and_each_visitors_are_in_order() -> None:
    service, crowd = Service(), a_crowd(20)
    assert service.play(crowd) == {"accepted": len(events(crowd))}
    for visitor in crowd:
        assert [b["events"] for b in service.taken if b["visitor"] == visitor.id] == visitor.visits


def test_a_busy_service_is_given_the_time_it_asks_for() -> None:
    service, crowd = Service(429, 503), a_crowd(5)
    assert service.play(crowd) == {"accepted": len(events(crowd))}
    assert [seconds >= 7 for seconds in service.slept] == [True, True]


def test_a_service_that_stays_busy_is_given_up_with_a_sentence() -> None:
    with pytest.raises(Busy, match="did not take events 8 times in a row"):
        Service(*[503] * 100).play(a_crowd(1))


def test_what_the_service_calls_wrong_is_not_sent_again() -> None:
    with pytest.raises(AbacusError, match="answers 400"):
        Service(400).play(a_crowd(1))


@pytest.mark.ministack
def test_the_command_plays_through_the_real_api_and_says_what_is_there_to_find(product: Product) -> None:
    before = product.ask("/stats/hero").json()["variants"]
    args = [
        "--visitors",
        "30",
        "--days",
        "0.001",
        "--seed",
        "4",
        "--rates",
        "hero:benefit=1",
        "--base-url",
        product.base_url,
    ]
    said = CliRunner().invoke(main, ["simulate", *args]).stdout.splitlines()
    (line,) = [line for line in said if line.startswith("hero benefit: ")]
    found = int(line.split()[2])
    assert line == f"hero benefit: {found} visitors, {found} clicked (100.00%)"

    def more(variant: int) -> int:
        there = product.ask("/stats/hero").json()["variants"]
        return int(there[variant]["converted"] - before[variant]["converted"])

    until(lambda: more(1) == found)
    again = CliRunner().invoke(main, ["simulate", *args]).stdout
    assert " repeated" in again.splitlines()[0]
    assert "accepted" not in again.splitlines()[0]


SEGMENTED = [
    e.model_copy(
        update={
            "segments": (
                Segment(name="device", values=("mobile", "desktop")),
                Segment(name="plan", values=("free", "pro"), attribute=True),
            )
        }
    )
    for e in EXPERIMENTS
    if e.key == "hero"
]


def test_rates_may_differ_by_segment_and_impressions_say_what_only_the_page_knows() -> None:
    effects = parse_effects(SEGMENTED, rates=["hero:plain=0%", "hero:plain@device=mobile=100%"])
    crowd = list(visitors(SEGMENTED, effects, count=300, days=6, seed=7, now_ms=NOW))
    clicked: dict[str, set[bool]] = {"mobile": set(), "desktop": set()}
    for visitor in crowd:
        own = [event for visit in visitor.visits for event in visit if event["variant"] == "plain"]
        if own and visitor.traits.device in clicked:
            clicked[visitor.traits.device].add(any(event["type"] == "click" for event in own))
        plans = {event["segments"]["plan"] for event in own if event["type"] == "impression"}
        assert len(plans) <= 1
        assert plans <= {"free", "pro"}
    assert clicked == {"mobile": {True}, "desktop": {False}}


def test_segments_change_neither_who_comes_nor_who_clicks() -> None:
    plain = list(visitors([e for e in EXPERIMENTS if e.key == "hero"], Effects(), count=50, days=6, seed=7, now_ms=NOW))
    segmented = list(visitors(SEGMENTED, Effects(), count=50, days=6, seed=7, now_ms=NOW))
    assert [[e["id"] for visit in v.visits for e in visit] for v in plain] == [
        [e["id"] for visit in v.visits for e in visit] for v in segmented
    ]


@pytest.mark.parametrize("agent", AGENTS.items(), ids=lambda agent: "-".join(agent[0]))
def test_each_simulated_browser_is_read_as_what_it_stands_for(agent: tuple[tuple[str, str], str]) -> None:
    (kind, family), text = agent
    assert (device(text), browser(text), is_bot(text)) == (kind, family, False)


def test_an_unknown_segment_in_a_rate_is_refused() -> None:
    with pytest.raises(click.BadParameter, match="hero:plain@device=watch"):
        parse_effects(SEGMENTED, rates=["hero:plain@device=watch=10%"])

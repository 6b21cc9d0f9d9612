"""What simulated visitors spend, who they are, and what a wrong option is told."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from random import Random
from statistics import fmean, stdev
from typing import Any

import click
import pytest
from click.testing import CliRunner

from abacus.cli import main
from abacus.simulation.traffic.effects import Effects, drawn_orders, parse_effects, plan_lines
from abacus.simulation.traffic.traits import traits_of
from abacus.simulation.traffic.truth import count
from abacus.simulation.traffic.visitors import Visitor, visitors
from chalicelib.domain.event import Event
from chalicelib.domain.manifest import GoalValue, Segment
from chalicelib.ingestion.validation import validate_event
from tests.support.builders import NOON, a_manifest, an_experiment
from tests.support.product import Product, until

EUROS = GoalValue(unit="EUR", decimals=2, cap=20_000)
PLAN = Segment(name="plan", values=("free", "pro"), attribute=True)
CART = an_experiment(
    "cart",
    ("old", "new"),
    goals=("purchase", "signup"),
    goal_values={"purchase": EUROS},
    segments=(Segment(name="device", values=("mobile", "desktop")), PLAN),
)


def people(number: int = 2000, **options: Any) -> list[Visitor]:
    effects = parse_effects([CART], **options)
    return list(visitors([CART], effects, count=number, days=6, seed=7, now_ms=NOON))


def events(simulated: Sequence[Visitor]) -> list[dict[str, Any]]:
    return [event for visitor in simulated for visit in visitor.visits for event in visit]


def test_the_service_takes_every_value_as_it_is_sent() -> None:
    crowd = people(300, rates=["cart:old.purchase=80%"], refunds=["cart:old.purchase=30%"], spread=3)
    verdicts = {
        validate_event(Event(**event), visitor.id, a_manifest(CART), now_ms=NOON)
        for visitor in crowd
        for event in events([visitor])
    }
    assert verdicts == {None}
    assert any(event.get("value", 0) < 0 for event in events(crowd))


@pytest.mark.parametrize("spread", [0.0, 0.5, 1.2])
def test_orders_have_the_mean_and_the_spread_that_were_asked_for(spread: float) -> None:
    rng = Random(1)
    drawn = [o.value for _ in range(40_000) for o in drawn_orders(rng, 2, mean=40, spread=spread, refunds=0)]
    # of a log-normal: the standard deviation is the mean times √(e^σ² − 1)
    deviation = 40 * math.sqrt(math.exp(spread**2) - 1)
    assert fmean(drawn) == pytest.approx(40, abs=5 * deviation / math.sqrt(len(drawn)) + 0.01)
    assert stdev(drawn) == pytest.approx(deviation, rel=0.15, abs=0.01)


def test_as_many_reach_a_goal_spend_and_refund_as_was_asked_for() -> None:
    asked = {"cart:old.purchase": 0.3, "cart:new.purchase": 0.1, "cart:new.signup": 0.05}
    crowd = people(
        8000,
        rates=[f"{place}={share}" for place, share in asked.items()],
        values=["cart:old.purchase=40", "cart:new.purchase=60"],
        refunds=["cart:new.purchase=50%"],
        spread=0,
    )
    arms = {variant: arm for (_, variant), arm in count(crowd, [CART]).items()}
    for place, share in asked.items():
        arm, goal = arms[place.partition(":")[2].partition(".")[0]], place.rpartition(".")[2]
        assert arm.reached[goal] / arm.visitors == pytest.approx(share, abs=5 * math.sqrt(share / arm.visitors))
    old, new = arms["old"].spent["purchase"], arms["new"].spent["purchase"]
    assert (old.total, old.refunds) == (old.orders * 4000, 0)
    assert new.total == (new.orders - new.refunds) * 6000
    assert new.refunds / new.orders == pytest.approx(0.5, abs=0.1)


def test_a_segment_has_its_own_rate_and_value() -> None:
    crowd = people(
        rates=["cart:new.purchase=100%", "cart:new.purchase@device=mobile=0%"],
        values=["cart:new.purchase@plan=pro=90"],
        spread=0,
    )
    found: dict[tuple[str, str], set[float]] = {}
    for visitor in crowd:
        for event in events([visitor]):
            if event["variant"] == "new" and event["type"] == "goal" and event["goal"] == "purchase":
                plan = next(e["segments"]["plan"] for e in visitor.visits[0] if "segments" in e)
                found.setdefault((visitor.traits.device, plan), set()).add(event["value"])
    assert {device for device, _ in found} == {"desktop", "tablet"}
    assert {plan: values for (device, plan), values in found.items() if device == "desktop"} == {
        "free": {50.0},
        "pro": {90.0},
    }


def test_visitors_have_the_devices_countries_and_attributes_that_were_asked_for() -> None:
    shares = ["device=mobile=70%", "device=tablet=10%", "country=CH=100%", "plan=pro=25%"]
    crowd = people(4000, shares=shares)
    devices = Counter(visitor.traits.device for visitor in crowd)
    plans = Counter(e["segments"]["plan"] for v in crowd for e in v.visits[0][:1] if "segments" in e)
    within = 5 * math.sqrt(0.25 / 4000)
    assert devices["mobile"] / 4000 == pytest.approx(0.7, abs=within)
    assert devices["tablet"] / 4000 == pytest.approx(0.1, abs=within)
    assert {visitor.traits.country for visitor in crowd} == {"CH"}
    assert plans["pro"] / plans.total() == pytest.approx(0.25, abs=within)


def test_without_shares_everyone_is_who_the_id_says() -> None:
    ids = [f"v{n}" for n in range(200)]
    assert [traits_of(visitor) for visitor in ids] == [traits_of(visitor, {}) for visitor in ids]
    assert len({traits_of(visitor) for visitor in ids}) > 10


def test_values_change_neither_who_comes_nor_who_clicks() -> None:
    plain = CART.model_copy(update={"goal_values": {}})
    without = visitors([plain], Effects(), count=200, days=6, seed=7, now_ms=NOON)
    clicks = [
        [(v.id, e["at"]) for v in crowd for e in events([v]) if e["type"] == "click"]
        for crowd in (list(without), people(200))
    ]
    assert clicks[0] == clicks[1] != []


@pytest.mark.parametrize(
    ("option", "given", "message"),
    [
        ("rates", "cart:old.buy=5%", "'cart:old.buy' does not run here; write one of cart:old, cart:old.purchase, "),
        ("values", "cart:old=5", "'cart:old' has no values; write one of cart:old.purchase, cart:new.purchase"),
        ("values", "cart:old.signup=5", "'cart:old.signup' has no values; write one of cart:old.purchase, "),
        ("values", "cart:old.purchase=-3", "cart:old.purchase=-3: '-3' is not an amount: write a number above 0"),
        ("values", "cart:old.purchase=nan", "'nan' is not an amount"),
        ("refunds", "cart:old.purchase=8", "'8' is not a share: write 50 % or 0.5"),
        ("rates", "cart:old@plan=gold=5%", "'cart:old@plan=gold': cart has the segments device=mobile, device=desktop"),
        ("shares", "plan=gold=5%", "plan=gold=5%: 'gold' is none of free, other, pro"),
        ("shares", "colour=red=5%", "'colour' is none of browser, country, device, plan"),
        ("shares", "country=Chile=5%", "'Chile' is not a country: write two capital letters, such as CH"),
        ("shares", "device=mobile=500", "'500' is not a share"),
    ],
)
def test_a_wrong_option_is_told_what_there_is(option: str, given: str, message: str) -> None:
    with pytest.raises(click.BadParameter, match=re.escape(message)):
        parse_effects([CART], **{option: [given]})


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        (["device=mobile=70%", "device=tablet=40%"], "device: the shares add up to 110 %, which is more than 100 %"),
        (["plan=free=20%", "plan=pro=20%"], "plan: the shares of all values add up to 40 %; they must make 100 %"),
        (["device=mobile=70%", "browser=chrome=40%"], "name shares of devices or of browsers, not of both"),
    ],
)
def test_shares_that_do_not_fit_together_are_refused(shares: list[str], message: str) -> None:
    with pytest.raises(click.BadParameter, match=re.escape(message)):
        parse_effects([CART], shares=shares)


def test_no_experiment_with_values_is_named_as_the_reason() -> None:
    with pytest.raises(click.BadParameter, match="--values needs a goal with values, and no running experiment has"):
        parse_effects([an_experiment()], values=["cta-color:blue.buy=5"])


def test_the_plan_reads_as_one_line_for_each_variant_and_exception() -> None:
    effects = parse_effects(
        [CART],
        rates=["cart:new=12%", "cart:new@device=mobile=20%", "cart:new.signup=3%"],
        values=["cart:new.purchase=42.50"],
        refunds=["cart:new.purchase=8%"],
    )
    assert list(plan_lines([CART], effects)) == [
        "cart:old: 10 % click; purchase 40 % of those, 50 EUR an order; signup 40 % of those",
        "cart:new: 12 % click; purchase 40 % of those, 42.5 EUR an order, 8 % refunded; signup 3 %",
        "  cart:new@device=mobile: rate 20 %",
    ]


BUYS = ["--rates", "buy-button:add.purchase=60%", "--values", "buy-button:add.purchase=80", "--spread", "1.2"]
BUYS += ["--refunds", "buy-button:add.purchase=20%", "--shares", "device=mobile=90%"]


@pytest.mark.ministack
def test_the_product_counts_the_revenue_that_the_command_says_is_there_to_find(product: Product) -> None:
    def revenue() -> dict[str, tuple[int, float]]:
        [mean] = product.ask("/stats/buy-button").json()["means"]
        return {v["variant"]: (v["with_value"], v["total"] + v["cut"]) for v in mean["variants"]}

    before = revenue()
    command = ["simulate", "--visitors", "60", "--seed", "11", *BUYS, "--home", str(product.home)]
    planned, sent = (CliRunner().invoke(main, [*command, *more]) for more in (["--dry-run"], []))
    assert planned.stdout.splitlines()[0].startswith("buy-button:add: 10 % click; purchase 60 %, 80 EUR an order, 20 %")
    pattern = r"buy-button (\S+) purchase: (\d+) reached it .* of (-?[\d.,]+) EUR"
    truth = {v: (int(n), float(total.replace(",", ""))) for v, n, total in re.findall(pattern, sent.stdout)}
    assert re.match(r"seed 11: \d+ accepted\n", sent.stdout)
    assert truth["add"][0] > 10
    expected = {v: (n + truth[v][0], pytest.approx(total + truth[v][1])) for v, (n, total) in before.items()}
    until(lambda: revenue() == expected)


def test_an_a_a_test_has_no_effects() -> None:
    result = CliRunner().invoke(main, ["simulate", "--aa", *BUYS, "--base-url", "http://127.0.0.1:1"])
    assert (result.exit_code, "--aa gives all variants the same" in result.output) == (2, True), result.output

"""Guardrails hold a winner up, and means are reported beside the verdict."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pytest

from chalicelib.domain.manifest import Experiment, GoalValue, Guardrail
from chalicelib.storage.tally import Tallies
from tests.support.builders import an_experiment
from tests.support.tallied import a_tally, report_on, totals

SHOP = an_experiment(
    goals=("buy", "error"),
    goal_values={"buy": GoalValue(unit="EUR", decimals=2, cap=50_000)},
    lower_is_better=("error",),
    guardrails=(Guardrail(metric="error", margin=0.05),),
)


def an_arm(visitors: int, clicked: int, errors: int, **values: Any) -> Any:
    tally = a_tally(visitors, clicked, goals={"error": errors, "buy": values.get("buyers", 0)})
    if "buyers" in values:
        buyers, cents = values["buyers"], values["cents"]
        tally.value_sum["buy"], tally.value_squares["buy"] = buyers * cents, buyers * cents * cents
        tally.value_cut, tally.value_capped = Counter(buy=values.get("cut", 0)), Counter(buy=values.get("capped", 0))
    return tally


def with_errors(errors: int, visitors: int = 90_000) -> Tallies:
    """Green clicks a third more often than blue; so many of green's visitors see an error, 9,000 of blue's."""
    return totals(blue=an_arm(visitors, 9000, 9000), green=an_arm(visitors, 12_000, errors))


def verdict(tallies: Tallies, experiment: Experiment = SHOP) -> dict[str, Any]:
    answer = report_on(tallies, experiment=experiment)["verdict"]
    assert isinstance(answer, dict)
    return answer


def test_a_guardrail_that_holds_lets_a_winner_ship() -> None:
    answer = verdict(with_errors(8800))
    assert (answer["state"], answer["next"], answer["guardrails"]) == ("winner", "ship", [])


def test_a_broken_guardrail_stops_a_winner_and_names_metric_loss_bound_and_margin() -> None:
    answer = verdict(with_errors(10_800))
    assert (answer["next"], answer["guardrails"]) == ("keep", ["error"])
    assert answer["headline"] == "Do not ship green: error got worse"
    assert "Error of green is 20 % worse (at least 15 %), and at most 5 % is acceptable." in answer["text"]


def test_an_undecided_guardrail_makes_a_winner_wait() -> None:
    answer = verdict(with_errors(9200))
    assert (answer["next"], answer["guardrails"]) == ("wait", ["error"])
    assert answer["headline"] == "Keep running: error may still be worse"


def test_of_winners_that_cannot_be_told_apart_all_guardrails_count() -> None:
    three = an_experiment(
        variants=("blue", "green", "red"),
        goals=("error",),
        lower_is_better=("error",),
        guardrails=(Guardrail(metric="error", margin=0.05),),
    )
    arms = {"blue": (9000, 9000), "green": (12_000, 10_800), "red": (12_010, 8800)}
    answer = verdict(totals(**{name: an_arm(90_000, *counts) for name, counts in arms.items()}), three)
    assert (answer["candidates"], answer["next"], answer["guardrails"]) == (["green", "red"], "keep", ["error"])
    assert answer["headline"] == "Do not ship green: error got worse"


def test_without_guardrails_nothing_is_held_up() -> None:
    assert verdict(with_errors(10_800), SHOP.model_copy(update={"guardrails": ()}))["next"] == "ship"


def test_a_loser_is_a_loser_whatever_its_guardrails_say() -> None:
    swapped = totals(blue=an_arm(90_000, 12_000, 9000), green=an_arm(90_000, 9000, 10_800))
    assert verdict(swapped)["state"] == "loser"


def test_of_a_goal_that_should_be_low_the_lower_rate_wins() -> None:
    answer = report_on(with_errors(6000), experiment=SHOP)
    (metric,) = [metric for metric in answer["metrics"] if metric["goal"] == "error"]
    assert metric["comparisons"][0]["decision"] == "winner"


@pytest.mark.parametrize(("cents", "decision"), [(4000, "open"), (6000, "winner"), (2500, "loser")])
def test_the_mean_of_a_value_is_compared_in_units_per_visitor(cents: int, decision: str) -> None:
    blue = an_arm(90_000, 9000, 9000, buyers=5000, cents=4000)
    green = an_arm(90_000, 9000, 9000, buyers=5000, cents=cents, cut=100_000, capped=3)
    (mean,) = report_on(totals(blue=blue, green=green), experiment=SHOP)["means"]
    assert (mean["metric"], mean["unit"], mean["kind"]) == ("buy.value", "EUR", "value")
    row = mean["variants"][1]
    assert row["mean"] == pytest.approx(5000 * cents / 100 / 90_000)
    assert (row["total"], row["cut"], row["capped"], row["with_value"]) == (50 * cents, 1000, 3, 5000)
    assert mean["comparisons"][0]["decision"] == decision


def test_below_a_hundred_visitors_with_a_value_a_mean_is_still_collecting() -> None:
    blue, green = (an_arm(90_000, 9000, 9000, buyers=n, cents=4000) for n in (100, 99))
    (mean,) = report_on(totals(blue=blue, green=green), experiment=SHOP)["means"]
    assert mean["comparisons"][0] == {
        "variant": "green",
        "control": "blue",
        "decision": "collecting",
        "lift": None,
        "lift_interval": None,
        "p": None,
        "p_unadjusted": None,
        "discovery": False,
    }


def test_the_primary_goal_of_the_manifest_decides() -> None:
    experiment = SHOP.model_copy(update={"primary": "buy", "guardrails": ()})
    tallies = totals(blue=an_arm(90_000, 12_000, 0), green=an_arm(90_000, 9000, 0, buyers=900, cents=4000))
    answer = report_on(tallies, experiment=experiment)
    assert (answer["goal"], answer["primary"]) == ("buy", "buy")
    assert answer["metrics"][0]["primary"] is True


def test_an_open_guardrail_says_how_long_it_takes_if_nothing_differs() -> None:
    """9,200 errors of 90,000, where 9,000 were: visitors until an equal rate is certain to be within 5 %."""
    answer = report_on(with_errors(9200), experiment=SHOP)
    (guardrail,) = answer["guardrails"]
    # With so many visitors and equal rates, an estimate 1.2816 standard errors off, as one in ten is, just holds.
    n = guardrail["visitors_per_variant"]
    unlucky = round(0.1 * n * math.exp(1.2816 * math.sqrt(2 * 9 / n)))
    clicks = {"blue": an_arm(n, n // 10, n // 10), "green": an_arm(n, n // 8, unlucky)}
    assert report_on(totals(**clicks), experiment=SHOP)["guardrails"][0]["p_ok"] == pytest.approx(0.05, rel=0.05)
    assert guardrail["days_left"] == pytest.approx(
        2 * (guardrail["visitors_per_variant"] - 90_000) / answer["plan"]["visitors_per_day"], abs=1
    )
    assert f"(about {guardrail['days_left']} days to go)" in answer["verdict"]["text"]


def test_a_decided_guardrail_needs_no_plan() -> None:
    (guardrail,) = report_on(with_errors(10_800), experiment=SHOP)["guardrails"]
    assert (guardrail["state"], guardrail["days_left"]) == ("broken", None)

"""A mean as primary metric decides the verdict, and table, verdict and guardrails agree."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from chalicelib.domain.manifest import Experiment, GoalValue, Guardrail, Phase
from chalicelib.storage.tally import Tallies, Tally
from tests.analysis.test_consistency import inside
from tests.support.builders import an_experiment
from tests.support.tallied import a_tally, report_on, totals

SHOP = an_experiment(
    goals=("buy", "error"),
    goal_values={"buy": GoalValue(unit="EUR", decimals=2, cap=50_000)},
    lower_is_better=("error",),
    primary="buy.value",
)


def an_arm(visitors: int, buyers: int, cents: int, *, errors: int = 0, spread: float = 1.0, orders: int = 1) -> Tally:
    """`buyers` bought for `cents` on average, with a relative variance of `spread`, in `orders` orders each."""
    tally = a_tally(visitors, min(visitors, buyers), goals={"buy": buyers, "error": errors})
    tally.value_sum["buy"] = buyers * cents
    tally.value_squares["buy"] = round(buyers * cents * cents * (1 + spread))
    tally.repeat["buy"], tally.repeat_squares["buy"] = buyers * (orders - 1), buyers * (orders * orders - 1)
    tally.goal_events["buy"] = buyers * orders
    return tally


def test_a_better_mean_wins_and_the_headline_names_its_unit() -> None:
    answer = report_on(totals(blue=an_arm(90_000, 5000, 4000), green=an_arm(90_000, 5000, 5600)), experiment=SHOP)
    verdict, (comparison,) = answer["verdict"], answer["comparisons"]
    assert (verdict["state"], verdict["variant"], comparison["decision"]) == ("winner", "green", "winner")
    assert verdict["headline"].startswith("Ship green: expect ")
    assert "more EUR per visitor (measured 40 %)" in verdict["headline"]
    assert comparison["lift"] == pytest.approx(0.4)
    assert answer["metric"] == {"name": "buy.value", "kind": "value", "goal": "buy", "unit": "EUR", "decimals": 2}
    blue, green = answer["variants"]
    assert (blue["mean"], green["mean"]) == (pytest.approx(5000 * 40 / 90_000), pytest.approx(5000 * 56 / 90_000))
    (mean,) = answer["means"]
    assert (mean["primary"], mean["comparisons"][0]["lift_interval"]) == (True, comparison["lift_interval"])


def test_the_number_of_orders_may_decide() -> None:
    orders = SHOP.model_copy(update={"primary": "buy.count"})
    arms = {"blue": an_arm(90_000, 5000, 4000, orders=1), "green": an_arm(90_000, 5000, 4000, orders=2)}
    answer = report_on(totals(**arms), experiment=orders)
    assert (answer["verdict"]["state"], answer["comparisons"][0]["lift"]) == ("winner", pytest.approx(1.0))
    assert "more buy events per visitor" in answer["verdict"]["headline"]


def test_below_a_hundred_values_in_a_variant_it_says_what_is_missing() -> None:
    answer = report_on(totals(blue=an_arm(9000, 100, 4000), green=an_arm(9000, 99, 9000)), experiment=SHOP)
    assert answer["verdict"]["state"] == "collecting"
    assert answer["verdict"]["reason"] == (
        "Buy.value is compared from 100 visitors with a buy in each variant on; so far there are 100 of blue and 99 "
        "of green."
    )
    (comparison,) = answer["comparisons"]
    assert (comparison["decision"], comparison["lift"], comparison["p"]) == ("collecting", None, None)


def test_a_rate_is_exploratory_until_the_mean_is_decided() -> None:
    """Green's visitors buy more often and cheaper: the revenue is the same."""
    tallies = totals(blue=an_arm(90_000, 4000, 6000), green=an_arm(90_000, 6000, 4000))
    assert report_on(tallies, experiment=SHOP)["verdict"]["state"] == "inconclusive"
    by_rate = report_on(tallies, experiment=SHOP, goal="buy")
    assert by_rate["verdict"]["state"] == "inconclusive"
    assert "exploratory" in by_rate["verdict"]["reason"].lower()
    assert "buy.value, the primary metric, is not decided" in by_rate["verdict"]["reason"]


def test_every_metric_has_its_place_behind_the_primary_mean() -> None:
    tallies = totals(blue=an_arm(90_000, 5000, 4000), green=an_arm(90_000, 5000, 5500))
    answer = report_on(tallies, experiment=SHOP)
    assert [(m["metric"], m["primary"], m["confirmatory"]) for m in answer["metrics"]] == [
        ("click", False, True),
        ("buy", False, True),
        ("error", False, True),
    ]


def test_the_plan_is_for_the_mean_and_its_spread() -> None:
    answer = report_on(totals(blue=an_arm(9000, 500, 4000), green=an_arm(9000, 500, 4000)), experiment=SHOP)
    plan = answer["plan"]
    assert (plan["rate"], plan["mean"]) == (None, pytest.approx(500 * 40 / 9000))
    # One visitor's value: mean 500·40/9000, mean square 500·40²·2/9000.
    variance = 500 * 1600 * 2 / 9000 - (500 * 40 / 9000) ** 2
    assert plan["spread"] == pytest.approx(variance**0.5, rel=1e-3)
    # n = 2 (s/m)² ((1.96 + 0.84)/ln(1.05))², the textbook's two-sample size on the log scale
    assert plan["visitors_per_variant_fixed"] == pytest.approx(
        2 * variance / plan["mean"] ** 2 * (2.8016 / 0.04879) ** 2, rel=1e-2
    )


def test_the_days_show_means_and_their_sequences() -> None:
    day = {"blue": an_arm(9000, 500, 4000), "green": an_arm(9000, 500, 5000)}
    tallies = totals(**day)
    tallies |= {cell._replace(span="day", when="2026-11-02"): tally for cell, tally in totals(**day).items()}
    (point,) = report_on(tallies, experiment=SHOP, series="day")["series"]
    green = point["variants"][1]
    assert green["mean"] == green["cumulative"]["mean"] == pytest.approx(500 * 50 / 9000)
    low, high = green["mean_sequence"]
    assert low < green["mean"] < high
    assert point["comparisons"][0]["lift"] == pytest.approx(0.25)


KEYS = ("v0", "v1", "v2")
VISITORS = st.sampled_from([0, 1, 9, 1000, 20_000, 250_000])


@st.composite
def histories(draw: st.DrawFn) -> tuple[Experiment, Tallies]:
    """One to three phases; in each, any variant may have any number of visitors, buyers, amounts and errors."""
    keys = KEYS[: draw(st.integers(2, 3))]
    tallies: Tallies = {}
    phases = []
    for number in range(draw(st.integers(1, 3))):
        visitors = [draw(VISITORS) for _ in keys]
        rate, cents = draw(st.sampled_from([0.003, 0.03, 0.3])), draw(st.sampled_from([100, 4000]))
        arms = {}
        for key, n in zip(keys, visitors, strict=True):
            times = draw(st.sampled_from([0.5, 0.9, 1.0, 1.0, 1.1, 2.0]))
            arms[key] = an_arm(
                n,
                min(n, round(n * rate * draw(st.sampled_from([1.0, 1.0, 1.3])))),
                round(cents * times),
                errors=min(n, round(n * 0.05 * draw(st.sampled_from([0.7, 1.0, 1.0, 1.02, 1.5])))),
                spread=draw(st.sampled_from([0.1, 1.0, 5.0])),
                orders=draw(st.integers(1, 2)),
            )
        tallies |= totals(number, **{key: arm for key, arm in arms.items() if arm.visitors})
        total = sum(visitors)
        phases.append(Phase(weights=tuple(n / total if total else 1 / len(keys) for n in visitors)))
    guarded = (Guardrail(metric="error", margin=0.05), Guardrail(metric="buy.count", margin=0.1))
    update = {"primary": draw(st.sampled_from(["buy.value", "buy.count", "buy"]))}
    update["guardrails"] = tuple(g for g in guarded if g.metric != update["primary"])
    experiment = an_experiment(variants=keys, phases=tuple(phases))
    return experiment.model_copy(
        update={name: getattr(SHOP, name) for name in ("goals", "goal_values", "lower_is_better")} | update
    ), tallies


def read(history: tuple[Experiment, Tallies]) -> dict[str, Any]:
    experiment, tallies = history
    return report_on(tallies, experiment=experiment)


@settings(max_examples=300, deadline=None)
@given(histories())
def test_means_lifts_intervals_and_chances_agree(history: tuple[Experiment, Tallies]) -> None:
    answer = read(history)
    assume(answer["metric"]["kind"] != "rate")
    rows = {row["variant"]: row for row in answer["variants"]}
    (by_metric,) = [mean for mean in answer["means"] if mean["primary"]]
    assert [row["mean"] for row in by_metric["variants"]] == [row["mean"] for row in answer["variants"]]
    for c in answer["comparisons"]:
        event(c["decision"])
        if c["lift"] is None:
            assert c["decision"] in ("collecting", "open")
            continue
        row, shrunk = rows[c["variant"]], c["lift_shrunk"]["lift"]
        assert row["mean"] / rows["v0"]["mean"] - 1 == pytest.approx(c["lift"], rel=1e-6, abs=1e-9)
        assert inside(c["lift_interval"], c["lift"])
        assert inside(row["mean_interval"], row["mean"])
        assert (c["bayes"]["p_better"] > 0.5) == (c["lift"] > 0) or abs(c["lift"]) < 1e-9
        if len(rows) == 2:
            excluded = not inside(c["lift_interval"], 0.0) or (0 in c["lift_interval"] and c["decision"] != "open")
            assert excluded == (c["p"] <= 0.05) or abs(c["p"] - 0.05) < 1e-6
        if c["decision"] in ("winner", "loser"):
            assert (c["lift"] > 0) == (c["decision"] == "winner")
            assert inside(c["lift_interval"], shrunk)


@settings(max_examples=300, deadline=None)
@given(histories())
def test_verdict_table_and_guardrails_never_contradict(history: tuple[Experiment, Tallies]) -> None:
    answer = read(history)
    verdict, comparisons = answer["verdict"], {c["variant"]: c for c in answer["comparisons"]}
    metrics = {m["metric"]: m for m in (*answer["metrics"], *answer["means"])}
    for guardrail in answer["guardrails"]:
        low, high = guardrail["bounds"]
        worse = -guardrail["margin"]
        event(guardrail["state"])
        (c,) = [c for c in metrics[guardrail["metric"]]["comparisons"] if c["variant"] == guardrail["variant"]] or [{}]
        if guardrail["lift"] is None:
            assert guardrail["state"] == "open"
            continue
        if c.get("lift") is not None:
            assert guardrail["lift"] == pytest.approx(c["lift"], rel=1e-6, abs=1e-9)
        if guardrail["lower_is_better"]:
            low, high, worse = -(high if high is not None else float("inf")), -low, -guardrail["margin"]
        high = float("inf") if high is None else high
        assert (guardrail["state"] == "ok") == (low >= worse - 1e-9)
        assert (guardrail["state"] == "broken") == (high <= worse + 1e-9 and low < worse)
        assert not (guardrail["state"] == "broken" and c.get("decision") == "winner")
    held = {g["metric"] for g in answer["guardrails"] if g["variant"] == verdict["variant"] and g["state"] != "ok"}
    event(f"{verdict['state']} {verdict['next']}")
    if verdict["state"] == "winner":
        assert comparisons[verdict["variant"]]["decision"] == "winner"
        if not verdict["candidates"]:
            assert (verdict["next"] == "ship") == (not held)
        assert set(verdict["guardrails"]) <= {g["metric"] for g in answer["guardrails"] if g["state"] != "ok"}
    elif verdict["state"] == "loser":
        assert comparisons[verdict["variant"]]["decision"] == "loser"
    elif verdict["state"] in ("equivalent", "inconclusive"):
        assert not {c["decision"] for c in comparisons.values()} & {"winner", "loser"}
    elif verdict["state"] == "collecting":
        assert all(c["decision"] in ("collecting", "open") for c in comparisons.values())

"""New weights: by the formula, above the floor, in small steps, and only where they help."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from abacus.rebalancing.proposal import Standing, propose, reweigh
from abacus.rebalancing.weights import top_two, whole_percents
from chalicelib.domain.manifest import GoalValue, Phase
from tests.analysis.test_mean_primary import an_arm
from tests.support.builders import an_experiment
from tests.support.tallied import daily, report_on, totals

THREE = an_experiment(variants=("blue", "green", "red"))
WEEKS = [{"blue": (500, 50), "green": (500, 60), "red": (500, 45)}] * 9


@pytest.mark.parametrize("chances", [(0.6, 0.3, 0.1), (0.25, 0.25, 0.25, 0.25), (0.97, 0.03), (0.9, 0.07, 0.02, 0.01)])
def test_the_shares_are_those_of_drawing_two(chances: tuple[float, ...]) -> None:
    """Draw the best; half the time draw again until another comes. Each share within 5 standard errors."""
    rng, drawn, number = Random(7), [0] * len(chances), 40_000
    for _ in range(number):
        first = rng.choices(range(len(chances)), chances)[0]
        chosen = first
        while rng.random() < 0.5 and chosen == first:
            second = first
            while second == first:
                second = rng.choices(range(len(chances)), chances)[0]
            chosen = second
            break
        drawn[chosen] += 1
    for share, count in zip(top_two(chances), drawn, strict=True):
        assert abs(count / number - share) < 5 * (share * (1 - share) / number) ** 0.5


def test_a_certain_best_leaves_half_to_its_rivals() -> None:
    assert top_two([1.0, 0.0, 0.0]) == [0.5, 0.25, 0.25]


@pytest.mark.parametrize("seed", range(200))
def test_every_proposal_keeps_the_floor_and_adds_up_and_moves_little(seed: int) -> None:
    rng = Random(seed)
    number = rng.randint(2, 8)
    old = [n / 100 for n in whole_percents([share / number for share in [1.0] * number])]
    raw = [rng.random() ** 4 + 1e-9 for _ in range(number)]
    floor = rng.choice([0.0, 0.03, 0.05, 0.1])
    standings = [Standing(f"v{i}", w, 1000, p / sum(raw)) for i, (w, p) in enumerate(zip(old, raw, strict=True))]
    weights = reweigh(standings, floor).weights
    if weights is None:
        return
    assert round(sum(weights), 9) == 1
    assert min(weights) >= floor - 1e-12
    assert max(abs(new - now) for new, now in zip(weights, old, strict=True)) <= 0.2 + 0.01 + 1e-9


def test_two_variants_are_split_evenly_whoever_leads() -> None:
    leading = [Standing("blue", 0.9, 9000, 0.01), Standing("green", 0.1, 1000, 0.99)]
    assert reweigh(leading).weights == (0.7, 0.3)
    even = [Standing("blue", 0.5, 9000, 0.01), Standing("green", 0.5, 1000, 0.99)]
    assert (reweigh(even).weights, reweigh(even).why[0][:35]) == (None, "Two variants are split evenly alrea")


def test_a_variant_that_was_taken_out_stays_out_and_one_below_the_floor_rises() -> None:
    standings = [
        *(Standing("blue", 0.02, 900, 0.2), Standing("gone", 0.0, 900, 0.1)),
        *(Standing("green", 0.58, 900, 0.5), Standing("red", 0.4, 900, 0.2)),
    ]
    proposal = reweigh(standings, floor=0.1)
    assert proposal.weights is not None
    assert proposal.weights[1] == 0
    assert proposal.weights[0] >= 0.1
    assert proposal.why[-1] == "At once up to the floor: blue, below it now."


def answer(days: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
    experiment = fields.pop("experiment", THREE)
    return report_on(daily(*days), experiment=experiment, **fields)


def test_the_report_of_an_undecided_experiment_moves_visitors_to_the_promising_variant() -> None:
    proposal = propose(answer(WEEKS))
    assert proposal.weights is not None
    blue, green, red = proposal.weights
    assert min(blue, green) > 0.4 > 0.2 > red >= 0.05
    assert proposal.why[0].startswith("green is the best with a chance of ")


@pytest.mark.parametrize(
    ("report", "reason"),
    [
        (answer([{"blue": (500, 50), "green": (500, 60), "red": (100, 9)}] * 9), "The check srm raises an alarm"),
        (answer([{"blue": (900, 90), "green": (900, 140), "red": (900, 90)}] * 9), "There is nothing left to find out"),
        (answer([{"blue": (9, 1), "green": (9, 1), "red": (9, 1)}] * 9), "Too few visitors in blue, green, red"),
        (answer([{}]), "No visitor has come yet"),
    ],
)
def test_weights_stay_where_the_numbers_cannot_move_them(report: dict[str, Any], reason: str) -> None:
    proposal = propose(report)
    assert proposal.weights is None
    assert reason in proposal.why[0]


def test_a_mean_moves_visitors_by_the_mean_and_not_by_the_rate() -> None:
    """Red's visitors buy most often and cheaply; green's bring the most per visitor."""
    shop = an_experiment(
        variants=("blue", "green", "red"),
        goals=("buy",),
        goal_values={"buy": GoalValue(unit="EUR", decimals=2, cap=50_000)},
        primary="buy.value",
    )
    arms = {
        "blue": an_arm(4500, 400, 4000),
        "green": an_arm(4500, 400, 4500),
        "red": an_arm(4500, 520, 3000),
    }
    tallies = totals(**arms)
    tallies |= {cell._replace(span="day", when="2026-11-02"): tally for cell, tally in totals(**arms).items()}
    proposal = propose(report_on(tallies, experiment=shop))
    assert proposal.weights is not None, proposal.why
    assert proposal.weights[1] > proposal.weights[2]
    assert proposal.why[0].startswith("green is the best with a chance of")
    by_rate = propose(report_on(tallies, experiment=shop.model_copy(update={"primary": "buy"})))
    assert by_rate.why[0].startswith("red is the best with a chance of"), by_rate.why


def test_a_phase_lasts_a_week() -> None:
    experiment = an_experiment(
        variants=("blue", "green", "red"), phases=(THREE.phases[0], Phase(weights=(0.3, 0.4, 0.3)))
    )
    young = daily(*WEEKS) | {
        cell._replace(phase=1): tally
        for cell, tally in daily({"blue": (300, 30), "green": (400, 41), "red": (300, 30)}).items()
    }
    report = report_on(young, experiment=experiment)
    day = report["phases"][1]["first"]
    for now, stays in ((f"{day}T12:00:00Z", True), (f"{day[:8]}{int(day[8:]) + 7:02}T00:00:00Z", False)):
        assert (propose(report | {"as_of": now}).why[0].startswith("The weights are no days old")) == stays

"""Simulated revenue and guardrails have the truth that they claim."""

from __future__ import annotations

import math
from random import Random
from statistics import fmean, pstdev

import pytest

from abacus.simulation.metrics.planner import planned_look
from abacus.simulation.metrics.trials import MEDIAN, Rail, Shop, run_rail, run_shop


@pytest.mark.parametrize("cap", [None, 0.9])
def test_the_variation_of_a_visitor_is_that_of_drawn_visitors(cap: float | None) -> None:
    shop, dice = Shop("shop", rate=0.3, sigma=0.5, cap=cap), Random(1)
    amounts = [
        min(shop.cap_cents, dice.lognormvariate(math.log(MEDIAN), 0.5)) if dice.random() < 0.3 else 0.0
        for _ in range(40_000)
    ]
    assert shop.variation == pytest.approx(pstdev(amounts) / fmean(amounts), rel=0.03)


def test_much_more_revenue_wins_and_none_does_not() -> None:
    looks = (20_000, 60_000)
    better = run_shop(Shop("shop", rate=0.1, lift=0.5), looks, Random(2))
    assert (better.decided, better.winner) == (20_000, True)
    assert run_shop(Shop("shop", rate=0.1), looks, Random(2)).decided is None


def test_a_guardrail_breaks_when_the_rate_falls_by_much_more_than_the_margin() -> None:
    looks = (20_000, 100_000)
    assert run_rail(Rail(0.1, 0.1, -0.5), looks, Random(3)).broken == 20_000
    assert run_rail(Rail(0.1, 0.1, 0.1), looks, Random(3)).ok is not None


def test_a_plan_with_plenty_of_visitors_finds_a_rise_and_a_fall() -> None:
    plan = ((90_000, 90_000), (90_000, 90_000))
    assert planned_look(0.1, 0.2, plan, Random(4)) == (True, True)
    assert planned_look(0.1, -0.2, plan, Random(4)) == (True, True)

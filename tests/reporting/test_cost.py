"""What an experiment has cost, as GET /stats says: the bill's own figures, and two ends that cannot be argued with."""

from __future__ import annotations

from collections import Counter

import pytest

from abacus.operations import bill, prices
from abacus.operations.capacity import Workload, recorded
from chalicelib.reporting import cost
from chalicelib.storage.tally import Cell, Tally
from tests.support.tallied import as_json


def a_million(events: int, together: int, segments: int = 0) -> float:
    """Dollars for a million requests."""
    scenario = Workload(events, together, segments=segments)
    return sum(bill.request(recorded()[scenario][0], scenario, bill.FunctionSettings.shipped().memory).values())


def test_the_figures_that_ship_are_those_of_the_bill() -> None:
    found = [[round(a_million(3, together, segments), 2) for segments in range(5)] for together in (25, 1)]
    assert found == [list(cost.BUSY), list(cost.QUIET)]
    assert (cost.PRICES_OF, cost.REGION) == (prices.READ_ON, prices.REGION)


def test_a_request_costs_the_same_whatever_it_carries() -> None:
    assert [a_million(events, 25) for events in (1, 3, 10)] == [pytest.approx(cost.BUSY[0], rel=0.005)] * 3


def test_the_cost_lies_between_a_request_for_each_visitor_and_one_for_each_event() -> None:
    total = Tally(visitors=900_000, received=3_000_000, events=2_990_000, excluded=Counter({"bot": 100_000}))
    answer = cost.so_far({Cell("total", "", 0, "blue"): total, Cell("day", "2026-11-21", 0, "blue"): total})
    assert answer is not None
    assert as_json(answer) == {
        "currency": "USD",
        "prices_of": prices.READ_ON,
        "region": prices.REGION,
        "events": 3_000_000,
        "requests": [1_000_000, 3_000_000],
        "per_million": [pytest.approx(a_million(3, 25) / 3, abs=0.01), pytest.approx(a_million(3, 1), abs=0.01)],
        "dollars": [pytest.approx(a_million(3, 25), abs=0.01), pytest.approx(3 * a_million(3, 1), abs=0.02)],
    }


def test_nothing_has_cost_nothing() -> None:
    assert cost.so_far({}) is None

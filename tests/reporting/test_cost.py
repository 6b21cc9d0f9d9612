"""What an experiment has cost, as GET /stats says: the bill's own figures, and two ends that cannot be argued with."""

from __future__ import annotations

from collections import Counter

import pytest

from abacus.operations import bill, prices
from abacus.operations.capacity import Workload, an_experiment, recorded
from abacus.operations.cost import use_of
from abacus.operations.tally_size import full_bytes, full_tally
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


def with_size(size: int, together: int, segments: int) -> float:
    """Dollars for a million requests where the tallies are so many bytes large."""
    use = use_of(recorded(), segments, size, together)
    memory = bill.FunctionSettings.shipped().memory
    return sum(bill.request(use, Workload(3, together, segments=segments), memory).values())


def test_a_further_kilobyte_of_the_tallies_costs_what_the_bill_says() -> None:
    found = [
        [round(with_size(1025, together, segments) - with_size(1024, together, segments), 2) for segments in range(5)]
        for together in (25, 1)
    ]
    assert found == [list(cost.BUSY_KILOBYTE), list(cost.QUIET_KILOBYTE)]


@pytest.mark.parametrize("values", [0, 1, 3, 20])
def test_goals_with_values_cost_what_the_bill_says_of_that_experiment(values: int) -> None:
    experiment = an_experiment("cta-color", segments=3, values=values)
    answer = cost.so_far({Cell("total", "", 0, "blue"): full_tally(experiment)}, 3)
    assert answer is not None
    assert answer.per_million[1] == pytest.approx(with_size(full_bytes(experiment), 1, 3), abs=0.01)


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

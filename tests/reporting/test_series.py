"""The series: what the charts of the results page draw."""

from __future__ import annotations

from decimal import Decimal
from math import comb
from typing import Any

import pytest

from chalicelib.domain.manifest import Phase
from chalicelib.statistics.sequential.rate_sequence import rate_sequence
from tests.support.builders import an_experiment
from tests.support.tallied import daily, report_on


def evidence_against(p: float, converted: int, visitors: int) -> float:
    """The same ratio in whole numbers: B(x + ½, n − x + ½)/π = C(2x, x) C(2(n−x), n−x) / (4ⁿ C(n, x))."""
    x, n = converted, visitors
    ratio = Decimal(comb(2 * x, x) * comb(2 * (n - x), n - x)) / (Decimal(4) ** n * comb(n, x))
    return float(Decimal(p) ** x * (1 - Decimal(p)) ** (n - x) / ratio)


@pytest.mark.parametrize(("converted", "visitors"), [(10, 100), (3, 2000), (700, 7000)])
def test_both_ends_of_the_band_are_where_the_evidence_reaches_twenty_to_one(converted: int, visitors: int) -> None:
    for end in rate_sequence(converted, visitors):
        assert evidence_against(end, converted, visitors) == pytest.approx(0.05, rel=1e-9)


@pytest.mark.parametrize(
    ("converted", "visitors", "band"),
    [(0, 0, (0, 1)), (0, 1, (0, 0.975)), (1, 1, (0.025, 1)), (2, 2, ((0.05 * 3 / 8) ** 0.5, 1))],
)
def test_the_first_visitors_band_can_be_computed_by_hand(
    converted: int, visitors: int, band: tuple[float, float]
) -> None:
    assert rate_sequence(converted, visitors) == pytest.approx(band)


def points(*days: dict[str, tuple[int, int]], **arguments: Any) -> list[dict[str, Any]]:
    return report_on(daily(*days), series="day", **arguments)["series"]  # type: ignore[no-any-return]


def expected(point: dict[str, Any]) -> dict[str, float | None]:
    return {variant["variant"]: variant["expected"] for variant in point["variants"]}


def test_each_day_says_how_many_visitors_the_split_gives_each_variant() -> None:
    uneven = an_experiment(phases=(Phase(weights=(0.9, 0.1)),))
    days = points({"blue": (80, 8), "green": (20, 2)}, {"blue": (30, 3)}, experiment=uneven)
    assert [expected(day) for day in days] == [{"blue": 90, "green": 10}, {"blue": 27, "green": 3}]


def test_a_day_across_two_phases_expects_what_each_of_them_does() -> None:
    changed = an_experiment(phases=(Phase(weights=(1, 0)), Phase(weights=(0.5, 0.5))))
    tallies = daily({"blue": (40, 4)}) | daily({"blue": (10, 1), "green": (12, 1)}, phase=1)
    (day,) = report_on(tallies, series="day", experiment=changed)["series"]
    assert expected(day) == {"blue": 51, "green": 11}


def test_where_the_sender_draws_the_variants_no_split_is_expected() -> None:
    (day,) = points({"blue": (80, 8), "green": (20, 2)}, experiment=an_experiment(assignment="client"))
    assert expected(day) == {"blue": None, "green": None}


def test_the_band_of_the_rate_so_far_lies_around_the_interval_for_one_look() -> None:
    *_, last = points({"blue": (80, 8), "green": (70, 9)}, {"blue": (60, 8), "green": (61, 9)})
    for variant in last["variants"]:
        so_far = variant["cumulative"]
        low, high = so_far["rate_interval"]
        assert so_far["rate_sequence"][0] < low < so_far["rate"] < high < so_far["rate_sequence"][1]


def test_each_day_has_a_band_of_its_own_unless_its_counts_cannot_be() -> None:
    _, day = points({"blue": (80, 8), "green": (70, 9)}, {"blue": (60, 6), "green": (3, 4)})
    blue, green = day["variants"]
    assert [evidence_against(end, 6, 60) for end in blue["rate_sequence"]] == pytest.approx([0.05, 0.05])
    assert green["rate_sequence"] is None

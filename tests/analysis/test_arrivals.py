"""The checks on how visitors arrive, and the age of an experiment that rests on it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from chalicelib.analysis.duration.age import busy_days
from tests.support.tallied import BEGAN, a_tally, checked, daily, report_on, totals


@pytest.mark.parametrize(
    ("check", "flag", "flagged", "expected"),
    [
        ("late-arrivals", "late-arrival", 50, "ok"),
        ("late-arrivals", "late-arrival", 51, "warning"),
        ("late-arrivals", "late-arrival", 201, "alarm"),
        ("arrival-bursts", "burst", 500, "alarm"),
        ("impossible-speed", "too-fast", 11, "warning"),
        ("missing-cookies", "no-cookie", 500, "warning"),
        ("missing-cookies", "no-cookie", 1000, "ok"),
    ],
)
def test_a_check_names_the_share_of_visitors_that_arrive_oddly(
    check: str, flag: str, flagged: int, expected: str
) -> None:
    tallies = totals(blue=a_tally(500, 50), green=a_tally(500, 50, flagged={flag: flagged}))
    answer = checked(report_on(tallies), check)
    assert (answer["state"], answer["figures"]["share"]) == (expected, flagged / 1000)


def test_a_shared_id_is_named_with_its_share_of_all_events() -> None:
    green = a_tally(900, 100, flagged={"shared-id": 1}, flagged_events={"shared-id": 100})
    answer = checked(report_on(totals(blue=a_tally(900, 100), green=green), refused={"capped": 400}), "shared-ids")
    assert (answer["state"], answer["figures"]) == ("alarm", {"ids": 1, "events": 500, "share": 500 / 2400})


def test_one_backdated_impression_does_not_make_an_experiment_a_week_old() -> None:
    days = [{"blue": (1, 0), "green": (0, 0)}, *[{}] * 19, {"blue": (900, 90), "green": (900, 180)}]
    assert report_on(daily(*days), series="day")["verdict"]["state"] == "collecting"
    assert report_on(daily(*days), series="day")["age"]["days"] == 1


def test_a_site_that_rests_at_weekends_gets_a_full_week_too() -> None:
    week = [{"blue": (100, 10), "green": (100, 10)}] * 5 + [{"blue": (1, 0), "green": (1, 0)}] * 2
    age = report_on(daily(*week * 3), series="day")["age"]
    assert (age["days"], age["week"]) == (15, True)
    assert not report_on(daily(*week, began=BEGAN + timedelta(days=14)), series="day")["age"]["week"]


def test_a_day_counts_from_a_tenth_of_the_mean_on() -> None:
    visitors = {"2026-11-01": 9, "2026-11-02": 10, "2026-11-03": 281}
    assert busy_days(visitors) == {date(2026, 11, 2), date(2026, 11, 3)}

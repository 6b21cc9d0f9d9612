"""GET /stats: the list of experiments, and with ?series=day their last days."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.api.parameters import with_days
from chalicelib.domain.errors import InvalidInput
from chalicelib.domain.manifest import Period
from chalicelib.reporting.queries import detail, overview
from chalicelib.reporting.report import Question, Series
from chalicelib.storage.store import Booking, cell_name
from chalicelib.storage.tally import Cell, Tally
from tests.support.builders import DAY, NOON, a_manifest, an_experiment
from tests.support.memory_store import MemoryStore
from tests.support.tallied import as_json


def a_store(days: dict[str, tuple[int, int]]) -> MemoryStore:
    """Day → visitors and how many of them clicked, half in each variant."""
    store = MemoryStore()
    for day, (visitors, converted) in days.items():
        for variant in ("blue", "green"):
            tally = Tally(visitors=visitors // 2, impressions=visitors // 2)
            tally.converted["click"] = converted // 2
            for cell in (Cell("day", day, 0, variant), Cell("total", "", 0, variant)):
                store.book([Booking("cta-color", cell_name(cell, 0, 0), tally.numbers())])
    return store


def listed(store: MemoryStore, *, days: bool, **fields: Any) -> dict[str, Any]:
    (entry,) = as_json(overview(store, a_manifest(an_experiment(**fields)), days=days, now_ms=NOON))["experiments"]
    return entry  # type: ignore[no-any-return]


def test_with_days_the_list_says_who_came_today_and_before() -> None:
    entry = listed(a_store({"2026-11-19": (40, 4), "2026-11-21": (20, 2)}), days=True)
    assert (entry["visitors_today"], entry["series"]) == (
        20,
        [
            {"at": "2026-11-19", "visitors": 40, "converted": 4},
            {"at": "2026-11-21", "visitors": 20, "converted": 2},
        ],
    )


def test_without_days_they_are_not_read() -> None:
    entry = listed(a_store({"2026-11-21": (20, 2)}), days=False)
    assert (entry["visitors_today"], entry["series"]) == (None, None)


def test_only_the_last_four_weeks_are_read() -> None:
    entry = listed(a_store({"2026-10-24": (10, 0), "2026-10-25": (12, 0), "2026-11-20": (14, 0)}), days=True)
    assert [point["at"] for point in entry["series"]] == ["2026-10-25", "2026-11-20"]
    assert entry["visitors"] == 36


def test_a_stopped_experiment_shows_the_days_before_its_stop() -> None:
    store = a_store({"2026-08-01": (10, 0), "2026-08-03": (12, 0)})
    entry = listed(store, days=True, status="stopped", periods=(Period(end=NOON - 110 * DAY),))  # 2026-08-03
    assert ([point["at"] for point in entry["series"]], entry["visitors_today"]) == (["2026-08-01", "2026-08-03"], 0)


def test_the_verdict_is_the_same_with_days_and_without() -> None:
    store = a_store({f"2026-11-{day:02}": (400, 80) for day in range(1, 22)})
    assert listed(store, days=True)["verdict"] == listed(store, days=False)["verdict"]


@pytest.mark.parametrize("days", [True, False])
@pytest.mark.parametrize("series", ["none", "day", "hour"])
def test_a_lone_visitor_of_last_week_makes_no_experiment_older_in_any_answer(days: bool, series: Series) -> None:
    store = a_store({"2026-11-14": (2, 0), "2026-11-20": (20_000, 2_000), "2026-11-21": (4_000, 400)})
    report = as_json(detail(store, a_manifest(an_experiment()), "cta-color", Question(series=series), now_ms=NOON))
    assert report["age"] == {"first": "2026-11-20", "days": 1, "week": False}
    entry = listed(store, days=days)
    assert (entry["verdict"], entry["health"]) == (report["verdict"], report["health"]["state"])


@pytest.mark.parametrize("query", [{"series": "hour"}, {"from": "2026-11-01"}])
def test_what_the_list_does_not_know_is_refused_by_name(query: dict[str, str]) -> None:
    with pytest.raises(InvalidInput) as raised:
        with_days(query)
    assert raised.value.field == next(iter(query))

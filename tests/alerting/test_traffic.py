"""Silence that chance does not explain, and silence that is usual."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from chalicelib.alerting.traffic import Quiet, first_hour, stopped_traffic
from chalicelib.domain.clock import DAY_MS, HOUR_MS
from tests.support.tallied import NOW  # noon of Monday, 23 November 2026

HALF_PAST = NOW + HOUR_MS // 2
LONG_AGO = NOW - 60 * DAY_MS


def stopped(
    by_hour: dict[str, int], *, began_ms: int | None = LONG_AGO, resumed_ms: int | None = None, now_ms: int
) -> Quiet | None:
    return stopped_traffic(by_hour, began_ms=began_ms, resumed_ms=resumed_ms, now_ms=now_ms)


def hours(
    pattern: dict[int, int] | int, *, since: int = 11 * 24, until: int = 0, weekend: int | None = None
) -> dict[str, int]:
    """Events by hour, from `since` hours ago to `until` hours ago. pattern: the same each hour, or by hour of the
    day. weekend: events an hour on Saturday and Sunday."""
    found = {}
    for ago in range(until, since):
        at = datetime.fromtimestamp((HALF_PAST - ago * HOUR_MS) / 1000, UTC)
        n = pattern if isinstance(pattern, int) else pattern.get(at.hour, 0)
        if weekend is not None and at.weekday() >= 5:
            n = weekend
        if n:
            found[at.strftime("%Y-%m-%dT%H")] = n
    return found


def test_three_hours_without_any_of_sixty_usual_events_are_told() -> None:
    assert stopped(hours(20, until=4), now_ms=HALF_PAST) == Quiet(3, 60.0)


@pytest.mark.parametrize(("events", "until"), [(20, 3), (16, 4), (20, 0)])
def test_too_short_a_silence_or_too_few_usual_events_are_chance(events: int, until: int) -> None:
    assert stopped(hours(events, until=until), now_ms=HALF_PAST) is None


def test_a_night_without_visitors_is_usual() -> None:
    by_day = dict.fromkeys(range(8, 20), 100)
    at = HALF_PAST - 9 * HOUR_MS  # half past three in the night
    seen = {hour: n for hour, n in hours(by_day).items() if hour < "2026-11-23T03"}
    assert stopped(seen, now_ms=at) is None
    noon = {hour: n for hour, n in seen.items() if hour < "2026-11-23T00"}
    assert stopped(noon, now_ms=HALF_PAST) == Quiet(16, 400.0)  # since 20:00; 8:00 to 12:00


def test_a_weekend_without_visitors_is_usual_once_there_was_one_before() -> None:
    sunday_noon = HALF_PAST - DAY_MS
    working = {hour: n for hour, n in hours(100, since=13 * 24, weekend=0).items() if hour < "2026-11-21"}
    assert stopped(working, now_ms=sunday_noon) is None
    every_day = {hour: n for hour, n in hours(100, since=13 * 24).items() if hour < "2026-11-21"}
    assert stopped(every_day, now_ms=sunday_noon) == Quiet(36, 3600.0)


def test_a_young_experiment_has_to_be_silent_for_a_day() -> None:
    young, began = hours(100, since=5 * 24, until=24), HALF_PAST - 4 * DAY_MS
    assert stopped(young, began_ms=began, now_ms=HALF_PAST) is None
    assert stopped(young, began_ms=None, now_ms=HALF_PAST) is None
    assert stopped(young, began_ms=began, now_ms=HALF_PAST + HOUR_MS) == Quiet(24, 2400.0)


def test_the_silence_of_a_pause_is_not_counted() -> None:
    seen = hours(100, until=20)
    assert stopped(seen, resumed_ms=HALF_PAST - HOUR_MS, now_ms=HALF_PAST) is None
    assert stopped(seen, resumed_ms=HALF_PAST - 5 * HOUR_MS, now_ms=HALF_PAST) == Quiet(4, 400.0)


def test_an_experiment_without_a_single_event_is_told_after_a_day() -> None:
    assert stopped({}, began_ms=HALF_PAST - 23 * HOUR_MS, now_ms=HALF_PAST) is None
    quiet = stopped({}, began_ms=HALF_PAST - 24 * HOUR_MS, now_ms=HALF_PAST)
    assert quiet == Quiet(24, None)
    assert quiet.text.startswith("No event since the experiment began 24 hours ago.")


def test_only_the_hours_that_are_looked_at_are_read() -> None:
    assert first_hour(HALF_PAST) == "2026-11-12T12"

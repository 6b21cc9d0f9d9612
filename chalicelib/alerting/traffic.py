"""Whether the traffic of a running experiment has stopped: no event for hours in which many are usual."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from chalicelib.analysis.wording import count
from chalicelib.domain.clock import DAY_MS, HOUR_MS, utc_datetime

LOOK_BACK_DAYS = 11  # a week, and a silence of four days; hours are kept for 14
QUIET_HOURS = 3  # complete hours without an event, at least
YOUNG_QUIET_HOURS = 24  # of an experiment without a week behind it, whose weekends are not known
USUAL_EVENTS = 50  # that the same hours had; fewer may be missing by chance
FIRST_HOURS = 24  # after which an experiment without a single event is told


class Quiet(NamedTuple):
    """Complete hours since the last event, and the events that are usual in them. `usual`: None where there has never
    been an event."""

    hours: int
    usual: float | None

    @property
    def text(self) -> str:
        """A sentence for people."""
        where = "Are the experiment's page and the snippet still there?"
        if self.usual is None:
            return f"No event since the experiment began {count(self.hours, 'hour')} ago. {where}"
        usual = count(round(self.usual), "event")
        return f"No event for {count(self.hours, 'hour')}, in which about {usual} are usual. {where}"


def stopped_traffic(
    by_hour: Mapping[str, int], *, began_ms: int | None, resumed_ms: int | None, now_ms: int
) -> Quiet | None:
    """The silence, if it is one that chance does not explain; None while traffic comes.

    The usual number is the lower of two: the average of the same hours of the days before, and the same hours a week
    ago. So a site that sleeps at night or at weekends is not reported, once it has a week behind it.

    Args:
        by_hour: events of all variants by UTC hour ("2026-11-21T13"), of the last LOOK_BACK_DAYS days; hours without
            an event may be missing.
        began_ms: when the experiment first took events, epoch milliseconds; None: unknown.
        resumed_ms: when it last began to take them, after a pause; None: it was never paused.
        now_ms: epoch milliseconds."""
    this_hour = now_ms // HOUR_MS  # not complete yet
    window = this_hour - LOOK_BACK_DAYS * 24
    counts = {hour: by_hour.get(_name(hour), 0) for hour in range(window, this_hour + 1)}
    active = [hour for hour, n in counts.items() if n > 0]
    since_ms = max(began_ms or 0, resumed_ms or 0)
    if not active:
        # Silent for longer than the hours are kept: told before, if it was ever there to tell.
        waited = (now_ms - since_ms) // HOUR_MS if since_ms else 0
        return Quiet(waited, None) if FIRST_HOURS <= waited <= LOOK_BACK_DAYS * 24 else None
    first = active[0] if began_ms is None else max(window, began_ms // HOUR_MS)
    quiet = range(max(active[-1], since_ms // HOUR_MS) + 1, this_hour)  # a pause is no silence
    usual = _usual(counts, quiet, first)
    has_a_week = first <= quiet.start - 7 * 24
    enough = QUIET_HOURS if has_a_week else YOUNG_QUIET_HOURS
    return Quiet(len(quiet), usual) if len(quiet) >= enough and usual >= USUAL_EVENTS else None


def _usual(counts: Mapping[int, int], quiet: range, first: int) -> float:
    """Events that the hours of `quiet` have on other days, from the hour `first` on."""
    total = 0.0
    for hour in quiet:
        same = [counts[earlier] for earlier in range(hour - 24, first - 1, -24) if earlier not in quiet]
        average = sum(same) / len(same) if same else 0.0
        a_week_ago = hour - 7 * 24
        total += min(average, counts[a_week_ago]) if a_week_ago >= first else average
    return total


def _name(hour: int) -> str:
    return utc_datetime(hour * HOUR_MS).strftime("%Y-%m-%dT%H")


def first_hour(now_ms: int) -> str:
    """The first hour that `stopped_traffic` looks at."""
    return _name((now_ms - LOOK_BACK_DAYS * DAY_MS) // HOUR_MS)

"""The last days of an experiment, for its line in the list: does anybody still come?"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from chalicelib.domain.manifest import CLICK, Experiment
from chalicelib.storage.tally import Tallies, Tally

DAYS = 28  # some two read units for two variants; all 90 would be five


class Span(NamedTuple):
    first: date
    last: date


def span(experiment: Experiment, now: datetime) -> Span:
    """The UTC days to read: up to today, or up to the last day on which the experiment took events."""
    last = now.astimezone(UTC).date()
    ends = [period.end for period in experiment.periods]
    if ends and None not in ends:
        latest = datetime.fromtimestamp(max(end for end in ends if end is not None) / 1000, UTC).date()
        last = min(last, latest)
    return Span(last - timedelta(days=DAYS - 1), last)


def recent(tallies: Tallies, now: datetime) -> dict[str, Any]:
    """visitors_today, and a series of the days on which anybody came first: {"at", "visitors", "converted"}."""
    days: dict[str, Tally] = defaultdict(Tally)
    for cell, tally in tallies.items():
        if cell.span == "day":
            days[cell.when].add(tally)
    series = [{"at": at, "visitors": t.visitors, "converted": t.converted[CLICK]} for at, t in sorted(days.items())]
    today = days.get(now.astimezone(UTC).date().isoformat(), Tally())
    return {"visitors_today": today.visitors, "series": series}

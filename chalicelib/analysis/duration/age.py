"""How long an experiment has run: days that count, and whether every weekday is among them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from chalicelib.analysis.sample import Sample
from chalicelib.domain.clock import DAY_MS, day_start_ms, utc_day
from chalicelib.domain.manifest import Experiment

WEEK = 7
BUSY = 0.1  # a day counts from this share of the mean day on


@dataclass(frozen=True)
class Age:
    """How long an experiment has run.

    first: the first UTC day that counts. days: days that are over and count: the experiment ran and a reasonable share
    of visitors came. week: whether every weekday is among them. A weekday that
    has passed twice without a reasonable share is not waited for.
    """

    first: date | None
    days: int
    week: bool

    @property
    def full_week(self) -> bool:
        """Whether at least seven days count, and every weekday among them."""
        return self.week and self.days >= WEEK


def age(sample: Sample, now_ms: int) -> Age:
    """The age of an experiment at `now_ms`, epoch milliseconds.

    Without the cohorts by day, every day counts from the first cohort on, or from the start in the manifest. Days
    before the experiment began come from signed senders alone, who are trusted with older events."""
    experiment, end = sample.experiment, utc_day(now_ms)
    if sample.window.end is not None:
        end = min(end, sample.window.end + timedelta(days=1))
    starts = [p.start for p in experiment.periods if p.start is not None]
    busy = busy_days({day: sum(t.visitors for t in arms.values()) for day, arms in sample.days.items()})
    if busy:
        first = min(busy)
    elif sample.first_day is not None:
        first = sample.first_day
    elif starts and sample.phases:
        first = utc_day(min(starts))
    else:
        return Age(None, 0, False)
    passed = [first + timedelta(days=n) for n in range((end - first).days)]
    days = [day for day in passed if (not busy or day in busy) and _ran_on(experiment, day)]
    weekdays = {day.weekday() for day in days}
    quiet = Counter(day.weekday() for day in passed if busy and _ran_on(experiment, day))
    return Age(first, len(days), all(day in weekdays or quiet[day] >= 2 for day in range(WEEK)))


def busy_days(visitors: Mapping[str, int]) -> set[date]:
    """The days on which a reasonable share of visitors came: at least a tenth of the mean day.

    visitors: new visitors by UTC day.

    >>> sorted(busy_days({"2026-11-15": 1, "2026-11-21": 1500}))
    [datetime.date(2026, 11, 21)]
    """
    seen = {day: n for day, n in visitors.items() if n > 0}
    least = BUSY * sum(seen.values()) / max(1, len(seen))
    return {date.fromisoformat(day) for day, n in seen.items() if n >= least}


def _ran_on(experiment: Experiment, day: date) -> bool:
    start = day_start_ms(day)
    return any(
        (p.start is None or p.start < start + DAY_MS) and (p.end is None or p.end > start) for p in experiment.periods
    )

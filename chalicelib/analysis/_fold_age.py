"""How long an experiment has been watched, and whether that covers a full week."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from chalicelib.analysis.sample import Sample
from chalicelib.domain.manifest import Experiment

WEEK = 7
_DAY = 86_400_000  # milliseconds


@dataclass(frozen=True)
class Age:
    """days: UTC days over since the first visitor came, that first day included, on which the experiment ran; week: all
    weekdays are among them."""

    first: date | None
    days: int
    week: bool


def age(sample: Sample, now: datetime) -> Age:
    """Counted from the first cohort, or, where no days are at hand, from the start that the manifest gives."""
    experiment, end = sample.experiment, now.astimezone(UTC).date()
    if sample.window.end is not None:
        end = min(end, sample.window.end + timedelta(days=1))
    starts = [p.start for p in experiment.periods if p.start is not None]
    if sample.first_day is not None:
        first = sample.first_day
    elif starts and sample.phases:
        first = datetime.fromtimestamp(min(starts) / 1000, UTC).date()
    else:
        return Age(None, 0, False)
    days = [day for n in range((end - first).days) if _ran_on(experiment, day := first + timedelta(days=n))]
    return Age(first, len(days), len({day.weekday() for day in days}) == WEEK)


def _ran_on(experiment: Experiment, day: date) -> bool:
    start = datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000
    return any(
        (p.start is None or p.start < start + _DAY) and (p.end is None or p.end > start) for p in experiment.periods
    )

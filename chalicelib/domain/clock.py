"""Time: an `int` of epoch milliseconds everywhere inside, named `..._ms`. Other forms exist only at the edges.

DynamoDB's time to live wants epoch seconds, people and JSON want ISO 8601, cohorts want a UTC day: the conversions are
here, so that no two places disagree.
"""

from __future__ import annotations

import time
from datetime import UTC, date, datetime

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
YEAR_5000_MS = 95_617_584_000_000  # no event may be later; keeps every sum of times far from any limit


def now_ms() -> int:
    """The wall clock. Only entry points call it; everything else gets the time as an argument."""
    return time.time_ns() // 1_000_000


def utc_datetime(at_ms: int) -> datetime:
    """The moment as a datetime in UTC.

    >>> utc_datetime(1795262400000).isoformat()
    '2026-11-21T12:00:00+00:00'
    """
    return datetime.fromtimestamp(at_ms / 1000, UTC)


def utc_day(at_ms: int) -> date:
    """The UTC day of a moment.

    >>> utc_day(1795262400000)
    datetime.date(2026, 11, 21)
    """
    return utc_datetime(at_ms).date()


def day_start_ms(day: date) -> int:
    """The first moment of a UTC day.

    >>> utc_datetime(day_start_ms(date(2026, 11, 21))).isoformat()
    '2026-11-21T00:00:00+00:00'
    """
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)


def iso(at_ms: int, timespec: str = "seconds") -> str:
    """ISO 8601 in UTC, ending in Z.

    >>> iso(1795262400123), iso(1795262400123, "milliseconds")
    ('2026-11-21T12:00:00Z', '2026-11-21T12:00:00.123Z')
    """
    return utc_datetime(at_ms).isoformat(timespec=timespec).replace("+00:00", "Z")

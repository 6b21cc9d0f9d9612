"""The running totals of one variant, and which item holds them.

A tally is integers under names. Deltas are tallies too, with signs; the only operation is to add.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar, Literal, NamedTuple

Span = Literal["total", "day", "hour", "segment"]
SPANS = ("total", "day", "hour", "segment")

# Why a visitor has a row but is not in the numbers.
EXCLUSIONS = ("bot", "no-impression")

# What is remarkable about a visitor who does count.
# multiple-variants: seen in several, counts in the first. before-impression: had clicks or goals before the first
# impression, which do not count. after-window: had clicks or goals after the conversion window, which do not count.
# late-arrival, burst, no-cookie: the marks of the first impression, see
# event_encoding. too-fast: more events in a second than a person can make. shared-id: several people use the id.
FLAGS = (
    "multiple-variants",
    "before-impression",
    "after-window",
    "late-arrival",
    "burst",
    "no-cookie",
    "too-fast",
    "shared-id",
)

# A visitor enters the count of a goal's events with at most this many.
COUNT_CAP = 100

# A visitor enters the squares with at most this many impressions and clicks: one bot with 1e5 impressions would
# otherwise own the variance of CTR.
SQUARES_CAP = 100


class Cell(NamedTuple):
    """Which tally: `when` is "" for a total, "2026-11-21" for a day, "2026-11-21T13" for an hour (UTC),
    "device=mobile" for a segment."""

    span: Span
    when: str
    phase: int
    variant: str


@dataclass
class Tally:
    """The totals of one variant in one phase: all, or those of one day's cohort, or of one segment.

    impressions, clicks   events of visitors who are not excluded
    visitors              unique visitors with an impression who are not excluded
    converted[goal]       of those, how many reached the goal at least once ("click" is a goal)
    goal_events[goal]     how often a goal other than click was reached
    sx sy sxx syy sxy     Σx, Σy, Σx², Σy², Σxy over visitors; x impressions, y clicks, both capped at 100
    repeat[goal]          Σ(n − 1) over visitors who reached a goal other than click, n their events, at most 100
    repeat_squares[goal]  Σ(n² − 1), so that Σn = converted + repeat and Σn² = converted + repeat_squares
    value_sum[goal]       Σv, in minor units; v is a visitor's sum of the goal's values, capped either way
    value_squares[goal]   Σv²
    value_cut[goal]       what the cap took away: Σ(sum before the cap − v)
    value_capped[goal]    visitors whose sum was capped
    value_repeat[goal]    Σ v(n − 1), so that Σvn = value_sum + value_repeat
    received, events      events sent to the rows, and distinct events in them (received - events: repeats)
    excluded[reason]      visitors left out, by reason
    excluded_events       events left out: all of an excluded visitor, or single ones of a visitor who counts
    flagged[flag]         visitors who count, by what is remarkable about them (see FLAGS)
    flagged_events[flag]  events of the visitors under a shared id
    An hour's tally holds raw impressions and clicks by their own time, and nothing else.
    """

    impressions: int = 0
    clicks: int = 0
    visitors: int = 0
    sx: int = 0
    sy: int = 0
    sxx: int = 0
    syy: int = 0
    sxy: int = 0
    received: int = 0
    events: int = 0
    excluded_events: int = 0
    converted: Counter[str] = field(default_factory=Counter)
    goal_events: Counter[str] = field(default_factory=Counter)
    excluded: Counter[str] = field(default_factory=Counter)
    flagged: Counter[str] = field(default_factory=Counter)
    flagged_events: Counter[str] = field(default_factory=Counter)
    repeat: Counter[str] = field(default_factory=Counter)
    repeat_squares: Counter[str] = field(default_factory=Counter)
    value_sum: Counter[str] = field(default_factory=Counter)
    value_squares: Counter[str] = field(default_factory=Counter)
    value_cut: Counter[str] = field(default_factory=Counter)
    value_capped: Counter[str] = field(default_factory=Counter)
    value_repeat: Counter[str] = field(default_factory=Counter)

    PLAIN: ClassVar = (
        "impressions",
        "clicks",
        "visitors",
        "sx",
        "sy",
        "sxx",
        "syy",
        "sxy",
        "received",
        "events",
        "excluded_events",
    )
    NAMED: ClassVar = (
        "converted",
        "goal_events",
        "excluded",
        "flagged",
        "flagged_events",
        "repeat",
        "repeat_squares",
        "value_sum",
        "value_squares",
        "value_cut",
        "value_capped",
        "value_repeat",
    )

    def add(self, other: Tally, sign: int = 1) -> None:
        """Add `other`, or with sign −1 take it away."""
        for name in self.PLAIN:
            setattr(self, name, getattr(self, name) + sign * getattr(other, name))
        for name in self.NAMED:
            mine: Counter[str] = getattr(self, name)
            for key, count in getattr(other, name).items():
                mine[key] += sign * count

    def numbers(self) -> dict[str, int]:
        """The tally flat, without zeros: {"impressions": 3, "converted.click": 1}."""
        flat = {name: getattr(self, name) for name in self.PLAIN}
        for name in self.NAMED:
            flat |= {f"{name}.{key}": count for key, count in getattr(self, name).items()}
        return {name: count for name, count in flat.items() if count}

    @classmethod
    def of(cls, numbers: Iterable[tuple[str, int]]) -> Tally:
        """The inverse of numbers(); names that it does not know are left out."""
        tally = cls()
        for name, count in numbers:
            kind, dot, key = name.partition(".")
            if dot and kind in cls.NAMED:
                getattr(tally, kind)[key] += count
            elif not dot and kind in cls.PLAIN:
                setattr(tally, kind, getattr(tally, kind) + count)
        return tally


Tallies = dict[Cell, Tally]


def difference(after: Tallies, before: Tallies) -> Tallies:
    """after − before, cell by cell, without the cells in which nothing changed."""
    delta: Tallies = {}
    for cells, sign in ((after, 1), (before, -1)):
        for cell, tally in cells.items():
            delta.setdefault(cell, Tally()).add(tally, sign)
    return {cell: tally for cell, tally in delta.items() if tally.numbers()}

"""What became of the events, day by day: the same words as docs/outcomes.md, for the page's curious reader."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from chalicelib.storage.tally import Tallies, Tally

Refused = Mapping[str, Mapping[str, int]]  # day → outcome → events


def by_day(tallies: Tallies, refused: Refused) -> list[dict[str, Any]]:
    """Days (UTC) on which anything happened, oldest first.

    accepted, repeated: events of the visitors first seen on that day, whenever they came; excluded: those of these
    visitors that do not count, by reason; refused: events that came on that day, about."""
    days: dict[str, Tally] = defaultdict(Tally)
    for cell, tally in tallies.items():
        if cell.span == "day":
            days[cell.when].add(tally)
    return [_day(at, days[at], refused.get(at, {})) for at in sorted(days.keys() | refused.keys())]


def _day(at: str, tally: Tally, refused: Mapping[str, int]) -> dict[str, Any]:
    return {
        "at": at,
        "visitors": tally.visitors,
        "accepted": tally.events,
        "repeated": tally.received - tally.events,
        "excluded": {reason: n for reason, n in sorted(tally.excluded.items()) if n},
        "refused": dict(sorted(refused.items())),
    }


def refused_by_day(cells: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    """From the items of one experiment; see refusals.py, which writes them.

    >>> refused_by_day({"daily#2026-11-21#too-old": {"n": 3, "expires_at": 1}, "refused#too-old#0": {"n": 3}})
    {'2026-11-21': {'too-old': 3}}
    """
    days: dict[str, Counter[str]] = defaultdict(Counter)
    for name, numbers in cells.items():
        kind, _, rest = name.partition("#")
        if kind == "daily":
            day, _, outcome = rest.partition("#")
            days[day][outcome] += numbers.get("n", 0)
    return {day: dict(outcomes) for day, outcomes in days.items()}

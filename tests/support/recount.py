"""The tallies by counting all accepted events from scratch, the slow and obvious way.

Written from docs and design, not from chalicelib/counting/contribution.py: it is what that is held against.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

Numbers = dict[str, int]
Recount = dict[tuple[str, str, int, str], Numbers]  # (span, when, phase, variant) → numbers by name


class Sent(NamedTuple):
    """One event as it was sent and accepted."""

    visitor: str
    experiment: str
    id: str
    type: str
    goal: str | None
    variant: str
    phase: int
    at: int
    bot: bool
    late: bool = False
    cents: int | None = None  # a goal's value
    segments: tuple[str, ...] = ()  # of an impression: device=mobile


def recount(
    sent: Iterable[Sent], client_assigned: bool, received: int, *, cap: int = 0, window_ms: int | None = None
) -> Recount:
    """What one participant's accepted events amount to; `sent` in any order, repeats and all.

    cap: of a visitor's sum of values, in cents. window_ms: after the first impression, in which conversions count."""
    by_id: dict[str, list[Sent]] = defaultdict(list)
    for event in sent:
        by_id[event.id].append(event)
    events = sorted(
        (min(same, key=lambda e: _text(e, cap, window_ms)) for same in by_id.values()), key=lambda e: (e.at, e.id)
    )
    totals: Recount = defaultdict(lambda: defaultdict(int))
    for e in events:
        name = {"impression": "impressions", "click": "clicks"}.get(e.type, f"goal_events.{e.goal}")
        if not e.late:
            totals["hour", _when(e.at, "%Y-%m-%dT%H"), e.phase, e.variant][name] += 1

    def book(home: Sent, **numbers: int) -> None:
        for place in _places(home):
            for name, n in numbers.items():
                totals[(*place, home.phase, home.variant)][name.replace("__", ".")] += n

    if not events:
        return {}
    real = [e for e in events if not e.bot] if not events[-1].bot else []
    seen = [e for e in real if e.type == "impression"] or [e for e in events if e.type == "impression"]
    first = seen[0] if seen else events[0]
    book(first, received=received, events=len(events), excluded_events=len(events) - len(real))
    if not real:
        book(first, excluded__bot=1)
    lists = (
        [[e for e in real if e.variant == v] for v in sorted({e.variant for e in real})] if client_assigned else [real]
    )
    for mine in filter(None, lists):
        impressions = [e for e in mine if e.type == "impression"]
        clicks = [e for e in mine if e.type == "click"]
        goals = [e for e in mine if e.type == "goal"]
        if not impressions:
            book(mine[0], excluded_events=len(mine))
            _name(totals, mine[0], "excluded.no-impression")
        else:
            first_at = impressions[0].at
            early = [e for e in clicks + goals if e.at < first_at]
            late = [e for e in clicks + goals if window_ms is not None and e.at > first_at + window_ms]
            if late:
                book(impressions[0], excluded_events=len(late))
                _name(totals, impressions[0], "flagged.after-window")
            out = early + late
            clicks, goals = [e for e in clicks if e not in out], [e for e in goals if e not in out]
            if early:
                book(impressions[0], excluded_events=len(early))
                _name(totals, impressions[0], "flagged.before-impression")
            if impressions[0].late:
                _name(totals, impressions[0], "flagged.late-arrival")
            if len({e.variant for e in mine}) > 1:
                _name(totals, impressions[0], "flagged.multiple-variants")
            x, y = len(impressions), len(clicks)
            book(impressions[0], visitors=1, impressions=x, clicks=y, sx=x, sy=y, sxx=x * x, syy=y * y, sxy=x * y)
            for goal in {g.goal for g in goals} | ({"click"} if clicks else set()):
                _name(totals, impressions[0], f"converted.{goal}")
            for g in goals:
                _name(totals, impressions[0], f"goal_events.{g.goal}")
            for goal in {g.goal for g in goals}:
                same = [g for g in goals if g.goal == goal]
                n = len(same)
                amounts = {"repeat": n - 1, "repeat_squares": n**2 - 1}
                if (paid := sum(g.cents or 0 for g in same)) or any(g.cents is not None for g in same):
                    v = sorted([-cap, paid, cap])[1]
                    amounts |= {"value_sum": v, "value_squares": v**2, "value_cut": paid - v}
                    amounts |= {"value_capped": int(paid != v), "value_repeat": v * (n - 1)}
                for name, amount in amounts.items():
                    _name(totals, impressions[0], f"{name}.{goal}", amount)
    return {
        place: {k: n for k, n in numbers.items() if n} for place, numbers in totals.items() if any(numbers.values())
    }


def _name(totals: Recount, home: Sent, name: str, n: int = 1) -> None:
    for place in _places(home):
        totals[(*place, home.phase, home.variant)][name] += n


def _places(home: Sent) -> list[tuple[str, str]]:
    return [("total", ""), ("day", _when(home.at, "%Y-%m-%d")), *(("segment", segment) for segment in home.segments)]


def _text(e: Sent, cap: int, window_ms: int | None) -> str:
    """One id with several contents: the least of them as text counts (docs/decisions)."""
    kind = {"impression": "i", "click": "c", "goal": f"g:{e.goal}"}[e.type]
    text = f"{kind}|{e.variant}|{e.phase}|{e.at}|{e.id}"
    marks = ("b" if e.bot else "") + ("l" if e.late else "")
    if e.segments:
        limit = "" if window_ms is None else f"^{window_ms // 1000}"
        return f"{text}|{marks}|{limit}|{','.join(e.segments)}"
    if e.cents is not None:
        return f"{text}|{marks}|{e.cents}^{cap}"
    if e.type == "impression" and window_ms is not None:
        return f"{text}|{marks}|^{window_ms // 1000}"
    return f"{text}|{marks}" if marks else text


def _when(at: int, form: str) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime(form)


def merge(recounts: Iterable[Recount]) -> Recount:
    whole: Recount = defaultdict(lambda: defaultdict(int))
    for one in recounts:
        for place, numbers in one.items():
            for name, n in numbers.items():
                whole[place][name] += n
    return {place: dict(numbers) for place, numbers in whole.items()}

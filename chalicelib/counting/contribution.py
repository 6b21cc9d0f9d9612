"""What one participant's row adds to the tallies: a pure function of its events.

Because it is a function of the whole row, anything may depend on anything: unique visitors, squares, exclusion of a
visitor who turns out to be a bot. The fold adds contribution(after) − contribution(before), so whatever was counted
before is taken back by the same subtraction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from chalicelib.domain.clock import utc_datetime
from chalicelib.storage.event_encoding import Element, distinct
from chalicelib.storage.tally import SQUARES_CAP, Cell, Tallies, Tally


def contribution(elements: Iterable[str], received: int) -> Tallies:
    """The tallies of one visitor in one experiment, from the elements of the row and how many events it received."""
    events = distinct(elements)
    cells: Tallies = {}
    if not events:
        return cells
    for event in events:
        _activity(cells, event)
    # The newest event has the last word on whether this is a bot: flagged late, the visitor is taken back; spoken for
    # by a browser again after that, only what the bot sent is left out. docs/decisions/0004 says what that means for
    # somebody who knows another visitor's id.
    people = [] if events[-1].bot else [e for e in events if not e.bot]
    groups = _groups(people)
    home = _home(people) or _home(events) or events[0]
    _book(cells, home, Tally(received=received, events=len(events), excluded_events=len(events) - len(people)))
    if not people:
        _book(cells, home, Tally(excluded=Counter({"bot": 1})))
    for group in groups:
        _visitor(cells, group)
    return cells


def _groups(people: list[Element]) -> list[list[Element]]:
    """The events that make one visitor each: all of them, or where the sender chooses, those of each variant."""
    if not any(e.client for e in people):
        return [people] if people else []
    by_variant: dict[str, list[Element]] = {}
    for event in people:
        by_variant.setdefault(event.variant, []).append(event)
    return list(by_variant.values())


def _visitor(cells: Tallies, events: list[Element]) -> None:
    home = _home(events)
    kinds = Counter(e.kind for e in events)
    if home is None:
        reason = "no-impression"
    elif len({e.variant for e in events}) > 1:
        reason = "multiple-variants"
    else:
        x, y = min(kinds["impression"], SQUARES_CAP), min(kinds["click"], SQUARES_CAP)
        goals = {kind.removeprefix("goal:"): n for kind, n in kinds.items() if kind != "impression"}
        tally = Tally(
            visitors=1,
            impressions=kinds["impression"],
            clicks=kinds["click"],
            sx=x,
            sy=y,
            sxx=x * x,
            syy=y * y,
            sxy=x * y,
            converted=Counter(dict.fromkeys(goals, 1)),
            goal_events=Counter({goal: n for goal, n in goals.items() if goal != "click"}),
        )
        return _book(cells, home, tally)
    _book(cells, home or events[0], Tally(excluded=Counter({reason: 1}), excluded_events=len(events)))


def _home(events: list[Element]) -> Element | None:
    """The earliest impression: its variant, phase and day are the visitor's, and late clicks go back to them."""
    return next((e for e in events if e.kind == "impression"), None)


def _book(cells: Tallies, home: Element, tally: Tally) -> None:
    day = _utc(home.at, "%Y-%m-%d")
    for cell in (Cell("total", "", home.phase, home.variant), Cell("day", day, home.phase, home.variant)):
        cells.setdefault(cell, Tally()).add(tally)


def _activity(cells: Tallies, event: Element) -> None:
    cell = Cell("hour", _utc(event.at, "%Y-%m-%dT%H"), event.phase, event.variant)
    tally = cells.setdefault(cell, Tally())
    if event.kind == "impression":
        tally.impressions += 1
    elif event.kind == "click":
        tally.clicks += 1
    else:
        tally.goal_events[event.kind.removeprefix("goal:")] += 1


def _utc(at_ms: int, form: str) -> str:
    return utc_datetime(at_ms).strftime(form)

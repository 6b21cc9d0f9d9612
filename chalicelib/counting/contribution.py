"""What one participant's row adds to the tallies: a pure function of its events.

Because it is a function of the whole row, anything may depend on anything: unique visitors, squares, the exclusion of a
visitor who turns out to be a bot. The fold adds contribution(after) − contribution(before), so the same subtraction
takes back whatever was counted before.

A change of what this function returns is a new meaning of the tallies: raise MEANING with it, so that
`abacus upgrade-check` tells operators to run `abacus rebuild --apply` after deploying it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from chalicelib.domain.clock import HOUR_MS, SECOND_MS, utc_datetime
from chalicelib.storage.event_encoding import Element, distinct
from chalicelib.storage.tally import COUNT_CAP, SQUARES_CAP, Cell, Span, Tallies, Tally

MEANING = 2
# A visitor's first hours of activity are counted, and no more: each is an item of the tallies to write.
HOURS = 24
FAST = 20  # events in a second; a page may report several elements at once
HEAVY = 60  # impressions in an hour


def contribution(elements: Iterable[str], received: int) -> Tallies:
    """The tallies of one visitor in one experiment.

    Events that arrived late are no activity by the hour: a request of a hundred events, each in an hour of its own,
    would otherwise cost two hundred write units.

    elements: the events of the row, as `event_encoding` writes them, in any order. received: how many events were sent
    to the row, repeats included. Returns the numbers to add to each cell; empty for a row without events.
    """
    events = distinct(elements)
    cells: Tallies = {}
    if not events:
        return cells
    for event in events:
        if not event.marks.late:
            _add_activity(cells, event)
    # The newest event decides whether this visitor is a bot. Flagged late, the visitor is taken back; if a browser
    # speaks after the bot, only the bot's events are left out. See docs/decisions/0004.
    human = [] if events[-1].bot else [event for event in events if not event.bot]
    home = _first_impression(human) or _first_impression(events) or events[0]
    _add(cells, home, Tally(received=received, events=len(events), excluded_events=len(events) - len(human)))
    if not human:
        _add(cells, home, Tally(excluded=Counter({"bot": 1})))
    for visitor_events in _visitors(human):
        _add_visitor(cells, visitor_events)
    return cells


def _visitors(events: list[Element]) -> list[list[Element]]:
    """The events of each visitor to count: one visitor, or one per variant where the sender assigns the variants."""
    if not any(event.client for event in events):
        return [events] if events else []
    by_variant: dict[str, list[Element]] = {}
    for event in events:
        by_variant.setdefault(event.variant, []).append(event)
    return list(by_variant.values())


def _add_visitor(cells: Tallies, events: list[Element]) -> None:
    """Count a visitor in the variant of the first impression (intention to treat), whatever was seen later."""
    home = _first_impression(events)
    if home is None:
        excluded = Tally(excluded=Counter({"no-impression": 1}), excluded_events=len(events))
        return _add(cells, events[0], excluded)
    # A conversion before the first impression cannot be an effect of it. An event of the same millisecond counts: a
    # page that is opened by the click itself sends both with one time.
    ends_at = None if home.window_s is None else home.at + home.window_s * SECOND_MS
    counted = [event for event in events if event.at >= home.at and not _is_after(event, ends_at)]
    flags = _flags(events, home, ends_at)
    kinds = Counter(event.kind for event in counted)
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
        excluded_events=len(events) - len(counted),
        flagged=flags,
        flagged_events=Counter({"shared-id": len(events)} if flags["shared-id"] else {}),
    )
    for goal in goals:
        if goal != "click":
            _add_goal(tally, goal, [event for event in counted if event.kind == f"goal:{goal}"])
    _add(cells, home, tally)


def _flags(events: list[Element], home: Element, ends_at: int | None) -> Counter[str]:
    """What is remarkable about a visitor who counts. `ends_at`: of the conversion window, see _is_after."""
    impressions = [event.at for event in events if event.kind == "impression"]
    flags = {
        "multiple-variants": len({event.variant for event in events}) > 1,
        "before-impression": events[0].at < home.at,
        "after-window": any(_is_after(event, ends_at) for event in events),
        "late-arrival": home.marks.late,
        "burst": home.marks.burst,
        "no-cookie": home.marks.no_cookie,
        "too-fast": _most_within(SECOND_MS, [event.at for event in events]) > FAST,
        "shared-id": home.marks.shared or _most_within(HOUR_MS, impressions) > HEAVY,
    }
    return Counter({flag: 1 for flag, is_set in flags.items() if is_set})


def _most_within(span_ms: int, times: list[int]) -> int:
    """The largest number of `times`, which are in order, that lie within a span shorter than `span_ms`.

    >>> _most_within(10, [0, 5, 9, 10, 30])
    3
    """
    most = start = 0
    for end, at in enumerate(times):
        while at - times[start] >= span_ms:
            start += 1
        most = max(most, end - start + 1)
    return most


def _is_after(event: Element, ends_at: int | None) -> bool:
    """Whether a conversion came after the window that ends at `ends_at` (epoch milliseconds; None: no window)."""
    return ends_at is not None and event.kind != "impression" and event.at > ends_at


def _add_goal(tally: Tally, goal: str, events: list[Element]) -> None:
    """One visitor's events of one goal: how many, and what they are worth together.

    Sums of squares less the sum for a single event: most visitors reach a goal once, and a zero is not stored."""
    n = min(len(events), COUNT_CAP)
    tally.repeat[goal] = n - 1
    tally.repeat_squares[goal] = n * n - 1
    values = [event.value for event in events if event.value is not None]
    if not values:
        return
    # The events of one goal carry the same cap, unless it was changed against the rules: then the first one's holds.
    cap = next((event.cap for event in events if event.cap is not None), None)
    total = sum(values)
    value = total if cap is None else max(-cap, min(cap, total))
    tally.value_sum[goal] = value
    tally.value_squares[goal] = value * value
    tally.value_cut[goal] = total - value
    tally.value_capped[goal] = int(total != value)
    tally.value_repeat[goal] = value * (n - 1)


def _first_impression(events: list[Element]) -> Element | None:
    """The earliest impression: its variant, phase, day and segments are the visitor's, and late clicks count there."""
    return next((event for event in events if event.kind == "impression"), None)


def _add(cells: Tallies, home: Element, tally: Tally) -> None:
    day = _utc(home.at, "%Y-%m-%d")
    places: list[tuple[Span, str]] = [("total", ""), ("day", day), *(("segment", marker) for marker in home.segments)]
    for span, when in places:
        cells.setdefault(Cell(span, when, home.phase, home.variant), Tally()).add(tally)


def _add_activity(cells: Tallies, event: Element) -> None:
    cell = Cell("hour", _utc(event.at, "%Y-%m-%dT%H"), event.phase, event.variant)
    if cell not in cells and len(cells) == HOURS:
        return
    tally = cells.setdefault(cell, Tally())
    if event.kind == "impression":
        tally.impressions += 1
    elif event.kind == "click":
        tally.clicks += 1
    else:
        tally.goal_events[event.kind.removeprefix("goal:")] += 1


def _utc(at_ms: int, form: str) -> str:
    return utc_datetime(at_ms).strftime(form)

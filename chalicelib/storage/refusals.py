"""Roughly how many events were refused, by experiment, outcome and day; and the latest of each, with its reason.

A refusal has no row: a sender whose events are refused must not be able to cause writes. Refusals are counted in this
process and written every ten seconds, a few items whatever the traffic. A process that ends loses what it had not
written, so the results page says "about". The latest refusal is a text in an item that is written anyway.
"""

from __future__ import annotations

import json
import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from threading import Lock
from typing import NamedTuple

from chalicelib.domain.clock import DAY_MS, SECOND_MS, utc_day
from chalicelib.storage.store import LAST, SEGMENTS, Booking, RandomBelow, Store

log = logging.getLogger("abacus")

EVERY_MS = 10 * SECOND_MS  # between bookings of one process
KEEP_DAYS = 90
BUDGET = 1.0  # seconds in which a request begins such writes
REASON_BYTES = 320  # at most; twice as many with JSON's escapes. One write costs a unit for each KB of the item
UNKNOWN = "?"  # stands for the experiment of an event that names none of the manifest's


class RefusalNote(NamedTuple):
    """One refused event. `experiment`: UNKNOWN where it is none of the manifest's. `reason`: a sentence without the
    visitor's id; `host`: of the page that sent it, "" if unknown. `segments`: markers of the sender's, such as
    device=mobile, where the experiment has some."""

    experiment: str
    outcome: str
    reason: str = ""
    host: str = ""
    segments: tuple[str, ...] = ()


class LatestRefusal(NamedTuple):
    """The latest refused event of one outcome. `at`: when it was refused, epoch milliseconds."""

    outcome: str
    at: int
    reason: str
    host: str


class Refusals:
    """Counts refused events and writes the counts now and then. Safe to share between threads.

    spread: over how many items a count is distributed. random_below(n): a random whole number below n. clock: seconds,
    monotonic.
    """

    def __init__(
        self, store: Store, spread: int, random_below: RandomBelow, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._spread = spread
        self._random_below = random_below
        self._clock = clock
        self._lock = Lock()
        self._counts: Counter[tuple[str, str]] = Counter()
        self._by_segment: Counter[tuple[str, str, str]] = Counter()
        self._latest: dict[tuple[str, str], LatestRefusal] = {}
        self._booked_ms = 0

    def count(self, notes: Iterable[RefusalNote], now_ms: int) -> None:
        """Count the refused events of one request, and write what is due, also where the request has none."""
        for note in notes:
            self.note(note, now_ms)
        self.flush(now_ms)

    def note(self, note: RefusalNote, now_ms: int) -> None:
        """Count one refused event. `now_ms`: epoch milliseconds."""
        key = note.experiment, note.outcome
        printable = "".join(letter for letter in note.reason[:REASON_BYTES] if letter.isprintable())
        reason = printable.encode()[:REASON_BYTES].decode(errors="ignore")
        latest = LatestRefusal(note.outcome, now_ms, reason, note.host)
        with self._lock:
            self._counts[key] += 1
            self._latest[key] = latest
            self._by_segment.update((note.experiment, marker, note.outcome) for marker in note.segments)

    def buffered(self, experiment: str) -> dict[str, int]:
        """Refusals by outcome that are counted and not booked yet."""
        with self._lock:
            return {outcome: n for (key, outcome), n in self._counts.items() if key == experiment}

    def latest(self, experiment: str) -> list[LatestRefusal]:
        """The latest refusal of each outcome that this process noted, whether or not it is booked."""
        with self._lock:
            return [latest for (key, _), latest in self._latest.items() if key == experiment]

    def flush(self, now_ms: int, *, every_ms: int = EVERY_MS) -> None:
        """Write what was noted, if the last time was at least `every_ms` milliseconds ago, or lies in the future: a
        clock that was set back must not stop the writing. `now_ms`: epoch milliseconds."""
        with self._lock:
            if not self._counts or 0 <= now_ms - self._booked_ms < every_ms:
                return
            counts, self._counts, self._booked_ms = self._counts, Counter(), now_ms
            by_segment, self._by_segment = self._by_segment, Counter()
            texts = {key: json.dumps(self._latest[key][1:], ensure_ascii=False) for key in counts}
        day = utc_day(now_ms).isoformat()
        expires_at = (now_ms + KEEP_DAYS * DAY_MS) // 1000
        place = self._random_below(self._spread)
        deadline = self._clock() + BUDGET
        try:
            while counts and self._clock() < deadline:
                key, n = counts.popitem()
                experiment, outcome = key
                self._store.book(
                    [
                        Booking(experiment, f"refused#{outcome}#{place}", {"n": n}),
                        Booking(experiment, f"daily#{day}#{outcome}", {"n": n}, expires_at, texts[key]),
                    ]
                )
            while by_segment and self._clock() < deadline:
                (experiment, marker, outcome), n = by_segment.popitem()
                cell = f"refused#{marker}#{outcome}#{place}"
                self._store.book([Booking(experiment + SEGMENTS, cell, {"n": n})])
        except Exception:
            # What the visitor sent is written already; an estimate is worth neither a wait nor a failed answer.
            log.warning("refusals could not be written; their estimate is too low by at least %s", n)
        with self._lock:
            self._counts.update(counts)  # those that are left come next time
            self._by_segment.update(by_segment)


def refused(cells: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """Events refused by outcome, from the items of one experiment."""
    counts: Counter[str] = Counter()
    for name, numbers in cells.items():
        kind, _, rest = name.partition("#")
        if kind == "refused":
            counts[rest.partition("#")[0]] += numbers.get("n", 0)
    return dict(counts)


def refused_by_value(cells: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    """From the items of one segment; value → outcome → events.

    >>> refused_by_value({"refused#device=mobile#too-old#0": {"n": 3}, "refused#device=mobile#too-old#1": {"n": 1}})
    {'mobile': {'too-old': 4}}
    """
    values: dict[str, Counter[str]] = defaultdict(Counter)
    for name, numbers in cells.items():
        kind, marker, outcome, _ = name.split("#")
        if kind == "refused":
            values[marker.partition("=")[2]][outcome] += numbers.get("n", 0)
    return {value: dict(outcomes) for value, outcomes in values.items()}


def refused_by_day(cells: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    """From the items of one experiment; day → outcome → events.

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


def latest_refusals(store: Store, experiment: str, now_ms: int, noted: list[LatestRefusal]) -> list[LatestRefusal]:
    """The latest refusal of each outcome since yesterday (UTC), newest first: those that were booked and those that
    this process `noted`. One read."""
    since = utc_day(now_ms - DAY_MS).isoformat()
    latest = {refusal.outcome: refusal for refusal in noted if refusal.at >= now_ms - DAY_MS}
    for cell, text in store.texts(experiment, first=f"daily#{since}#", last=f"daily#{LAST}").items():
        outcome = cell.rpartition("#")[2]
        refusal = LatestRefusal(outcome, *json.loads(text))
        if outcome not in latest or latest[outcome].at < refusal.at:
            latest[outcome] = refusal
    return sorted(latest.values(), key=lambda refusal: -refusal.at)

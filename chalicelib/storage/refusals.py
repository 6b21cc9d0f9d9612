"""Roughly how many events were refused, by experiment, outcome and day.

A refusal has no row: a sender whose events are refused must not be able to cause writes. Refusals are counted in this
process and written every ten seconds, a few items whatever the traffic. A process that ends loses what it had not
written, so the results page says "about".
"""

from __future__ import annotations

import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from threading import Lock

from chalicelib.domain.clock import DAY_MS, SECOND_MS, utc_day
from chalicelib.storage.store import Booking, Dice, Store

log = logging.getLogger("abacus")

EVERY_MS = 10 * SECOND_MS  # between bookings of one process
KEEP_DAYS = 90
BUDGET = 1.0  # seconds in which a request begins such writes


class Refusals:
    """Counts refused events and writes the counts now and then. Safe to share between threads.

    spread: over how many items a count is distributed. dice(n): a random whole number below n. clock: seconds,
    monotonic.
    """

    def __init__(self, store: Store, spread: int, dice: Dice, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._spread = spread
        self._dice = dice
        self._clock = clock
        self._lock = Lock()
        self._counts: Counter[tuple[str, str]] = Counter()
        self._booked_ms = 0

    def note(self, experiment: str, outcome: str) -> None:
        """Count one refused event of an experiment; "?" where the experiment is not known."""
        with self._lock:
            self._counts[experiment, outcome] += 1

    def buffered(self, experiment: str) -> dict[str, int]:
        """Refusals by outcome that are counted and not booked yet."""
        with self._lock:
            return {outcome: n for (key, outcome), n in self._counts.items() if key == experiment}

    def flush(self, now_ms: int, *, every_ms: int = EVERY_MS) -> None:
        """Write what was noted, if the last time was at least `every_ms` milliseconds ago, or lies in the future: a
        clock that was set back must not stop the writing. `now_ms`: epoch milliseconds."""
        with self._lock:
            if not self._counts or 0 <= now_ms - self._booked_ms < every_ms:
                return
            counts, self._counts, self._booked_ms = self._counts, Counter(), now_ms
        day = utc_day(now_ms).isoformat()
        expires_at = (now_ms + KEEP_DAYS * DAY_MS) // 1000
        place = self._dice(self._spread)
        deadline = self._clock() + BUDGET
        try:
            while counts and self._clock() < deadline:
                (experiment, outcome), n = counts.popitem()
                self._store.book(
                    [
                        Booking(experiment, f"refused#{outcome}#{place}", {"n": n}),
                        Booking(experiment, f"daily#{day}#{outcome}", {"n": n}, expires_at),
                    ]
                )
        except Exception:
            # What the visitor sent is written already; an estimate is worth neither a wait nor a failed answer.
            log.warning("refusals could not be written; their estimate is too low by at least %s", n)
        with self._lock:
            self._counts.update(counts)  # those that are left come next time


def refused(cells: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """Events refused by outcome, from the items of one experiment."""
    counts: Counter[str] = Counter()
    for name, numbers in cells.items():
        kind, _, rest = name.partition("#")
        if kind == "refused":
            counts[rest.partition("#")[0]] += numbers.get("n", 0)
    return dict(counts)


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

"""Roughly how many events were refused, by experiment, outcome and day.

A refusal has no row: whoever we refuse must not be able to make us write. It is counted in this process and booked
now and then, a few items whatever the flood; what a stopping process still held is lost, so the page says "about".
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from threading import Lock

from chalicelib.storage.store import Booking, Dice, Store

log = logging.getLogger("abacus")

EVERY = 10.0  # seconds between bookings of one process
UNKNOWN = "?"  # the experiment of refusals that name none we have
KEEP_DAYS = 90


class Refusals:
    def __init__(self, store: Store, spread: int, dice: Dice) -> None:
        self._store = store
        self._spread = spread
        self._dice = dice
        self._lock = Lock()
        self._counts: Counter[tuple[str, str]] = Counter()
        self._booked = 0.0

    def note(self, experiment: str, outcome: str) -> None:
        with self._lock:
            self._counts[experiment, outcome] += 1

    def flush(self, now: float, *, every: float = EVERY) -> None:
        """Book what was noted, if the last booking is `every` seconds ago. Epoch seconds."""
        with self._lock:
            if not self._counts or now - self._booked < every:
                return
            counts, self._counts, self._booked = self._counts, Counter(), now
        day = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d")
        expires_at = int(now) + KEEP_DAYS * 86400
        place = self._dice(self._spread)
        try:
            for (experiment, outcome), n in counts.items():
                self._store.book(
                    [
                        Booking(experiment, f"refused#{outcome}#{place}", {"n": n}),
                        Booking(experiment, f"daily#{day}#{outcome}", {"n": n}, expires_at),
                    ]
                )
        except Exception:
            # What the visitor sent is written already; an estimate is worth neither a wait nor a failed answer.
            log.warning("refusals could not be booked; their estimate is too low by %s", sum(counts.values()))


def refused(cells: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """Events refused by outcome, from the items of one experiment."""
    counts: Counter[str] = Counter()
    for name, numbers in cells.items():
        kind, _, rest = name.partition("#")
        if kind == "refused":
            counts[rest.partition("#")[0]] += numbers.get("n", 0)
    return dict(counts)

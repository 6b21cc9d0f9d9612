"""What this process remembers of rows that are full or throttled, so that it can answer without another write.

A refused write costs the size of the row. A flood of events for one full row would therefore cost more than a flood of
new visitors. The memory is small, and lost when the process ends: then the next request writes once more and learns it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import NamedTuple

from chalicelib.storage.store import RowKey

ROWS = 500  # remembered at most; with the ids of their events, some 10 MB
FULL_SECONDS = 60.0  # a full row stays full until it expires or is erased, which other processes do
THROTTLED_SECONDS = 2.0
QUEUED_AT_MOST = 5  # requests for one throttled row that are queued; each is a message that is paid for


class FullRow(NamedTuple):
    """`ids` of its events; `impressions_only`: clicks and goals still have room."""

    ids: frozenset[str]
    impressions_only: bool


class RowMemory:
    """Safe to share between threads. `clock`: seconds, monotonic."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = Lock()
        self._full: OrderedDict[RowKey, tuple[float, FullRow]] = OrderedDict()
        self._throttled: OrderedDict[RowKey, tuple[float, int]] = OrderedDict()

    def remember_full(self, key: RowKey, row: FullRow) -> None:
        """The table refused a write because the row is full."""
        with self._lock:
            self._full[key] = (self._clock() + FULL_SECONDS, row)
            self._full.move_to_end(key)
            while len(self._full) > ROWS:
                self._full.popitem(last=False)

    def full(self, key: RowKey) -> FullRow | None:
        """What is known of a row that was full a moment ago; None: nothing."""
        if not self._full:
            return None
        with self._lock:
            until, row = self._full.get(key, (0.0, None))
            if row is not None and self._clock() >= until:
                del self._full[key]
                return None
            return row

    def remember_throttled(self, key: RowKey) -> None:
        """The table had no capacity for this row."""
        with self._lock:
            self._throttled[key] = (self._clock() + THROTTLED_SECONDS, 0)
            self._throttled.move_to_end(key)
            while len(self._throttled) > ROWS:
                self._throttled.popitem(last=False)

    def throttled(self, key: RowKey) -> int | None:
        """How many requests have asked since the row was throttled, this one included; None: it was not, lately."""
        if not self._throttled:
            return None
        with self._lock:
            until, requests = self._throttled.get(key, (0.0, 0))
            if not until:
                return None
            if self._clock() >= until:
                del self._throttled[key]
                return None
            self._throttled[key] = (until, requests + 1)
            return requests + 1

"""Refusals are counted in memory and written now and then; the latest of each outcome is kept with its reason."""

from __future__ import annotations

from chalicelib.storage.refusals import EVERY_MS, LatestRefusal, RefusalNote, Refusals, latest_refusals
from tests.support.builders import DAY, NOON
from tests.support.memory_store import MemoryStore


class CountingStore(MemoryStore):
    """Counts the items that were written, and remembers the longest text."""

    written = 0
    longest = 0

    def book(self, bookings) -> None:  # type: ignore[no-untyped-def]
        self.written += len(bookings)
        self.longest = max(self.longest, *(len(b.text.encode()) for b in bookings))
        super().book(bookings)


def a_refusal(outcome: str = "too-old", reason: str = "It is old.", host: str = "a.example") -> RefusalNote:
    return RefusalNote("cta-color", outcome, reason, host)


def refusals(store: MemoryStore) -> Refusals:
    return Refusals(store, 2, lambda n: 0)


def test_the_latest_of_each_outcome_is_kept_newest_first() -> None:
    store = MemoryStore()
    mine = refusals(store)
    mine.note(a_refusal(), NOON)
    mine.note(a_refusal("capped", "It is full."), NOON + 1)
    mine.note(a_refusal(reason="It is very old.", host="b.example"), NOON + 2)
    mine.flush(NOON + 2)
    assert latest_refusals(store, "cta-color", NOON + 3, []) == [
        LatestRefusal("too-old", NOON + 2, "It is very old.", "b.example"),
        LatestRefusal("capped", NOON + 1, "It is full.", "a.example"),
    ]
    assert latest_refusals(store, "another", NOON + 3, []) == []


def test_what_is_not_written_yet_is_known_to_its_own_process() -> None:
    store = MemoryStore()
    mine = refusals(store)
    mine.note(a_refusal(reason="first"), NOON)
    mine.flush(NOON)
    mine.note(a_refusal(reason="second"), NOON + 1)
    mine.flush(NOON + 1)
    assert [r.reason for r in latest_refusals(store, "cta-color", NOON + 2, mine.latest("cta-color"))] == ["second"]
    assert [r.reason for r in latest_refusals(store, "cta-color", NOON + 2, [])] == ["first"]


def test_a_flood_of_refused_events_writes_no_more_than_their_count_did_and_no_larger_items() -> None:
    store = CountingStore()
    mine = refusals(store)
    for second in range(60):
        for n in range(99 + second % 3):
            text = ("€", '"', "\0")[n % 3] * 5000
            mine.note(a_refusal(reason=f"{n}{text}", host="h" * 100), NOON + second * 1000)
        mine.flush(NOON + second * 1000)
    assert store.written == 2 * 60_000 // EVERY_MS
    assert store.longest < 1024 - 200  # one write costs a write unit for each KB of the item


def test_what_was_refused_days_ago_is_not_the_latest() -> None:
    store = MemoryStore()
    mine = refusals(store)
    mine.note(a_refusal(), NOON)
    mine.flush(NOON)
    assert latest_refusals(store, "cta-color", NOON + 2 * DAY, mine.latest("cta-color")) == []

"""Refusals are counted in memory and written now and then; the latest of each outcome is kept with its reason."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from chalicelib.storage.refusals import (
    EVERY_MS,
    LatestRefusal,
    RefusalNote,
    Refusals,
    latest_refusals,
    refused,
    refused_by_day,
    refused_by_value,
)
from chalicelib.storage.store import FIRST, LAST, SEGMENTS, Booking
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


def items(store: MemoryStore, experiment: str = "cta-color") -> dict[str, dict[str, int]]:
    return store.cells(experiment, first=FIRST, last=LAST)


def test_what_was_noted_is_written_by_outcome_by_day_and_by_segment() -> None:
    store = MemoryStore()
    spreads: list[int] = []
    mine = Refusals(store, 5, lambda n: spreads.append(n) or 3)  # type: ignore[func-returns-value]
    for outcome, segments in (("too-old", ("device=mobile",)), ("too-old", ("device=mobile",)), ("capped", ())):
        mine.note(RefusalNote("cta-color", outcome, "Why.", "a.example", segments), NOON)
    mine.note(RefusalNote("hero", "capped"), NOON)
    assert (mine.buffered("cta-color"), mine.buffered("hero")) == ({"too-old": 2, "capped": 1}, {"capped": 1})
    mine.flush(NOON)
    assert (mine.buffered("cta-color"), mine.buffered("hero"), spreads) == ({}, {}, [5])
    expires_at = NOON // 1000 + 90 * 86_400
    assert items(store) == {
        "daily#2026-11-21#capped": {"n": 1, "expires_at": expires_at},
        "daily#2026-11-21#too-old": {"n": 2, "expires_at": expires_at},
        "refused#capped#3": {"n": 1},
        "refused#too-old#3": {"n": 2},
    }
    assert items(store, "cta-color" + SEGMENTS) == {"refused#device=mobile#too-old#3": {"n": 2}}
    assert refused(items(store)) == {"too-old": 2, "capped": 1}
    assert refused_by_day(items(store)) == {"2026-11-21": {"capped": 1, "too-old": 2}}
    assert refused_by_value(items(store, "cta-color" + SEGMENTS)) == {"mobile": {"too-old": 2}}
    assert store.texts("cta-color", first=FIRST, last=LAST)["daily#2026-11-21#capped"] == (
        f'[{NOON}, "Why.", "a.example"]'
    )


def test_counts_of_several_processes_and_days_add_up() -> None:
    cells = {
        "daily#2026-11-20#too-old": {"n": 1},
        "daily#2026-11-21#too-old": {"n": 2},
        "daily#2026-11-21#capped": {},
        "refused#too-old#0": {"n": 3},
        "refused#too-old#1": {"n": 4},
        "refused#malformed#1": {},
        "total#0#0#green#0": {"n": 5},
    }
    assert refused(cells) == {"too-old": 7, "malformed": 0}
    assert refused_by_day(cells) == {"2026-11-20": {"too-old": 1}, "2026-11-21": {"too-old": 2, "capped": 0}}
    segments = {"refused#d=a#capped#0": {"n": 1}, "refused#d=b#capped#0": {}, "segment#d=a#capped#0": {"n": 9}}
    assert refused_by_value(segments) == {"a": {"capped": 1}, "b": {"capped": 0}}


def test_they_are_written_every_ten_seconds_and_at_once_where_the_clock_was_set_back() -> None:
    store = MemoryStore()
    mine = refusals(store)
    written = []
    for now in (NOON, NOON, NOON + 9_999, NOON + 10_000, NOON + 9_000, NOON + 9_001):
        mine.note(a_refusal(), now)
        mine.flush(now)
        written.append(refused(items(store)))
    assert written == [{"too-old": n} for n in (1, 1, 1, 4, 5, 5)]
    mine.flush(NOON + 9_001, every_ms=0)
    assert refused(items(store)) == {"too-old": 6}


def test_refusals_of_one_moment_are_noted_and_written_together() -> None:
    store = MemoryStore()
    mine = refusals(store)
    mine.count([a_refusal(), a_refusal("capped")], NOON)
    assert refused(items(store)) == {"too-old": 1, "capped": 1}
    assert {r.at for r in latest_refusals(store, "cta-color", NOON, [])} == {NOON}
    mine.count([a_refusal()], NOON + 1)
    mine.count([], NOON + EVERY_MS)
    assert refused(items(store)) == {"too-old": 2, "capped": 1}


def test_a_table_that_fails_keeps_what_is_left_for_the_next_time(service_log: pytest.LogCaptureFixture) -> None:
    store = MemoryStore()
    mine = refusals(store)
    for _ in range(3):
        mine.note(RefusalNote("cta-color", "too-old", segments=("d=a",)), NOON)
    mine.note(a_refusal("capped"), NOON)
    book = store.book

    def failing(bookings: Sequence[Booking]) -> None:
        store.book = book  # type: ignore[method-assign]
        raise OSError("the table is away")

    store.book = failing  # type: ignore[method-assign]
    mine.flush(NOON)
    assert items(store) == {}
    assert (mine.buffered("cta-color"), "at least 1" in service_log.text) == ({"too-old": 3}, True)
    mine.flush(NOON + EVERY_MS)
    assert refused(items(store)) == {"too-old": 3}
    assert refused_by_value(items(store, "cta-color" + SEGMENTS)) == {"a": {"too-old": 3}}


@pytest.mark.parametrize(("seconds", "left"), [(0.4, 1), (0.9, 2), (1.0, 3)])
def test_a_request_writes_for_a_second_and_leaves_the_rest(seconds: float, left: int) -> None:
    store = CountingStore()
    clock = iter(n * seconds for n in range(99))
    mine = Refusals(store, 1, lambda n: 0, lambda: next(clock))
    for outcome in ("too-old", "capped", "malformed"):
        mine.note(RefusalNote("cta-color", outcome, segments=("d=a",)), NOON)
    mine.flush(NOON)
    assert (store.written, sum(mine.buffered("cta-color").values())) == (2 * (3 - left), left)


def test_a_reason_is_printable_and_whole_letters_of_at_most_320_bytes() -> None:
    store = MemoryStore()
    mine = refusals(store)
    mine.note(a_refusal(reason="a\n\0" + "€" * 400), NOON)
    (latest,) = mine.latest("cta-color")
    assert latest.reason == "a" + "€" * 106
    mine.flush(NOON)
    (text,) = store.texts("cta-color", first=FIRST, last=LAST).values()
    assert text == f'[{NOON}, "{latest.reason}", "a.example"]'  # as it is: an escape would take twice the bytes


def test_the_latest_is_the_later_of_what_was_written_and_what_is_noted() -> None:
    store = MemoryStore()
    other, mine = refusals(store), refusals(store)
    mine.note(a_refusal(reason="mine, earlier"), NOON)
    other.note(a_refusal(reason="theirs"), NOON + 1)
    other.flush(NOON + 1)
    noted = mine.latest("cta-color")
    assert [r.reason for r in latest_refusals(store, "cta-color", NOON + DAY, noted)] == ["theirs"]
    assert [r.reason for r in latest_refusals(MemoryStore(), "cta-color", NOON + DAY, noted)] == ["mine, earlier"]
    assert latest_refusals(MemoryStore(), "cta-color", NOON + DAY + 1, noted) == []
    assert mine.latest("hero") == []

"""What a process remembers of rows: how long, and of how many."""

from __future__ import annotations

from chalicelib.ingestion.rows.memory import ROWS, FullRow, RowMemory
from chalicelib.storage.store import RowKey

FULL = FullRow(frozenset({"e1"}), impressions_only=True)


class Clock:
    seconds = 1.0

    def __call__(self) -> float:
        return self.seconds


def key(n: int) -> RowKey:
    return RowKey(f"v{n}", "cta-color")


def test_a_full_row_is_remembered_for_a_minute() -> None:
    clock = Clock()
    memory = RowMemory(clock)
    memory.remember_full(key(1), FULL)
    assert (memory.full(key(1)), memory.full(key(2))) == (FULL, None)
    clock.seconds += 59.9
    assert memory.full(key(1)) == FULL
    clock.seconds += 0.1
    assert [memory.full(key(1)) for _ in range(2)] == [None, None]


def test_a_throttled_row_is_remembered_for_two_seconds_and_counts_who_asked() -> None:
    clock = Clock()
    memory = RowMemory(clock)
    assert memory.throttled(key(1)) is None
    memory.remember_throttled(key(1))
    assert [memory.throttled(key(1)), memory.throttled(key(1)), memory.throttled(key(2))] == [1, 2, None]
    clock.seconds += 1.9
    assert memory.throttled(key(1)) == 3
    clock.seconds += 0.1
    assert [memory.throttled(key(1)) for _ in range(2)] == [None, None]


def test_only_the_latest_five_hundred_rows_are_remembered() -> None:
    memory = RowMemory(Clock())
    for n in range(ROWS):
        memory.remember_full(key(n), FULL)
        memory.remember_throttled(key(n))
    assert memory.full(key(0)) == FULL
    memory.remember_full(key(0), FULL)  # so it is not the oldest any more
    memory.remember_full(key(ROWS), FULL)
    memory.remember_throttled(key(0))
    memory.remember_throttled(key(ROWS))
    assert [memory.full(key(n)) is None for n in (0, 1, 2, ROWS)] == [False, True, False, False]
    assert [memory.throttled(key(n)) is None for n in (0, 1, 2, ROWS)] == [False, True, False, False]
    assert ROWS == 500

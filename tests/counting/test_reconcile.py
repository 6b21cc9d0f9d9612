"""Reconciling on the store in memory: which rows are folded, which are counted as broken, and how far a run gets."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.counting.fold import Fold, Folded
from chalicelib.counting.reconcile import (
    BATCH,
    NAMED,
    PART_BYTES,
    PROGRESS,
    SPARE_S,
    RowTotals,
    reconcile_rows,
    reconcile_table,
)
from chalicelib.storage.retry import Patience
from chalicelib.storage.store import Generations, ParticipantRow, RowKey, RowLimit
from tests.support.builders import NOON, an_element
from tests.support.memory_store import MemoryStore


def a_fold(store: MemoryStore) -> Fold:
    return Fold(store, 1, lambda n: 0, lambda: "v", Patience(1.0, clock=lambda: 0.0, sleep=lambda _: None))


def key(n: int) -> RowKey:
    return RowKey(f"v{n}", "cta-color")


def a_store(rows: int) -> MemoryStore:
    store = MemoryStore()
    for n in range(rows):
        store.add(key(n), [an_element()], 1, version="new", expires_at=0, limit=RowLimit(9, 9))
    return store


def pending(store: MemoryStore) -> list[str]:
    return [row.key.visitor for row in store.rows.values() if row.pending]


def a_row(**fields: object) -> ParticipantRow:
    return replace(ParticipantRow(key(0), version="v"), **fields)  # type: ignore[arg-type]


def test_what_the_rows_hold_adds_up() -> None:
    totals = RowTotals()
    first, second, third = (an_element(id=f"e{n}") for n in range(3))
    totals.add(a_row(counted=frozenset({first}), pending=frozenset({first, second}), received=5, generation=0))
    totals.add(a_row(pending=frozenset({third, an_element(id="e2", variant="blue")}), received=1))
    figures = (totals.rows, totals.received, totals.accepted, totals.repeated, totals.counted, totals.pending)
    assert (figures, totals.broken) == ((2, 6, 3, 3, 1, 2), 0)


@pytest.mark.parametrize(
    "row",
    [
        a_row(broken=True),
        a_row(pending=frozenset({"nonsense"}), received=1),
        a_row(counted=frozenset({"nonsense"}), received=1, generation=0),
        a_row(pending=frozenset({an_element()}), received=0),
        a_row(counted=frozenset({an_element()}), received=1, generation=None),
    ],
)
def test_a_row_that_cannot_be_is_broken_once(row: ParticipantRow) -> None:
    totals = RowTotals()
    totals.add(row)
    totals.add(row)
    assert (totals.rows, totals.broken, totals.broken_keys) == (2, 1, {key(0)})


def test_broken_rows_are_all_counted_and_the_first_thousand_named() -> None:
    totals = RowTotals()
    for n in range(NAMED + 2):
        totals.add(replace(a_row(broken=True), key=key(n)))
    assert (totals.broken, len(totals.broken_keys), NAMED) == (1_002, 1_000, 1_000)


def test_every_row_that_changed_is_folded_and_no_other() -> None:
    store = a_store(2 * BATCH + 1)
    assert reconcile_rows(store, a_fold(store), now_ms=NOON).folded == 2 * BATCH + 1
    asked: list[RowKey] = []
    fold = a_fold(store)

    def noted(keys: Iterable[RowKey], *, now_ms: int) -> Folded:
        asked.extend(keys)
        return fold(keys, now_ms=now_ms)

    store.add(key(7), [an_element()], 1, version="new", expires_at=0, limit=RowLimit(9, 9))  # a repeat
    assert reconcile_rows(store, noted, now_ms=NOON).folded == 1  # type: ignore[arg-type]
    assert asked == [key(7)]
    assert reconcile_rows(store, noted, now_ms=NOON).figures() == {  # type: ignore[arg-type]
        "rows": 201,
        "received": 202,
        "accepted": 201,
        "repeated": 1,
        "counted": 201,
        "pending": 0,
        "broken": 0,
        "folded": 0,
        "failed": 0,
    }


def test_rows_are_folded_a_hundred_at_a_time() -> None:
    store = a_store(2 * BATCH + 1)
    sizes: list[int] = []

    def noted(keys: Iterable[RowKey], *, now_ms: int) -> Folded:
        sizes.append(len(list(keys)))
        return Folded()

    reconcile_rows(store, noted, now_ms=NOON)  # type: ignore[arg-type]
    assert (sizes, BATCH) == ([100, 100, 1], 100)


def test_a_row_of_a_replaced_generation_is_moved_though_nothing_in_it_changed() -> None:
    store = a_store(1)
    reconcile_rows(store, a_fold(store), now_ms=NOON)
    store.open_generation("cta-color", Generations(0), Generations(5))
    assert reconcile_rows(store, a_fold(store), now_ms=NOON).folded == 1
    assert store.rows[key(0)].generation == 5


def test_rows_whose_fold_fails_keep_no_other_from_it_and_are_logged(service_log: pytest.LogCaptureFixture) -> None:
    store = a_store(5)
    fold = a_fold(store)

    def failing(keys: Iterable[RowKey], *, now_ms: int) -> Folded:
        if key(2) in keys or key(4) in keys:
            raise RuntimeError("this row")
        return fold(keys, now_ms=now_ms)

    result = reconcile_rows(store, failing, now_ms=NOON)  # type: ignore[arg-type]
    assert (result.folded, result.failed, pending(store)) == (3, 2, ["v2", "v4"])
    assert [record.getMessage() for record in service_log.records] == ["a row of cta-color cannot be folded"] * 2


def test_a_row_that_the_fold_finds_broken_is_counted_as_such() -> None:
    store = a_store(2)
    result = reconcile_rows(store, lambda keys, now_ms: Folded(broken=[key(1)]), now_ms=NOON)  # type: ignore[arg-type]
    assert (result.totals.broken, result.totals.broken_keys) == (1, {key(1)})


def seconds_left(*readings: float) -> Callable[[], float]:
    """A clock that is read before each part, at its begin, and at its end."""
    values = iter(readings)
    return lambda: next(values)


def run(store: MemoryStore, left: Callable[[], float], parts: int = 3) -> tuple[int, int, int]:
    found = reconcile_table(store, a_fold(store), table_bytes=parts * PART_BYTES, now_ms=NOON, seconds_left=left)
    return found["parts"], found["parts_read"], found["rows"]


def test_a_table_of_one_part_is_read_whole_and_leaves_no_trace_of_it() -> None:
    store = a_store(7)
    assert run(store, lambda: 0.0, parts=1) == (1, 1, 7)
    assert (pending(store), PROGRESS[0] in store.tallies) == ([], False)


def test_a_table_of_two_parts_is_read_in_two_runs() -> None:
    store = a_store(2)
    assert [run(store, lambda: 0.0, parts=2) for _ in range(2)] == [(2, 1, 1)] * 2
    assert pending(store) == []


def test_where_a_run_begins_is_read_strongly_consistent() -> None:
    store = a_store(3)
    cells, strong = store.cells, []

    def noted(experiment: str, **query: Any) -> dict[str, dict[str, int]]:
        if experiment == PROGRESS[0]:
            strong.append(query.get("strong"))
        return cells(experiment, **query)

    store.cells = noted  # type: ignore[method-assign]
    run(store, lambda: 0.0)
    assert strong == [True]


def test_the_parts_are_read_in_their_order() -> None:
    store = a_store(7)
    assert run(store, seconds_left(*[100.0] * 5, 0.0)) == (3, 2, 5)
    assert pending(store) == ["v2", "v5"]


def test_a_run_with_time_enough_reads_every_part_once() -> None:
    store = a_store(7)
    assert run(store, lambda: SPARE_S + 1) == (3, 3, 7)
    assert pending(store) == []


def test_the_next_run_begins_where_the_last_one_ended() -> None:
    store = a_store(7)  # a segment of the store in memory is every third row
    assert run(store, lambda: 0.0) == (3, 1, 3)
    assert pending(store) == ["v1", "v2", "v4", "v5"]
    assert run(store, lambda: 0.0) == (3, 1, 2)
    assert pending(store) == ["v2", "v5"]
    assert run(store, lambda: SPARE_S + 1) == (3, 3, 7)
    assert pending(store) == []
    assert run(store, lambda: 0.0) == (3, 1, 2)  # five parts were read, so this is the last of the second time
    assert store.cells(*PROGRESS[:1], first=PROGRESS[1], last=PROGRESS[1]) == {"parts": {"read": 6}}


@pytest.mark.parametrize(("left", "read"), [(60.0, 1), (60.1, 2), (100.0, 2)])
def test_no_part_is_begun_in_the_last_minute(left: float, read: int) -> None:
    # begin and end of the first part; whether there is time; begin and end of the second; whether there is time
    assert run(a_store(3), seconds_left(left + 10.0, left, left, left, 30.0, 30.0))[1] == read


@pytest.mark.parametrize(("left", "read"), [(200.0, 1), (200.1, 2)])
def test_no_part_is_begun_that_may_take_longer_than_half_the_time_left(left: float, read: int) -> None:
    end = left + 5.0
    assert run(a_store(3), seconds_left(end + 100.0, end, left, left, left - 10.0, 20.0))[1] == read


def test_the_longest_part_decides_and_not_the_latest() -> None:
    # 100 s for the first part, 10 s for the second, and then 199 s are too few
    assert run(a_store(3), seconds_left(500.0, 400.0, 399.0, 399.0, 389.0, 199.0))[1] == 2

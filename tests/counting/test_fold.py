"""The fold on the store in memory: one thing at a time. test_exactly_once.py does everything at once."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest

from chalicelib.counting.contribution import contribution
from chalicelib.counting.fold import Fold, Folded, bookings
from chalicelib.storage.retry import Patience
from chalicelib.storage.store import (
    FIRST,
    LAST,
    Booking,
    Generations,
    Move,
    ParticipantRow,
    RowKey,
    RowLimit,
    Stale,
    tallies_in,
)
from chalicelib.storage.tally import Tallies
from tests.support.builders import HOUR, NOON, an_element
from tests.support.memory_store import MemoryStore

NOW = NOON
KEY = RowKey("v1", "cta-color")


def a_fold(store: MemoryStore) -> Fold:
    versions = iter(range(1_000_000))
    return Fold(
        store, 2, lambda n: 0, lambda: f"v{next(versions)}", Patience(1.0, clock=lambda: 0.0, sleep=lambda _: None)
    )


def write(store: MemoryStore, *elements: str, key: RowKey = KEY) -> ParticipantRow:
    return store.add(key, elements, len(elements), version="born", expires_at=0, limit=RowLimit(200, 200))


def live(store: MemoryStore, experiment: str = "cta-color") -> Tallies:
    generation = store.generations(experiment).live
    found = tallies_in(store.cells(experiment, first=FIRST, last=LAST), generation)
    return {cell: tally for cell, tally in found.items() if tally.numbers()}


def test_a_pending_event_is_counted_once_however_often_the_stream_says_so() -> None:
    store = MemoryStore()
    element = an_element()
    write(store, element)
    fold = a_fold(store)
    assert fold([KEY, KEY], now_ms=NOW).events == 1
    assert fold([KEY], now_ms=NOW).events == 0
    assert live(store) == contribution({element}, 1)
    assert store.rows[KEY].counted == {element}


def test_a_repeat_changes_only_what_was_received() -> None:
    store = MemoryStore()
    fold = a_fold(store)
    for _ in range(3):
        write(store, an_element())
        fold([KEY], now_ms=NOW)
    assert live(store) == contribution({an_element()}, 3)


def test_a_row_that_is_gone_is_not_brought_back() -> None:
    store = MemoryStore()
    write(store, an_element())
    read = store.rows[KEY]
    store.erase(read, [])
    with pytest.raises(Stale):
        store.commit([Move(read, read.pending, 0, "v")], [])
    assert a_fold(store)([KEY], now_ms=NOW).rows == 0
    assert store.rows == {}


def test_a_visitor_in_more_variants_than_a_transaction_holds_is_folded_in_parts() -> None:
    store = MemoryStore()
    elements = [an_element(id=f"i{n}", variant=f"v{n}", at=NOON, client=True) for n in range(150)]
    write(store, *elements)
    done = a_fold(store)([KEY], now_ms=NOW)
    assert (done.events, done.transactions > 1) == (150, True)
    assert live(store) == contribution(elements, 150)


def test_activity_older_than_a_fortnight_is_not_kept() -> None:
    store = MemoryStore()
    write(store, an_element(at=NOON - 20 * 24 * HOUR))
    a_fold(store)([KEY], now_ms=NOW)
    assert {cell.span for cell in live(store)} == {"total", "day"}


def test_many_rows_share_a_transaction_of_at_most_a_hundred_items() -> None:
    store = MemoryStore()
    sizes: list[int] = []
    commit = store.commit
    store.commit = lambda moves, bookings: (sizes.append(len(moves) + len(bookings)), commit(moves, bookings))[1]  # type: ignore[method-assign]
    keys = [RowKey(f"v{n}", f"experiment-{n % 9}") for n in range(200)]
    for n, key in enumerate(keys):
        write(store, an_element(id=f"e{n}", at=NOON - n * HOUR), key=key)
    assert a_fold(store)(keys, now_ms=NOW).rows == 200
    assert max(sizes) <= 100


def test_rows_of_one_experiment_share_transactions_however_the_stream_mixes_them() -> None:
    store = MemoryStore()
    keys = [RowKey(f"v{i}", ("cta-color", "hero")[i % 2]) for i in range(50)]
    for key in keys:
        write(store, an_element(), key=key)
    together = []
    commit = store.commit

    def noted(moves: Sequence[Move], bookings: Sequence[Booking]) -> None:
        together.append({booking.experiment for booking in bookings})
        commit(moves, bookings)

    store.commit = noted  # type: ignore[method-assign]
    a_fold(store)(keys, now_ms=NOW)
    assert together == [{"cta-color"}, {"hero"}]


def test_a_row_of_a_generation_that_is_over_is_counted_again_in_the_live_one() -> None:
    store = MemoryStore()
    write(store, an_element())
    fold = a_fold(store)
    fold([KEY], now_ms=NOW)
    store.open_generation("cta-color", Generations(0), Generations(1))
    fold([KEY], now_ms=NOW)
    assert live(store) == contribution({an_element()}, 1)
    assert store.rows[KEY].generation == 1


def test_an_hour_expires_a_fortnight_after_it_and_a_day_never() -> None:
    cells = contribution({an_element()}, 1)
    expiry = {b.cell.split("#")[0]: b.expires_at for b in bookings({("cta-color", 0): cells}, NOW, 0)}
    assert expiry == {"hour": NOON // 1000 + 14 * 86_400, "day": None, "total": None}


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/Los_Angeles"])
def test_the_expiry_of_an_hour_is_the_same_wherever_the_process_runs(
    monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        booked = bookings({("cta-color", 0): contribution({an_element()}, 1)}, NOW, 0)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert max(b.expires_at or 0 for b in booked) == NOON // 1000 + 14 * 86_400


def test_every_row_is_folded_where_a_transaction_has_room_for_some() -> None:
    store = MemoryStore()
    keys = [RowKey(f"v{n}", "cta-color") for n in range(25)]
    for n, key in enumerate(keys):  # 1 + 4 + 2 items for each row, so that 25 of them need more than one transaction
        write(store, *(an_element(id=f"e{i}", at=NOON - (n * 4 + i) * HOUR) for i in range(4)), key=key)
    result = a_fold(store)(keys, now_ms=NOW)
    assert (result.rows, result.transactions > 1) == (25, True)
    assert not any(row.needs_fold for row in store.rows.values())


def test_a_transaction_of_exactly_a_hundred_items_is_not_exceeded_by_one() -> None:
    for hours in range(88, 100):  # total, day and each hour, beside the rows: one of these fills it to the last item
        store = MemoryStore()
        keys = [RowKey(f"v{n}", "cta-color") for n in range(9)]
        for n, key in enumerate(keys):
            mine = range(n * 11, min(n * 11 + 11, hours))
            write(store, *(an_element(id=f"e{i}", at=NOON - i * HOUR) for i in mine), key=key)
        a_fold(store)(keys, now_ms=NOW)
        assert not any(row.needs_fold for row in store.rows.values())


def test_no_row_is_dropped_when_a_fold_clashes_again_and_again() -> None:
    store = MemoryStore()
    keys = [RowKey(f"v{n}", "cta-color") for n in range(8)]
    for key in keys:
        write(store, an_element(), key=key)
    clashes = iter([True] * 5)
    commit = store.commit

    def clashing(moves: Sequence[Move], booked: Sequence[Booking]) -> None:
        if next(clashes, False):
            raise Stale("another fold was faster")
        commit(moves, booked)

    store.commit = clashing  # type: ignore[method-assign]
    assert a_fold(store)(keys, now_ms=NOW).rows == 8


def test_after_a_clash_the_generations_are_read_again() -> None:
    store = MemoryStore()
    write(store, an_element())
    commit = store.commit

    def clashing(moves: Sequence[Move], booked: Sequence[Booking]) -> None:
        store.commit = commit  # type: ignore[method-assign]
        store.open_generation("cta-color", Generations(0), Generations(0, 7))
        raise Stale("another fold was faster")

    store.commit = clashing  # type: ignore[method-assign]
    a_fold(store)([KEY], now_ms=NOW)
    assert store.rows[KEY].generation == 7


def test_a_row_that_cannot_be_read_is_named_and_the_others_are_folded(
    service_log: pytest.LogCaptureFixture,
) -> None:
    store = MemoryStore()
    write(store, an_element())
    broken = RowKey("v9", "cta-color")
    write(store, f"i|gr#en|0|{NOON}|e1", key=broken)
    result = a_fold(store)([KEY, broken], now_ms=NOW)
    assert (result.events, result.broken) == (1, [broken])
    assert [record.getMessage() for record in service_log.records] == [
        "a row of cta-color cannot be read; it is not counted"
    ]


def test_a_row_that_fills_a_transaction_to_the_last_item_is_folded_in_one() -> None:
    for by_hour, transactions in ((1, 1), (2, 2)):  # beside the row, a total and a day of 49 variants
        store = MemoryStore()
        elements = [an_element(id=f"i{n}", variant=f"v{n}", client=True) for n in range(49)]
        write(store, *elements[:by_hour], *(f"{element}|l" for element in elements[by_hour:]))  # late: in no hour
        result = a_fold(store)([KEY], now_ms=NOW)
        assert (result.events, result.transactions) == (49, transactions)


class Clashing:
    """A store whose commits clash as `clashes` says, a fold of it, and what it waited and tried to commit."""

    def __init__(self, *clashes: bool, rows: int, budget: float = 100.0) -> None:
        self.store, self.waits, self.tried = MemoryStore(), list[float](), list[int]()
        self.keys = [RowKey(f"v{n}", "cta-color") for n in range(rows)]
        for n, key in enumerate(self.keys):  # 1 + 4 items for each row, and two
            write(self.store, *(an_element(id=f"e{i}", at=NOON - (n * 4 + i) * HOUR) for i in range(4)), key=key)
        commit, answers = self.store.commit, iter(clashes)

        def clashing(moves: Sequence[Move], booked: Sequence[Booking]) -> None:
            self.tried.append(len(moves))
            if next(answers, False):
                raise Stale("another fold was faster")
            commit(moves, booked)

        self.store.commit = clashing  # type: ignore[method-assign]
        patience = Patience(budget, 0.125, clock=lambda: sum(self.waits), sleep=self.waits.append, jitter=lambda: 0.5)
        self.fold = Fold(self.store, 1, lambda n: 0, lambda: "v", patience)

    def __call__(self) -> Folded:
        return self.fold(self.keys, now_ms=NOW)


def test_after_three_clashes_in_a_row_the_rows_are_split_and_each_wait_is_twice_the_last() -> None:
    world = Clashing(*[True] * 3, rows=8)
    result = world()
    assert (result.stale, result.rows, result.transactions) == (3, 8, 2)
    assert world.tried == [8, 8, 8, 4, 4]
    assert world.waits == [0.125, 0.25, 0.5]


def test_two_rows_that_clash_are_folded_one_by_one() -> None:
    world = Clashing(*[True] * 3, rows=2)
    assert world().rows == 2
    assert world.tried == [2, 2, 2, 1, 1]


def test_a_commit_between_two_clashes_begins_the_count_again() -> None:
    world = Clashing(True, True, False, True, True, rows=25)  # which need two transactions
    result = world()
    first = result.rows - world.tried[-1]
    assert world.tried == [first] * 3 + [25 - first] * 3
    assert (result.stale, result.rows, world.waits) == (4, 25, [0.125, 0.25] * 2)


def test_a_single_row_that_clashes_again_and_again_waits_at_most_a_second_each_time() -> None:
    world = Clashing(*[True] * 6, rows=1)
    assert world().stale == 6
    assert world.waits == [0.125, 0.25, 0.5, 0.5, 0.5, 0.5]  # the jitter takes half


def test_when_the_time_is_over_the_clash_is_raised() -> None:
    world = Clashing(*[True] * 9, rows=1, budget=0.875)
    with pytest.raises(Stale):
        world()
    assert world.waits == [0.125, 0.25, 0.5, 0.5]  # it goes on to the last moment, and not beyond it


def test_every_write_of_a_fold_changes_the_version_of_its_row() -> None:
    store = MemoryStore()
    write(store, an_element())
    fold = a_fold(store)
    fold([KEY], now_ms=NOW)
    assert store.rows[KEY].version == "v0"
    store.open_generation("cta-color", Generations(0), Generations(0, 7))
    write(store, an_element(id="e2"))
    fold([KEY], now_ms=NOW)  # a row that was counted stays where it is until the rebuild moves it
    assert (store.rows[KEY].version, store.rows[KEY].generation) == ("v1", 0)
    store.open_generation("cta-color", Generations(0, 7), Generations(8))
    reopened: list[tuple[int, str]] = []
    reopen = store.reopen

    def noted(row: ParticipantRow, generation: int, version: str) -> None:
        reopened.append((generation, version))
        reopen(row, generation, version)

    store.reopen = noted  # type: ignore[method-assign]
    fold([KEY], now_ms=NOW)
    assert reopened == [(8, "v2")]


def test_a_row_that_the_table_calls_broken_is_named_and_the_rows_behind_it_are_folded() -> None:
    store = MemoryStore()
    first, second, third = (RowKey(f"v{n}", "cta-color") for n in range(3))
    store.rows[first] = ParticipantRow(first, version="x", broken=True)
    write(store, "nonsense", key=second)
    write(store, an_element(), key=third)
    result = a_fold(store)([first, second, third], now_ms=NOW)
    assert (result.broken, result.events) == ([first, second], 1)


def test_an_hour_of_a_fortnight_ago_is_the_last_that_is_kept() -> None:
    for hours, kept in ((14 * 24, 1), (14 * 24 + 1, 0)):
        cells = contribution({an_element(at=NOON - hours * HOUR)}, 1)
        assert sum(b.cell.startswith("hour") for b in bookings({("cta-color", 0): cells}, NOW, 0)) == kept

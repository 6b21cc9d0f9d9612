"""Recounting the tallies from the rows, alone and with traffic going on."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import pytest

from abacus.operations.rows.audit import audit
from abacus.operations.rows.erase import erase
from abacus.operations.rows.rebuild import rebuild, too_old
from abacus.operations.rows.recount import difference_in_words, live_tallies, loses_visitors, recount
from chalicelib.counting.contribution import contribution
from chalicelib.counting.fold import Fold
from chalicelib.counting.reconcile import reconcile_rows
from chalicelib.storage.retry import Patience
from chalicelib.storage.store import FIRST, LAST, Booking, Generations, ParticipantRow, RowKey, RowLimit, tallies_in
from chalicelib.storage.tally import Tallies, Tally
from tests.support.builders import DAY, NOON, an_element
from tests.support.memory_store import MemoryStore

NOW = NOON


def a_fold(store: MemoryStore) -> Fold:
    versions = itertools.count()
    return Fold(store, 2, lambda n: next(versions) % n, lambda: f"v{next(versions)}", Patience(5.0))


def a_filled_store(visitors: int = 30) -> tuple[MemoryStore, Fold]:
    store = MemoryStore()
    fold = a_fold(store)
    for n in range(visitors):
        write(store, n)
    reconcile_rows(store, fold, now_ms=NOW)
    return store, fold


def write(store: MemoryStore, n: int, *, event_id: str = "i1") -> None:
    element = an_element(id=event_id, variant=("blue", "green")[n % 2], at=NOON + n)
    store.add(RowKey(f"v{n}", "cta-color"), [element], 1, version=f"born{n}", expires_at=0, limit=RowLimit(200, 200))


def rebuilt(store: MemoryStore, fold: Fold) -> None:
    versions = itertools.count()
    rebuild(store, fold, "cta-color", clock_ms=lambda: NOW, version=lambda: f"r{next(versions)}")


def test_a_look_changes_nothing_and_finds_nothing() -> None:
    store, _ = a_filled_store()
    before = {key: dict(items) for key, items in store.tallies["cta-color"].items()}
    found = recount(store, "cta-color")
    assert difference_in_words(found) == ["30 rows; the tallies agree with them."]
    assert store.tallies["cta-color"] == before


def test_tallies_that_were_tampered_with_are_found_and_mended() -> None:
    store, fold = a_filled_store()
    store.book([Booking("cta-color", "total#0#0#green#0", {"visitors": 5})])
    assert difference_in_words(recount(store, "cta-color"))[1:] == ["total, phase 0, green: visitors 20 → 15"]
    assert audit(store, ["cta-color"], sleep=lambda _: None).problems == [
        "cta-color: the tallies differ from the rows in total green. See abacus rebuild cta-color."
    ]
    rebuilt(store, fold)
    assert not recount(store, "cta-color").differing
    assert store.generations("cta-color") == Generations(NOW // 1000, None)
    gens = {cell.split("#")[1] for cell in store.cells("cta-color", first=FIRST, last=LAST) if "#" in cell}
    assert gens == {str(NOW // 1000)}


def test_tallies_that_agree_with_the_rows_and_do_not_add_up_are_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    def one_short(elements: Iterable[str], received: int) -> Tallies:
        cells = contribution(elements, received)
        for tally in cells.values():
            tally.impressions -= bool(tally.visitors)
        return cells

    for module in ("chalicelib.counting.fold", "abacus.operations.rows.recount"):
        monkeypatch.setattr(f"{module}.contribution", one_short)
    store, _ = a_filled_store(3)
    assert audit(store, ["cta-color"], sleep=lambda _: None).problems == [
        "cta-color: 3 events accepted, but 0 counted or excluded."
    ]


def test_rows_counted_under_an_older_meaning_are_named_by_the_audit_and_recounted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def old_meaning(elements: Iterable[str], received: int) -> Tallies:
        return contribution([e for e in elements if e[0] == "i"], received)

    store, fold = a_filled_store(0)
    monkeypatch.setattr("chalicelib.counting.fold.contribution", old_meaning)
    write(store, 1)
    write(store, 1, event_id="i2")
    store.add(
        RowKey("v1", "cta-color"),
        [an_element(id="c", type="click", at=NOON - 1)],
        1,
        version="v",
        expires_at=0,
        limit=RowLimit(200, 200),
    )
    reconcile_rows(store, fold, now_ms=NOW)
    monkeypatch.undo()
    assert recount(store, "cta-color").differing
    rebuilt(store, fold)
    assert audit(store, ["cta-color"], sleep=lambda _: None).problems == []
    total = Tally()
    for cell, tally in live_tallies(store, "cta-color").items():
        if cell.span == "total":
            total.add(tally)
    assert (total.visitors, total.clicks, total.flagged) == (1, 0, Counter({"before-impression": 1}))


def test_a_rebuild_with_traffic_going_on_loses_nothing() -> None:
    store, fold = a_filled_store()
    stop = threading.Event()
    sent = itertools.count(30)

    def traffic() -> None:
        other = a_fold(store)
        while not stop.is_set():
            n = next(sent)
            write(store, n)
            write(store, n % 30, event_id=f"i{n}")
            other([RowKey(f"v{n}", "cta-color"), RowKey(f"v{n % 30}", "cta-color")], now_ms=NOW)

    thread = threading.Thread(target=traffic)
    thread.start()
    for _ in range(3):
        rebuilt(store, fold)
    stop.set()
    thread.join()
    reconcile_rows(store, fold, now_ms=NOW)
    found = audit(store, ["cta-color"], sleep=lambda _: None)
    assert (found.problems, found.totals.pending) == ([], 0)
    assert found.totals.rows == next(sent)
    assert sum(t.visitors for c, t in live_tallies(store, "cta-color").items() if c.span == "total") == len(store.rows)


def visitors(store: MemoryStore) -> int:
    return sum(tally.visitors for cell, tally in live_tallies(store, "cta-color").items() if cell.span == "total")


def test_an_abandoned_rebuild_shows_nothing_twice_and_is_taken_over_by_the_next() -> None:
    store, fold = a_filled_store()
    store.open_generation("cta-color", Generations(0), Generations(0, 1))
    for n in range(10):
        store.reopen(store.rows[RowKey(f"v{n}", "cta-color")], 1, "x")
    for n in range(30, 40):
        write(store, n)
    reconcile_rows(store, fold, now_ms=NOW)
    assert visitors(store) == 30  # as they were; the new ones wait in the generation that is being filled
    store.open_generation("cta-color", Generations(0, 1), Generations(0, 2))
    reconcile_rows(store, fold, now_ms=NOW)
    assert visitors(store) == 30
    rebuilt(store, fold)
    assert store.generations("cta-color") == Generations(NOW // 1000, None)
    assert (visitors(store), audit(store, ["cta-color"], sleep=lambda _: None).problems) == (40, [])


def test_a_fold_that_began_before_a_rebuild_does_not_undo_it() -> None:
    store, fold = a_filled_store()
    for n in range(30, 60):
        write(store, n)
    reads = iter(range(1000))
    read = store.read

    def read_late(keys: Sequence[RowKey]) -> list[ParticipantRow]:
        if next(reads) == 1:  # between the first transaction of the fold and its second
            store.read = read  # type: ignore[method-assign]
            rebuilt(store, a_fold(store))
        return read(keys)

    store.read = read_late  # type: ignore[method-assign]
    fold([RowKey(f"v{n}", "cta-color") for n in range(60)], now_ms=NOW)
    reconcile_rows(store, fold, now_ms=NOW)
    assert (visitors(store), audit(store, ["cta-color"], sleep=lambda _: None).problems) == (60, [])


def test_a_rebuild_does_not_wait_for_visitors_to_stop_coming() -> None:
    store, fold = a_filled_store()
    scan, scans = store.scan, iter(range(1000))

    def busy(segment: int = 0, segments: int = 1) -> Iterator[ParticipantRow]:
        write(store, 1000 + next(scans))  # there is always a new visitor who is not folded yet
        return scan(segment, segments)

    store.scan = busy  # type: ignore[method-assign]
    rebuilt(store, fold)
    assert next(scans) < 30


def test_tallies_that_were_deleted_come_back_though_there_was_a_rebuild_before() -> None:
    store, fold = a_filled_store()
    rebuilt(store, fold)
    store.tallies.clear()
    versions = itertools.count()
    rebuild(store, fold, "cta-color", clock_ms=lambda: NOW + 60_000, version=lambda: f"s{next(versions)}")
    assert visitors(store) == 30


def test_rows_that_expired_are_noticed_without_any_setting() -> None:
    store, _ = a_filled_store()
    assert loses_visitors(recount(store, "cta-color")) is None
    for n in range(10):
        del store.rows[RowKey(f"v{n}", "cta-color")]
    assert loses_visitors(recount(store, "cta-color")) == (
        "the tallies count 30 visitors, the rows only 20. Have rows expired? If the tallies are wrong and the rows are "
        "right, add --force."
    )


def test_one_row_that_cannot_be_folded_does_not_keep_the_others_from_it() -> None:
    store, fold = a_filled_store(0)
    for n in range(5):
        write(store, n)
    store.add(RowKey("v9", "cta-color"), {"nonsense"}, 1, version="v", expires_at=0, limit=RowLimit(200, 200))
    found = reconcile_rows(store, fold, now_ms=NOW)
    assert (found.folded, found.failed, found.totals.broken_keys) == (5, 0, {RowKey("v9", "cta-color")})


def test_a_visitor_of_many_hours_can_be_erased() -> None:
    store, fold = a_filled_store(0)
    elements = [an_element(id=f"i{n}", at=NOON - n * DAY // 24) for n in range(150)]
    store.add(RowKey("v1", "cta-color"), elements, 150, version="v", expires_at=0, limit=RowLimit(200, 200))
    reconcile_rows(store, fold, now_ms=NOW)
    assert erase(store, "v1", now_ms=NOW, spread=2, random_below=lambda n: 0) == ["cta-color"]
    assert live_tallies(store, "cta-color") == {}


def test_an_experiment_older_than_its_rows_is_left_alone() -> None:
    store, _ = a_filled_store()
    assert too_old(store, "cta-color", now_ms=NOW, retention_days=90) is None
    assert too_old(store, "cta-color", now_ms=NOW + 100 * DAY, retention_days=90) == (
        "cta-color counts visitors since 2026-11-21, but rows are kept 90 days; its tallies stay."
    )


def test_an_erased_visitor_is_in_neither_rows_nor_tallies() -> None:
    store, _ = a_filled_store(2)
    assert erase(store, "v1", now_ms=NOW, spread=2, random_below=lambda n: 0) == ["cta-color"]
    assert erase(store, "v1", now_ms=NOW, spread=2, random_below=lambda n: 0) == []
    counted_before = contribution({an_element(id="i1", variant="blue", at=NOON)}, 1)
    assert live_tallies(store, "cta-color") == {
        cell: tally for cell, tally in counted_before.items() if cell.span != "hour"
    }


def test_rows_that_cannot_be_are_told() -> None:
    store, _ = a_filled_store(1)
    store.add(
        RowKey("v9", "cta-color"),
        {an_element(), an_element(id="e2")},
        1,
        version="v",
        expires_at=0,
        limit=RowLimit(200, 200),
    )
    (problem,) = audit(store, ["cta-color"], sleep=lambda _: None).problems[:1]
    assert problem == ("1 row broken: unreadable, fewer events received than held, or no generation. v9 in cta-color.")


def test_a_visitor_counted_into_the_old_generation_just_before_the_swap_is_moved_too() -> None:
    store, fold = a_filled_store()
    opened = store.open_generation
    key = RowKey("v99", "cta-color")

    def swap(experiment: str, now: Generations, then: Generations) -> None:
        if then.fill is None:  # a fold that read the old generations commits a new visitor at the last moment
            elements = frozenset({an_element(variant="green")})
            store.rows[key] = ParticipantRow(key, counted=elements, received=1, folded=1, generation=0, version="x")
        opened(experiment, now, then)

    store.open_generation = swap  # type: ignore[method-assign]
    rebuilt(store, fold)
    assert (visitors(store), audit(store, ["cta-color"], sleep=lambda _: None).problems) == (31, [])


def test_erasing_during_a_rebuild_takes_the_visitor_out_of_the_generation_it_is_in() -> None:
    store, _ = a_filled_store()
    store.open_generation("cta-color", Generations(0), Generations(0, 5))
    key = RowKey("v1", "cta-color")
    store.reopen(store.rows[key], 5, "x")
    a_fold(store)([key], now_ms=NOW)
    erase(store, "v1", now_ms=NOW, spread=2, random_below=lambda n: 0)
    filling = tallies_in(store.cells("cta-color", first=FIRST, last=LAST), 5)
    assert sum(tally.visitors for cell, tally in filling.items() if cell.span == "total") == 0


def test_a_rebuild_goes_on_past_a_row_that_cannot_be_read_and_names_it() -> None:
    store, fold = a_filled_store()
    broken = RowKey("v9999", "cta-color")
    store.rows[broken] = ParticipantRow(broken, counted=frozenset({"nonsense"}), received=1, generation=0, version="x")
    assert recount(store, "cta-color").broken == (broken,)
    result = rebuild(store, fold, "cta-color", clock_ms=lambda: NOW, version=lambda: "r")
    assert (result.broken, visitors(store)) == ((broken,), 30)
    assert "v9999 in cta-color" in audit(store, ["cta-color"], sleep=lambda _: None).problems[0]
    assert erase(store, "v9999", now_ms=NOW, spread=2, random_below=lambda n: 0) == ["cta-color"]


def test_an_item_of_the_tallies_that_cannot_be_read_is_skipped_and_named() -> None:
    store, _ = a_filled_store()
    store.book([Booking("cta-color", "total#0#0#gr#en#0", {"visitors": 5})])
    assert visitors(store) == 30
    (problem,) = audit(store, ["cta-color"], sleep=lambda _: None).problems
    assert problem == "cta-color: 1 item of the tallies cannot be read: total#0#0#gr#en#0."

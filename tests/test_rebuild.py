"""Recounting the tallies from the rows, alone and with traffic going on."""

from __future__ import annotations

import itertools
import threading

from abacus.audit import audit
from abacus.erase import erase
from abacus.rebuild import difference_in_words, live_tallies, rebuild, recount, too_old
from chalicelib.contribution import contribution
from chalicelib.fold import Fold
from chalicelib.reconcile import reconcile_rows
from chalicelib.retry import Patience
from chalicelib.store import FIRST, LAST, Booking, Generations, Key
from tests.builders import DAY, NOON, an_element
from tests.memory_store import MemoryStore

NOW = NOON / 1000


def a_fold(store: MemoryStore) -> Fold:
    versions = itertools.count()
    return Fold(store, 2, lambda n: next(versions) % n, lambda: f"v{next(versions)}", Patience(5.0))


def a_filled_store(visitors: int = 30) -> tuple[MemoryStore, Fold]:
    store = MemoryStore()
    fold = a_fold(store)
    for n in range(visitors):
        write(store, n)
    reconcile_rows(store, fold, now=NOW)
    return store, fold


def write(store: MemoryStore, n: int, *, event_id: str = "i1") -> None:
    element = an_element(id=event_id, variant=("blue", "green")[n % 2], at=NOON + n)
    store.add(Key(f"v{n}", "cta-color"), [element], 1, version=f"born{n}", expires_at=0, cap=200)


def rebuilt(store: MemoryStore, fold: Fold) -> None:
    versions = itertools.count()
    rebuild(store, fold, "cta-color", clock=lambda: NOW, version=lambda: f"r{next(versions)}")


def test_a_look_changes_nothing_and_finds_nothing() -> None:
    store, _ = a_filled_store()
    before = {key: dict(items) for key, items in store.tallies["cta-color"].items()}
    found = recount(store, "cta-color")
    assert difference_in_words(found) == ["30 rows; the tallies are what the rows say."]
    assert store.tallies["cta-color"] == before


def test_tallies_that_were_tampered_with_are_found_and_mended() -> None:
    store, fold = a_filled_store()
    store.book([Booking("cta-color", "total#0#0#green#0", {"visitors": 5})])
    assert difference_in_words(recount(store, "cta-color"))[1:] == ["total, phase 0, green: visitors 20 → 15"]
    assert audit(store, ["cta-color"], sleep=lambda _: None).problems == [
        "cta-color: the tallies are not what the rows say, in total green. See abacus rebuild cta-color."
    ]
    rebuilt(store, fold)
    assert not recount(store, "cta-color").off
    assert store.generations("cta-color") == Generations(1, None)
    assert {cell.split("#")[1] for cell in store.cells("cta-color", first=FIRST, last=LAST) if "#" in cell} == {"1"}


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
            other([Key(f"v{n}", "cta-color"), Key(f"v{n % 30}", "cta-color")], now=NOW)

    thread = threading.Thread(target=traffic)
    thread.start()
    for _ in range(3):
        rebuilt(store, fold)
    stop.set()
    thread.join()
    reconcile_rows(store, fold, now=NOW)
    found = audit(store, ["cta-color"], sleep=lambda _: None)
    assert (found.problems, found.account.pending) == ([], 0)
    assert found.account.rows == next(sent)
    assert sum(t.visitors for c, t in live_tallies(store, "cta-color").items() if c.span == "total") == len(store.rows)


def test_an_abandoned_rebuild_is_taken_over_by_the_next() -> None:
    store, fold = a_filled_store()
    store.open_generation("cta-color", Generations(0), Generations(0, 1))
    store.reopen(store.rows[Key("v1", "cta-color")], 1, "x")
    rebuilt(store, fold)
    assert store.generations("cta-color") == Generations(2, None)
    assert audit(store, ["cta-color"], sleep=lambda _: None).problems == []


def test_an_experiment_older_than_its_rows_is_left_alone() -> None:
    store, _ = a_filled_store()
    assert too_old(store, "cta-color", now=NOW, retention_days=90) is None
    assert too_old(store, "cta-color", now=NOW + 100 * DAY / 1000, retention_days=90) == (
        "cta-color counts visitors since 2026-11-21, but rows are kept 90 days; its tallies stay."
    )


def test_an_erased_visitor_is_in_neither_rows_nor_tallies() -> None:
    store, _ = a_filled_store(2)
    assert erase(store, "v1", now=NOW, spread=2, dice=lambda n: 0) == ["cta-color"]
    assert erase(store, "v1", now=NOW, spread=2, dice=lambda n: 0) == []
    due = contribution({an_element(id="i1", variant="blue", at=NOON)}, 1)
    assert live_tallies(store, "cta-color") == {cell: tally for cell, tally in due.items() if cell.span != "hour"}


def test_rows_that_cannot_be_are_told() -> None:
    store, _ = a_filled_store(1)
    store.add(Key("v9", "cta-color"), {an_element(), an_element(id="e2")}, 1, version="v", expires_at=0, cap=200)
    (problem,) = audit(store, ["cta-color"], sleep=lambda _: None).problems[:1]
    assert problem == "1 rows cannot be: fewer events received than they hold, or no generation."

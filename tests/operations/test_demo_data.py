"""Simulated visitors are marked while they are there, and can be removed without a trace."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from click.testing import CliRunner

from abacus.cli import main
from abacus.operations.demo_data import remove_simulated, simulated_rows
from abacus.simulation.simulate import mark
from abacus.simulation.traffic.visitors import ID_PREFIX, Visitor
from chalicelib.counting.fold import Fold
from chalicelib.counting.reconcile import reconcile_rows
from chalicelib.reporting import queries
from chalicelib.reporting.report import Question
from chalicelib.storage.retry import Patience
from chalicelib.storage.store import RowKey, RowLimit
from tests.support.builders import DAY, NOON, a_manifest, a_visitor, an_element
from tests.support.memory_store import MemoryStore

REAL, SIMULATED = a_visitor("green"), f"{ID_PREFIX}1"


def visit(store: MemoryStore, visitor: str, number: int) -> None:
    elements = [an_element(id=f"i{number}"), an_element(id=f"c{number}", type="click")]
    store.add(
        RowKey(visitor, "cta-color"),
        elements,
        2,
        version=f"v{number}",
        expires_at=NOON // 1000,
        limit=RowLimit(100, 100),
    )


def count(store: MemoryStore) -> None:
    versions = itertools.count(100)
    fold = Fold(store, 2, lambda n: 0, lambda: f"v{next(versions)}", Patience(5.0))
    reconcile_rows(store, fold, now_ms=NOON)


def report(store: MemoryStore) -> dict[str, Any]:
    answer = queries.detail(store, a_manifest(), "cta-color", Question(series="hour"), now_ms=NOON + DAY)
    listed = queries.overview(store, a_manifest(), now_ms=NOON + DAY).experiments[0]
    return {
        "marked": (answer.simulated, listed.simulated),
        "visitors": listed.visitors,
        "clicks": listed.clicks,
        "series": [point for point in answer.series if any(v.impressions for v in point.variants)],
    }


def test_clearing_the_demo_removes_simulated_visitors_and_keeps_the_others() -> None:
    store = MemoryStore()
    visit(store, REAL, 1)
    count(store)
    before = report(store)
    assert (before["marked"], before["visitors"]) == ((False, False), 1)

    mark(store, [Visitor(SIMULATED, [[{"experiment": "cta-color"}]])])
    visit(store, SIMULATED, 2)
    count(store)
    with_demo = report(store)
    assert (with_demo["marked"], with_demo["visitors"]) == ((True, True), 2)

    rows = simulated_rows(store)
    assert [row.key.visitor for row in rows] == [SIMULATED]
    visit(store, SIMULATED, 3)  # the row changes after it was read
    remove_simulated(store, rows, ["cta-color"], now_ms=NOON, spread=2, random_below=lambda n: 0)
    assert report(store) == before
    assert [row.key.visitor for row in store.scan()] == [REAL]


def test_clearing_needs_the_tables() -> None:
    result = CliRunner().invoke(main, ["demo", "--clear", "--base-url", "http://127.0.0.1:1"])
    assert result.exit_code == 1
    assert "--clear needs the tables" in result.output


@pytest.mark.parametrize("command", ["demo", "simulate"])
def test_without_a_product_the_command_says_how_to_start_one(
    command: str, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PORT", raising=False)
    result = CliRunner().invoke(main, [command, "--home", str(tmp_path)])
    assert (result.exit_code, "No ABacus runs here. Start one with `make run`" in result.output) == (1, True)

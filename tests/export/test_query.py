"""SQL on an export. The recount equals GET /stats, whatever visitors, bots and clocks did."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from abacus.cli import main
from abacus.export import duck
from abacus.export.folder import ExportFolder
from abacus.export.query import NAMES, named, opened
from chalicelib.counting.contribution import contribution
from chalicelib.domain.manifest import CLICK
from chalicelib.reporting import queries
from chalicelib.reporting.report import Question
from tests.export.world import MANIFEST, a_counted_store, a_record, exported
from tests.support.builders import NOON


def ask(path: Path, name: str, **values: str) -> list[tuple[object, ...]]:
    defaults = {"experiment": "cta-color", "goal": "click", "other": "hero", "segment": "device"}
    connection = opened(path)
    _, rows = duck.rows(connection, named(name, **(defaults | values)))
    connection.close()
    return [tuple(row) for row in rows]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_the_recount_equals_what_get_stats_says(tmp_path: Path, seed: int, form: str) -> None:
    store = a_counted_store(seed)
    path = exported(store, tmp_path / "x", format=form)
    compared = 0
    for experiment in MANIFEST.experiments:
        for goal in (CLICK, *experiment.goals):
            question = Question(goal=goal, series="none")
            report = queries.detail(store, MANIFEST, experiment.key, question, now_ms=NOON)
            stats = {
                (v.variant, 0): (v.visitors, v.impressions, v.clicks, v.converted)
                for v in report.variants
                if v.visitors
            }
            counted = {(v, p): n for v, p, *n in ask(path, "recount", experiment=experiment.key, goal=goal)}
            assert {key: tuple(n) for key, n in counted.items()} == stats
            compared += len(stats)
    assert compared == 2 * 2 + 3 * 3 + 2


def test_the_days_add_up_to_the_recount_and_have_a_rate(tmp_path: Path) -> None:
    path = exported(a_counted_store(5), tmp_path / "x")
    days = ask(path, "daily-rate")
    (totals,) = [[(v, n, c) for v, _, n, _, _, c in ask(path, "recount")]]
    for variant, visitors, converted in totals:
        mine = [day for day in days if day[1] == variant]
        assert (sum(day[2] for day in mine), sum(day[3] for day in mine)) == (visitors, converted)  # type: ignore[misc]
        assert all(day[4] == pytest.approx(day[3] / day[2]) for day in mine)  # type: ignore[operator]
    assert len({day[0] for day in days}) >= 3


def test_the_segments_are_those_of_the_tallies(tmp_path: Path) -> None:
    store = a_counted_store(6)
    found = {(s, v): (n, c) for s, v, n, c, _ in ask(exported(store, tmp_path / "x"), "segments", experiment="hero")}
    expected: dict[tuple[str, str], list[int]] = {}
    for row in store.rows.values():
        for cell, tally in contribution(row.counted, row.folded).items():
            if row.key.experiment == "hero" and cell.span == "segment" and tally.visitors:
                counts = expected.setdefault((cell.when.removeprefix("device="), cell.variant), [0, 0])
                counts[0] += tally.visitors
                counts[1] += tally.converted["click"]
    assert found == {key: tuple(counts) for key, counts in expected.items()}
    assert len(found) == 6


def test_the_funnel_begins_with_every_visitor(tmp_path: Path) -> None:
    path = exported(a_counted_store(7), tmp_path / "x")
    visitors = {v: n for v, _, n, *_ in ask(path, "recount", experiment="hero")}
    converted = {
        goal: {v: c for v, _, _, _, _, c in ask(path, "recount", experiment="hero", goal=goal)}
        for goal in ("click", "signup", "buy")
    }
    steps = {(v, step): (n, share) for v, step, n, share in ask(path, "funnel", experiment="hero")}
    for variant, total in visitors.items():
        assert steps[variant, "impression"] == (total, 1.0)
        for goal, counts in converted.items():
            assert steps[variant, goal] == (counts[variant], pytest.approx(counts[variant] / total))  # type: ignore[index, operator]


def test_the_interaction_pairs_the_visitors_of_both_experiments(tmp_path: Path) -> None:
    store = a_counted_store(8)
    found = {(a, b): (n, c) for a, b, n, c, _ in ask(exported(store, tmp_path / "x"), "interaction")}
    homes: dict[str, dict[str, tuple[str, int]]] = {}
    for row in store.rows.values():
        for cell, tally in contribution(row.counted, row.folded).items():
            if cell.span == "total" and tally.visitors:
                homes.setdefault(row.key.visitor, {})[row.key.experiment] = (cell.variant, tally.converted["click"])
    expected: dict[tuple[str, str], list[int]] = {}
    for by_experiment in homes.values():
        if {"cta-color", "hero"} <= by_experiment.keys():
            (variant, click), (other, _) = by_experiment["cta-color"], by_experiment["hero"]
            counts = expected.setdefault((variant, other), [0, 0])
            counts[0] += 1
            counts[1] += click
    assert found == {key: tuple(counts) for key, counts in expected.items()}
    assert len(found) == 6


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["query", *arguments])


def test_the_command_answers_named_queries_and_sql(tmp_path: Path) -> None:
    path = str(exported(a_counted_store(9, visitors=20), tmp_path / "x"))
    for name in NAMES:
        result = run(name, "--in", path)
        assert result.exit_code == 0, result.output
        assert "blue" in result.output
    sql = "select count(distinct experiment) as experiments from events"
    assert run(sql, "--in", path, "--csv").output == "experiments\n3\n"
    assert run(sql, "--in", path).output == "experiments\n3\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["selec 1"], "DuckDB: Parser Error"),
        (["recount", "--experiment", "x'; drop view events; --"], "is not a key"),
    ],
)
def test_what_cannot_be_answered_is_explained(tmp_path: Path, arguments: list[str], message: str) -> None:
    path = str(exported(a_counted_store(9, visitors=2), tmp_path / "x"))
    result = run(*arguments, "--in", path)
    assert (result.exit_code != 0, message in result.output) == (True, True)


def test_a_folder_without_a_complete_export_is_refused(tmp_path: Path) -> None:
    assert "holds no export. Make one: abacus export" in run("recount", "--in", str(tmp_path)).output
    ExportFolder(tmp_path / "x", a_record())
    assert "is not complete. Resume it" in run("recount", "--in", str(tmp_path / "x")).output


def test_without_duckdb_the_command_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    for name, value in (("PARTICIPANTS", "p"), ("STAGE", "local")):
        monkeypatch.setenv(f"ABACUS_{name}", value)
    result = CliRunner().invoke(main, ["export", "--to", str(tmp_path / "x")])
    assert "This needs DuckDB, which is not installed (20 MB): .venv/bin/pip install '.[data]'." in result.output

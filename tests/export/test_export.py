"""Events, tallies and reports in files: complete, without ids, resumed after any interruption, in constant memory."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from abacus.aws.target import service_environment
from abacus.cli import main
from abacus.export import duck
from abacus.export.command import write_events
from abacus.export.folder import ExportFolder, WrongFolder
from abacus.local.emulated_stacks import LocalAws, environment
from abacus.paths import PROJECT
from chalicelib.counting.contribution import contribution
from chalicelib.storage.dynamodb import DynamoStore
from chalicelib.storage.manifest_cache import LIVE
from chalicelib.storage.store import ParticipantRow, RowKey
from tests.export.world import LIMIT, MANIFEST, a_counted_store, a_record, exported
from tests.support.builders import an_element
from tests.support.memory_store import MemoryStore


def lines(path: Path, table: str) -> list[dict[str, Any]]:
    """A table of an export in Parquet."""
    connection = duck.connect()
    columns, rows = duck.rows(connection, f"SELECT * FROM read_parquet('{path}/{table}.parquet')")
    connection.close()
    return [dict(zip(columns, row, strict=True)) for row in rows]


def test_every_distinct_event_is_a_line_once(tmp_path: Path) -> None:
    store = a_counted_store(1)
    found = lines(exported(store, tmp_path / "x"), "events/*")
    events = {}
    for row in store.rows.values():
        for cell, tally in contribution(row.counted, row.folded).items():
            if cell.span == "total":
                events[row.key.experiment] = events.get(row.key.experiment, 0) + tally.events
    assert {key: sum(line["experiment"] == key for line in found) for key in events} == events
    assert len({(line["experiment"], line["visitor"], line["n"]) for line in found}) == len(found)


def test_visitors_are_hashed_alike_in_one_export_and_otherwise_in_the_next(tmp_path: Path) -> None:
    store = a_counted_store(2, visitors=20)
    first, second = (lines(exported(store, tmp_path / name), "events/*") for name in ("a", "b"))
    ids = [{line["visitor"] for line in found} for found in (first, second)]
    assert len(ids[0]) == len(ids[1]) == len({row.key.visitor for row in store.rows.values()})
    assert not ids[0] & ids[1]
    assert not any("visitor" in visitor for visitor in ids[0])
    together = {key: {v["visitor"] for v in first if v["experiment"] == key} for key in ("cta-color", "hero")}
    assert together["cta-color"] & together["hero"]  # one visitor has one name in all experiments
    record = json.loads((tmp_path / "a" / "export.json").read_text())
    assert record["salt"] is None  # so that no id can be found again


def test_with_ids_they_are_as_they_are(tmp_path: Path) -> None:
    found = lines(exported(a_counted_store(2, visitors=5), tmp_path / "x", ids=True), "events/*")
    assert {line["visitor"] for line in found} <= {f"visitor-{n}" for n in range(5)}


def test_csv_and_parquet_hold_the_same_events(tmp_path: Path) -> None:
    store = a_counted_store(3, visitors=40)
    parquet = lines(exported(store, tmp_path / "p", ids=True), "events/*")
    exported(store, tmp_path / "c", ids=True, format="csv")
    text = []
    for file in sorted((tmp_path / "c" / "events").glob("*.csv")):
        with file.open() as opened:
            text += list(csv.DictReader(opened))
    key = ("experiment", "visitor", "n", "type", "goal", "variant", "segments", "window_s")
    assert sorted(tuple(str(line[k] or "") for k in key) for line in parquet) == sorted(
        tuple(line[k] for k in key) for line in text
    )
    assert {line["at"] for line in text} == {
        f"{line['at']:%Y-%m-%d %H:%M:%S}.{line['at'].microsecond // 1000:03}" for line in parquet
    }


def test_the_tallies_add_up_to_the_totals(tmp_path: Path) -> None:
    store = a_counted_store(4)
    found = lines(exported(store, tmp_path / "x"), "tallies")
    visitors = {
        span: sum(t["count"] for t in found if (t["span"], t["name"]) == (span, "visitors"))
        for span in ("total", "day")
    }
    assert visitors["total"] == visitors["day"] > 100
    report = json.loads((tmp_path / "x" / "reports" / "cta-color.json").read_text())
    assert sum(v["visitors"] for v in report["variants"]) == sum(
        t["count"] for t in found if (t["experiment"], t["span"], t["name"]) == ("cta-color", "total", "visitors")
    )
    results = {(r["experiment"], r["metric"], r["variant"]): r for r in lines(tmp_path / "x", "results")}
    green = next(v for v in report["variants"] if v["variant"] == "green")
    assert results["cta-color", "click", "green"]["estimate"] == pytest.approx(green["rate"])


def test_only_the_experiments_that_were_asked_for(tmp_path: Path) -> None:
    found = lines(exported(a_counted_store(5, visitors=30), tmp_path / "x", experiments=["hero"]), "events/*")
    assert {line["experiment"] for line in found} == {"hero"}
    assert [file.name for file in (tmp_path / "x" / "reports").iterdir()] == ["hero.json"]


def test_an_event_that_waits_for_the_fold_is_marked(tmp_path: Path) -> None:
    store = MemoryStore()
    store.add(RowKey("v1", "cta-color"), [an_element()], 1, version="v", expires_at=0, limit=LIMIT)
    assert [line["counted"] for line in lines(exported(store, tmp_path / "x"), "events/*")] == [False]


def test_a_row_that_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    store = a_counted_store(6, visitors=3)
    store.rows[RowKey("bad", "hero")] = ParticipantRow(RowKey("bad", "hero"), counted=frozenset({"nonsense"}))
    store.rows[RowKey("worse", "hero")] = ParticipantRow(RowKey("worse", "hero"), broken=True)
    found = lines(exported(store, tmp_path / "x", ids=True), "events/*")
    assert {"bad", "worse"} & {line["visitor"] for line in found} == set()


# ---------------------------------------------------------------- resuming


def test_an_interrupted_export_reads_only_the_missing_parts_and_keeps_its_salt(tmp_path: Path) -> None:
    store, read = a_counted_store(7), []

    def rows(number: int) -> Iterator[ParticipantRow]:
        read.append(number)
        yield from store.scan(number, 4)
        if len(read) == 3:
            raise KeyboardInterrupt

    folder = ExportFolder(tmp_path / "x", a_record())
    folder.update(parts=4)
    with pytest.raises(KeyboardInterrupt):
        write_events(folder, rows, 1)
    again = ExportFolder(tmp_path / "x", a_record())
    assert again.record == folder.record
    write_events(again, rows, 1)
    assert read == [0, 1, 2, 2, 3]
    resumed = lines(tmp_path / "x", "events/*")
    at_once = lines(exported(store, tmp_path / "y"), "events/*")
    assert len(resumed) == len(at_once)
    assert len({line["visitor"] for line in resumed}) == len({line["visitor"] for line in at_once})
    assert not list((tmp_path / "x").rglob("*.tmp"))


def test_the_salt_can_be_read_by_its_owner_only(tmp_path: Path) -> None:
    ExportFolder(tmp_path / "x", a_record())
    assert (tmp_path / "x" / "export.json").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"format": "csv"}, r"\(format differ\)"),
        ({"ids": True}, r"\(ids differ\)"),
        ({"experiments": ["hero"]}, "experiments"),
    ],
)
def test_a_folder_with_another_export_is_left_alone(tmp_path: Path, fields: dict[str, Any], message: str) -> None:
    ExportFolder(tmp_path / "x", a_record())
    with pytest.raises(WrongFolder, match=message):
        ExportFolder(tmp_path / "x", a_record(**fields))


def test_a_complete_export_and_a_folder_of_something_else_are_left_alone(tmp_path: Path) -> None:
    exported(a_counted_store(8, visitors=2), tmp_path / "x")
    with pytest.raises(WrongFolder, match="complete export of 2026-11-21T13:00:00Z"):
        ExportFolder(tmp_path / "x", a_record())
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "thesis.txt").write_text("three years of work")
    with pytest.raises(WrongFolder, match="is not empty"):
        ExportFolder(tmp_path / "thesis", a_record())


# ---------------------------------------------------------------- memory

MEMORY_TEST = """
import resource, sys
from pathlib import Path
from abacus.export.command import write_events
from abacus.export.folder import ExportFolder, ExportRecord
from chalicelib.storage.store import ParticipantRow, RowKey
rows, form = int(sys.argv[2]), sys.argv[3]
def scan(number):
    for n in range(rows):
        at = 1795262400000 + n
        counted = frozenset({f"i|green|0|{at}|e1", f"c|green|0|{at + 5}|e2"})
        yield ParticipantRow(RowKey(f"visitor-{n}", "cta-color"), counted=counted, received=2, folded=2, generation=0)
record = ExportRecord(format=form, ids=False, experiments=[], source="table", began_at="x")
folder = ExportFolder(Path(sys.argv[1]), record)
folder.update(parts=1)
written = write_events(folder, scan, rows)
print(written, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def peak(folder: Path, rows: int, form: str) -> tuple[int, int]:
    """Events written, and the most memory that the process had, in MB."""
    command = [sys.executable, "-c", MEMORY_TEST, str(folder), str(rows), form]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    events, megabytes = done.stdout.split()[-2:]
    return int(events), int(megabytes)


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_the_memory_does_not_grow_with_the_table(tmp_path: Path, form: str) -> None:
    """With ABACUS_ROWS=1000000 it takes some minutes."""
    rows = int(os.environ.get("ABACUS_ROWS", "60000"))
    few, many = peak(tmp_path / "few", rows // 20, form), peak(tmp_path / "many", rows, form)
    assert (few[0], many[0]) == (rows // 20 * 2, rows * 2)
    # Parquet: a row group of 65,536 lines and DuckDB's buffers, bounded by its own limit.
    assert many[1] < few[1] + (8 if form == "csv" else 280), (few, many)


# ---------------------------------------------------------------- the command


@pytest.mark.ministack
def test_the_command_exports_what_runs_here(aws: LocalAws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in (
        environment(aws.endpoint, {}) | service_environment(aws.names) | {"ABACUS_STAGE": "local"}
    ).items():
        monkeypatch.setenv(name, value)
    aws.s3.put_object(Bucket=aws.names["BucketName"], Key=LIVE, Body=MANIFEST.model_dump_json().encode())
    store = DynamoStore(aws.dynamodb, aws.names["ParticipantsName"], aws.names["TalliesName"])
    store.add(RowKey("v1", "cta-color"), [an_element()], 1, version="v", expires_at=2**31, limit=LIMIT)
    result = CliRunner().invoke(main, ["export", "--to", str(tmp_path / "x"), "--ids"])
    assert result.exit_code == 0, result.output
    assert f"1 event in {tmp_path / 'x'}." in result.output
    assert [line["visitor"] for line in lines(tmp_path / "x", "events/*")] == ["v1"]
    again = CliRunner().invoke(main, ["export", "--to", str(tmp_path / "x"), "--ids"])
    assert "holds a complete export" in again.output
    unknown = CliRunner().invoke(main, ["export", "--to", str(tmp_path / "y"), "--experiment", "nope"])
    assert "No experiment 'nope'" in unknown.output
    assert not (tmp_path / "y").exists()

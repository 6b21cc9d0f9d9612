"""`abacus export`: every event, tally and report into a folder, part by part; a second call resumes the first."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from abacus.aws.target import at_target
from abacus.export import duck
from abacus.export.dynamodb_export import TableExport
from abacus.export.folder import ExportFolder, ExportRecord, Format
from abacus.export.rows import TYPES, EventLine, event_lines, pseudonyms
from abacus.export.tables import RESULT_TYPES, TALLY_COLUMNS, tally_lines
from chalicelib.analysis.wording import count
from chalicelib.api.csv_report import result_rows
from chalicelib.counting.reconcile import parts
from chalicelib.domain.clock import iso, now_ms
from chalicelib.domain.manifest import Manifest
from chalicelib.reporting import queries
from chalicelib.reporting.report import Question
from chalicelib.runtime.service import Service, from_environment
from chalicelib.storage.event_encoding import Unreadable
from chalicelib.storage.store import ParticipantRow, Store

EVENT_COLUMNS = {name: TYPES.get(name, "VARCHAR") for name in EventLine._fields}
Rows = Callable[[int], Iterator[ParticipantRow]]


@click.command()
@click.option(
    "--to", "path", type=click.Path(path_type=Path), required=True, help="Folder for the files; new or empty."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["parquet", "csv"]),
    default="parquet",
    show_default=True,
    help="Form of the tables. Parquet needs DuckDB: pip install '.[data]'.",
)
@click.option(
    "--ids", is_flag=True, help="Keep the visitors' ids. Without it they are hashed with a salt of this export."
)
@click.option(
    "--experiment", "keys", multiple=True, metavar="KEY", help="Only this one; may be repeated. Default: all."
)
@click.option("--scan", is_flag=True, help="Read a stage's table itself, which takes read units and needs no export.")
@at_target
def command(path: Path, form: Format, ids: bool, keys: Sequence[str], scan: bool) -> None:
    """Write events, tallies and reports to files that `abacus query` and other tools read.

    A call that was interrupted is resumed by the same call. The rows of a deployed stage come from DynamoDB's own
    export to S3, which takes some minutes and no read units."""
    if form == "parquet":
        duck.connect().close()  # reported before anything is read
    service = from_environment()
    manifest = service.catalog.refresh(now_ms())
    experiments = sorted(queries.known(manifest, key).key for key in keys) if keys else []
    by_scan = scan or service.settings.stage == "local"
    wanted = ExportRecord(
        format=form,
        ids=ids,
        experiments=experiments,
        source="table" if by_scan else "dynamodb-export",
        began_at=iso(now_ms()),
    )
    folder = ExportFolder(path, wanted)
    rows = scanned(service.store, folder) if by_scan else exported(service, folder)
    lines = write_events(folder, rows, service.store.rows_about())
    write_tables(folder, service.store, manifest)
    folder.update(finished_at=iso(now_ms()), salt=None)
    click.echo(f"{count(lines, 'event')} in {folder.path}. Ask for example: abacus query recount --in {folder.path}")


def scanned(store: Store, folder: ExportFolder) -> Rows:
    """The parts of the table, read by a scan."""
    if folder.record.parts is None:
        size: Any = store
        folder.update(parts=parts(size.bytes_about()))
    segments = folder.record.parts
    assert segments is not None
    return lambda number: store.scan(number, segments)


def exported(service: Service, folder: ExportFolder) -> Rows:
    """The files of DynamoDB's export, which is begun once for this folder."""
    export = TableExport(service.client("dynamodb"), service.client("s3"), service.settings.bucket)
    if folder.record.dynamodb_export is None:
        token = folder.record.began_at.replace(":", "")
        folder.update(dynamodb_export=export.start(service.settings.participants, token))
    arn = folder.record.dynamodb_export
    assert arn is not None
    files = export.files(arn, click.echo)
    folder.update(parts=len(files))
    return lambda number: export.rows(files[number])


def write_events(folder: ExportFolder, rows: Rows, about: int) -> int:
    """Write the parts that are missing; the number of events in them. `about`: rows in the table, for the progress."""
    record, events = folder.record, 0
    name = pseudonyms(bytes.fromhex(record.salt)) if record.salt else str
    bar: Any
    with click.progressbar(length=max(1, about), label="events", file=sys.stderr) as bar:

        def lines(number: int) -> Iterator[Sequence[object]]:
            for row in rows(number):
                bar.update(1)
                if row.broken or (record.experiments and row.key.experiment not in record.experiments):
                    continue
                try:
                    yield from (line.cells() for line in event_lines(row, name))
                except Unreadable:
                    continue  # `abacus audit` names it; it is not counted either

        for number in range(record.parts or 0):
            file = folder.part(number)
            if not file.exists():
                events += folder.write(file, EVENT_COLUMNS, lines(number))
    return events


def write_tables(folder: ExportFolder, store: Store, manifest: Manifest) -> None:
    """Write tallies, results and reports of the experiments that are no drafts."""
    wanted = folder.record.experiments
    keys = [e.key for e in manifest.experiments if e.status != "draft" and (not wanted or e.key in wanted)]
    now = now_ms()
    reports = [queries.detail(store, manifest, key, Question(), now_ms=now) for key in keys]
    for report in reports:
        file = folder.path / "reports" / f"{report.experiment}.json"
        file.write_text(report.model_dump_json(by_alias=True, indent=1))
    extension = folder.record.format
    folder.write(folder.path / f"tallies.{extension}", TALLY_COLUMNS, tally_lines(store, keys))
    results = (row for report in reports for row in result_rows(report))
    folder.write(folder.path / f"results.{extension}", RESULT_TYPES, results)

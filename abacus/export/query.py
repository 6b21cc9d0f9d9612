"""`abacus query`: SQL on the files of an export, with DuckDB; five questions have a name."""

from __future__ import annotations

import re
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

import click

from abacus.aws.errors import report_errors
from abacus.export import duck
from abacus.export.command import EVENT_COLUMNS
from abacus.export.folder import RECORD, ExportRecord
from abacus.export.tables import RESULT_TYPES, TALLY_COLUMNS
from abacus.results.table import table
from chalicelib.domain.errors import AbacusError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

QUERIES = Path(__file__).parent / "queries"
VISITORS = Path(__file__).parent / "visitors.sql"  # what `$visitors` in a query stands for
NAMES = tuple(sorted(file.stem for file in QUERIES.glob("*.sql")))
KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


class KeyType(click.ParamType):  # type: ignore[type-arg]
    """The key of an experiment, a goal or a segment: the only text that is put into a named query."""

    name = "key"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Click calls this with the text that was typed."""
        if not KEY.fullmatch(value):
            self.fail(f"{value!r} is not a key: letters, digits, - and _.", param, ctx)
        return value


@click.command()
@click.argument("sql")
@click.option("--in", "path", type=click.Path(path_type=Path), required=True, help="Folder of an export.")
@click.option("--experiment", type=KeyType(), default="cta-color", show_default=True, help="For a named query.")
@click.option("--goal", type=KeyType(), default="click", show_default=True, help="For a named query.")
@click.option("--other", type=KeyType(), default="hero", show_default=True, help="Second experiment, for interaction.")
@click.option("--segment", type=KeyType(), default="device", show_default=True, help="For the query segments.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV instead of a table.")
@report_errors
def command(path: Path, sql: str, as_csv: bool, **values: str) -> None:
    """Answer SQL from the tables events, tallies and results of an export.

    SQL is a statement, or one of: daily-rate, funnel, interaction, recount, segments."""
    connection = opened(path)
    try:
        columns, rows = duck.rows(connection, named(sql, **values) if sql in NAMES else sql)
    finally:
        connection.close()
    cells = [["" if value is None else _text(value) for value in row] for row in rows]
    if as_csv:
        import csv
        import sys

        csv.writer(sys.stdout, lineterminator="\n").writerows([columns, *cells])
        return
    for line in table(columns, cells):
        click.echo(line)


def named(name: str, *, experiment: str, goal: str, other: str, segment: str) -> str:
    """The SQL of a named query, for these keys."""
    return template(name).substitute(experiment=experiment, goal=goal, other=other, segment=segment)


def template(name: str) -> Template:
    """The SQL of a named query, with $experiment, $goal, $other and $segment in it."""
    _comment, _, visitors = VISITORS.read_text().rstrip("\n").partition("\n")
    return Template((QUERIES / f"{name}.sql").read_text().replace("$visitors", visitors))


def opened(path: Path) -> DuckDBPyConnection:
    """A database with the tables of an export. Raises AbacusError where there is none, or an incomplete one."""
    try:
        record = ExportRecord.model_validate_json((path / RECORD).read_text())
    except (OSError, ValueError):
        raise AbacusError(f"{path} holds no export. Make one: abacus export --to {path}") from None
    if not record.finished_at:
        raise AbacusError(f"The export in {path} is not complete. Resume it: abacus export --to {path}")
    connection = duck.connect("1GB")
    files: Any = (("events", "events/*", EVENT_COLUMNS), ("tallies", "tallies", TALLY_COLUMNS))
    for name, place, columns in (*files, ("results", "results", RESULT_TYPES)):
        pattern = str(path / f"{place}.{record.format}")
        reader = (
            f"read_parquet({duck.quoted(pattern)})" if record.format == "parquet" else duck.csv_reader(pattern, columns)
        )
        connection.execute(f"CREATE VIEW {name} AS SELECT * FROM {reader}")  # noqa: S608  quoted paths
    return connection


def _text(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)

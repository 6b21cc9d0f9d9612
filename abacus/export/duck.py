"""DuckDB, where it is installed: it writes Parquet, and answers SQL on the files of an export."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from abacus.paths import INSTALLED
from chalicelib.domain.errors import AbacusError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

INSTALL = 'pip install "abacus[data]"' if INSTALLED else ".venv/bin/pip install '.[data]'"
MEMORY = "256MB"  # of DuckDB; what does not fit goes to a temporary file


class MissingLibrary(AbacusError):
    """The command needs an extra that is not installed."""


def connect(memory: str = MEMORY) -> DuckDBPyConnection:
    """A new database in memory, one thread. Raises MissingLibrary."""
    try:
        duckdb: Any = importlib.import_module("duckdb")
    except ImportError:
        raise MissingLibrary(
            f"This needs DuckDB, which is not installed (20 MB): {INSTALL}. "
            "`abacus export --format csv` works without it."
        ) from None
    connection: DuckDBPyConnection = duckdb.connect(":memory:")
    connection.execute(f"SET memory_limit = '{memory}'; SET threads = 1; SET preserve_insertion_order = false")
    return connection


def csv_to_parquet(source: Path, target: Path, columns: Mapping[str, str]) -> None:
    """Convert a CSV file with a header, in constant memory. columns: name → type."""
    connection = connect()
    try:
        reader = csv_reader(str(source), columns)
        form = "(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 65536)"
        connection.execute(f"COPY (SELECT * FROM {reader}) TO {quoted(str(target))} {form}")  # noqa: S608  quoted
    finally:
        connection.close()


def csv_reader(files: str, columns: Mapping[str, str]) -> str:
    """A table expression that reads CSV files; `files` may hold *."""
    types = ", ".join(f"{quoted(name)}: {quoted(kind)}" for name, kind in columns.items())
    return f"read_csv({quoted(files)}, header = true, delim = ',', quote = '\"', columns = {{{types}}})"


def quoted(text: str) -> str:
    """A string of SQL.

    >>> quoted("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def rows(connection: DuckDBPyConnection, sql: str) -> tuple[list[str], list[Sequence[Any]]]:
    """The columns and rows that a statement answers. Raises AbacusError with DuckDB's words."""
    duckdb: Any = importlib.import_module("duckdb")
    try:
        answer = connection.execute(sql)
    except duckdb.Error as error:
        raise AbacusError(f"DuckDB: {error}") from None
    return [column[0] for column in answer.description or ()], list(answer.fetchall())

"""The folder of an export: parts that are written whole or not at all, and a record from which it can be resumed.

export.json              what is exported, and how far it is
events/part-00000.parquet  one file for each part of the table
tallies.parquet          every total and cohort by name
results.parquet          every metric of every variant, as GET /stats?format=csv&series=none
reports/hero.json        GET /stats/hero
"""

from __future__ import annotations

import csv
import secrets
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from abacus.export import duck
from chalicelib.domain.errors import AbacusError

Format = Literal["parquet", "csv"]
RECORD = "export.json"


class WrongFolder(AbacusError):
    """The folder holds something else than the beginning of this export."""


class ExportRecord(BaseModel):
    """What export.json says. salt: hex, as long as the export is not complete; then it is deleted, so that no id can
    be found again. parts: of the events, None: not known yet. dynamodb_export: ARN of AWS's own export."""

    model_config = ConfigDict(extra="forbid")

    format: Format
    ids: bool
    experiments: list[str]
    source: Literal["table", "dynamodb-export"]
    began_at: str
    salt: str | None = None
    parts: int | None = None
    dynamodb_export: str | None = None
    finished_at: str | None = None


class ExportFolder:
    """An export on disk. Opening it resumes what is there, if it was begun with the same options."""

    def __init__(self, path: Path, wanted: ExportRecord) -> None:
        """Raises WrongFolder."""
        self.path = path
        file = path / RECORD
        if file.exists():
            self.record = self._resumed(file, wanted)
        else:
            if path.exists() and any(path.iterdir()):
                raise WrongFolder(f"{path} is not empty, and no export began there. Choose another --to.")
            (path / "events").mkdir(parents=True, exist_ok=True)
            (path / "reports").mkdir(exist_ok=True)
            self.record = wanted.model_copy(update={"salt": None if wanted.ids else secrets.token_hex(32)})
            self.save()

    @staticmethod
    def _resumed(file: Path, wanted: ExportRecord) -> ExportRecord:
        try:
            record = ExportRecord.model_validate_json(file.read_text())
        except (OSError, ValidationError):
            raise WrongFolder(f"{file} cannot be read. Choose another --to.") from None
        if record.finished_at:
            raise WrongFolder(f"{file.parent} holds a complete export of {record.finished_at}. Choose another --to.")
        options = ("format", "ids", "experiments", "source")
        differing = [name for name in options if getattr(record, name) != getattr(wanted, name)]
        if differing:
            raise WrongFolder(
                f"{file.parent} holds the beginning of another export ({', '.join(differing)} differ). "
                "Use the same options to resume it, or choose another --to."
            )
        return record

    def save(self) -> None:
        """Write the record, whole or not at all. Only you can read it: the salt is in it."""
        temporary = self.path / f"{RECORD}.tmp"
        temporary.touch(mode=0o600)
        temporary.write_text(self.record.model_dump_json(indent=1))
        temporary.replace(self.path / RECORD)

    def update(self, **changes: object) -> None:
        """Change the record."""
        self.record = self.record.model_copy(update=changes)
        self.save()

    def part(self, number: int) -> Path:
        """The file of a part of the events."""
        return self.path / "events" / f"part-{number:05}.{self.record.format}"

    def write(self, file: Path, columns: dict[str, str], lines: Iterable[Sequence[object]]) -> int:
        """Write a table to `file`, whole or not at all, in constant memory. columns: name → type, as DuckDB has it.
        Returns the number of lines."""
        plain = file.with_suffix(".csv.tmp")
        count = 0
        with plain.open("w", newline="", encoding="utf-8") as output:
            writer = csv.writer(output, lineterminator="\n")
            writer.writerow(columns)
            for count, line in enumerate(lines, 1):  # noqa: B007  the number is the result
                writer.writerow(line)
        if self.record.format == "csv":
            plain.replace(file)
            return count
        temporary = file.with_suffix(".parquet.tmp")
        duck.csv_to_parquet(plain, temporary, columns)
        temporary.replace(file)
        plain.unlink()
        return count

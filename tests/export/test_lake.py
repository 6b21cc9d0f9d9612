"""infra/lake.yaml: its queries are those of `abacus query`, and answer the same on the files that AWS writes."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from abacus.aws.templates import read
from abacus.export import duck
from abacus.export.athena import DEFAULTS, LAKE, athena, filled
from abacus.export.query import NAMES, named, opened
from chalicelib.storage.store import ParticipantRow
from tests.export.world import a_counted_store, exported

RESOURCES = read(LAKE).resources


def queries() -> dict[str, str]:
    """The SQL of each named query in the template."""
    made = [r["Properties"] for r in RESOURCES.values() if r["Type"] == "AWS::Athena::NamedQuery"]
    return {query["Name"]: query["QueryString"] for query in made}


def item_of(row: ParticipantRow) -> dict[str, Any]:
    """A row as DynamoDB has it."""
    sets = {name: {"SS": sorted(getattr(row, name))} for name in ("counted", "pending") if getattr(row, name)}
    return {"visitor": {"S": row.key.visitor}, "experiment": {"S": row.key.experiment}, **sets}


def test_the_template_holds_the_queries_as_they_are_now() -> None:
    assert LAKE.read_text() == filled(LAKE.read_text())  # else: python -m abacus.export.athena
    assert queries() == {name: athena(name) for name in NAMES}


@pytest.mark.parametrize("seed", [11, 12])
def test_every_query_of_the_template_answers_what_the_command_answers(tmp_path: Path, seed: int) -> None:
    store = a_counted_store(seed)
    lines = "".join(json.dumps({"Item": item_of(row)}) + "\n" for row in store.rows.values())
    (tmp_path / "one.json.gz").write_bytes(gzip.compress(lines.encode()))
    lake = duck.connect("1GB")
    columns = "{Item: 'STRUCT(visitor STRUCT(S VARCHAR), experiment STRUCT(S VARCHAR), counted STRUCT(SS VARCHAR[]))'}"
    lake.execute(
        "CREATE VIEW participants AS SELECT Item AS item, '2026-11-30T03:00:00Z' AS exported "
        f"FROM read_json('{tmp_path}/*.json.gz', format = 'newline_delimited', columns = {columns})"
    )
    local = opened(exported(store, tmp_path / "x", ids=True))
    for name, sql in queries().items():
        expected = duck.rows(local, named(name, **DEFAULTS))
        assert duck.rows(lake, sql) == expected, name
        assert len(expected[1]) > 1
    lake.close()
    local.close()


def test_a_query_may_not_read_more_than_the_limit() -> None:
    settings = RESOURCES["Workgroup"]["Properties"]["WorkGroupConfiguration"]
    assert settings["BytesScannedCutoffPerQuery"] == {"Ref": "MostBytes"}
    assert settings["EnforceWorkGroupConfiguration"] is True


def test_the_schedule_may_export_this_table_into_its_folder_and_nothing_else() -> None:
    (policy,) = RESOURCES["MayExport"]["Properties"]["Policies"]
    allowed = {
        action: statement["Resource"]
        for statement in policy["PolicyDocument"]["Statement"]
        for action in (statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]])
    }
    rows = {"Fn::Sub": "${Bucket.Arn}/rows/*"}
    assert allowed == {
        "dynamodb:ExportTableToPointInTime": {"Ref": "ParticipantsArn"},
        "s3:PutObject": rows,
        "s3:AbortMultipartUpload": rows,
    }
    sent = json.loads(RESOURCES["Export"]["Properties"]["Target"]["Input"]["Fn::Sub"])
    assert sent["S3Prefix"] == "rows/<aws.scheduler.scheduled-time>"

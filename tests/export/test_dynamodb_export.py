"""Rows from DynamoDB's own export. The emulator begins and completes one, but writes no file; these are written here,
in the form of the developer guide ("DynamoDB table export output format")."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from abacus.aws.target import service_environment
from abacus.cli import main
from abacus.export.dynamodb_export import LONGEST_S, PREFIX, ExportFailed, TableExport
from abacus.local.emulated_stacks import LocalAws, environment
from chalicelib.storage.dynamodb import DynamoStore
from chalicelib.storage.manifest_cache import LIVE
from chalicelib.storage.store import RowKey
from tests.export.test_export import lines
from tests.export.world import LIMIT, MANIFEST
from tests.support.builders import an_element


def write_export(s3: Any, bucket: str, folder: str, files: list[list[dict[str, Any]]], named_below: str) -> None:
    """The files of an export in exports/`folder`. `named_below`: what the manifests write before `folder`."""

    def put(name: str, body: bytes) -> str:
        s3.put_object(Bucket=bucket, Key=f"{PREFIX}/{folder}/{name}", Body=body)
        return f"{named_below}{folder}/{name}"

    entries = []
    for number, items in enumerate(files):
        text = "".join(json.dumps({"Item": item}) + "\n" for item in items)
        key = put(f"data/{number:026}.json.gz", gzip.compress(text.encode()) if text else b"")
        entries.append({"itemCount": len(items), "md5Checksum": "x", "etag": "y", "dataFileS3Key": key})
    manifest = "".join(json.dumps(entry) + "\n" for entry in entries)
    summary = {
        "version": "2020-06-30",
        "exportArn": "arn:aws:dynamodb:us-east-1:123456789012:table/abacus/export/01693685827463-2d8752fd",
        "tableId": "b116b490-6460-4d4a-9a6b-5d360abf4fb3",
        "s3Bucket": bucket,
        "s3Prefix": PREFIX,
        "s3SseAlgorithm": "AES256",
        "manifestFilesS3Key": put("manifest-files.json", manifest.encode()),
        "billedSizeBytes": 0,
        "itemCount": sum(map(len, files)),
        "outputFormat": "DYNAMODB_JSON",
        "exportType": "FULL_EXPORT",
    }
    put("manifest-summary.json", json.dumps(summary).encode())


def items(aws: LocalAws) -> list[dict[str, Any]]:
    return list(aws.dynamodb.scan(TableName=aws.names["ParticipantsName"])["Items"])


@pytest.fixture
def stage(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> LocalAws:
    variables = environment(aws.endpoint, {}) | service_environment(aws.names) | {"ABACUS_STAGE": "prod"}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    aws.s3.put_object(Bucket=aws.names["BucketName"], Key=LIVE, Body=MANIFEST.model_dump_json().encode())
    store = DynamoStore(aws.dynamodb, aws.names["ParticipantsName"], aws.names["TalliesName"])
    for n in range(7):
        element = an_element(at=1_795_262_400_000 + n)
        store.add(RowKey(f"v{n}", "cta-color"), [element], 1, version="v", expires_at=2**31, limit=LIMIT)
    return aws


@pytest.mark.ministack
@pytest.mark.parametrize("named_below", ["", f"{PREFIX}/"])  # as the guide shows it, and as the bucket has it
def test_a_stage_is_exported_through_the_files_that_aws_writes(
    stage: LocalAws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, named_below: str
) -> None:
    bucket = stage.names["BucketName"]
    begun: list[dict[str, Any]] = []

    def start(self: TableExport, table: str, token: str) -> str:
        arn = real(self, table, token)
        begun.append({"table": table, "token": token, "arn": arn})
        rows = items(stage)
        folder = f"AWSDynamoDB/{arn.rpartition('/')[2]}"
        write_export(stage.s3, bucket, folder, [rows[:4], rows[4:], []], named_below)
        return arn

    real = TableExport.start
    monkeypatch.setattr(TableExport, "start", start)
    monkeypatch.setattr("abacus.export.dynamodb_export.POLL_S", 0.3)
    result = CliRunner().invoke(main, ["export", "--to", str(tmp_path / "x"), "--ids"])
    assert result.exit_code == 0, result.output
    assert {line["visitor"] for line in lines(tmp_path / "x", "events/*")} == {f"v{n}" for n in range(7)}
    assert len(list((tmp_path / "x" / "events").iterdir())) == 3
    assert [call["table"] for call in begun] == [stage.names["ParticipantsName"]]
    scanned = CliRunner().invoke(main, ["export", "--to", str(tmp_path / "y"), "--ids", "--scan"])
    assert scanned.exit_code == 0, scanned.output
    key = ("visitor", "n", "type", "at", "counted")
    both = [sorted(tuple(line[k] for k in key) for line in lines(tmp_path / f, "events/*")) for f in ("x", "y")]
    assert both[0] == both[1]
    assert len(begun) == 1  # a scan begins no export


@pytest.mark.ministack
def test_an_interrupted_export_waits_for_the_one_that_it_began(stage: LocalAws) -> None:
    export = TableExport(stage.dynamodb, stage.s3, stage.names["BucketName"])
    first, again = (export.start(stage.names["ParticipantsName"], "20261121T120000Z") for _ in range(2))
    assert first == again


class Exporting:
    """A DynamoDB whose export ends as it is told."""

    def __init__(self, *states: dict[str, str]) -> None:
        self.states = list(states)

    def describe_export(self, ExportArn: str) -> dict[str, Any]:
        return {"ExportDescription": self.states.pop(0) if len(self.states) > 1 else self.states[0]}


def export_of(client: Any, slept: list[float]) -> TableExport:
    return TableExport(client, None, "bucket", slept.append)  # type: ignore[arg-type]


def test_a_failed_export_says_why() -> None:
    failed = {"ExportStatus": "FAILED", "FailureMessage": "Access denied for S3 bucket"}
    with pytest.raises(ExportFailed, match="could not export the table: Access denied for S3 bucket"):
        export_of(Exporting({"ExportStatus": "IN_PROGRESS"}, failed), []).files("arn")


def test_an_export_that_never_ends_is_given_up() -> None:
    slept: list[float] = []
    with pytest.raises(ExportFailed, match="not complete after 6 hours"):
        export_of(Exporting({"ExportStatus": "IN_PROGRESS"}), slept).files("arn")
    assert sum(slept) == LONGEST_S

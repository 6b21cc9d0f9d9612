"""Rows from DynamoDB's own export to S3: it reads the backup, so it takes no read units and slows no request.

Source of the formats: DynamoDB developer guide, "DynamoDB table export output format" (DYNAMODB_JSON): a manifest of
files, each a gzip of lines such as {"Item": {"visitor": {"S": "v1"}, ...}}. An empty part of the table has an empty
file.
"""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chalicelib.domain.errors import AbacusError
from chalicelib.storage.dynamodb import row_of_item
from chalicelib.storage.store import ParticipantRow

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

PREFIX = "exports"  # in the bucket; CloudFront reads only site/
LONGEST_S = 6 * 3600.0  # AWS needs some minutes, and longer for a large table
POLL_S = 15.0


class ExportFailed(AbacusError):
    """AWS could not export the table."""


@dataclass(frozen=True)
class TableExport:
    """AWS's export of one table into one bucket."""

    dynamodb: DynamoDBClient
    s3: S3Client
    bucket: str
    sleep: Callable[[float], None] = time.sleep

    def start(self, table: str, token: str) -> str:
        """Begin an export of the table as it is now; its ARN. `token`: the same one begins the same export."""
        arn = self.dynamodb.describe_table(TableName=table)["Table"]["TableArn"]
        begun = self.dynamodb.export_table_to_point_in_time(
            TableArn=arn, S3Bucket=self.bucket, S3Prefix=PREFIX, ExportFormat="DYNAMODB_JSON", ClientToken=token
        )
        return begun["ExportDescription"]["ExportArn"]

    def files(self, arn: str, report: Callable[[str], object] = lambda line: None) -> list[str]:
        """Wait until the export is complete; the keys of its files. Raises ExportFailed."""
        waited = 0.0
        while True:
            description = self.dynamodb.describe_export(ExportArn=arn)["ExportDescription"]
            status = description["ExportStatus"]
            if status == "COMPLETED":
                break
            if status == "FAILED":
                raise ExportFailed(
                    f"AWS could not export the table: {description.get('FailureMessage', 'no reason given')}"
                )
            if waited >= LONGEST_S:
                raise ExportFailed(f"The export {arn} is not complete after {LONGEST_S / 3600:.0f} hours. Try again.")
            report(f"AWS exports the table ({waited / 60:.0f} min) ...")
            self.sleep(POLL_S)
            waited += POLL_S
        summary = json.loads(self._body(description["ExportManifest"]))
        lines = self._body(summary["manifestFilesS3Key"]).decode().splitlines()
        return sorted(json.loads(line)["dataFileS3Key"] for line in lines if line.strip())

    def rows(self, key: str) -> Iterator[ParticipantRow]:
        """The rows in one file, read as a stream."""
        body: Any = self._object(key)
        with gzip.GzipFile(fileobj=body) as lines:
            for line in lines:
                yield row_of_item(json.loads(line)["Item"])

    def _body(self, key: str) -> bytes:
        body: bytes = self._object(key).read()
        return body

    def _object(self, key: str) -> Any:
        """AWS writes below the prefix. Its guide shows the names of the files without it."""
        full = key if key.startswith(f"{PREFIX}/") else f"{PREFIX}/{key}"
        return self.s3.get_object(Bucket=self.bucket, Key=full)["Body"]

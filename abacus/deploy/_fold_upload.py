"""The functions' code on its way to AWS: into the stage's own bucket, under its digest, so that it goes up once."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def key_of(code: bytes) -> str:
    return f"code/{hashlib.sha256(code).hexdigest()}.zip"


def upload(s3: S3Client, bucket: str, file: Path) -> str:
    """Put `file` into `bucket`, unless it is there; its key."""
    code = file.read_bytes()
    key = key_of(code)
    if not s3.list_objects_v2(Bucket=bucket, Prefix=key)["KeyCount"]:
        s3.put_object(Bucket=bucket, Key=key, Body=code)
    return key


def placed(template: str, bucket: str, key: str) -> str:
    """A packaged template whose functions find their code in `bucket` under `key`.

    >>> placed('{"Resources": {"Fold": {"Type": "AWS::Serverless::Function", "Properties": {}}}}', "b", "code/1.zip")
    '{"Resources":{"Fold":{"Type":"AWS::Serverless::Function","Properties":{"CodeUri":{"Bucket":"b","Key":"code/1.zip"}}}}}'
    """
    parsed = json.loads(template)
    for resource in parsed["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = {"Bucket": bucket, "Key": key}
    return json.dumps(parsed, separators=(",", ":"))

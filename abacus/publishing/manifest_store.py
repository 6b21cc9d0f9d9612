"""The published manifest in the bucket: the live one, its immutable copies, and the record of publishings.

manifest/live.json                      what the Lambda reads; written only if unchanged, so no publish is overwritten
manifest/<digest>.json                  every manifest that was ever live; never deleted
manifest/history/<time>-<digest>.json   one for each publish: when, by whom, what changed
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from botocore.exceptions import ClientError

from chalicelib.domain.errors import AbacusError, NotFound
from chalicelib.domain.manifest import Manifest, Model
from chalicelib.storage.manifest_cache import LIVE

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

HISTORY = "manifest/history/"
PRIVATE = {"ContentType": "application/json", "CacheControl": "no-store"}


class Overtaken(AbacusError):
    """Someone else published since the plan was made."""

    status = 409
    code = "overtaken"


class Live(NamedTuple):
    """The live manifest and its ETag, by which to replace it. Both None: nothing was ever published."""

    manifest: Manifest | None
    etag: str | None


class Publishing(Model):
    """One entry of the history. `at`: epoch milliseconds."""

    at: int
    digest: str
    by: str = ""
    note: str = ""
    changes: tuple[str, ...] = ()


def digest_of(manifest: Manifest) -> str:
    """The first 64 bits of the SHA-256 over everything but the digest itself, in hexadecimal."""
    content = manifest.model_dump(mode="json", exclude={"digest"})
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def read_live(s3: S3Client, bucket: str) -> Live:
    """The live manifest, if there is one."""
    try:
        answer = s3.get_object(Bucket=bucket, Key=LIVE)
    except s3.exceptions.NoSuchKey:
        return Live(None, None)
    return Live(Manifest.model_validate_json(answer["Body"].read()), answer["ETag"])


def write_live(s3: S3Client, bucket: str, manifest: Manifest, etag: str | None) -> None:
    """Make `manifest` the live one, if the live one still has `etag` (None: there is none). Raises Overtaken otherwise.

    S3 refuses with 412, or 409 while two conditional writes race, or 404 where the object is gone."""
    condition = {"IfMatch": etag} if etag else {"IfNoneMatch": "*"}
    try:
        s3.put_object(Bucket=bucket, Key=LIVE, Body=_json(manifest), **PRIVATE, **condition)  # type: ignore[arg-type]
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] not in (404, 409, 412):
            raise
        # The answer to our own success may have been lost, and the second try refused.
        now_live = read_live(s3, bucket).manifest
        if now_live is None or now_live.digest != manifest.digest:
            raise Overtaken("Someone else published just now. See `abacus history`, then publish again.") from None


def write_copy(s3: S3Client, bucket: str, manifest: Manifest) -> None:
    """Store `manifest` under its digest."""
    try:
        s3.put_object(Bucket=bucket, Key=_copy(manifest.digest), Body=_json(manifest), IfNoneMatch="*", **PRIVATE)  # type: ignore[arg-type]
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 412:  # it is there already, and the same
            raise


def read_copy(s3: S3Client, bucket: str, digest: str) -> Manifest:
    """The manifest that was published under `digest`, or NotFound."""
    try:
        return Manifest.model_validate_json(s3.get_object(Bucket=bucket, Key=_copy(digest))["Body"].read())
    except s3.exceptions.NoSuchKey:
        raise NotFound(
            f"No manifest {digest!r} was ever published here: see `abacus history`.", field="digest"
        ) from None


def complete_digest(s3: S3Client, bucket: str, start: str) -> str:
    """The digest that begins with `start`. Raises NotFound where there is none, or more than one."""
    digests: list[str] = []
    if re.fullmatch(r"[0-9a-f]{1,16}", start):
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"manifest/{start}"):
            digests += [
                item["Key"].removeprefix("manifest/").removesuffix(".json") for item in page.get("Contents", [])
            ]
    if len(digests) == 1:
        return digests[0]
    if digests:
        raise NotFound(
            f"{start!r} begins {len(digests)} digests: {', '.join(digests)}. Write more characters.", field="digest"
        )
    raise NotFound(f"No manifest {start!r} was ever published here: see `abacus history`.", field="digest")


def record(s3: S3Client, bucket: str, publishing: Publishing) -> None:
    """Add `publishing` to the history."""
    key = f"{HISTORY}{publishing.at:014d}-{publishing.digest}.json"
    s3.put_object(Bucket=bucket, Key=key, Body=publishing.model_dump_json().encode(), **PRIVATE)  # type: ignore[arg-type]


def history(s3: S3Client, bucket: str) -> Iterator[Publishing]:
    """Every entry of the history, oldest first."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=HISTORY):
        for item in page.get("Contents", []):
            body = s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
            yield Publishing.model_validate_json(body)


def _copy(digest: str) -> str:
    return f"manifest/{digest}.json"


def _json(manifest: Manifest) -> bytes:
    return manifest.model_dump_json().encode()

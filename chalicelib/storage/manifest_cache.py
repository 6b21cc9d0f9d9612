"""The live manifest as the Lambda sees it: read from the private bucket, kept, and refreshed now and then.

The last good copy outlives an unreachable bucket and a broken object, because an event refused for want of a
manifest is an event lost.
"""

from __future__ import annotations

import logging
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import ValidationError

from chalicelib.domain.errors import Busy
from chalicelib.domain.manifest import Manifest

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LIVE = "manifest/live.json"
FRESH_MS = 30_000  # a publish reaches every warm Lambda within this time, without one request in between
FRESH_LOCALLY_MS = 1_000  # a developer publishes, and looks at once
# Before a refusal we look every time, with a conditional GET. A refusal is final, a publish may be a moment old, and
# a client that sends invalid events to make us look could as well send events that cost more.
FORCED_MS = 0
# Without any copy every request is refused, so the next look comes soon; but not with every one of them.
RETRY_MS = 1_000

log = logging.getLogger("abacus")


class Catalog(Protocol):
    """Where the manifest comes from. `now_ms`: epoch milliseconds."""

    def current(self, now_ms: int) -> Manifest:
        """The manifest, which may be some seconds old."""

    def refresh(self, now_ms: int) -> Manifest:
        """The manifest as it is now."""


class ManifestCache:
    """The catalog in the private bucket. `now_ms` is epoch milliseconds everywhere. Safe to share between threads.

    fresh_ms: how old `current` may be while the bucket answers."""

    def __init__(self, s3: S3Client, bucket: str, fresh_ms: int = FRESH_MS) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._fresh_ms = fresh_ms
        self._lock = Lock()
        self._manifest: Manifest | None = None
        self._etag = ""
        self._tried_ms: int | None = None  # when the bucket was last asked, whatever it answered

    def current(self, now_ms: int) -> Manifest:
        """The manifest. Raises Busy when there never was one."""
        return self._at_most(self._fresh_ms, now_ms)

    def refresh(self, now_ms: int) -> Manifest:
        """The manifest as it is now. Call once before refusing an event."""
        return self._at_most(FORCED_MS, now_ms)

    def _at_most(self, age: int, now_ms: int) -> Manifest:
        with self._lock:
            if self._manifest is None:
                age = RETRY_MS
            if self._tried_ms is None or not 0 <= now_ms - self._tried_ms < age:
                self._tried_ms = now_ms
                self._look()
            if self._manifest is None:
                raise Busy("The manifest cannot be read at the moment. Try again.", retry_after=1)
            return self._manifest

    def _look(self) -> None:
        try:
            known = {"IfNoneMatch": self._etag} if self._etag else {}
            answer = self._s3.get_object(Bucket=self._bucket, Key=LIVE, **known)  # type: ignore[arg-type]
            self._manifest = Manifest.model_validate_json(answer["Body"].read())
            self._etag = answer["ETag"]
        except ClientError as error:
            self._explain(error)
        except (BotoCoreError, ValidationError) as error:
            log.warning("manifest not refreshed, the last good copy stays: %s", error)

    def _explain(self, error: ClientError) -> None:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        if status == 304:
            return
        if error.response["Error"]["Code"] == "NoSuchKey" and self._manifest is None:
            self._manifest = Manifest()  # nothing was ever published, which is a true answer
            return
        log.warning("manifest not refreshed, the last good copy stays: %s", error)


class FreshManifest:
    """The manifest of one request: read again at most once, however many visitors the request speaks for."""

    def __init__(self, catalog: Catalog, now_ms: int) -> None:
        self._catalog = catalog
        self._now_ms = now_ms
        self.manifest = catalog.current(now_ms)

    @cached_property
    def _refreshed(self) -> Manifest:
        return self._catalog.refresh(self._now_ms)

    def refresh(self) -> Manifest:
        """The manifest as it is now."""
        self.manifest = self._refreshed
        return self.manifest

"""The Lambda's copy of the manifest: how often it looks, and what it does when there is nothing good to see."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from chalicelib.domain.errors import Busy
from chalicelib.domain.manifest import Manifest
from chalicelib.runtime.service import Service
from chalicelib.runtime.settings import Settings
from chalicelib.storage.manifest_cache import ManifestCache
from tests.support.builders import NOON, a_manifest, an_experiment

OLD = a_manifest(an_experiment(description="old"))
NEW = a_manifest(an_experiment(description="new"))
UNREACHABLE = EndpointConnectionError(endpoint_url="https://s3")


def refused(status: int, code: str = "") -> ClientError:
    said = {"Error": {"Code": code or str(status)}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(said, "GetObject")  # type: ignore[arg-type]


class Bucket:
    """An S3 with one object, or with a failure in its place."""

    def __init__(self, holds: Manifest | bytes | Exception) -> None:
        self.holds = holds
        self.looks = 0

    def get_object(self, *, Bucket: str, Key: str, IfNoneMatch: str = "") -> dict[str, object]:
        assert (Bucket, Key) == ("bucket", "manifest/live.json")
        self.looks += 1
        if isinstance(self.holds, Exception):
            raise self.holds
        body = self.holds if isinstance(self.holds, bytes) else self.holds.model_dump_json().encode()
        if IfNoneMatch == str(hash(body)):
            raise refused(304)
        return {"Body": io.BytesIO(body), "ETag": str(hash(body))}


def a_catalog(holds):
    bucket = Bucket(holds)
    return ManifestCache(bucket, "bucket"), bucket  # type: ignore[arg-type]


def test_it_looks_once_in_thirty_seconds():
    catalog, bucket = a_catalog(OLD)
    assert [catalog.current(NOON + t) for t in (0, 1, 29_999)] == [OLD, OLD, OLD]
    assert bucket.looks == 1
    bucket.holds = NEW
    assert catalog.current(NOON + 30_000) == NEW


@pytest.mark.parametrize(("stage", "looks"), [("local", 2), ("prod", 1)])
def test_a_developer_sees_a_publish_after_a_second(stage, looks):
    bucket = Bucket(OLD)
    catalog = Service(Settings(stage=stage, bucket="bucket"), lambda name: bucket).catalog
    for after in (0, 999, 1000, 1999):
        catalog.current(NOON + after)
    assert bucket.looks == looks


def test_an_unchanged_manifest_is_not_parsed_again(service_log):
    catalog, bucket = a_catalog(OLD)
    first = catalog.current(NOON)
    assert catalog.current(NOON + 30_000) is first
    assert (bucket.looks, service_log.text) == (2, "")


def test_a_refresh_looks_at_once():
    catalog, bucket = a_catalog(OLD)
    catalog.current(NOON)
    bucket.holds = NEW
    assert [catalog.current(NOON), catalog.refresh(NOON)] == [OLD, NEW]


@pytest.mark.parametrize("holds", [UNREACHABLE, refused(503), refused(403), refused(404), b"{", b'{"experiments": 5}'])
def test_the_last_good_copy_outlives_a_bad_bucket(holds, service_log):
    catalog, bucket = a_catalog(OLD)
    catalog.current(NOON)
    bucket.holds = holds
    assert catalog.current(NOON + 60_000) == OLD
    assert "the last good copy stays" in service_log.text
    bucket.holds = NEW
    assert catalog.current(NOON + 120_000) == NEW


@pytest.mark.parametrize("holds", [UNREACHABLE, refused(503), refused(403), b"{"])
def test_without_any_copy_the_service_is_busy_and_does_not_hammer_the_bucket(holds):
    catalog, bucket = a_catalog(holds)
    for later in range(3):
        with pytest.raises(Busy):
            catalog.current(NOON + later)
    assert bucket.looks == 1
    bucket.holds = NEW
    assert catalog.current(NOON + 1_000) == NEW


def test_where_nothing_was_ever_published_there_are_no_experiments():
    catalog, _ = a_catalog(refused(404, "NoSuchKey"))
    assert catalog.current(NOON) == Manifest()


def test_a_bucket_that_is_not_there_is_no_empty_manifest():
    catalog, _ = a_catalog(refused(404, "NoSuchBucket"))
    with pytest.raises(Busy):
        catalog.current(NOON)


def test_a_clock_set_back_does_not_freeze_the_manifest():
    catalog, bucket = a_catalog(OLD)
    catalog.current(NOON)
    bucket.holds = NEW
    assert catalog.current(NOON - 3_600_000) == NEW


def test_threads_share_one_look():
    catalog, bucket = a_catalog(OLD)
    with ThreadPoolExecutor(8) as pool:
        assert set(map(id, pool.map(catalog.current, [NOON] * 100))) == {id(catalog.current(NOON))}
    assert bucket.looks == 1


def test_an_experiment_is_found_by_its_key():
    assert OLD.experiment("cta-color") is OLD.experiments[0]
    assert OLD.experiment("hero") is None


def test_what_is_stored_comes_back_the_same():
    assert Manifest.model_validate_json(OLD.model_dump_json()) == OLD

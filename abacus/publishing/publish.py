"""`abacus publish`: what would change, in words; then the live manifest, under a condition; then the site.

The manifest goes first: an event of a page that is not published yet cannot come, one of a page that is would be
refused for as long as the manifest were behind.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, NamedTuple

import click

from abacus.authoring.load import load
from abacus.growthbook.payload import payload
from abacus.publishing import manifest_store as published
from abacus.publishing.changes import Change, changes
from abacus.publishing.periods import stamp
from abacus.publishing.remote import Remote, remote
from abacus.site.build import Asset, build_site
from abacus.site.public_manifest import public
from chalicelib.domain.errors import ManifestError
from chalicelib.domain.manifest import Manifest

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Nothing that is served is older than a minute: half of it fresh, half of it stale while fetched anew. For a day
# a broken origin goes unnoticed.
CACHE = "public, max-age=30, stale-while-revalidate=30, stale-if-error=86400"
JSON_TYPE = "application/json; charset=utf-8"
ROUNDS = 5  # of writing the site, while others publish meanwhile

Build = Callable[[Manifest], Mapping[str, Asset]]


class Refused(ManifestError):
    """A change that would spoil a running experiment. The message says what to do instead."""


class Plan(NamedTuple):
    """What would be published in the place of what is live."""

    manifest: Manifest  # stamped: with periods and digest
    changes: list[Change]
    live: published.Live

    @property
    def refusals(self) -> list[Change]:
        return [change for change in self.changes if change.kind == "refusal"]


def plan(wanted: Manifest, s3: S3Client, bucket: str, now: int) -> Plan:
    """Compares `wanted` with what is live. Changes nothing. `now`: epoch milliseconds."""
    live = published.read_live(s3, bucket)
    stamped = stamp(live.manifest, wanted, now)
    return Plan(
        manifest=stamped.model_copy(update={"digest": published.digest_of(stamped)}),
        changes=changes(live.manifest, stamped),
        live=live,
    )


def write(
    planned: Plan,
    s3: S3Client,
    bucket: str,
    now: int,
    *,
    build: Build = build_site,
    by: str = "",
    note: str = "",
) -> list[str]:
    """Publishes what was planned; the paths below site/ that were written. Raises Refused, or Overtaken when
    somebody else published since the plan was made; then nothing was changed."""
    if planned.refusals:
        raise Refused("\n".join(str(change) for change in planned.refusals))
    manifest = planned.manifest
    assets = site(manifest, now, build)  # first, because it may fail
    if planned.live.manifest is None or planned.live.manifest.digest != manifest.digest:
        published.write_copy(s3, bucket, manifest)
        published.write_live(s3, bucket, manifest, planned.live.etag)
        said = tuple(str(change) for change in planned.changes)
        line = published.Publishing(at=now, digest=manifest.digest, by=by, note=note, changes=said)
        published.record(s3, bucket, line)
    for _ in range(ROUNDS):
        for path in sorted(assets, key=lambda path: path.endswith(".html")):  # a page after what it loads
            _put(s3, bucket, path, assets[path])
        latest = published.read_live(s3, bucket).manifest
        if latest is None or latest.digest == manifest.digest:
            break
        # Somebody published while we wrote, and our slower files may lie over theirs.
        manifest, assets = latest, site(latest, now, build)
    return list(assets)


def publish(
    wanted: Manifest,
    s3: S3Client,
    bucket: str,
    now: int,
    *,
    build: Build = build_site,
    by: str = "",
    note: str = "",
) -> Plan:
    """Plans and writes in one go, for callers who show nobody the plan."""
    planned = plan(wanted, s3, bucket, now)
    write(planned, s3, bucket, now, build=build, by=by, note=note)
    return planned


def site(manifest: Manifest, now: int, build: Build) -> dict[str, Asset]:
    """Path below site/ → what is served there: the page's files, and the manifest in both its public forms."""
    return {
        **build(manifest),
        "manifest.json": _json(public(manifest)),
        f"api/features/{manifest.client_key}": _json(payload(manifest, now)),
    }


def _json(value: object) -> Asset:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Asset(text.encode(), JSON_TYPE, CACHE)


def _put(s3: S3Client, bucket: str, path: str, asset: Asset) -> None:
    s3.put_object(
        Bucket=bucket,
        Key=f"site/{path}",
        Body=asset.body,
        ContentType=asset.content_type,
        CacheControl=asset.cache_control,
    )


@click.command()
@click.option("--folder", type=click.Path(path_type=Path), default=Path("manifest"), show_default=True)
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--note", default="", help="Why, for `abacus history`.")
@remote
def command(at: Remote, folder: Path, dry_run: bool, note: str) -> None:
    """Put the experiments of a folder live."""
    now = round(time() * 1000)
    planned = plan(load(folder), at.s3, at.bucket, now)
    show(planned)
    if planned.refusals:
        raise click.ClickException("nothing was published, for the refusals above")
    if dry_run:
        return
    paths = write(planned, at.s3, at.bucket, now, by=at.person, note=note)
    at.invalidate()
    click.echo(f"published {planned.manifest.digest}: {len(paths)} files, visible everywhere within 60 s")


def show(planned: Plan) -> None:
    for change in planned.changes:
        click.echo(str(change))
    if not planned.changes:
        click.echo("no experiment changes")

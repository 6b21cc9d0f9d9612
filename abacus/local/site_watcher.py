"""Publish the manifest and the site to the local bucket, at the start and after each change of a file."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import click

from abacus.authoring.load import load
from abacus.local.emulated_stacks import LocalAws
from abacus.paths import STATIC
from abacus.publishing import publish
from abacus.publishing.manifest_store import Overtaken
from abacus.site import build
from abacus.site.build import Asset
from chalicelib.domain import clock
from chalicelib.domain.errors import AbacusError
from chalicelib.domain.manifest import Manifest

LOOK = 1.0  # seconds between two looks for a changed file


def publish_changes(aws: LocalAws, folder: Path, home: Path, now_ms: int) -> bool:
    """Publish `folder` and the site, if either differs from the last publish. `now_ms`: epoch milliseconds.

    Each write is a new version in the bucket that stays on this disk, so nothing is written without a reason. Prints
    what changed, with warnings and refusals, as `abacus publish` does. Returns whether anything was published."""
    planned = publish.plan(load(folder), aws.s3, aws.names["BucketName"], now_ms)
    assets: dict[str, Asset] = {}

    def built(manifest: Manifest) -> dict[str, Asset]:
        return assets or build.build_site(manifest)

    assets = built(planned.manifest)
    _show(planned)
    fingerprint = _fingerprint(publish.site(planned.manifest, now_ms, built))
    remembered = home / "site.sha256"
    if planned.unchanged and remembered.exists() and remembered.read_text() == fingerprint:
        return False
    publish.write(planned, aws.s3, aws.names["BucketName"], now_ms, build=built, author=publish.Author("abacus run"))
    remembered.write_text(fingerprint)
    return True


def _show(planned: publish.Plan) -> None:
    for change in planned.changes:
        click.echo(str(change), err=True)
    if planned.refusals:
        click.echo(publish.refused_line(planned), err=True)


def _fingerprint(assets: dict[str, Asset]) -> str:
    digest = hashlib.sha256()
    for path, asset in sorted(assets.items()):
        digest.update(repr((path, asset)).encode())
    return digest.hexdigest()


async def watch(aws: LocalAws, folder: Path, home: Path) -> None:
    """Publish after each change of a file, until cancelled. An error is printed, and the live site stays as it is."""
    published: dict[str, int] = {}  # empty, so that the first look publishes what changed during the start
    while True:
        await asyncio.sleep(LOOK)
        try:
            current = await asyncio.to_thread(_state, folder)
            if current != published:
                published = current
                if await asyncio.to_thread(publish_changes, aws, folder, home, clock.now_ms()):
                    click.echo("published; visible at the next page load", err=True)
        except Overtaken:
            published = {}  # `abacus publish` was first: look again at what is left
        except (AbacusError, OSError) as error:  # OSError: a file disappeared while it was read
            click.echo(f"not published: {error}", err=True)


def _state(folder: Path) -> dict[str, int]:
    files = [file for root in (folder, STATIC) for file in root.rglob("*") if file.is_file()]
    return {str(file): file.stat().st_mtime_ns for file in files}

"""The manifest and the site in the local bucket: published when they changed, and again whenever they do."""

from __future__ import annotations

import asyncio
import hashlib
import time
from pathlib import Path

import click

from abacus.authoring.load import load
from abacus.local.emulated_stacks import LocalAws
from abacus.paths import STATIC
from abacus.publishing import publish
from abacus.site import build
from abacus.site.build import Asset
from abacus.site.esbuild import BuildError
from chalicelib.domain.errors import AbacusError
from chalicelib.domain.manifest import Manifest

LOOK = 1.0  # seconds between two looks for a changed file


def publish_changes(aws: LocalAws, folder: Path, home: Path, now: int) -> bool:
    """Publish `folder` and the site, if either differs from what was published last; whether it did. `now`: epoch ms.

    Each writing of a file is a new version in the bucket, which stays on this disk for ever: so not at each start.
    Raises what publishing raises; a change that would spoil a running experiment is refused."""
    planned = publish.plan(load(folder), aws.s3, aws.names["BucketName"], now)
    assets: dict[str, Asset] = {}

    def built(manifest: Manifest) -> dict[str, Asset]:
        return assets or build.build_site(manifest)

    assets = built(planned.manifest)
    print_ = _fingerprint(publish.site(planned.manifest, now, built))
    remembered = home / "site.sha256"
    live = planned.live.manifest
    if live and live.digest == planned.manifest.digest and remembered.exists() and remembered.read_text() == print_:
        return False
    publish.write(planned, aws.s3, aws.names["BucketName"], now, build=built, by="abacus run")
    remembered.write_text(print_)
    return True


def _fingerprint(assets: dict[str, Asset]) -> str:
    digest = hashlib.sha256()
    for path, asset in sorted(assets.items()):
        digest.update(repr((path, asset)).encode())
    return digest.hexdigest()


async def watch(aws: LocalAws, folder: Path, home: Path) -> None:
    """Publish after each change of a file, until cancelled. What is wrong is said, and the live site stays."""
    seen: dict[str, int] = {}  # so the first look publishes what was changed while we started
    while True:
        await asyncio.sleep(LOOK)
        try:
            there = await asyncio.to_thread(_state, folder)
            if there != seen:
                seen = there
                if await asyncio.to_thread(publish_changes, aws, folder, home, round(time.time() * 1000)):
                    click.echo("published what changed", err=True)
        except (AbacusError, BuildError, OSError) as error:  # OSError: a file went while we looked at it
            click.echo(f"not published: {error}", err=True)


def _state(folder: Path) -> dict[str, int]:
    files = [file for root in (folder, STATIC) for file in root.rglob("*") if file.is_file()]
    return {str(file): file.stat().st_mtime_ns for file in files}

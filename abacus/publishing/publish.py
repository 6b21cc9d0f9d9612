"""Compare with what is live, write the live manifest (if it did not change meanwhile), write the site.

The manifest goes first: a new page whose experiment the service does not know yet would have its events refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from itertools import permutations
from typing import TYPE_CHECKING, NamedTuple

import click

from abacus.growthbook.payload import payload
from abacus.publishing import manifest_store as published
from abacus.publishing.changes import Change, changes
from abacus.publishing.periods import stamp
from abacus.publishing.remote import Remote
from abacus.site.build import FRESH, Asset, build_site
from abacus.site.public_manifest import public
from chalicelib.domain import clock
from chalicelib.domain.errors import ManifestError
from chalicelib.domain.holdout import with_live_holdout
from chalicelib.domain.manifest import Experiment, Manifest

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

JSON_TYPE = "application/json; charset=utf-8"
ROUNDS = 5  # of publishing, while others publish

Build = Callable[[Manifest], Mapping[str, Asset]]


class Refused(ManifestError):
    """Changes that would spoil running experiments. The message says what to write instead."""


class Plan(NamedTuple):
    """What would be published, and how it differs from the live manifest.

    manifest: stamped with periods and digest; an experiment with a refusal is in it as it is live. changes: what will
    be done, and the refusals."""

    manifest: Manifest
    changes: list[Change]
    live: published.Live

    @property
    def refusals(self) -> list[Change]:
        """The changes that will not be published."""
        return [change for change in self.changes if change.kind == "refusal"]

    @property
    def unchanged(self) -> bool:
        """Whether exactly this is live already."""
        return self.live.manifest is not None and self.live.manifest.digest == self.manifest.digest

    @property
    def refused(self) -> list[str]:
        """The keys of the experiments that stay as they are."""
        return sorted({change.experiment for change in self.refusals})


def plan(wanted: Manifest, s3: S3Client, bucket: str, now_ms: int) -> Plan:
    """Compare `wanted` with the live manifest. Changes nothing. `now_ms`: epoch milliseconds.

    A refused experiment holds up no other: it stays as it is live, and the others are planned as wanted."""
    live = published.read_live(s3, bucket)
    stamped = stamp(live.manifest, with_live_holdout(live.manifest, wanted), now_ms)
    planned = changes(live.manifest, stamped)
    if live.manifest is not None:
        stamped, planned = without_refused(live.manifest, stamped, planned)
    return Plan(
        manifest=stamped.model_copy(update={"digest": published.digest_of(stamped)}),
        changes=planned,
        live=live,
    )


def without_refused(live: Manifest, wanted: Manifest, planned: list[Change]) -> tuple[Manifest, list[Change]]:
    """`wanted` with each refused experiment as it is live, and `planned` without what therefore is not done.

    A change that needs a refused one is refused too: two running experiments must not get the same visitors."""
    while True:
        refused = {change.experiment for change in planned if change.kind == "refusal"}
        unchanged = [e for e in live.experiments if e.key in refused]
        experiments = sorted(
            [*(e for e in wanted.experiments if e.key not in refused), *unchanged], key=lambda e: e.key
        )
        overlap = next(_overlaps(experiments, refused), None)
        planned = [c for c in planned if c.kind == "refusal" or c.experiment not in refused]
        if overlap is None:
            return wanted.model_copy(update={"experiments": tuple(experiments)}), planned
        planned.append(overlap)


def _overlaps(experiments: list[Experiment], refused: set[str]) -> Iterator[Change]:
    slices = [(e, e.namespace) for e in experiments if e.namespace is not None and e.status == "running"]
    for (blocker, first), (other, second) in permutations(slices, 2):
        same_visitors = first.name == second.name and max(first.start, second.start) < min(first.end, second.end)
        if same_visitors and blocker.key in refused and other.key not in refused:
            text = f"would share visitors of namespace {first.name} with {blocker.key}, whose change is refused: "
            text += "fix that first"
            yield Change("refusal", other.key, text)


class Author(NamedTuple):
    """Who publishes, and why."""

    name: str = ""
    note: str = ""


NO_AUTHOR = Author()


def write(
    planned: Plan,
    s3: S3Client,
    bucket: str,
    now_ms: int,
    *,
    build: Build = build_site,
    author: Author = NO_AUTHOR,
) -> list[str]:
    """Publish what was planned, without the refused experiments. `now_ms`: epoch milliseconds; `author`: for the
    history. Returns the paths below site/ that were written.

    A note is kept also where nothing changed. Raises Overtaken, and changes nothing, when someone else published since
    the plan was made."""
    manifest = planned.manifest
    assets = site(manifest, now_ms, build)  # first, because it may fail
    if not planned.unchanged:
        published.write_copy(s3, bucket, manifest)
        published.write_live(s3, bucket, manifest, planned.live.etag)
    if author.note or not planned.unchanged:
        descriptions = tuple(str(change) for change in planned.changes if change.kind != "refusal")
        published.record(
            s3,
            bucket,
            published.Publishing(
                at=now_ms, digest=manifest.digest, by=author.name, note=author.note, changes=descriptions
            ),
        )
    for _ in range(ROUNDS):
        for path in sorted(assets, key=lambda path: path.endswith(".html")):  # a page after the files that it loads
            _put(s3, bucket, path, assets[path])
        latest = published.read_live(s3, bucket).manifest
        if latest is None or latest.digest == manifest.digest:
            break
        # Someone published meanwhile, and our files may have overwritten theirs.
        manifest, assets = latest, site(latest, now_ms, build)
    return list(assets)


def plan_and_write(
    wanted: Manifest,
    at: Remote,
    shown: Callable[[Plan], object],
    *,
    author: Author = NO_AUTHOR,
    build: Build = build_site,
) -> tuple[Plan, list[str]]:
    """Plan, show, write, and refresh the CDN: what was planned last, and the paths that were written.

    Someone else may publish in between, as `abacus run` does after each change of a file. Then what is left of the
    changes that were shown is published. Raises Overtaken where that would change something that was not shown."""
    planned = plan(wanted, at.s3, at.bucket, clock.now_ms())
    shown(planned)
    known = set(planned.changes)
    for _ in range(ROUNDS):
        try:
            paths = write(planned, at.s3, at.bucket, clock.now_ms(), author=author, build=build)
        except published.Overtaken:
            planned = plan(wanted, at.s3, at.bucket, clock.now_ms())
            if not known.issuperset(planned.changes):
                raise
        else:
            at.refresh()
            return planned, paths
    raise published.Overtaken("Others publish all the time. See `abacus history`, then publish again.")


def site(manifest: Manifest, now_ms: int, build: Build) -> dict[str, Asset]:
    """Path below site/ → what is served there: the page's files, and the manifest in both its public forms."""
    return {
        **build(manifest),
        "manifest.json": _json(public(manifest)),
        f"api/features/{manifest.client_key}": _json(payload(manifest, now_ms)),
    }


def _json(value: object) -> Asset:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Asset(text.encode(), JSON_TYPE, FRESH)


def _put(s3: S3Client, bucket: str, path: str, asset: Asset) -> None:
    s3.put_object(
        Bucket=bucket,
        Key=f"site/{path}",
        Body=asset.body,
        ContentType=asset.content_type,
        CacheControl=asset.cache_control,
    )


def show(planned: Plan, echo: Callable[[str], None] = click.echo) -> None:
    """Print every change, warning and refusal, one after the other."""
    for change in planned.changes:
        echo(str(change))
    if not planned.changes:
        echo("no experiment changes")


def refused_line(planned: Plan) -> str:
    """Which experiments are not published, and what to do."""
    keys = ", ".join(planned.refused)
    return f"not published: {keys}. What was live stays live; the refusals above have the lines to write"

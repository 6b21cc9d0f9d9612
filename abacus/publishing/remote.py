"""Where commands publish to: a bucket, and the distribution in front of it."""

from __future__ import annotations

import functools
import getpass
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
import click

from abacus.aws import cloudformation, names
from abacus.aws.edge_functions import replace_code
from abacus.aws.errors import report_errors
from abacus.aws.target import target
from abacus.options import home_option, region_option, stage_option, use_region
from abacus.site.snippet import options

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True)
class Remote:
    """The bucket and distribution of one product, and who publishes."""

    s3: S3Client
    bucket: str
    cloudfront: CloudFrontClient | None
    distribution: str
    person: str
    edge_function: str = ""  # the name of the CloudFront Function that assigns; "": none is deployed

    def refresh(self) -> None:
        """Bring what was just written to the CDN: the edge function's code, and caches without older files."""
        self.publish_edge_function()
        self.invalidate()

    def publish_edge_function(self) -> None:
        """Run the published edge function, where the site uses one. The same file is served as /edge.js."""
        if self.cloudfront is not None and self.edge_function and options().edge:
            code = self.s3.get_object(Bucket=self.bucket, Key="site/edge.js")["Body"].read()
            replace_code(self.cloudfront, self.edge_function, code)

    def invalidate(self) -> None:
        """Remove everything from the CDN's caches; without it, files are at most a minute old anyway.

        One path, so it is free for the first 1,000 times a month. Each call needs a reference of its own: CloudFront
        ignores a request with a reference that it has seen, so the manifest's digest would not do for a new site."""
        if self.cloudfront is not None:
            self.cloudfront.create_invalidation(
                DistributionId=self.distribution,
                InvalidationBatch={"Paths": {"Quantity": 1, "Items": ["/*"]}, "CallerReference": uuid4().hex},
            )


def remote(command: Callable[..., None]) -> Callable[..., None]:
    """Give a click command --bucket, --distribution, --stage, --region and --home, and pass it a Remote."""

    @click.option("--bucket", metavar="NAME", help="Bucket to publish to. Default: the stage's or the local product's.")
    @click.option(
        "--distribution",
        metavar="ID",
        envvar="ABACUS_DISTRIBUTION",
        default="",
        help="CloudFront distribution to invalidate. Default: the stage's, or ABACUS_DISTRIBUTION.",
    )
    @stage_option
    @region_option
    @home_option
    @functools.wraps(command)
    @report_errors
    def wrapped(
        bucket: str | None, distribution: str, stage: str | None, region: str | None, home: Path, **given: Any
    ) -> None:
        use_region(region)
        command(remote_of(stage, home, bucket, distribution), **given)

    return wrapped


def remote_of(stage: str | None, home: Path, bucket: str | None = None, distribution: str = "") -> Remote:
    """Where a stage publishes to; None: the product that runs here. Raises NoTarget where there is none."""
    if not bucket:
        os.environ.update(target(stage, home, os.environ))
        bucket = os.environ["ABACUS_BUCKET"]
    edge_function = ""
    if stage and not distribution:
        outputs = cloudformation.outputs(boto3.client("cloudformation"), names.stack(stage, "edge"))
        distribution = outputs.get("DistributionId", "")
        edge_function = outputs.get("EdgeFunctionName", "")
    cloudfront = boto3.client("cloudfront") if distribution else None
    return Remote(boto3.client("s3"), bucket, cloudfront, distribution, getpass.getuser(), edge_function)

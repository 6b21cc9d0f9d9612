"""Where commands publish to: a bucket, and the distribution in front of it. AWS errors become sentences here."""

from __future__ import annotations

import functools
import getpass
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import click
from botocore.exceptions import BotoCoreError, ClientError

from abacus.aws import cloudformation
from abacus.aws.target import target
from abacus.site.esbuild import BuildError
from chalicelib.domain.errors import AbacusError

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient
    from mypy_boto3_s3 import S3Client


EDGE = "abacus-{stage}-edge"  # the stack whose distribution is to forget what it holds


@dataclass(frozen=True)
class Remote:
    s3: S3Client
    bucket: str
    cloudfront: CloudFrontClient | None
    distribution: str
    person: str

    def invalidate(self, reference: str) -> None:
        """Makes the CDN forget what it holds. One path, so it costs nothing for the first 1,000 publishings a month.
        Without it, everything is at most a minute old anyway."""
        if self.cloudfront is not None:
            self.cloudfront.create_invalidation(
                DistributionId=self.distribution,
                InvalidationBatch={"Paths": {"Quantity": 1, "Items": ["/*"]}, "CallerReference": reference},
            )


def remote(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a click command --bucket and --distribution, and passes it a Remote."""

    @click.option("--bucket", help="The bucket, where it is neither a stage's nor the local one's.")
    @click.option(
        "--distribution",
        envvar="ABACUS_DISTRIBUTION",
        default="",
        help="The CloudFront distribution to refresh at once, where it is not the stage's; or ABACUS_DISTRIBUTION.",
    )
    @click.option("--stage", help="A deployed stage, such as prod. Without it: the one that runs here.")
    @click.option("--home", type=click.Path(path_type=Path), default=Path(".local"), help="Folder of the local run.")
    @functools.wraps(command)
    def wrapped(bucket: str | None, distribution: str, stage: str | None, home: Path, **options: Any) -> None:
        try:
            if not bucket:
                os.environ.update(target(stage, home, os.environ))
                bucket = os.environ["ABACUS_BUCKET"]
            if stage and not distribution:
                outputs = cloudformation.outputs(boto3.client("cloudformation"), EDGE.format(stage=stage))
                distribution = outputs.get("DistributionId", "")
            cloudfront = boto3.client("cloudfront") if distribution else None
            command(Remote(boto3.client("s3"), bucket, cloudfront, distribution, getpass.getuser()), **options)
        except (AbacusError, BuildError) as error:
            raise click.ClickException(str(error)) from None
        except (ClientError, BotoCoreError) as error:
            hint = "Is AWS configured here, and the bucket's name right?"
            raise click.ClickException(f"bucket {bucket}: {error} {hint}") from None

    return wrapped

"""What is installed, and what a deployed stage runs: `abacus --version` and `abacus upgrade-check`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import NamedTuple

import click

from abacus.aws import cloudformation, names
from abacus.aws.account import Account
from abacus.aws.errors import report_errors
from abacus.aws.names import StageName
from abacus.options import region_option
from chalicelib.counting.contribution import MEANING
from chalicelib.domain.errors import AbacusError
from chalicelib.domain.manifest import SCHEMA


class Release(NamedTuple):
    """A version of ABacus. `schema`: of the live manifest; `counting`: the meaning of a row's events. A stack that was
    deployed before stacks carried them has version "" and 0 for both."""

    version: str
    schema: int
    counting: int

    def __str__(self) -> str:
        return f"{self.version or 'older than 0.2.0'} (manifest schema {self.schema}, counting {self.counting})"

    def tags(self) -> dict[str, str]:
        """The tags that a stack carries."""
        return {
            "abacus-version": self.version,
            "abacus-schema": str(self.schema),
            "abacus-counting": str(self.counting),
        }


class NotDeployed(AbacusError):
    """The stage does not exist in this account and region."""


def installed() -> Release:
    """This ABacus."""
    return Release(version("abacus"), SCHEMA, MEANING)


def deployed(tags: Mapping[str, str]) -> Release:
    """The release that a stack's tags name.

    >>> deployed({"abacus-version": "0.2.0", "abacus-schema": "2", "abacus-counting": "3"})
    Release(version='0.2.0', schema=2, counting=3)
    >>> deployed({"app": "abacus"})
    Release(version='', schema=0, counting=0)
    """
    numbers = (tags.get(f"abacus-{name}", "0") for name in ("schema", "counting"))
    schema, counting = (int(number) if number.isdecimal() else 0 for number in numbers)
    return Release(tags.get("abacus-version", ""), schema, counting)


def advice(stage: str, live: Release, here: Release) -> Iterator[str]:
    """What to do, in order; nothing if the two are the same release."""
    if live == here:
        return
    if live.schema > here.schema or live.counting > here.counting or _order(live) > _order(here):
        yield f'Update this ABacus first: pip install "abacus=={live.version}". The stage is newer than it.'
        return
    yield f"abacus deploy --stage {stage}"
    if live.schema < here.schema:
        yield f"abacus publish --stage {stage}      only after the deploy: the older functions cannot read the new form"
    if live.counting < here.counting:
        yield (
            f"abacus rebuild --apply --stage {stage}      events have a new meaning: until then the numbers of "
            "before and after the deploy are counted by different rules"
        )


def _order(release: Release) -> tuple[int, ...]:
    return tuple(int(part) if part.isdecimal() else 0 for part in release.version.split(".")[:3])


@click.command()
@click.option("--stage", type=StageName(), required=True, help="The stage to compare with, such as prod.")
@region_option
@report_errors
def command(stage: str, region: str | None) -> None:
    """Compare a deployed stage with the ABacus that is installed here, and say what an update needs.

    Exit code 1: there is something to do."""
    account = Account.of(region)
    stack = cloudformation.describe(account.cloudformation("api"), names.stack(stage, "api"))
    stack = stack or cloudformation.describe(account.cloudformation("data"), names.stack(stage, "data"))
    if stack is None:
        raise NotDeployed(f"There is no stage {stage} in this account in {account.region}. Deploy it: abacus deploy")
    live = deployed({tag["Key"]: tag["Value"] for tag in stack.get("Tags", [])})
    here = installed()
    click.echo(f"deployed   {live}")
    click.echo(f"installed  {here}")
    steps = list(advice(stage, live, here))
    if not steps:
        click.echo("Nothing to do: both are the same release.")
        return
    click.echo("\nTo do, in this order:")
    for number, step in enumerate(steps, 1):
        click.echo(f"  {number}. {step}")
    raise SystemExit(1)

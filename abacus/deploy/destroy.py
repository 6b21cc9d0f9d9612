"""`abacus destroy --stage NAME`: takes a stage away again. Its data stays unless told otherwise."""

from __future__ import annotations

import click

from abacus.aws import cloudformation, origin_secret, retained
from abacus.aws import names as stage
from abacus.aws.account import PARTS, Account, in_sentences
from abacus.aws.names import StageName
from abacus.deploy import chalice_deploy
from abacus.deploy.command import BUILD
from chalicelib.domain.errors import AbacusError


class LeftBehind(AbacusError):
    """What is still there after everything was deleted."""


@click.command()
@click.option("--stage", "of", type=StageName(), required=True, help="What to take away, such as prod.")
@click.option("--region", help="Where it is; where AWS is configured for, unless given.")
@click.option("--with-data", is_flag=True, help="Also tables, queues and bucket, with all that is in them.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@in_sentences
def command(of: str, region: str | None, with_data: bool, yes: bool) -> None:
    """List what a stage consists of, ask, and delete it."""
    account = Account.of(region)
    parts = [part for part in reversed(PARTS) if part in account.present(of) and (with_data or part != "data")]
    things = retained.existing(of, account) if with_data else []
    parameters = _parameters(of, account, with_data)
    by_chalice = chalice_deploy.record(of).exists()
    if not (parts or things or parameters or by_chalice):
        click.echo(f"There is nothing of {stage.prefix(of)} in account {account.number}, {account.region}.")
        return
    click.echo(f"To be deleted from account {account.number}, {account.region}:")
    for part in parts:
        name = stage.stack(of, part)
        pages = account.cloudformation(part).get_paginator("list_stack_resources").paginate(StackName=name)
        names = [found["LogicalResourceId"] for page in pages for found in page["StackResourceSummaries"]]
        click.echo(f"  stack {name}: {', '.join(names)}")
    if by_chalice:
        click.echo("  the functions and the REST API that chalice deploy made")
    for thing in things:
        click.echo(f"  {_described(thing, account)}")
    for parameter in parameters:
        click.echo(f"  parameter {parameter}")
    if not with_data:
        click.echo(f"Kept: stack {stage.stack(of, 'data')} with the visitors' rows, the results and the manifest.")
    if not yes and click.prompt("To go on, type the stage's name") != of:
        raise click.ClickException("nothing was deleted")
    _delete(of, account, parts, things, parameters, by_chalice)
    click.echo("done; nothing of it is left" if with_data else "done; abacus deploy makes it again around its data")


def _delete(
    of: str, account: Account, parts: list[str], things: list[retained.Thing], parameters: list[str], by_chalice: bool
) -> None:
    for part in parts:
        click.echo(f"deleting stack {stage.stack(of, part)} ...")
        cloudformation.remove(account.cloudformation(part), stage.stack(of, part), poll=account.poll)
    if by_chalice:
        click.echo("deleting what chalice deploy made ...")
        chalice_deploy.remove(of, BUILD / "source")
    for thing in things:
        click.echo(f"deleting {thing.name} ...")
        retained.delete(thing, account)
    for parameter in parameters:
        account.client("ssm").delete_parameter(Name=parameter)
    left = [stage.stack(of, part) for part in account.present(of) if part in parts]
    left += [thing.name for thing in retained.existing(of, account) if thing in things]
    if left:
        raise LeftBehind(f"still there: {', '.join(left)}. Run it again.")


def _parameters(of: str, account: Account, with_data: bool) -> list[str]:
    """The origin's secret is of no use without its API; the senders' ones are somebody's own."""
    ssm = account.client("ssm")
    found = [stage.origin_secrets(of)] if origin_secret.kept(ssm, of) else []
    if with_data:
        found += [p["Name"] for p in ssm.get_parameters(Names=[stage.sender_keys(of)])["Parameters"]]
    return found


def _described(thing: retained.Thing, account: Account) -> str:
    kind = thing.kind.rpartition("::")[2].lower()
    if kind == "bucket":
        count = sum(len(some) for some in retained.versions(account.client("s3"), thing.name))
        return f"bucket {thing.name} with {count} versions of objects"
    if kind == "table":
        about = account.client("dynamodb").describe_table(TableName=thing.name)["Table"].get("ItemCount", 0)
        return f"table {thing.name} with about {about} rows"
    return f"{kind} {thing.name}"

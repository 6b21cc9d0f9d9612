"""`abacus destroy --stage NAME`: delete a stage. Its data stays, unless an option says otherwise."""

from __future__ import annotations

from dataclasses import dataclass

import click

from abacus.aws import cloudformation, names, retained
from abacus.aws.account import Account
from abacus.aws.errors import report_errors
from abacus.aws.names import StageName
from abacus.deploy import chalice_deploy
from abacus.deploy.package import build_folder
from abacus.deploy.steps import origin_secrets
from abacus.options import region_option
from chalicelib.domain.errors import AbacusError


class LeftBehind(AbacusError):
    """Something still exists after everything was deleted; the message names it."""


@dataclass(frozen=True)
class Deletion:
    """What a destroy is going to delete."""

    stage: str
    parts: list[str]  # whose stacks, in this order
    resources: list[retained.Retained]
    parameters: list[str]  # of SSM
    by_chalice: bool  # whether `chalice deploy` made the functions

    def __bool__(self) -> bool:
        return bool(self.parts or self.resources or self.parameters or self.by_chalice)


@click.command()
@click.option("--stage", type=StageName(), required=True, help="The stage to delete, such as prod.")
@region_option
@click.option("--with-data", is_flag=True, help="Also delete tables, queues and bucket with everything in them.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@report_errors
def command(stage: str, region: str | None, with_data: bool, yes: bool) -> None:
    """List what a stage consists of, ask for confirmation, and delete it."""
    account = Account.of(region)
    deletion = _find(stage, account, with_data)
    if not deletion:
        click.echo(f"There is nothing of {names.prefix(stage)} in account {account.number}, {account.region}.")
        return
    _print(deletion, account)
    if not with_data:
        click.echo(f"Kept: stack {names.stack(stage, 'data')} with the visitors' rows, the results and the manifest.")
    if not yes and click.prompt("To continue, type the stage's name") != stage:
        raise click.ClickException("nothing was deleted")
    _delete(deletion, account)
    click.echo("done; nothing of it is left" if with_data else "done; abacus deploy creates it again around its data")


def _find(stage: str, account: Account, with_data: bool) -> Deletion:
    stacks = account.stacks(stage, click.echo)
    return Deletion(
        stage,
        [part for part in reversed(names.PARTS) if part in stacks and (with_data or part != "data")],
        retained.existing(stage, account) if with_data else [],
        _parameters(stage, account, with_data),
        chalice_deploy.record(stage).exists(),
    )


def _parameters(stage: str, account: Account, with_data: bool) -> list[str]:
    """The origin's secret has no use without its API; keys of signed senders and webhook are the user's own."""
    ssm = account.client("ssm")
    parameters = [names.origin_secrets(stage)] if origin_secrets(ssm, stage) else []
    if with_data:
        own = [names.sender_keys(stage), names.alert_webhook(stage)]
        parameters += [p["Name"] for p in ssm.get_parameters(Names=own)["Parameters"]]
    return parameters


def _print(deletion: Deletion, account: Account) -> None:
    click.echo(f"To be deleted from account {account.number}, {account.region}:")
    for part in deletion.parts:
        stack = names.stack(deletion.stage, part)
        pages = account.cloudformation(part).get_paginator("list_stack_resources").paginate(StackName=stack)
        resources = [summary["LogicalResourceId"] for page in pages for summary in page["StackResourceSummaries"]]
        click.echo(f"  stack {stack}: {', '.join(resources)}")
    if deletion.by_chalice:
        click.echo("  the functions and the REST API that chalice deploy made")
    for resource in deletion.resources:
        click.echo(f"  {_described(resource, account)}")
    for parameter in deletion.parameters:
        click.echo(f"  parameter {parameter}")


def _described(resource: retained.Retained, account: Account) -> str:
    if resource.kind == retained.BUCKET:
        count = sum(len(some) for some in retained.versions(account.client("s3"), resource.name))
        return f"bucket {resource.name} with {count} versions of objects"
    if resource.kind == retained.TABLE:
        table = account.client("dynamodb").describe_table(TableName=resource.name)["Table"]
        return f"table {resource.name} with about {table.get('ItemCount', 0)} rows"
    return f"queue {resource.name}"


def _delete(deletion: Deletion, account: Account) -> None:
    stage = deletion.stage
    for part in deletion.parts:
        click.echo(f"deleting stack {names.stack(stage, part)} ...")
        cloudformation.remove(
            account.cloudformation(part),
            names.stack(stage, part),
            retain_undeletable=part == "data",
            watch=cloudformation.Watch(poll=account.poll),
        )
    if deletion.by_chalice:
        click.echo("deleting what chalice deploy made ...")
        chalice_deploy.remove(stage, account, build_folder() / "source")
    for resource in deletion.resources:
        click.echo(f"deleting {resource.name} ...")
        retained.delete(resource, account)
    for parameter in deletion.parameters:
        account.client("ssm").delete_parameter(Name=parameter)
    if deletion.resources:
        click.echo("waiting until SQS has deleted the queues ...")
    retained.wait_until_deleted(deletion.resources, account, name_is_blocked=not account.emulator)
    remaining = [names.stack(stage, part) for part in account.stacks(stage) if part in deletion.parts]
    remaining += [resource.name for resource in deletion.resources if retained.exists(resource, account)]
    if remaining:
        raise LeftBehind(f"still there: {', '.join(remaining)}. Run abacus destroy again.")

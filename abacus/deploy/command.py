"""`abacus deploy --stage NAME`: an empty account becomes a working tracker; a deployed one is brought up to date."""

from __future__ import annotations

import platform
import time
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from abacus.authoring.load import load
from abacus.aws import cloudformation, names
from abacus.aws.account import Account, in_sentences
from abacus.aws.names import StageName
from abacus.aws.templates import read
from abacus.deploy import chalice_deploy
from abacus.deploy.options import ApiKind, Around, Wishes, kind_of_api
from abacus.deploy.package import package
from abacus.deploy.plan import blueprint, show
from abacus.deploy.steps import Deployment
from abacus.operations import bill, capacity
from abacus.operations.capacity import Workload
from abacus.paths import INFRA
from abacus.publishing import publish
from abacus.site import build, snippet
from chalicelib.domain.manifest import Manifest

BUILD = Path("build") / "deploy"
HERE = {"x86_64": "x86_64", "AMD64": "x86_64"}  # what an emulator runs functions on; elsewhere arm64


@click.command()
@click.option("--stage", "of", type=StageName(), required=True, help="What to deploy, such as prod.")
@click.option("--region", help="Where; the one that AWS is configured for, unless given.")
@click.option("--dry-run", is_flag=True, help="Show everything that would be made, without an account.")
@click.option("--domain", help="A domain of your own, such as ab.example.com.")
@click.option("--certificate", metavar="ARN", help="Its certificate, in us-east-1.")
@click.option("--waf/--no-waf", "firewall", default=None, help="A limit per address; $6 a month.")
@click.option("--email", help="Who is told when something breaks or becomes expensive: alarms, dashboard, budget.")
@click.option("--budget", type=click.IntRange(1), help="Dollars a month from which that is too expensive.")
@click.option(
    "--read-key",
    prompt=True,
    prompt_required=False,
    hide_input=True,
    envvar="ABACUS_READ_KEY",
    help='What GET /stats is to ask for; asked for without a value. "": open to all.',
)
@click.option("--api", type=click.Choice(["http", "rest", "chalice"]), help="Which API calls the functions.")
@click.option("--xray/--no-xray", "tracing", default=None, help="Trace a part of the requests.")
@click.option("--set", "more", multiple=True, metavar="NAME=VALUE", help="Any other parameter of infra/*.yaml.")
@click.option("--rotate-secret", is_flag=True, help="Change what CloudFront says to the API, while it runs.")
@click.option("--manifest", type=click.Path(path_type=Path), default=Path("manifest"), show_default=True)
@click.option("--package", "packaged", type=click.Path(path_type=Path), help="What abacus package has built already.")
@in_sentences
def command(
    of: str,
    region: str | None,
    dry_run: bool,
    rotate_secret: bool,
    manifest: Path,
    packaged: Path | None,
    **options: Any,
) -> None:
    """Deploy a stage, or bring it up to date. What is not said stays as it is."""
    wishes = Wishes(stage=of, **{**options, "more": _pairs(options["more"])})
    wanted = load(manifest)
    if dry_run:
        around = _packaged(packaged / "sam.json" if packaged else package(of, BUILD / "package"))
        files = publish.site(wanted, round(time.time() * 1000), build.build_site)
        show(of, blueprint(wishes, around, ["-"]), files, click.echo)
        click.echo("nothing was made: this was a dry run, of a stage that does not exist yet")
        return
    account = Account.of(region)
    account.number  # noqa: B018  before anything else: are we let in?
    around = _around(account, wishes, packaged)
    _refuse_early(account, wishes, around, wanted)
    _say_plan(account, wishes, around, wanted)
    deployment = Deployment(account, wishes, around, wanted, click.echo)
    deployment.run(rotate=rotate_secret)
    _say_result(deployment)


def _pairs(more: tuple[str, ...]) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in more]
    for name, sign, _ in pairs:
        if not sign:
            raise click.BadParameter(f"{name!r} is not NAME=VALUE", param_hint="--set")
    return {name: value for name, _, value in pairs}


def _packaged(found: Path) -> Around:
    """With the two options of the snippet that the other end has to know."""
    said = snippet.options()
    events = said.events if said.events.startswith("/") else "/events"  # a whole url means another host
    return Around(found, events_path=events, cookie_domain=said.cookie_domain)


def _around(account: Account, wishes: Wishes, packaged: Path | None) -> Around:
    architecture = HERE.get(platform.machine(), "arm64") if account.emulator else "arm64"
    if packaged is None:
        click.echo("packaging ...")
        packaged = package(wishes.stage, BUILD / "package", architecture=architecture).parent
    keys = account.client("ssm").get_parameters(Names=[names.sender_keys(wishes.stage)])["Parameters"]
    return replace(
        _packaged(packaged / "sam.json"),
        present=account.present(wishes.stage),
        sender_keys=bool(keys),
        by_chalice=chalice_deploy.record(wishes.stage).exists(),
        emulator=account.emulator,
    )


def _refuse_early(account: Account, wishes: Wishes, around: Around, wanted: Manifest) -> None:
    """What would spoil a running experiment is said before anything is touched."""
    if "data" in around.present:
        data = cloudformation.outputs(account.cloudformation("data"), names.stack(wishes.stage, "data"))
        planned = publish.plan(wanted, account.client("s3"), data["BucketName"], round(time.time() * 1000))
        if planned.refusals:
            raise publish.Refused("\n".join(str(refusal) for refusal in planned.refusals))


def _say_plan(account: Account, wishes: Wishes, around: Around, wanted: Manifest) -> None:
    where = f"the emulator at {account.emulator}" if account.emulator else f"account {account.number}"
    click.echo(f"{names.prefix(wishes.stage)} in {where}, {account.region}:")
    parts = blueprint(wishes, around, ["-"])
    kind: ApiKind = kind_of_api(wishes, around)
    for part in parts:
        what = "update" if part.part in around.present else "make"
        how = "by chalice deploy" if part.part == "api" and kind == "chalice" else names.stack(wishes.stage, part.part)
        click.echo(f"  {what:6}  {how}: {part.what}")
    for gone in around.present.keys() - {part.part for part in parts}:
        click.echo(f"  remove  {names.stack(wishes.stage, gone)}")
    click.echo(f"  publish {len(wanted.experiments)} experiments, the snippet and the results page")
    if "watch" not in {part.part for part in parts}:
        click.echo("  nobody is told when something breaks; --email ADDRESS makes alarms")


def _say_result(deployment: Deployment) -> None:
    edge = deployment.outputs["edge"]
    click.echo(f'\nScript tag    <script src="{edge["Url"]}/ab.js"></script>')
    click.echo(f"Results       {edge['Url']}/results/")
    click.echo(f"Price         {price(deployment.outputs.keys())}")
    if edge["Url"] != f"https://{edge['Domain']}":
        click.echo(f"Still to do   point {edge['Url'].removeprefix('https://')} to {edge['Domain']} (CNAME or alias)")


def price(parts: Collection[str]) -> str:
    """What a stage of these parts costs, in a line."""
    paid = [read(INFRA / f"{part}.yaml").text for part in parts if part in ("watch", "firewall")]
    rest = sum(bill.at_rest().values()) + sum(map(bill.stack_at_rest, paid))
    busy, quiet = Workload(3, 25), Workload(3, 1)  # many visitors folded together, and each by itself
    memory, measured = bill.FunctionSettings.shipped().memory, capacity.kept()
    least, most = (sum(bill.events(measured[s][0], s, memory).values()) for s in (busy, quiet))
    return f"${rest:.2f} a month at rest, ${least:.2f} to ${most:.2f} for a million events (more: abacus cost)"

"""`abacus deploy --stage NAME`: an empty account becomes a working tracker; a deployed stage is brought up to date."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from abacus.authoring.load import load
from abacus.aws import cloudformation, names
from abacus.aws.account import Account
from abacus.aws.errors import report_errors
from abacus.aws.names import StageName
from abacus.aws.templates import read
from abacus.deploy import chalice_deploy
from abacus.deploy.options import CertificateArn, DeployOptions, Surroundings, api_kind
from abacus.deploy.package import LAMBDA, build_folder, package, this_machine
from abacus.deploy.plan import plan_stacks, show
from abacus.deploy.steps import Deployment
from abacus.operations import bill
from abacus.operations.bill import price_line
from abacus.options import manifest_option, region_option
from abacus.paths import INFRA
from abacus.project_file import project_file
from abacus.publishing import publish
from abacus.publishing.manifest_store import read_live
from abacus.simulation.demo import STORIES
from abacus.site import build, snippet
from chalicelib.domain.errors import AbacusError
from chalicelib.domain.manifest import Manifest

NO_SECRET = ["-"]  # in the place of the origin's secret, in a plan that is only shown


@click.command()
@click.option("--stage", type=StageName(), required=True, help="The stage to deploy, such as prod.")
@region_option
@click.option("--dry-run", is_flag=True, help="Show everything that would be created; needs no account.")
@click.option("--domain", help="A domain of your own, such as ab.example.com.")
@click.option("--certificate", type=CertificateArn(), metavar="ARN", help="Its certificate, in us-east-1.")
@click.option("--waf/--no-waf", "firewall", default=None, help="Limit the POSTs of each address; $6 a month.")
@click.option("--email", help='Address for alarms and the budget, with a dashboard. "": remove all three.')
@click.option("--budget", type=click.IntRange(1), help="E-mail when the month is forecast above so many dollars.")
@click.option(
    "--read-key",
    prompt=True,
    prompt_required=False,
    hide_input=True,
    envvar="ABACUS_READ_KEY",
    help='Key required to read /stats. Prompts if no value is given; "" removes it.',
)
@click.option("--api", type=click.Choice(["http", "rest", "chalice"]), help="Which API calls the functions.")
@click.option("--xray/--no-xray", "tracing", default=None, help="Trace a part of the requests with X-Ray.")
@click.option("--set", "parameters", multiple=True, metavar="NAME=VALUE", help="Any other parameter of infra/*.yaml.")
@click.option("--rotate-secret", is_flag=True, help="Replace the secret between CloudFront and the API.")
@manifest_option
@click.option("--with-demo", is_flag=True, help="Deploy the demo's experiments too, without asking.")
@click.option("--package", "packaged", type=click.Path(path_type=Path), help="Folder that abacus package has built.")
@report_errors
def command(
    region: str | None, dry_run: bool, rotate_secret: bool, with_demo: bool, manifest: Path, **options: Any
) -> None:
    """Deploy a stage, or bring it up to date. An option that you leave out stays as it is deployed."""
    packaged: Path | None = options.pop("packaged")
    chosen = _chosen(options)
    experiments = load(manifest)
    if dry_run:
        _show_only(chosen, experiments, packaged)
        return
    account = Account.of(region)
    account.authenticate()  # first, because packaging takes a while
    surroundings = _look_around(account, chosen, packaged)
    _refuse_early(account, chosen, surroundings, experiments)
    if not (with_demo or account.emulator):
        _confirm_demo(account, chosen.stage, experiments)
    _print_plan(account, chosen, surroundings, experiments)
    deployment = Deployment(account, chosen, surroundings, experiments, click.echo)
    deployment.run(rotate=rotate_secret)
    _print_result(deployment)


def _chosen(given: dict[str, Any]) -> DeployOptions:
    """The options of the command line, and for those that are not given what abacus.yaml says of the stage."""
    defaults = project_file().stage(given["stage"])
    certificate = defaults.certificate and CertificateArn().convert(defaults.certificate, None, None)
    of_the_stage = {
        "domain": defaults.domain,
        "certificate": certificate,
        "firewall": defaults.waf,
        "email": defaults.email,
        "budget": defaults.budget,
        "api": defaults.api,
        "tracing": defaults.xray,
    }
    options = {**given, **{name: value for name, value in of_the_stage.items() if given.get(name) is None}}
    return DeployOptions(**{**options, "parameters": {**defaults.set, **_pairs(given["parameters"])}})


def _pairs(given: tuple[str, ...]) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in given]
    for name, sign, _ in pairs:
        if not sign:
            raise click.BadParameter(f"{name!r} is not NAME=VALUE", param_hint="--set")
    return {name: value for name, _, value in pairs}


def _show_only(options: DeployOptions, experiments: Manifest, packaged: Path | None) -> None:
    template = packaged / "sam.json" if packaged else package(options.stage, build_folder() / "package")
    plans = plan_stacks(options, _with_snippet_options(template), NO_SECRET)
    files = publish.site(experiments, round(time.time() * 1000), build.build_site)
    show(options.stage, plans, files, click.echo)
    click.echo("nothing was created: this was a dry run, for a stage that does not exist yet")


def _with_snippet_options(template: Path) -> Surroundings:
    """With the two options of the snippet that the deployed side has to know."""
    snippet_options = snippet.options()
    path = snippet_options.events
    events_path = path if path.startswith("/") else "/events"  # a whole URL names another host
    return Surroundings(template, events_path=events_path, cookie_domain=snippet_options.cookie_domain)


def _look_around(account: Account, options: DeployOptions, packaged: Path | None) -> Surroundings:
    if packaged is None:
        click.echo("packaging ...")
        target = this_machine() if account.emulator else LAMBDA
        packaged = package(options.stage, build_folder() / "package", target=target).parent
    own = [names.sender_keys(options.stage), names.alert_webhook(options.stage)]
    written = {p["Name"] for p in account.client("ssm").get_parameters(Names=own)["Parameters"]}
    return replace(
        _with_snippet_options(packaged / "sam.json"),
        stacks=account.stacks(options.stage, click.echo),
        sender_keys=names.sender_keys(options.stage) in written,
        alert_webhook=names.alert_webhook(options.stage) in written,
        by_chalice=chalice_deploy.record(options.stage).exists(),
        emulator=account.emulator,
    )


def _refuse_early(account: Account, options: DeployOptions, surroundings: Surroundings, experiments: Manifest) -> None:
    """Refuse a manifest that would spoil a running experiment, before anything is touched. A data stack whose creation
    failed has no bucket yet, and so no running experiment."""
    plan_stacks(options, surroundings, NO_SECRET)
    outputs = cloudformation.outputs(account.cloudformation("data"), names.stack(options.stage, "data"))
    if "BucketName" in outputs:
        now = round(time.time() * 1000)
        planned = publish.plan(experiments, account.client("s3"), outputs["BucketName"], now)
        if planned.refusals:
            raise publish.Refused("\n".join(str(refusal) for refusal in planned.refusals))


def _confirm_demo(account: Account, stage: str, experiments: Manifest) -> None:
    """Ask before the demo's experiments go live for the first time: a new user's folder has them."""
    outputs = cloudformation.outputs(account.cloudformation("data"), names.stack(stage, "data"))
    live = read_live(account.client("s3"), outputs["BucketName"]).manifest if "BucketName" in outputs else None
    new = [e.key for e in experiments.experiments if e.key in STORIES and not (live and live.experiment(e.key))]
    if new:
        click.echo(f"Your files include experiments of the demo: {', '.join(new)}.", err=True)
        if not click.confirm("Deploy them too?", default=False, err=True):
            raise AbacusError(f"Nothing was deployed. Delete the files of {', '.join(new)}, or add --with-demo.")


def _print_plan(account: Account, options: DeployOptions, surroundings: Surroundings, experiments: Manifest) -> None:
    where = f"the emulator at {account.emulator}" if account.emulator else f"account {account.number}"
    click.echo(f"{names.prefix(options.stage)} in {where}, {account.region}:")
    plans = plan_stacks(options, surroundings, NO_SECRET)
    for plan in plans:
        verb = "update" if plan.part in surroundings.stacks and surroundings.stacks[plan.part].created else "create"
        by_chalice = plan.part == "api" and api_kind(options, surroundings) == "chalice"
        what = "by chalice deploy" if by_chalice else names.stack(options.stage, plan.part)
        click.echo(f"  {verb}  {what}: {plan.description}")
    for part in surroundings.stacks.keys() - {plan.part for plan in plans}:
        click.echo(f"  delete  {names.stack(options.stage, part)}")
    click.echo(f"  publish {len(experiments.experiments)} experiments, the snippet and the results page")
    if "watch" not in {plan.part for plan in plans}:
        click.echo("  no alarms: add --email ADDRESS to be told when something breaks")


def _print_result(deployment: Deployment) -> None:
    edge = deployment.outputs["edge"]
    click.echo(f'\nScript tag    <script src="{edge["Url"]}/ab.js"></script>')
    click.echo(f"Results       {edge['Url']}/results/")
    click.echo(f"Price         {price(deployment.outputs.keys())}")
    if edge["Url"] != f"https://{edge['Domain']}":
        click.echo(f"Still to do   point {edge['Url'].removeprefix('https://')} to {edge['Domain']} (CNAME or alias)")


def price(parts: Collection[str]) -> str:
    """What a stage of these parts costs, in a line."""
    paid = [read(INFRA / f"{part}.yaml").text for part in parts if part in ("watch", "firewall")]
    at_rest = sum(bill.at_rest().values()) + sum(map(bill.stack_at_rest, paid))
    visited = f"${bill.custom_metrics():.2f} more with visitors"
    return f"${at_rest:.2f} a month at rest, {visited}; {price_line()} (more: abacus cost)"

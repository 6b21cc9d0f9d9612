"""The command table of `abacus`: groups, and for each command its module, a summary and an example.

A command's module is imported when the command is called, so that `abacus assign` does not wait for boto3. That is
why the summaries stand here.
"""

from __future__ import annotations

import importlib
from typing import NamedTuple

import click

from chalicelib.domain.errors import AbacusError


class Entry(NamedTuple):
    """One command: where it lives ("module:object"), one line about it, and one example that works."""

    target: str
    summary: str
    example: str


# The order is the order of `abacus --help`.
GROUPS: dict[str, dict[str, Entry]] = {
    "Write experiments": {
        "init": Entry(
            "abacus.installation.init:command",
            "Prepare your site's repository: abacus.yaml and a first draft.",
            "abacus init --region eu-central-1 --domain ab.example.com",
        ),
        "new": Entry(
            "abacus.authoring.new:command",
            "Write a new experiment, and estimate how long it takes.",
            'abacus new hero --variants "plain, bold" --page "/shop/*" --lift "10 %"',
        ),
        "validate": Entry(
            "abacus.authoring.commands:validate_command",
            "Check the experiments' files.",
            "abacus validate --manifest manifest",
        ),
        "plan": Entry(
            "abacus.authoring.plan:command",
            "Calculate how many visitors a test needs, and how long it takes.",
            'abacus plan --rate "4 %" --lift "10 %" --per-day 2000',
        ),
        "assign": Entry(
            "abacus.authoring.assign:command",
            "Explain which variant a visitor gets.",
            "abacus assign 3f2b8c1e --url https://example.com/shop/",
        ),
        "check": Entry(
            "abacus.page_check.command:command",
            "Fetch a page and say what is missing for your experiments.",
            "abacus check https://example.com/shop/ --stage prod",
        ),
        "pause": Entry(
            "abacus.authoring.status:pause_command",
            "Pause an experiment, in its file.",
            "abacus pause cta-color",
        ),
        "resume": Entry(
            "abacus.authoring.status:resume_command",
            "Let a paused experiment run again, in its file.",
            "abacus resume cta-color",
        ),
        "stop": Entry(
            "abacus.authoring.status:stop_command",
            "End an experiment, with or without a winner, in its file.",
            "abacus stop cta-color --winner green",
        ),
        "rebalance": Entry(
            "abacus.rebalancing.command:command",
            "Propose new weights for an experiment of three or more variants.",
            "abacus rebalance hero --stage prod",
        ),
        "import": Entry(
            "abacus.importing.command:command",
            "Take over the experiments of GrowthBook.",
            "abacus import growthbook payload.json --dry-run",
        ),
        "schema": Entry(
            "abacus.authoring.commands:schema_command",
            "Print the JSON Schema of the experiments' files, for editors.",
            "abacus schema > manifest/schema.json",
        ),
    },
    "Run on this machine": {
        "run": Entry(
            "abacus.local.run:command",
            "Serve the whole product on http://127.0.0.1:8000.",
            "abacus run --port 9000",
        ),
        "demo": Entry(
            "abacus.operations.demo_data:command",
            "Send three weeks of simulated visitors to the demo's experiments.",
            "abacus demo --visitors 500",
        ),
        "simulate": Entry(
            "abacus.simulation.simulate:command",
            "Send simulated visitors with a known effect.",
            'abacus simulate --visitors 5000 --rates "cta-color:green=12 %"',
        ),
    },
    "Publish": {
        "publish": Entry(
            "abacus.publishing.command:command",
            "Put the experiments of a folder live.",
            "abacus publish --stage prod --dry-run",
        ),
        "history": Entry(
            "abacus.publishing.history:history_command",
            "List everything that was published.",
            "abacus history --stage prod",
        ),
        "rollback": Entry(
            "abacus.publishing.history:rollback_command",
            "Return to an earlier manifest.",
            "abacus rollback 3f2a9c0d --stage prod --dry-run",
        ),
    },
    "Read": {
        "results": Entry(
            "abacus.results.report:command",
            "Show an experiment's verdict, numbers and checks.",
            "abacus results cta-color --stage prod",
        ),
        "link": Entry(
            "abacus.results.link:command",
            "Print a link that opens the results until it expires.",
            "abacus link cta-color --days 7 --stage prod",
        ),
        "alerts": Entry(
            "abacus.operations.alerts:command",
            "Show or test what tells you of changes, by e-mail and webhook.",
            "abacus alerts list --stage prod",
        ),
        "export": Entry(
            "abacus.export.command:command",
            "Write events, tallies and reports to files.",
            "abacus export --stage prod --to exported",
        ),
        "query": Entry(
            "abacus.export.query:command",
            "Answer SQL from the files of an export.",
            "abacus query recount --in exported --experiment cta-color",
        ),
        "cost": Entry(
            "abacus.operations.cost:command",
            "Show what ABacus costs on AWS.",
            "abacus cost",
        ),
        "mcp": Entry(
            "abacus.agents.command:command",
            "Serve an assistant by the Model Context Protocol.",
            "abacus mcp --stage prod",
        ),
        "prove": Entry(
            "abacus.simulation.calibrate:command",
            "Measure how often the statistics name a wrong winner.",
            "abacus prove --experiments 200",
        ),
    },
    "Deploy": {
        "deploy": Entry(
            "abacus.deploy.command:command",
            "Deploy a stage to AWS, or update it.",
            "abacus deploy --stage prod --region eu-central-1 --dry-run",
        ),
        "destroy": Entry(
            "abacus.deploy.destroy:command",
            "Delete a stage from AWS.",
            "abacus destroy --stage staging",
        ),
        "rehearse": Entry(
            "abacus.deploy.rehearse:command",
            "Try a deployment on this machine, without an AWS account.",
            "abacus rehearse",
        ),
        "upgrade-check": Entry(
            "abacus.installation.release:command",
            "Compare a stage with the installed ABacus, and say what an update needs.",
            "abacus upgrade-check --stage prod",
        ),
        "package": Entry(
            "abacus.deploy.package:command",
            "Build the Lambda's zip and its template.",
            "abacus package --stage prod --out build/package",
        ),
    },
    "Look after": {
        "audit": Entry(
            "abacus.operations.rows.audit:audit_command",
            "Check that every event is counted exactly once.",
            "abacus audit --stage prod",
        ),
        "interactions": Entry(
            "abacus.operations.rows.interactions:command",
            "Does one experiment's effect depend on another's variant?",
            "abacus interactions hero cta-color --stage prod",
        ),
        "reconcile": Entry(
            "abacus.operations.rows.audit:reconcile_command",
            "Count the events that are stored but not counted yet.",
            "abacus reconcile --stage prod",
        ),
        "rebuild": Entry(
            "abacus.operations.rows.rebuild:command",
            "Count an experiment again from its stored events.",
            "abacus rebuild cta-color --stage prod",
        ),
        "erase": Entry(
            "abacus.operations.rows.erase:command",
            "Delete all data of one visitor.",
            "abacus erase 3f2b8c1e --stage prod",
        ),
    },
}
COMMANDS = {name: entry for group in GROUPS.values() for name, entry in group.items()}


class CommandTable(click.Group):
    """Lists the commands of GROUPS by group, and imports the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, with its example below its help; None for an unknown name."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module, _, name = entry.target.partition(":")
        command = getattr(importlib.import_module(module), name)
        assert isinstance(command, click.Command)
        command.epilog = f"Example: {entry.example}"
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments name. Fails, with the nearest name, if there is none."""
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            from abacus.authoring.problems import did_you_mean  # which loads pydantic

            ctx.fail(f"No such command {args[0]!r}.{did_you_mean(args[0], COMMANDS)}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command. An error in abacus.yaml shows when the options are read, before the command itself."""
        try:
            return super().invoke(ctx)
        except AbacusError as error:
            raise click.ClickException(error.message) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write each group with its commands and their examples, without importing any of them."""
        for title, entries in GROUPS.items():
            with formatter.section(title):
                width = max(len(name) for name in COMMANDS)
                for name, entry in entries.items():
                    formatter.write(f"  {name:{width}}  {entry.summary}\n")
                    formatter.write(f"  {'':{width}}    $ {entry.example}\n")


def _version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value:
        from abacus.installation.release import installed  # which loads boto3

        click.echo(f"abacus {installed()}")
        ctx.exit()


@click.command(cls=CommandTable, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_version, help="Show version and schema."
)
def main() -> None:
    """ABacus: A/B testing in your own AWS account.

    Commands that read or change live data use the product that runs on this machine, unless you name a deployed stage
    with --stage. `abacus COMMAND --help` explains one command and its options."""

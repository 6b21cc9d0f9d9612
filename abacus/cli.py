"""`abacus`: one command, its subcommands each in the module that does the work.

Subcommands load when called, so that `abacus assign` does not pay for boto3.
"""

from __future__ import annotations

import importlib

import click

# command → module:object. Order is the order of `abacus --help`.
COMMANDS = {
    "run": "abacus.local.run:command",
    "simulate": "abacus.simulation.simulate:command",
    "demo": "abacus.simulation.demo:command",
    "package": "abacus.deploy.package:command",
    "deploy": "abacus.deploy.command:command",
    "destroy": "abacus.deploy.destroy:command",
    "rehearse": "abacus.deploy.rehearse:command",
    "validate": "abacus.authoring.commands:validate_command",
    "publish": "abacus.publishing.publish:command",
    "history": "abacus.publishing.history:history_command",
    "rollback": "abacus.publishing.history:rollback_command",
    "assign": "abacus.authoring.assign:command",
    "schema": "abacus.authoring.commands:schema_command",
    "plan": "abacus.authoring.plan:command",
    "cost": "abacus.operations.cost:command",
    "prove": "abacus.simulation.calibrate:command",
    "audit": "abacus.operations.audit:audit_command",
    "reconcile": "abacus.operations.audit:reconcile_command",
    "rebuild": "abacus.operations.rebuild:command",
    "erase": "abacus.operations.erase:command",
}


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        loaded = getattr(importlib.import_module(module), name)
        assert isinstance(loaded, click.Command)
        return loaded


@click.command(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="abacus")
def main() -> None:
    """ABacus: A/B testing in your own AWS account."""

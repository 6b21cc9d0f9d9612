"""`abacus mcp`: a server of the Model Context Protocol on standard input and output, for assistants."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import click

from abacus.aws.errors import report_errors
from abacus.options import home_option, manifest_option, region_option, stage_option, use_region
from chalicelib.domain.errors import AbacusError


class MissingPackage(AbacusError):
    """A package that only this command needs is not installed."""


@click.command("mcp")
@click.option("--allow-publish", is_flag=True, help="Let the assistant publish. Without it, publishing is a dry run.")
@click.option("--read-key", metavar="KEY", help="Key of GET /stats, where it needs one. Or set ABACUS_READ_KEY.")
@manifest_option
@stage_option
@region_option
@home_option
@report_errors
def command(
    allow_publish: bool, read_key: str | None, manifest: Path, stage: str | None, region: str | None, home: Path
) -> None:
    """Serve an assistant by the Model Context Protocol, on standard input and output.

    An assistant starts this command itself; docs/assistants.md has the configuration of the common ones. The product
    need not run yet: each call looks for it."""
    if importlib.util.find_spec("mcp") is None:
        raise MissingPackage("The package mcp is missing. Run: pip install 'abacus[mcp]'")
    from abacus.agents.server import server  # needs the package
    from abacus.agents.tools import AgentTools

    use_region(region)
    key = os.environ.get("ABACUS_READ_KEY", "") if read_key is None else read_key
    server(AgentTools(manifest, stage, home, key, allow_publish)).run("stdio")

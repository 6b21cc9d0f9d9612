"""`abacus schema`: the JSON Schema that editors complete and check manifest files with, from the models.

abacus schema > manifest/schema.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from abacus.authoring.forms import ExperimentForm, SiteForm
from abacus.authoring.load import NO_EXPERIMENTS, load
from abacus.authoring.problems import Problems
from abacus.options import manifest_option


def schema() -> dict[str, Any]:
    """One schema for both kinds of file; each kind has keys that the other does not have."""
    references, definitions = models_json_schema(
        [(ExperimentForm, "validation"), (SiteForm, "validation")], schema_generator=GenerateJsonSchema
    )
    for name in ("ExperimentForm", "SiteForm"):
        definitions["$defs"][name]["properties"]["$schema"] = {"type": "string"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "ABacus experiments",
        "type": "object",
        "if": {"anyOf": [{"required": ["experiments"]}, {"required": ["client_key"]}]},
        "then": references[SiteForm, "validation"],
        "else": references[ExperimentForm, "validation"],
        **definitions,
    }


def schema_text() -> str:
    """The JSON Schema as it is printed and as manifest/schema.json holds it."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


@click.command("schema")
def schema_command() -> None:
    """Print the JSON Schema of manifest files, for editors."""
    click.echo(schema_text(), nl=False)


@click.command("validate")
@manifest_option
def validate_command(manifest: Path) -> None:
    """Check the experiments' files. Exit code 1 means that at least one is wrong."""
    try:
        experiments = load(manifest).experiments
    except Problems as error:
        click.echo(error.message, err=True)
        number = len(error.problems)
        click.echo(f"{number} problem{'s' if number > 1 else ''}", err=True)
        sys.exit(1)
    if not experiments:
        click.echo(NO_EXPERIMENTS.format(folder=manifest))
        return
    names = ", ".join(f"{e.key} ({e.status})" for e in experiments)
    count = f"{len(experiments)} experiments" if len(experiments) > 1 else "1 experiment"
    click.echo(f"{count}, no problems: {names}")

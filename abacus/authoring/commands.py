"""`abacus schema`: the JSON Schema that editors complete and check manifest files with, from the models.

abacus schema > manifest/schema.json
"""

from __future__ import annotations

import json
from typing import Any

import click
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from abacus.authoring.forms import ExperimentForm, SiteForm


def schema() -> dict[str, Any]:
    """One schema for both kinds of file; which kind it is, is told by the keys that only one of them has."""
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


def text() -> str:
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


@click.command()
def command() -> None:
    """Print the JSON Schema of manifest files, for editors."""
    click.echo(text(), nl=False)

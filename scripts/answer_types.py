"""Write static/results/data/answers.d.ts: the answers of GET /stats as TypeScript types, for `tsc` to check the page.

Run `python -m scripts.answer_types` after a change of a response model. A test compares the file with the OpenAPI
document.
"""

from __future__ import annotations

import json
import subprocess
from typing import Any

from abacus.paths import PROJECT, node
from chalicelib.api import openapi

TYPES = PROJECT / "static" / "results" / "data" / "answers.d.ts"
GENERATOR = PROJECT / "node_modules" / "json-schema-to-typescript" / "dist" / "src" / "cli.js"
ANSWERS = ("ExperimentList", "Report", "SegmentReport")
BANNER = "// Generated from the OpenAPI document by `python -m scripts.answer_types`. Do not edit."


def schema() -> dict[str, Any]:
    """One JSON Schema with everything that the answers of GET /stats consist of."""
    return {
        "$defs": _plain(openapi.document()["components"]["schemas"]),
        "title": "Answers",
        "type": "object",
        "additionalProperties": False,
        "required": list(ANSWERS),
        "properties": {name: {"$ref": f"#/$defs/{name}"} for name in ANSWERS},
    }


def _plain(node: Any) -> Any:
    """What the generator understands: local references, draft-07 tuples, and no title on every property (each would
    become a type with a name of its own)."""
    if isinstance(node, list):
        return [_plain(item) for item in node]
    if not isinstance(node, dict):
        return node
    plain = {key: _plain(value) for key, value in node.items() if not (key == "title" and isinstance(value, str))}
    if "$ref" in plain:
        plain["$ref"] = plain["$ref"].replace("#/components/schemas/", "#/$defs/")
    if "prefixItems" in plain:
        plain["items"] = plain.pop("prefixItems")
    return plain


def text() -> str:
    """The content of answers.d.ts."""
    command = [node(), str(GENERATOR), "--bannerComment", BANNER, "--unreachableDefinitions", "false"]
    command += ["--format", "true", "--style.printWidth", "120", "--additionalProperties", "false"]
    process = subprocess.run(command, input=json.dumps(schema()), capture_output=True, text=True, check=True)
    return process.stdout


if __name__ == "__main__":
    TYPES.write_text(text())

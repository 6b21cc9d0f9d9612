"""The five named queries for Athena, which reads DynamoDB's exports as they are: `python -m abacus.export.athena`
writes them into infra/lake.yaml.

The same SQL as `abacus query`; before it stands what makes events of the rows' elements.
"""

from __future__ import annotations

import re
from pathlib import Path
from string import Template

from abacus.export.query import NAMES, template
from abacus.paths import INFRA

LAKE = INFRA / "lake.yaml"
EVENTS = Path(__file__).parent / "athena.sql"
# What the queries in the template ask for. The person who runs one changes the words in quotes.
DEFAULTS = {"experiment": "cta-color", "goal": "click", "other": "hero", "segment": "device"}
EXPORTED = "2026-11-30T03:00:00Z"


def athena(name: str, *, exported: str = EXPORTED) -> str:
    """The SQL of a named query over the table `participants`. `exported`: which export, by its folder's name."""
    text = template(name).substitute(DEFAULTS)
    comment, _, statement = text.partition("WITH asked AS (")
    events = Template(EVENTS.read_text()).substitute(exported=exported)
    return f"{comment}{events}asked AS ({statement}"


def filled(text: str) -> str:
    """The text of infra/lake.yaml with the queries as they are now."""
    for name in NAMES:
        lines = "".join(f"        {line}\n" if line else "\n" for line in athena(name).splitlines())
        pattern = rf"(      Name: {re.escape(name)}\n      QueryString: \|\n)(?:        .*\n|\n(?=        ))*"
        text, matches = re.subn(pattern, lambda match, lines=lines: match[1] + lines, text)  # type: ignore[misc]
        if matches != 1:
            raise ValueError(f"{LAKE.name}: there is no query {name}")
    return text


if __name__ == "__main__":
    LAKE.write_text(filled(LAKE.read_text()))

"""Values as YAML."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

# Text that any YAML parser reads as text without quotes.
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_NOT_TEXT = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}


def scalar(text: str) -> str:
    """A text as a YAML value, in quotes where a parser might not take it for text.

    >>> scalar("blue"), scalar("no"), scalar("Green: better")
    ('blue', '"no"', '"Green: better"')
    """
    plain = _PLAIN.fullmatch(text) and text.lower() not in _NOT_TEXT
    return text if plain else json.dumps(text, ensure_ascii=False)


def flow(value: Any) -> str:
    """Any value on one line, as YAML's flow style.

    >>> flow({"country": ["CH", "no"], "age": 18})
    '{ country: [CH, "no"], age: 18 }'
    """
    if isinstance(value, str):
        return scalar(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(flow, value))}]"
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{scalar(key)}: {flow(item)}" for key, item in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    return json.dumps(value)

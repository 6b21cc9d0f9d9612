"""Values as YAML, and changes of single fields that leave every other character of a file as it is."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import yaml

from abacus.authoring.problems import At
from abacus.authoring.syntax.reader import Loader

# Text that any YAML parser reads as text without quotes.
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_NOT_TEXT = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}


class _Splice(NamedTuple):
    start: int
    end: int
    text: str


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


def with_fields(text: str, at: At, fields: Mapping[str, str], *, after: str) -> str:
    """`text`, YAML or JSON, with text fields of the mapping at `at` set; comments and layout stay.

    A new field goes below the field `after`, which must be there.

    >>> with_fields("key: a\\nstatus: running # since May\\n", (), {"status": "stopped", "winner": "b"}, after="status")
    'key: a\\nstatus: stopped # since May\\nwinner: b\\n'
    """
    mapping: Any = yaml.compose(text, Loader=Loader)
    for part in at:
        mapping = mapping.value[part] if isinstance(part, int) else dict(_pairs(mapping))[part][1]
    nodes = dict(_pairs(mapping))
    splices = [_splice(text, nodes, mapping.flow_style, after, name, value) for name, value in fields.items()]
    for splice in sorted(splices, reverse=True):
        text = text[: splice.start] + splice.text + text[splice.end :]
    return text


def _pairs(mapping: Any) -> list[tuple[str, tuple[Any, Any]]]:
    return [(key.value, (key, value)) for key, value in mapping.value]


def _splice(text: str, nodes: dict[str, tuple[Any, Any]], one_line: bool, after: str, name: str, value: str) -> _Splice:
    if name in nodes:
        _, node = nodes[name]
        return _Splice(node.start_mark.index, node.end_mark.index, json.dumps(value) if node.style else scalar(value))
    key, node = nodes[after]
    if one_line:
        quote = json.dumps if key.style else scalar
        return _Splice(node.end_mark.index, node.end_mark.index, f", {quote(name)}: {quote(value)}")
    end_of_line = re.compile(r"\r?\n|$").search(text, node.end_mark.index)
    assert end_of_line is not None
    newline = "\r\n" if "\r\n" in text else "\n"
    line = f"{newline}{' ' * key.start_mark.column}{name}: {scalar(value)}"
    return _Splice(end_of_line.start(), end_of_line.start(), line)

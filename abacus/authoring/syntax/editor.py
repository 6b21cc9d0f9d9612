"""Changes of an experiment's text, YAML or JSON, that leave every other character of a file as it is."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import yaml

from abacus.authoring.problems import At
from abacus.authoring.syntax.reader import Loader
from abacus.authoring.syntax.writer import scalar

_COMMENT = re.compile(r"[ \t]*(?:#[ \t]*([^\r\n]*))?")


class _Splice(NamedTuple):
    start: int
    end: int
    text: str


def with_fields(text: str, at: At, fields: Mapping[str, str], *, after: str) -> str:
    """`text` with text fields of the mapping at `at` set. A new field goes below the field `after`, which is there.

    >>> with_fields("key: a\\nstatus: running # since May\\n", (), {"status": "stopped", "winner": "b"}, after="status")
    'key: a\\nstatus: stopped # since May\\nwinner: b\\n'
    """
    mapping = _node(text, at)
    nodes = dict(_pairs(mapping))
    splices = [_splice(text, nodes, mapping.flow_style, after, name, value) for name, value in fields.items()]
    for splice in sorted(splices, reverse=True):
        text = _spliced(text, splice)
    return text


def with_phase(text: str, at: At, first: str, new: str) -> str:
    """`text` with one more phase in the experiment at `at`. `new`: the phase, as one line of YAML; `first`: the phase
    that the file has without `phases`. Weights and coverage move into it, and their comments stay.

    >>> text = "key: a\\nvariants:\\n  - key: x\\n    weight: 50 % # for now\\n"
    >>> print(with_phase(text, (), "{}", "{ coverage: 1.0 }"))
    key: a
    variants:
      - key: x
        # weight: for now
    phases:
      - {}
      - { coverage: 1.0 }
    <BLANKLINE>
    """
    nodes = dict(_pairs(_node(text, at)))
    if "phases" in nodes and isinstance(nodes["phases"][1], yaml.SequenceNode):
        return _with_item(text, nodes["phases"][1], new)
    variants = nodes["variants"][1].value
    for index in range(len(variants)):
        text = _without_field(text, (*at, "variants", index), "weight")
    text = _without_field(text, at, "coverage")
    return _with_list(text, at, "phases", [first, new], after="variants")


def _node(text: str, at: At) -> Any:
    node: Any = yaml.compose(text, Loader=Loader)
    for part in at:
        node = node.value[part] if isinstance(part, int) else dict(_pairs(node))[part][1]
    return node


def _pairs(mapping: Any) -> list[tuple[str, tuple[Any, Any]]]:
    return [(key.value, (key, value)) for key, value in mapping.value]


def _spliced(text: str, splice: _Splice) -> str:
    return text[: splice.start] + splice.text + text[splice.end :]


def _splice(text: str, nodes: dict[str, tuple[Any, Any]], one_line: bool, after: str, name: str, value: str) -> _Splice:
    if name in nodes:
        _, node = nodes[name]
        return _Splice(node.start_mark.index, node.end_mark.index, json.dumps(value) if node.style else scalar(value))
    key, node = nodes[after]
    if one_line:
        quote = json.dumps if key.style else scalar
        return _Splice(node.end_mark.index, node.end_mark.index, f", {quote(name)}: {quote(value)}")
    end = _end_of_line(text, node.end_mark.index)
    return _Splice(end, end, f"{_newline(text)}{' ' * key.start_mark.column}{name}: {scalar(value)}")


def _with_item(text: str, sequence: Any, item: str) -> str:
    """`text` with `item` at the end of a list that is not empty."""
    end = _end(text, sequence.value[-1])
    if sequence.flow_style:
        return _spliced(text, _Splice(end, end, f", {_as_json(item) if _is_json(sequence) else item}"))
    end = _end_of_line(text, end)
    return _spliced(text, _Splice(end, end, f"{_newline(text)}{' ' * sequence.start_mark.column}- {item}"))


def _with_list(text: str, at: At, name: str, items: Sequence[str], *, after: str) -> str:
    mapping = _node(text, at)
    key, node = dict(_pairs(mapping))[after]
    if mapping.flow_style:
        end = _end(text, node)
        field, listed = (f'"{name}"', map(_as_json, items)) if key.style else (name, items)
        return _spliced(text, _Splice(end, end, f", {field}: [{', '.join(listed)}]"))
    end, indent, newline = _end_of_line(text, _end(text, node)), " " * key.start_mark.column, _newline(text)
    # A comment that stands for a removed weight belongs to the variants.
    while comment := re.match(rf"\r?\n {{{key.start_mark.column + 1},}}#[^\r\n]*", text[end:]):
        end += comment.end()
    lines = [f"{indent}{name}:", *(f"{indent}  - {item}" for item in items)]
    return _spliced(text, _Splice(end, end, "".join(f"{newline}{line}" for line in lines)))


def _without_field(text: str, at: At, name: str) -> str:
    """`text` without a field, if it is there. A comment beside it becomes a line of its own."""
    mapping = _node(text, at)
    names = [key for key, _ in _pairs(mapping)]
    if name not in names:
        return text
    number = names.index(name)
    key, value = mapping.value[number]
    start, end = key.start_mark.index, _end(text, value)
    line = max(text.rfind("\n", 0, start), -1) + 1
    if mapping.flow_style or text[line:start].strip():  # `{key: a, weight: 50 %}` or `- weight: 50 %`
        if number:
            return _spliced(text, _Splice(_end(text, mapping.value[number - 1][1]), end, ""))
        return _spliced(text, _Splice(start, mapping.value[1][0].start_mark.index, ""))
    comment = _COMMENT.match(text, end)
    assert comment is not None
    if comment[1]:
        return _spliced(text, _Splice(start, comment.end(), f"# {name}: {comment[1]}"))
    after = text.find("\n", comment.end()) + 1 or len(text)
    return _spliced(text, _Splice(line, after, ""))


def _end(text: str, node: Any) -> int:
    """Where the text of a value ends. A block's own end mark is where the next token begins, after all comments."""
    while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last: Any = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    end: int = node.end_mark.index
    return len(text[:end].rstrip()) if getattr(node, "style", None) in ("|", ">") else end


def _end_of_line(text: str, index: int) -> int:
    match = re.compile(r"\r?\n|$").search(text, index)
    assert match is not None
    return match.start()


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _is_json(sequence: Any) -> bool:
    """Whether the keys in a list of phases are in quotes."""
    return any(key.style for item in sequence.value if isinstance(item, yaml.MappingNode) for key, _ in item.value)


def _as_json(item: str) -> str:
    return json.dumps(yaml.load(item, Loader=Loader), ensure_ascii=False)  # noqa: S506  reader.Loader is a SafeLoader

"""YAML or JSON text → plain values, and the line of each of them.

YAML is read as YAML 1.2 defines it, without its traps: only true and false are booleans (a variant may be
called `on` or `no`), a date is text, 010 is ten, a key given twice is an error, and there are no anchors, tags
or second documents.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from abacus.authoring.problems import At, Problem
from abacus.authoring.syntax.yaml_errors import in_plain_words, too_deep

MAX_DEPTH = 64  # of nesting; json and pydantic would follow much further, the stack would not
MAX_BYTES = 1 << 20

_STR = "tag:yaml.org,2002:str"
_PLAIN: dict[str, tuple[str, Callable[[str], Any]]] = {
    "tag:yaml.org,2002:null": (r"|~|null|Null|NULL", lambda text: None),
    "tag:yaml.org,2002:bool": (r"true|True|TRUE|false|False|FALSE", lambda text: text.lower() == "true"),
    "tag:yaml.org,2002:int": (r"[-+]?[0-9]{1,300}", int),
    "tag:yaml.org,2002:float": (r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", float),
}


@dataclass(frozen=True)
class Document:
    """The content of one file. `lines`: path of each value → line of its key or item, from 1."""

    file: str
    value: Any
    lines: dict[At, int]

    def line(self, at: At) -> int:
        """The line of `at`, or of the nearest value around it that is in the file."""
        while at and at not in self.lines:
            at = at[:-1]
        return self.lines.get(at, 1)


class _Broken(Exception):
    """Text that cannot be read any further; its arguments are line and message."""


def read(file: Path, name: str) -> tuple[Document | None, list[Problem]]:
    """The document in `file`, called `name` in messages, or None, and what is wrong with its text."""
    lines: dict[At, int] = {}
    problems: list[Problem] = []

    def twice(at: At, line: int) -> None:
        first = lines[at]
        problems.append(Problem(name, line, at, f"is here for the second time; first in line {first}"))

    try:
        text = _text(file)
        parse = _json if file.suffix == ".json" else _yaml
        value = parse(text, lines, twice)
        unsound = [Problem(name, Document(name, value, lines).line(at), at, rule) for at, rule in _unsound(value, ())]
    except _Broken as broken:
        line, rule = broken.args
        return None, [Problem(name, line, (), rule)]
    except RecursionError:
        return None, [Problem(name, 1, (), f"is nested more than {MAX_DEPTH} levels deep")]
    # What no program can carry is not looked at any closer.
    return None if unsound else Document(name, value, lines), problems + unsound


def _text(file: Path) -> str:
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise _Broken(1, f"cannot be read: {error.strerror}") from None
    if len(raw) > MAX_BYTES:
        raise _Broken(1, f"is larger than {MAX_BYTES >> 20} MiB")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _Broken(raw[: error.start].count(b"\n") + 1, "is not UTF-8 text: save it as UTF-8") from None


TOO_DEEP = "is indented further than line {above}: align the two; put quotes around a text of several lines"


class Loader(yaml.SafeLoader):
    """PyYAML's loader with the types of YAML 1.2 and without aliases."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  PyYAML's own way to start without its resolvers

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Refuse an alias: it would make two places of a file change together."""
        if self.check_event(yaml.AliasEvent):
            event = self.get_event()  # type: ignore[no-untyped-call]
            raise _Broken(event.start_mark.line + 1, f"*{event.anchor} is an alias: write the value out")
        return super().compose_node(parent, index)


for _tag, (_pattern, _) in _PLAIN.items():
    Loader.add_implicit_resolver(_tag, re.compile(f"^(?:{_pattern})$"), None)


def _yaml(text: str, lines: dict[At, int], twice: Any) -> Any:
    try:
        root = yaml.compose(text, Loader=Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        problem = f"{error.context} {error.problem}"
        if above := too_deep(problem, text, line, column):
            raise _Broken(line, TOO_DEEP.format(above=above)) from None
        raise _Broken(line, f"column {column}: {in_plain_words(problem)}") from None
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        line, column = before.count("\n") + 1, error.position - before.rfind("\n")
        raise _Broken(line, f"column {column}: delete the character U+{error.character:04X}") from None
    return None if root is None else _plain(root, (), root.start_mark.line + 1, lines, twice)


def _plain(node: Any, at: At, line: int, lines: dict[At, int], twice: Any) -> Any:
    lines[at] = line
    if isinstance(node, yaml.ScalarNode):
        if node.tag == _STR:
            return node.value
        if node.tag not in _PLAIN or not re.fullmatch(_PLAIN[node.tag][0], node.value):
            raise _Broken(line, f"{node.tag} is a tag: leave it out")
        return _PLAIN[node.tag][1](node.value)
    if node.tag not in ("tag:yaml.org,2002:seq", "tag:yaml.org,2002:map"):
        raise _Broken(line, f"{node.tag} is a tag: leave it out")
    if isinstance(node, yaml.SequenceNode):
        return [
            _plain(item, (*at, index), item.start_mark.line + 1, lines, twice) for index, item in enumerate(node.value)
        ]
    mapping = {}
    for key, item in node.value:
        row = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise _Broken(row, "a key must be text, not a list or a mapping")
        if key.tag != _STR:
            raise _Broken(row, f"the key {key.value or '(nothing)'} is not text: write it in quotes")
        here = (*at, key.value)
        if key.value in mapping:
            twice(here, row)
        mapping[key.value] = _plain(item, here, row, lines, twice)
    return mapping


_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+')


def _json(text: str, lines: dict[At, int], twice: Any) -> Any:
    def constant(name: str) -> Any:
        raise ValueError(f"{name} is not JSON")

    try:
        value = json.loads(text, parse_constant=constant)
    except json.JSONDecodeError as error:
        raise _Broken(error.lineno, f"column {error.colno}: is not JSON: {error.msg}") from None
    except ValueError as error:  # a constant, or a number with more digits than Python takes
        raise _Broken(1, f"is not JSON: {error}") from None
    _json_lines(_json_tokens(text), (), lines, twice)
    return value


def _json_tokens(text: str) -> Iterator[tuple[str, int]]:
    line, last = 1, 0
    for match in _TOKEN.finditer(text):
        line += text.count("\n", last, match.start())
        last = match.start()
        yield match.group(), line


def _json_lines(tokens: Iterator[tuple[str, int]], at: At, lines: dict[At, int], twice: Any) -> bool:
    """Notes the lines of the next value, which is known to be sound JSON. False: there was only a `]`."""
    sign, line = next(tokens)
    lines.setdefault(at, line)
    if sign == "[":
        index = 0
        while _json_lines(tokens, (*at, index), lines, twice) and next(tokens)[0] == ",":
            index += 1
    elif sign == "{":
        seen = set()
        for sign, row in tokens:
            if sign == "}":
                break
            if sign == ",":
                continue
            here = (*at, json.loads(sign))
            if here in seen:
                twice(here, row)
            seen.add(here)
            lines[here] = row
            next(tokens)  # the colon
            _json_lines(tokens, here, lines, twice)
    return sign != "]"


def _unsound(value: Any, at: At) -> Iterator[tuple[At, str]]:
    """What neither JSON nor a browser could carry."""
    if len(at) > MAX_DEPTH:
        yield at, f"is nested more than {MAX_DEPTH} levels deep"
    elif isinstance(value, float) and not math.isfinite(value):
        yield at, "is too large for a number"
    elif isinstance(value, str) and not _is_unicode(value):
        yield at, "holds half a character (a lone surrogate)"
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unsound(item, (*at, index))
    elif isinstance(value, dict):
        for key, item in value.items():
            if not _is_unicode(key):
                yield at, "has a key with half a character (a lone surrogate)"
            else:
                yield from _unsound(item, (*at, key))


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True

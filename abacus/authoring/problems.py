"""Errors in a manifest: where each one is, and what to write instead."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from chalicelib.domain.errors import ManifestError

At = tuple[str | int, ...]  # where in a document: ("experiments", 0, "variants", 1, "weight")


@dataclass(frozen=True, order=True)
class Problem:
    """`manifest/hero.yaml:7: status: 'runing' is not one of draft, running, … Did you mean 'running'?`"""

    file: str
    line: int
    at: At
    rule: str  # value, rule and next step, as one or more sentences

    def __str__(self) -> str:
        field = field_name(self.at)
        return f"{self.file}:{self.line}: " + (f"{field}: {self.rule}" if field else self.rule)


class Problems(ManifestError):
    """All errors of a manifest."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(problems, key=lambda p: (p.file, p.line, p.rule))
        super().__init__("\n".join(str(p) for p in self.problems))


def field_name(at: At) -> str:
    """variants[1].weight"""
    name = ""
    for part in at:
        name += f"[{part}]" if isinstance(part, int) else f".{part}" if name else part
    return name


def shown(value: Any) -> str:
    """A value as a message quotes it, at most 60 characters."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def listed(words: Sequence[str]) -> str:
    """The words, parted by commas; "none" without any."""
    return ", ".join(words) if words else "none"


def did_you_mean(word: Any, known: Iterable[str]) -> str:
    """` Did you mean 'green'?`, or nothing.

    >>> did_you_mean("gren", ["blue", "green"])
    " Did you mean 'green'?"
    """
    close = difflib.get_close_matches(str(word).lower(), list(known), n=1, cutoff=0.6)
    return f" Did you mean {close[0]!r}?" if close else ""


KEY_RULE = "is not a key: a–z, 0–9 and -, at most 64 characters"
VARIANT_RULE = "is not a variant's key: a–z, A–Z, 0–9, - and _, at most 64 characters"


def findings(error: ValidationError, model: type[BaseModel]) -> list[tuple[At, str]]:
    """Place and message of each error, one for each place: a union that fails in two ways is one mistake."""
    rules: dict[At, str] = {}
    for issue in error.errors(include_url=False):
        at, rule = _say(issue, model)
        rules.setdefault(at, rule)
    return list(rules.items())


def _say(issue: ErrorDetails, model: type[BaseModel]) -> tuple[At, str]:
    at: At = tuple(part for part in issue["loc"] if not (isinstance(part, str) and part.startswith("[")))
    kind, value, context = issue["type"], issue["input"], issue.get("ctx", {})
    if kind == "missing":
        subject = "has" if at[:-1] else "the experiment has"
        return at[:-1], f"{subject} no {at[-1]}: add {'two or more' if at[-1] == 'variants' else 'one'}"
    if kind == "extra_forbidden":
        known = _fields_at(model, at[:-1])
        return at, f"is not a field here.{did_you_mean(at[-1], known) or f' Known are {listed(known)}.'}"
    if kind == "literal_error":
        known = re.findall(r"'([^']*)'", context["expected"])
        return at, f"{shown(value)} is not one of {listed(known)}.{did_you_mean(value, known)}"
    if kind == "string_pattern_mismatch":
        return at, f"{shown(value)} {VARIANT_RULE if 'A-Z' in context['pattern'] else KEY_RULE}"
    if kind == "string_type":
        quote = ": write it in quotes" if isinstance(value, int | float) else ""
        return at, f"{shown(value)} is not text{quote}"
    if kind == "value_error":
        return at, f"{shown(value)} {context['error']}"
    if kind in ("too_short", "string_too_short"):
        return at, f"needs at least {context.get('min_length')}, has {context.get('actual_length', 0)}"
    if kind in ("too_long", "string_too_long"):
        return at, f"takes at most {context.get('max_length')}"
    if kind in ("model_type", "model_attributes_type") and at[:1] == ("variants",) and isinstance(value, str | int):
        return at, f"{shown(value)} is a bare name: write {{ key: {value} }}, or a line `- key: {value}`"
    if kind in ("list_type", "dict_type", "model_type", "model_attributes_type"):
        wanted = "a list" if kind == "list_type" else "a mapping"
        return at, f"{shown(value)} is not {wanted}"
    return at, f"{shown(value)}: {issue['msg']}"


def _fields_at(model: type[BaseModel], at: At) -> list[str]:
    return list(_model_at(model, at).model_fields)


def _model_at(model: type[BaseModel], at: At) -> type[BaseModel]:
    for part in at:
        if isinstance(part, str) and part in model.model_fields:
            inner = [k for k in _parts(model.model_fields[part].annotation) if isinstance(k, type)]
            model = next((k for k in inner if issubclass(k, BaseModel)), model)
    return model


def _parts(kind: Any) -> Iterator[Any]:
    """The types inside a type: of list[Annotated[A, …]] | None, A is one."""
    yield kind
    if get_origin(kind) is not Literal:
        for inner in get_args(kind):
            yield from _parts(inner)

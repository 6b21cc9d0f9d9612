"""pydantic's complaints in the words of someone who writes experiments: value, rule, next step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from abacus.authoring.problems import At, did_you_mean, listed, shown

KEY_RULE = "is not a key: a–z, 0–9 and -, at most 64 characters"
VARIANT_RULE = "is not a variant's key: a–z, A–Z, 0–9, - and _, at most 64 characters"


def findings(error: ValidationError, model: type[BaseModel]) -> list[tuple[At, str]]:
    """Where and what, one for each place: a union that fails in two ways is one mistake of the author."""
    found: dict[At, str] = {}
    for issue in error.errors(include_url=False):
        at, rule = _say(issue, model)
        found.setdefault(at, rule)
    return list(found.items())


def _say(issue: ErrorDetails, model: type[BaseModel]) -> tuple[At, str]:
    at: At = tuple(part for part in issue["loc"] if part != "[key]")
    kind, value, context = issue["type"], issue["input"], issue.get("ctx", {})
    if kind == "missing":
        return at[:-1], f"has no {at[-1]}: add one" if at[:-1] else f"the experiment has no {at[-1]}: add one"
    if kind == "extra_forbidden":
        known = _fields_at(model, at[:-1])
        return at, f"is not a field here.{did_you_mean(at[-1], known) or f' Known are {listed(known)}.'}"
    if kind == "literal_error":
        known = _words_at(model, at)
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
    if kind in ("list_type", "dict_type", "model_type", "model_attributes_type"):
        wanted = "a list" if kind == "list_type" else "a mapping"
        return at, f"{shown(value)} is not {wanted}"
    return at, f"{shown(value)}: {issue['msg']}"


def _fields_at(model: type[BaseModel], at: At) -> list[str]:
    return list(_model_at(model, at).model_fields)


def _words_at(model: type[BaseModel], at: At) -> list[str]:
    field = _model_at(model, at[:-1]).model_fields[str(at[-1])]
    return [word for kind in _parts(field.annotation) if get_origin(kind) is Literal for word in get_args(kind)]


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

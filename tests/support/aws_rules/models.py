"""What botocore's own models of AWS say and botocore does not check: enum values, lengths, numbers, patterns."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

from tests.support.aws_rules.violation import require

NUMBERS = {"integer", "long", "float", "double"}
# Members whose pattern in the model is older than what the service takes.
WRONG_PATTERNS: frozenset[str] = frozenset()


def check_shape(shape: Shape, value: Any, name: str = "") -> None:
    """Hold a parameter to its shape's enum, min, max and pattern, and all that it contains. Raises Violation."""
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        for member, content in value.items():
            if member in shape.members and content is not None:
                check_shape(shape.members[member], content, f"{name}.{member}".lstrip("."))
    elif isinstance(shape, ListShape) and isinstance(value, list | tuple):
        _check_range(shape, len(value), name, "entries")
        for index, content in enumerate(value):
            check_shape(shape.member, content, f"{name}[{index}]")
    elif isinstance(shape, MapShape) and isinstance(value, dict):
        _check_range(shape, len(value), name, "entries")
        for key, content in value.items():
            check_shape(shape.key, key, f"{name} key")
            check_shape(shape.value, content, f"{name}.{key}")
    elif isinstance(shape, StringShape) and isinstance(value, str):
        _check_string(shape, value, name)
    elif shape.type_name in NUMBERS and isinstance(value, int | float) and not isinstance(value, bool):
        _check_range(shape, value, name, "")


def _check_range(shape: Shape, actual: float, name: str, unit: str) -> None:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    require(least is None or actual >= least, f"{name} has {actual} {unit}, at least {least} are required")
    require(most is None or actual <= most, f"{name} has {actual} {unit}, at most {most} are allowed")


def _check_string(shape: StringShape, value: str, name: str) -> None:
    if shape.enum:
        require(value in shape.enum, f"{name}: {value!r} is none of {', '.join(map(repr, shape.enum))}")
    _check_range(shape, len(value), name, "characters")
    pattern = _compiled(shape.metadata.get("pattern"))
    if pattern is not None and name not in WRONG_PATTERNS:
        require(pattern.fullmatch(value), f"{name}: {value[:80]!r} does not match {pattern.pattern}")


@cache
def _compiled(pattern: str | None) -> re.Pattern[str] | None:
    if pattern is None:
        return None
    try:
        return re.compile(pattern, re.S)
    except re.error:  # Java's syntax, such as \\p{L}
        return None

"""Errors in a condition, found before it is published: an SDK takes a misspelt operator for one that never holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from abacus.authoring.problems import At, did_you_mean, listed, shown
from abacus.authoring.syntax.unsafe_names import EXPLODES, explodes, reserved
from chalicelib.targeting.conditions import NESTED, PLAIN
from chalicelib.targeting.javascript import is_number, regex

Finding = tuple[At, str]

GROUPS = ("$inGroup", "$notInGroup", "$savedGroup")
NEWER = ("$notRegex", "$notRegexi")  # not in the current JavaScript SDK, to which they are always false
OPERATORS = [name for name in (*PLAIN, *NESTED) if name not in GROUPS + NEWER]
JOINERS = ("$and", "$or", "$nor", "$not")
LISTS = ("$in", "$nin", "$ini", "$nini", "$all", "$alli")
TYPES = ("string", "number", "boolean", "array", "object", "null")


def check_condition(condition: Any, at: At) -> Iterator[Finding]:
    """What is wrong with a condition that stands at `at` in its file, each with its place."""
    if not isinstance(condition, dict):
        yield at, f"{shown(condition)} is not a condition: write a mapping such as {{country: CH}}"
        return
    for key, wanted in condition.items():
        here = (*at, key)
        if key == "$not":
            yield from check_condition(wanted, here)
        elif key in JOINERS:
            yield from _several(wanted, here)
        elif key.startswith("$"):
            yield here, _unknown(key, JOINERS)
        elif problem := next(filter(None, map(reserved, key.split("."))), ""):
            yield here, problem
        else:
            yield from _value(wanted, here)


def _several(conditions: Any, at: At) -> Iterator[Finding]:
    if not isinstance(conditions, list) or not conditions:
        yield at, f"{shown(conditions)} is not a list of conditions"
        return
    for index, condition in enumerate(conditions):
        yield from check_condition(condition, (*at, index))


def _value(wanted: Any, at: At) -> Iterator[Finding]:
    """The value that an attribute is compared with: a plain value, or operators."""
    if not isinstance(wanted, dict) or not any(key.startswith("$") for key in wanted):
        return
    for name, operand in wanted.items():
        here = (*at, name)
        if name not in OPERATORS:
            yield here, _unknown(name, OPERATORS)
        elif name == "$not":
            yield from _value(operand, here)
        elif name == "$elemMatch":
            yield from _elements(operand, here)
        elif name == "$size" and isinstance(operand, dict):
            yield from _value(operand, here)
        elif problem := _operand(name, operand):
            yield here, f"{shown(operand)} {problem}"


def _elements(operand: Any, at: At) -> Iterator[Finding]:
    if isinstance(operand, dict) and any(key.startswith("$") and key not in JOINERS for key in operand):
        yield from _value(operand, at)
    else:
        yield from check_condition(operand, at)


def _operand(name: str, operand: Any) -> str:
    """What is wrong with the operand of operator `name`; "" if nothing is."""
    if name in LISTS:
        return "" if isinstance(operand, list) and operand else "is not a list of values"
    if name in ("$regex", "$regexi"):
        compiled = regex(operand, name == "$regexi") if isinstance(operand, str) else None
        if compiled is None:
            return "is not a regular expression that browsers and Python both read"
        return EXPLODES if explodes(compiled) else ""
    if name == "$exists":
        return "" if isinstance(operand, bool) else "is not true or false"
    if name == "$type":
        return "" if operand in TYPES else f"is not one of {listed(TYPES)}.{did_you_mean(operand, TYPES)}"
    if name == "$size":
        return "" if is_number(operand) else "is not a number"
    if name.startswith("$v"):
        return "" if isinstance(operand, str) else "is not a version: write it in quotes, such as '1.10.0'"
    if name in ("$lt", "$lte", "$gt", "$gte"):
        return "" if is_number(operand) or isinstance(operand, str) else "is neither a number nor text"
    return "" if not isinstance(operand, list | dict) else "is never equal: a list or mapping is no other one; use $in"


def _unknown(name: str, known: tuple[str, ...] | list[str]) -> str:
    if name in GROUPS:
        return "needs saved groups, which a manifest does not have: list the values with $in"
    if not name.startswith("$"):
        return "is among operators: move it out of the mapping, or write it with $"
    return f"is not an operator here.{did_you_mean(name, known) or f' Known are {listed(known)}.'}"

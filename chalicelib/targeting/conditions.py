"""Does a visitor with these attributes satisfy this condition? GrowthBook's operators, to the letter.

The letter is JavaScript's: a missing attribute is null, null is 0 where numbers compare, 8 equals "8" where
the condition is plain text. chalicelib/targeting/javascript.py keeps those rules; this module keeps the operators.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from chalicelib.targeting.javascript import is_number, less, number, regex, same, stringify, text, truthy

Groups = Mapping[str, Any]  # saved groups: id → list of values, or {"type": "list" | "condition", ...}


def satisfied(condition: Any, attributes: Any, groups: Groups | None = None) -> bool:
    """Whether `attributes` satisfy `condition`. An unknown operator holds for no visitor.

    >>> satisfied({"country": {"$in": ["CH", "DE"]}, "age": {"$gte": 18}}, {"country": "CH", "age": "20"})
    True
    """
    return _Evaluation(groups or {}, frozenset()).holds(condition, attributes)


class _Evaluation:
    """One evaluation: the saved groups, and which of them are being resolved (they may refer to each other)."""

    def __init__(self, groups: Groups, visited: frozenset[str]) -> None:
        self.groups = groups
        self.visited = visited

    def holds(self, condition: Any, attributes: Any) -> bool:
        return isinstance(condition, dict) and all(self._part(k, v, attributes) for k, v in condition.items())

    def _part(self, key: str, wanted: Any, attributes: Any) -> bool:
        match key:
            case "$or":
                return self._any(wanted, attributes)
            case "$nor":
                return not self._any(wanted, attributes)
            case "$and":
                return isinstance(wanted, list) and all(self.holds(c, attributes) for c in wanted)
            case "$not":
                return not self.holds(wanted, attributes)
            case "$savedGroup":
                return self._saved_group(wanted, attributes)
        return self.value(wanted, _at(attributes, key))

    def _any(self, conditions: Any, attributes: Any) -> bool:
        if not isinstance(conditions, list):
            return False
        return not conditions or any(self.holds(c, attributes) for c in conditions)

    def _saved_group(self, reference: Any, attributes: Any) -> bool:
        if not isinstance(reference, dict):
            return False
        name, key = reference.get("id"), reference.get("attributeKey")
        if not isinstance(name, str) or name in self.visited or not isinstance(key, str | None):
            return False
        group = self.groups.get(name)
        if not isinstance(group, dict):
            return False
        if group.get("type") == "list":
            key = group.get("attributeKey") if key is None else key
            values = group.get("values")
            return isinstance(key, str) and isinstance(values, list) and _is_in(_at(attributes, key), values)
        if group.get("type") == "condition" and isinstance(group.get("condition"), dict):
            return _Evaluation(self.groups, self.visited | {name}).holds(group["condition"], attributes)
        return False

    def value(self, wanted: Any, actual: Any, insensitive: bool = False) -> bool:
        """One attribute against a plain value or an object of operators."""
        if isinstance(wanted, str):
            if insensitive:
                return text(actual).lower() == wanted.lower()
            return text(actual) == wanted
        if isinstance(wanted, bool):
            return actual is not None and truthy(actual) == wanted
        if is_number(wanted):
            return number(actual) == float(wanted)
        if wanted is None:
            return actual is None
        if not _is_operators(wanted):
            return stringify(actual) == stringify(wanted)
        return all(self._operator(name, operand, actual) for name, operand in wanted.items())

    def _operator(self, name: str, operand: Any, actual: Any) -> bool:
        if name in PLAIN:
            return PLAIN[name](actual, operand)
        match name:
            case "$not":
                return not self.value(operand, actual)
            case "$size":
                return isinstance(actual, list) and self.value(operand, len(actual))
            case "$elemMatch":
                check = self.value if _is_operators(operand) else self.holds
                return isinstance(actual, list) and any(check(operand, v) for v in actual if v is not None)
            case "$all" | "$alli":
                if not isinstance(actual, list) or not isinstance(operand, list):
                    return False
                return all(any(self.value(w, v, name == "$alli") for v in actual) for w in operand)
            case "$inGroup" | "$notInGroup":
                values = self._values(operand)
                return values is not None and _is_in(actual, values) == (name == "$inGroup")
        return False

    def _values(self, name: Any) -> list[Any] | None:
        if not isinstance(name, str) or name not in self.groups:
            return []  # an unknown group is empty
        group = self.groups[name]
        if isinstance(group, dict):
            group = group.get("values") if group.get("type") == "list" else None
        return group if isinstance(group, list) else None


def _at(attributes: Any, path: str) -> Any:
    """The value at "pets.dog.name"; None where there is none."""
    for part in path.split("."):
        if isinstance(attributes, dict) and part in attributes:
            attributes = attributes[part]
        elif isinstance(attributes, list) and re.fullmatch("0|[1-9][0-9]{0,8}", part) and int(part) < len(attributes):
            attributes = attributes[int(part)]
        elif isinstance(attributes, list) and part == "length":
            attributes = len(attributes)
        else:
            return None
    return attributes


def _is_operators(wanted: Any) -> bool:
    return isinstance(wanted, dict) and bool(wanted) and all(key.startswith("$") for key in wanted)


def _is_in(actual: Any, values: list[Any], insensitive: bool = False) -> bool:
    def folded(value: Any) -> Any:
        return value.lower() if insensitive and isinstance(value, str) else value

    several = actual if isinstance(actual, list) else [actual]
    return any(same(folded(one), folded(value)) for one in several for value in values)


def _not_in(actual: Any, values: Any, insensitive: bool = False) -> bool:
    return isinstance(values, list) and not _is_in(actual, values, insensitive)


def _regex_matches(actual: Any, source: Any, insensitive: bool = False, wanted: bool = True) -> bool:
    pattern = regex(source, insensitive) if isinstance(source, str) else None
    return pattern is not None and (pattern.search(text(actual)) is not None) is wanted


def _type(value: Any) -> str:
    names = {bool: "boolean", int: "number", float: "number", str: "string", list: "array", dict: "object"}
    return "null" if value is None else names[type(value)]


def padded_version(value: Any) -> str:
    """Text that sorts as versions do: numbers padded, a release (~) after its pre-releases.

    >>> padded_version("v1.10.0"), padded_version("1.10.0-rc.1")
    ('    1-   10-    0-~', '    1-   10-    0-rc-    1')
    """
    value = text(value) if is_number(value) else value
    parts = re.split("[-.]", re.sub(r"(^v|\+.*$)", "", value if isinstance(value, str) and value else "0"))
    if len(parts) == 3:
        parts.append("~")
    return "-".join(part.rjust(5) if re.fullmatch("[0-9]+", part) else part for part in parts)


def _version(compare: Callable[[str, str], bool]) -> Callable[[Any, Any], bool]:
    return lambda actual, wanted: compare(padded_version(actual), padded_version(wanted))


# Operators that need nothing but the attribute and the operand.
PLAIN: dict[str, Callable[[Any, Any], bool]] = {
    "$eq": same,
    "$ne": lambda actual, wanted: not same(actual, wanted),
    "$lt": lambda actual, wanted: less(actual, wanted) is True,
    "$gt": lambda actual, wanted: less(wanted, actual) is True,
    "$lte": lambda actual, wanted: less(wanted, actual) is False,
    "$gte": lambda actual, wanted: less(actual, wanted) is False,
    "$exists": lambda actual, wanted: (actual is not None) == truthy(wanted),
    "$in": lambda actual, values: isinstance(values, list) and _is_in(actual, values),
    "$ini": lambda actual, values: isinstance(values, list) and _is_in(actual, values, True),
    "$nin": _not_in,
    "$nini": lambda actual, values: _not_in(actual, values, True),
    "$regex": _regex_matches,
    "$regexi": lambda actual, source: _regex_matches(actual, source, True),
    "$notRegex": lambda actual, source: _regex_matches(actual, source, wanted=False),
    "$notRegexi": lambda actual, source: _regex_matches(actual, source, True, wanted=False),
    "$type": lambda actual, wanted: _type(actual) == wanted,
    "$veq": _version(operator.eq),
    "$vne": _version(operator.ne),
    "$vgt": _version(operator.gt),
    "$vgte": _version(operator.ge),
    "$vlt": _version(operator.lt),
    "$vlte": _version(operator.le),
}
NESTED = ("$not", "$size", "$elemMatch", "$all", "$alli", "$inGroup", "$notInGroup")

"""DynamoDB's rules for expressions, from its developer guide: grammar, placeholders, reserved words, paths, sizes.

Sources: "Update expressions", "Condition and filter expressions, operators, and functions", "Expression attribute names
(aliases)", "Reserved words", "Quotas: expression parameters".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords

from tests.support.aws_rules.violation import Violation, require

KINDS = (
    "UpdateExpression",
    "ConditionExpression",
    "KeyConditionExpression",
    "FilterExpression",
    "ProjectionExpression",
)
CLAUSES = {"SET", "REMOVE", "ADD", "DELETE"}
OPERATORS = {"AND", "OR", "NOT", "BETWEEN", "IN"}
FUNCTIONS = {
    "attribute_exists",
    "attribute_not_exists",
    "attribute_type",
    "begins_with",
    "contains",
    "size",
    "if_not_exists",
    "list_append",
}
MOST_BYTES = 4096  # of an expression
MOST_OPERATORS = 300
MOST_IN = 100  # operands of IN
TOKEN = re.compile(r"\s*(?:([#:][A-Za-z0-9_]+)|([A-Za-z_][A-Za-z0-9_]*)|(\d+)|(<>|<=|>=|[=<>+\-(),.\[\]]))")

Path = tuple[str, ...]  # ("counted",) or ("map", "key", "[0]")


@cache
def reserved_words() -> frozenset[str]:
    """The 573 words that cannot stand for an attribute."""
    return frozenset(word.upper() for word in ReservedKeywords.get_reserved_keywords())


def tokens(expression: str) -> list[str]:
    """The expression's tokens. Raises Violation for a character that no expression has."""
    found, place = [], 0
    while expression[place:].strip():
        match = TOKEN.match(expression, place)
        if match is None:
            raise Violation(f"syntax error at {expression[place:][:20]!r}")
        found.append(match[0].strip())
        place = match.end()
    return found


@dataclass
class Names:
    """The placeholders of one request, and which of them its expressions use."""

    names: Mapping[str, str]
    values: Mapping[str, Mapping[str, Any]]
    used: set[str] = field(default_factory=set)

    def resolve(self, token: str) -> str:
        """The attribute that a token stands for."""
        if token.startswith("#"):
            require(token in self.names, f"the name {token} is not defined in ExpressionAttributeNames")
            self.used.add(token)
            return self.names[token]
        require(token.upper() not in reserved_words(), f"{token} is a reserved word; use a placeholder such as #name")
        return token

    def value(self, token: str) -> Mapping[str, Any]:
        """The value that a token stands for."""
        require(token in self.values, f"the value {token} is not defined in ExpressionAttributeValues")
        self.used.add(token)
        return self.values[token]


def check_expressions(request: Mapping[str, Any]) -> None:
    """Hold the expressions of one request, or of one item of a transaction, to the rules. Raises Violation."""
    names = Names(request.get("ExpressionAttributeNames", {}), request.get("ExpressionAttributeValues", {}))
    given = [kind for kind in KINDS if request.get(kind) is not None]
    for placeholders in ("ExpressionAttributeNames", "ExpressionAttributeValues"):
        if placeholders in request:
            require(given, f"{placeholders} can only be specified when using expressions")
            require(request[placeholders], f"{placeholders} must not be empty")
    key = set(request.get("Key", {}))
    for kind in given:
        text = request[kind]
        require(text.strip(), f"{kind} must not be empty")
        require(len(text.encode()) <= MOST_BYTES, f"{kind} has more than {MOST_BYTES} bytes")
        words = tokens(text)
        counted = {"+", "-"} if kind == "UpdateExpression" else {"=", "<>", "<", "<=", ">", ">=", *OPERATORS}
        operators = sum(word.upper() in counted or word in FUNCTIONS for word in words)
        require(operators <= MOST_OPERATORS, f"{kind} has more than {MOST_OPERATORS} operators or functions")
        if kind == "UpdateExpression":
            _check_update(words, names, key)
        else:
            _check_condition(words, names, kind)
    for token in (*names.names, *names.values):
        require(token in names.used, f"{token} is defined and unused in expressions")


def _paths(words: list[str], names: Names) -> Iterator[tuple[int, Path]]:
    """Each document path in the words, and the index after it."""
    index = 0
    while index < len(words):
        word = words[index]
        if not (word[0] in "#_" or word[0].isalpha()) or word.upper() in OPERATORS:
            index += 1
            continue
        if index + 1 < len(words) and words[index + 1] == "(":
            require(word in FUNCTIONS, f"{word} is no function of an expression")
            index += 1
            continue
        path = [names.resolve(word)]
        index += 1
        while index + 1 < len(words) and words[index] in (".", "["):
            if words[index] == ".":
                path.append(names.resolve(words[index + 1]))
                index += 2
            else:
                path.append(f"[{words[index + 1]}]")
                index += 3
        yield index, tuple(path)


def _check_condition(words: list[str], names: Names, kind: str) -> None:
    for _ in _paths(words, names):
        pass
    for word in words:
        if word.startswith(":"):
            names.value(word)
    require(words.count("(") == words.count(")"), f"{kind} has unbalanced parentheses")
    if kind == "ProjectionExpression":
        paths = [path for _, path in _paths(words, names)]
        _check_overlaps(paths, kind)
        require(not any(word.startswith(":") for word in words), "a ProjectionExpression has no values")
    for index, word in enumerate(words):
        if word.upper() == "IN":
            end = words.index(")", index)
            require(words[index:end].count(",") < MOST_IN, f"IN has more than {MOST_IN} operands")


def _check_update(words: list[str], names: Names, key: set[str]) -> None:
    require(words[0].upper() in CLAUSES, "an UpdateExpression begins with SET, REMOVE, ADD or DELETE")
    sections: dict[str, list[str]] = {}
    clause = ""
    for word in words:
        if word.upper() in CLAUSES:
            clause = word.upper()
            require(clause not in sections, f"the {clause} section can only be used once in an UpdateExpression")
            sections[clause] = []
        else:
            sections[clause].append(word)
    targets: list[Path] = []
    for clause, section in sections.items():
        require(section, f"the {clause} section is empty")
        for action in _split(section):
            targets.append(_check_action(clause, action, names))
    _check_overlaps(targets, "UpdateExpression")
    for target in targets:
        require(target[0] not in key, f"the key attribute {target[0]} cannot be updated")


def _check_action(clause: str, action: list[str], names: Names) -> Path:
    paths = list(_paths(action, names))
    require(paths, f"{clause} needs a path: {' '.join(action)}")
    end, target = paths[0]
    values = [word for word in action if word.startswith(":")]
    kinds = {next(iter(names.value(word))) for word in values}
    if clause == "SET":
        require(action[end : end + 1] == ["="] and len(action) > end + 1, f"SET needs path = value: {' '.join(action)}")
    elif clause == "REMOVE":
        require(not values and end == len(action), f"REMOVE takes paths only: {' '.join(action)}")
    else:
        allowed = {"N", "SS", "NS", "BS"} if clause == "ADD" else {"SS", "NS", "BS"}
        require(action[end:] == values[:1] and values, f"{clause} needs a path and a value: {' '.join(action)}")
        require(kinds <= allowed, f"{clause} takes a value of type {', '.join(sorted(allowed))}")
    return target


def _split(words: list[str]) -> list[list[str]]:
    """The actions of a section, parted at commas outside of parentheses."""
    actions: list[list[str]] = [[]]
    depth = 0
    for word in words:
        depth += (word == "(") - (word == ")")
        if word == "," and depth == 0:
            actions.append([])
        else:
            actions[-1].append(word)
    return actions


def _check_overlaps(paths: list[Path], kind: str) -> None:
    for index, first in enumerate(paths):
        for second in paths[index + 1 :]:
            shorter, longer = sorted((first, second), key=len)
            require(
                longer[: len(shorter)] != shorter,
                f"two document paths of the {kind} overlap: {'.'.join(first)} and {'.'.join(second)}",
            )

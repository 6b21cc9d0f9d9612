"""The commands of AWS's own command line that the pages show: whether they exist, and what they do, by botocore."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from typing import Any

import boto3
from botocore.model import OperationModel
from botocore.session import get_session

# Of the command line itself, or a command that only it has.
EVERYWHERE = {"Query", "Output", "Region", "Profile"}
OF_ITS_OWN: dict[tuple[str, str], set[str]] = {
    ("sso", "login"): set(),
    ("cloudformation", "deploy"): {"template-file", "stack-name", "capabilities", "parameter-overrides"},
}


def commands(text: str) -> Iterator[list[str]]:
    """Each command in a text, in words; one that stands within another comes after it."""
    for line in text.replace("\\\n", " ").splitlines():
        whole = line.split("`")[1::2] if "`" in line else [line]
        for part in whole:
            inner = re.search(r'"?\$\((aws [^)]*)\)"?', part)
            outer = part.replace(inner[0], "HERE") if inner else part
            for found in (outer, inner[1] if inner else ""):
                if found.strip().startswith("aws "):
                    yield shlex.split(found, comments=True)


def wrong(words: list[str]) -> str | None:
    """What of a command there is not."""
    service, operation, *rest = words[1:]
    if (service, operation) in OF_ITS_OWN:
        unknown = {word[2:] for word in rest if word.startswith("--")} - OF_ITS_OWN[service, operation]
        return f"{service} {operation}: {', '.join(sorted(unknown))}" if unknown else None
    if operation == "wait":
        known = get_session().get_waiter_model(service).waiter_names
        return None if _camel(rest[0]) in known else " ".join(words[:4])
    model = _operation(service, operation)
    if model is None:
        return " ".join(words[:3])
    members = set(model.input_shape.members) if model.input_shape else set()
    unknown = {name for name, _ in _options(rest)} - {_lower(member) for member in members | EVERYWHERE}
    return f"{service} {operation}: {', '.join(sorted(unknown))}" if unknown else None


def run(words: list[str]) -> Any:
    """Do what a command does, through boto3."""
    service, operation, *rest = words[1:]
    client: Any = boto3.client(service)  # type: ignore[call-overload]
    if operation == "wait":
        waiter = client.get_waiter(rest[0].replace("-", "_"))
        model = _operation(service, _dashed(waiter.config.operation))
        return waiter.wait(**_parameters(model, rest[1:]), WaiterConfig={"Delay": 1})
    return getattr(client, operation.replace("-", "_"))(**_parameters(_operation(service, operation), rest))


@cache
def _operation(service: str, operation: str) -> OperationModel | None:
    model = get_session().get_service_model(service)
    name = next((name for name in model.operation_names if _dashed(name) == operation), None)
    return model.operation_model(name) if name else None


def _parameters(model: OperationModel | None, words: list[str]) -> dict[str, Any]:
    assert model is not None
    assert model.input_shape is not None
    names = {_lower(member): member for member in model.input_shape.members}
    return {names[name]: value for name, value in _options(words)}


def _options(words: list[str]) -> Iterator[tuple[str, Any]]:
    """--a-b c, --flag, --no-flag and --some X=true,Y=z, the names in small letters without hyphens."""
    for place, word in enumerate(words):
        if word.startswith("--"):
            value = words[place + 1] if place + 1 < len(words) and not words[place + 1].startswith("--") else None
            negated = value is None and word.startswith("--no-")
            yield (
                _lower(word.removeprefix("--no-") if negated else word),
                not negated if value is None else _value(value),
            )


def _value(text: str) -> Any:
    if not re.fullmatch(r"(\w+=[\w-]+)(,\w+=[\w-]+)*", text):
        return text
    pairs = (pair.split("=") for pair in text.split(","))
    simple = {"true": True, "false": False}
    return {name: simple.get(value, int(value) if value.isdecimal() else value) for name, value in pairs}


def _lower(name: str) -> str:
    return name.replace("-", "").lower()


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("-"))


def _dashed(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", name).lower()

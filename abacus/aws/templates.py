"""CloudFormation templates, read on this machine without asking AWS."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import yaml


class Template(NamedTuple):
    """A template's text, and what it declares."""

    text: str
    parameters: dict[str, dict[str, Any]]  # name → its declaration
    resources: dict[str, dict[str, Any]]  # logical name → the resource; short forms as {"Ref": "Api"}


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms."""


def _short(loader: _Loader, tag: str, node: yaml.Node) -> dict[str, Any]:
    name = tag if tag in ("Ref", "Condition") else f"Fn::{tag}"
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        return {name: str(value).split(".", 1) if tag == "GetAtt" else value}  # JSON has no dotted form
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {name: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _short)


def read(path: Path) -> Template:
    """A template of infra/, or one in JSON."""
    return parse(path.read_text())


def parse(text: str) -> Template:
    """A template in YAML or JSON.

    >>> parse("Resources: {Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: !Ref Name}}}").resources
    {'Topic': {'Type': 'AWS::SNS::Topic', 'Properties': {'TopicName': {'Ref': 'Name'}}}}
    """
    parsed = yaml.load(text, _Loader)  # noqa: S506  a SafeLoader, with dictionaries for tags
    return Template(text, parsed.get("Parameters", {}), parsed["Resources"])


def references(value: Any) -> set[str]:
    """The names that a template's value refers to by Ref, GetAtt, Sub or a condition.

    >>> sorted(references({"Fn::If": ["Tagged", {"Fn::Sub": "${Name}-${!literal}"}, {"Fn::GetAtt": ["Queue", "Arn"]}]}))
    ['Name', 'Queue', 'Tagged']
    """
    if isinstance(value, list):
        return set().union(*map(references, value))
    if not isinstance(value, dict):
        return set()
    names: set[str] = set()
    for name, member in value.items():
        if name in ("Ref", "Condition") and isinstance(member, str):
            names.add(member)
        elif name == "Fn::GetAtt":
            names.add(member[0] if isinstance(member, list) else member.split(".")[0])
        elif name == "Fn::Sub":
            names |= _substituted(member)
        else:
            names |= references(member)
            if name == "Fn::If":
                names.add(member[0])
    return names


def _substituted(sub: Any) -> set[str]:
    text, given = sub if isinstance(sub, list) else (sub, {})
    words: set[str] = {word.split(".")[0] for word in re.findall(r"\$\{([^!}][^}]*)\}", text)}
    words -= given.keys()
    return words | references(list(given.values()))

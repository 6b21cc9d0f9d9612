"""CloudFormation templates as this machine reads them: what is in them, without asking AWS."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import yaml


class Template(NamedTuple):
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
    """
    >>> parse("Resources: {Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: !Ref Name}}}").resources
    {'Topic': {'Type': 'AWS::SNS::Topic', 'Properties': {'TopicName': {'Ref': 'Name'}}}}
    """
    parsed = yaml.load(text, _Loader)  # noqa: S506  a SafeLoader, with dictionaries for tags
    return Template(text, parsed.get("Parameters", {}), parsed["Resources"])

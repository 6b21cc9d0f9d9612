"""Each reference of a template leads to something that exists, whatever its parameters make of its conditions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from abacus.aws.templates import _Loader, references
from abacus.deploy.package import package
from abacus.paths import INFRA

PSEUDO = {
    "AWS::AccountId",
    "AWS::NoValue",
    "AWS::Partition",
    "AWS::Region",
    "AWS::StackId",
    "AWS::StackName",
    "AWS::URLSuffix",
}
FUNCTIONS = {"Fn::Equals", "Fn::Not", "Fn::And", "Fn::Or"}


@pytest.fixture(scope="module")
def packaged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return package("prod", tmp_path_factory.mktemp("build") / "package")


@pytest.fixture(params=["data.yaml", "edge.yaml", "watch.yaml", "firewall.yaml", "budget.yaml", "sam.json"])
def template(request: pytest.FixtureRequest) -> dict[str, Any]:
    path = request.getfixturevalue("packaged") if request.param == "sam.json" else INFRA / request.param
    parsed: dict[str, Any] = yaml.load(path.read_text(), _Loader)
    return parsed


def worlds(template: Mapping[str, Any]) -> Iterator[dict[str, bool]]:
    """Each combination of the conditions that some values of the parameters bring about."""
    conditions = template.get("Conditions", {})
    declared = template.get("Parameters", {})
    choices = {}
    for name in sorted(references(list(conditions.values())) & declared.keys()):
        values = {
            *map(str, declared[name].get("AllowedValues", [])),
            str(declared[name].get("Default", "")),
            "",
            "other",
        }
        choices[name] = sorted(values)
    seen = []
    for values in product(*choices.values()):
        given = dict(zip(choices, values, strict=True))
        world = {name: evaluate(rule, given, conditions) for name, rule in conditions.items()}
        if world not in seen:
            seen.append(world)
            yield world


def evaluate(rule: Any, given: Mapping[str, str], conditions: Mapping[str, Any]) -> Any:
    """A condition's value: true or false, or the text of what it compares."""
    if not isinstance(rule, dict):
        return str(rule)
    ((name, arguments),) = rule.items()
    if name == "Ref":
        return given[arguments]
    if name == "Condition":
        return evaluate(conditions[arguments], given, conditions)
    assert name in FUNCTIONS, name
    values = [evaluate(argument, given, conditions) for argument in arguments]
    results = {"Fn::Equals": len(set(values)) == 1, "Fn::Not": not values[0]}
    return results[name] if name in results else (all if name == "Fn::And" else any)(values)


def chosen(value: Any, world: Mapping[str, bool]) -> Any:
    """A value with the branch of each Fn::If that the conditions choose."""
    if isinstance(value, list):
        return [chosen(member, world) for member in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"Fn::If"}:
        condition, yes, no = value["Fn::If"]
        return chosen(yes if world[condition] else no, world)
    return {name: chosen(member, world) for name, member in value.items()}


def test_no_reference_dangles_under_any_combination_of_conditions(template: dict[str, Any]) -> None:
    combinations = 0
    for world in worlds(template):
        combinations += 1
        there = {n: r for n, r in template["Resources"].items() if world.get(r.get("Condition", ""), True)}
        known = PSEUDO | template.get("Parameters", {}).keys() | there.keys()
        outputs = [o for o in template.get("Outputs", {}).values() if world.get(o.get("Condition", ""), True)]
        for name, part in [*there.items(), *((f"output {n}", o) for n, o in enumerate(outputs))]:
            used = {k: v for k, v in part.items() if k not in ("Condition", "Metadata")}
            dangling = references(chosen(used, world)) - known - world.keys() - made_by_the_transform(template)
            assert dangling == set(), f"{name} under {world}"
    assert combinations >= 2 ** bool(template.get("Conditions"))


def made_by_the_transform(template: Mapping[str, Any]) -> set[str]:
    """What AWS::Serverless adds to the template: the stage of a REST API, the role of a function."""
    if "Transform" not in template:
        return set()
    return {f"{name}Role" for name in template["Resources"]} | {f"{name}.Stage" for name in template["Resources"]}


def test_every_attribute_that_is_asked_for_is_one_of_its_type(template: dict[str, Any]) -> None:
    for name, attribute in set(attributes(template)):
        kind = template["Resources"][name]["Type"]
        if not kind.startswith("AWS::Serverless::"):
            schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind)
            assert attribute in set(schema.get_atts), f"{name}.{attribute}"


def attributes(value: Any) -> Iterator[tuple[str, str]]:
    """Each resource and attribute that a Fn::GetAtt or the text of a Fn::Sub names."""
    if isinstance(value, dict):
        for name, member in value.items():
            if name == "Fn::GetAtt":
                resource, attribute = member if isinstance(member, list) else member.split(".", 1)
                yield resource, attribute
            elif name == "Fn::Sub":
                text = member[0] if isinstance(member, list) else member
                yield from re.findall(r"\$\{(\w+)\.([\w.]+)\}", text)
            else:
                yield from attributes(member)
    elif isinstance(value, list):
        for member in value:
            yield from attributes(member)

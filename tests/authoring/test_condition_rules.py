"""Conditions that no visitor can satisfy, or that mean something else than they seem to, are found while writing."""

from __future__ import annotations

import pytest

from abacus.authoring.condition_rules import check_condition
from abacus.authoring.load import load
from tests.authoring.test_load import TWO, problems, write

__all__ = ["write"]  # the fixture


@pytest.mark.parametrize(
    "condition",
    [
        {},
        {"country": "CH", "age": 20, "pro": True, "gone": None, "tags": ["a"], "deep": {"a": 1}},
        {"$and": [{"a": 1}, {"$or": [{"b": 2}, {"$nor": [{"c": 3}]}]}], "$not": {"d": 4}},
        {"age": {"$gte": 18, "$lt": "99"}, "v": {"$vgt": "1.2.3"}, "x": {"$exists": False}, "t": {"$type": "string"}},
        {"tags": {"$all": ["a"], "$size": {"$gt": 1}}, "n": {"$size": 2}, "name": {"$not": {"$regexi": "^a"}}},
        {"hobbies": {"$elemMatch": {"name": {"$regex": "^ping"}}}, "nums": {"$elemMatch": {"$gt": 10}}},
        {"a": {"$eq": None, "$ne": "x"}, "b": {"$in": [1, "2"]}},
    ],
)
def test_what_can_be_satisfied_is_left_alone(condition):
    assert list(check_condition(condition, ())) == []


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ({"__proto__": 1}, "'__proto__' is a name that every JavaScript object has: choose another"),
        ({"$not": {"a.toString": 1}}, "'toString' is a name that every JavaScript object has: choose another"),
        (["CH"], "a list is not a condition: write a mapping such as {country: CH}"),
        ({"$not": 5}, "5 is not a condition: write a mapping such as {country: CH}"),
        ({"$or": []}, "a list is not a list of conditions"),
        ({"$and": {"a": 1}}, "a mapping is not a list of conditions"),
        ({"$adn": [{"a": 1}]}, "is not an operator here. Did you mean '$and'?"),
        ({"$xyz": 1}, "is not an operator here. Known are $and, $or, $nor, $not."),
        ({"a": {"$gt": 1, "b": 2}}, "is among operators: move it out of the mapping, or write it with $"),
        ({"a": {"$regx": "x"}}, "is not an operator here. Did you mean '$regex'?"),
        ({"a": {"$notRegex": "x"}}, "is not an operator here. Did you mean '$regex'?"),
        ({"a": {"$inGroup": "g"}}, "needs saved groups, which a manifest does not have: list the values with $in"),
        ({"$savedGroup": {"id": "g"}}, "needs saved groups, which a manifest does not have: list the values with $in"),
        ({"a": {"$in": "x"}}, "'x' is not a list of values"),
        ({"a": {"$all": []}}, "a list is not a list of values"),
        ({"a": {"$regex": "("}}, "'(' is not a regular expression that browsers and Python both read"),
        ({"a": {"$regexi": 5}}, "5 is not a regular expression that browsers and Python both read"),
        ({"a": {"$regex": "(?i)x"}}, "'(?i)x' is not a regular expression that browsers and Python both read"),
        ({"a": {"$regex": "a++"}}, "'a++' is not a regular expression that browsers and Python both read"),
        ({"a": {"$exists": 1}}, "1 is not true or false"),
        ({"a": {"$type": "strnig"}}, "'strnig' is not one of string, number, boolean, array, object, null."),
        ({"a": {"$size": "2"}}, "'2' is not a number"),
        ({"a": {"$size": {"$gtt": 1}}}, "is not an operator here. Did you mean '$gt'?"),
        ({"a": {"$veq": 1.1}}, "1.1 is not a version: write it in quotes, such as '1.10.0'"),
        ({"a": {"$gt": None}}, "nothing is neither a number nor text"),
        ({"a": {"$eq": [1]}}, "a list is never equal: a list or mapping is no other one; use $in"),
        ({"a": {"$not": {"$inn": [1]}}}, "is not an operator here. Did you mean '$in'?"),
        ({"a": {"$elemMatch": {"$gtt": 1}}}, "is not an operator here. Did you mean '$gt'?"),
        ({"a": {"$elemMatch": {"b": {"$gtt": 1}}}}, "is not an operator here. Did you mean '$gt'?"),
        ({"a": {"$elemMatch": 5}}, "5 is not a condition: write a mapping such as {country: CH}"),
    ],
)
def test_what_cannot_be_satisfied_is_told(condition, message):
    [(_, rule)] = check_condition(condition, ())
    assert rule.startswith(message)


def test_the_line_is_that_of_the_operator(write):
    text = "condition:\n  $and:\n    - country: CH\n    - age:\n        $gtt: 18\n"
    folder = write("a.yaml", "key: a\nstatus: running\n" + TWO + text)
    assert problems(folder) == [
        "manifest/a.yaml:8: condition.$and[1].age.$gtt: is not an operator here. Did you mean '$gt'?"
    ]


@pytest.mark.parametrize(
    ("variants", "message"),
    [
        ("[{key: a}, {key: a}]", "variants[1].key: 'a' is the key of another variant too: choose another one"),
        ("[{key: a, payload: 1}, {key: b}]", "variants[1]: 'b' has no payload, others have: give all one, or none"),
        ("[{key: a, weight: 1}, {key: b}]", "variants: b have no weight: give one to all variants or to none"),
        (
            "[{key: a, weight: 0.4}, {key: b, weight: 0.4}]",
            "variants: the weights add up to 80 %: they must add up to 100 %",
        ),
        ("[{key: a, weight: 33.3 %}, {key: b, weight: 66.6 %}]", "variants: the weights add up to 99.9 %"),
    ],
)
def test_variants_that_do_not_fit_together_are_told(write, variants, message):
    folder = write("a.yaml", f"key: a\nstatus: running\nvariants: {variants}\n")
    assert message in "\n".join(problems(folder))


@pytest.mark.parametrize("field", ["weight", "coverage"])
def test_beside_phases_there_is_no_other_weight_or_coverage(write, field):
    weight = ", weight: 1" if field == "weight" else ""
    coverage = "coverage: 1\n" if field == "coverage" else ""
    text = f"key: a\nstatus: running\nvariants: [{{key: a{weight}}}, {{key: b}}]\n{coverage}phases: [{{}}]\n"
    [problem] = problems(write("a.yaml", text))
    assert problem.endswith(f"{field}: cannot be combined with phases: move it into the first phase")


def test_weights_may_be_off_by_what_computers_round(write):
    variants = "[{key: a, weight: 0.1}, {key: b, weight: 0.2}, {key: c, weight: 0.7}]"
    assert load(write("a.yaml", f"key: a\nstatus: running\nvariants: {variants}\n")).experiments

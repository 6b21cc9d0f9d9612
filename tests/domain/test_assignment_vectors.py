"""Our Python against assignment vectors in a file: ASSIGNMENT_CASES, or the project's own.

Two shapes are understood: the project's (bucket, ranges, assign), which the snippet's tests read too, and that of
GrowthBook's public cases.json. Of the latter the groups below are checked, whatever else is in the file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from abacus.growthbook.evaluation import Context, forced_by_url, in_namespace, place, ranges, run
from abacus.paths import PROJECT
from chalicelib.domain.assignment import bucket, bucket_ranges, choose
from chalicelib.domain.manifest import Experiment, Phase, Variant
from chalicelib.targeting.conditions import padded_version, satisfied

OWN = PROJECT / "tests" / "fixtures/assignment/cases.json"
CASES = json.loads(Path(os.environ.get("ASSIGNMENT_CASES") or OWN).read_text(encoding="utf-8"))

# Cases that are left out, each with its reason.
LEFT_OUT = {
    "[D6b] equality (no operator) integer vs string is strict": (
        "a case of GrowthBook's Python SDK alone. Its JavaScript SDK, which is what browsers run, says that "
        '{"x": 5} holds for "5"; so do we. tests/growthbook/test_conditions.py asks it.'
    )
}


# --- the project's own shape -------------------------------------------------------------------------------


def check_bucket(seed: str, visitor: str, expected: float) -> None:
    assert bucket(seed, visitor) == expected


def check_ranges(variants: int, coverage: float, weights: list[float] | None, expected: list[list[float]]) -> None:
    found = bucket_ranges(weights or [1 / variants] * variants, coverage)
    assert [list(pair) for pair in found] == [pytest.approx(pair) for pair in expected]


def check_assign(case: dict[str, Any]) -> None:
    count = case["variants"]
    experiment = Experiment(
        key="x",
        status="running",
        seed=case["seed"],
        variants=tuple(Variant(key=str(i)) for i in range(count)),
        phases=(Phase(weights=tuple(case["weights"] or [1 / count] * count), coverage=case["coverage"]),),
    )
    expected = case["expected"]
    assert experiment.assign(case["visitor"], 0) == (None if expected in (None, -1) else str(expected))


# --- GrowthBook's shape ------------------------------------------------------------------------------------


def check_hash(seed: str, value: str, version: int, expected: float | None) -> None:
    assert place(seed, value, version) == expected


def check_bucket_range(_: str, arguments: list[Any], expected: list[list[float]]) -> None:
    assert [list(pair) for pair in ranges(*arguments)] == [pytest.approx(pair) for pair in expected]


def check_choose(_: str, at: float, slots: list[Any], expected: int) -> None:
    assert choose(at, slots) == (None if expected == -1 else expected)


def check_namespace(_: str, value: str, namespace: list[Any], expected: bool) -> None:
    assert in_namespace(value, namespace) is expected


def check_condition(_: str, condition: Any, attributes: Any, expected: bool, groups: Any = None) -> None:
    assert satisfied(condition, attributes, groups) is expected


def check_query(_: str, key: str, url: str, variants: int, expected: int | None) -> None:
    assert forced_by_url(key, url, variants) == expected


def check_run(_: str, context: Any, experiment: Any, value: Any, enrolled: bool, counted: bool) -> None:
    result = run(
        experiment,
        Context(
            attributes=context.get("attributes") or {},
            url=context.get("url", ""),
            forced=context.get("forcedVariations", {}),
            features=context.get("features", {}),
            groups=context.get("savedGroups", {}),
            enabled=context.get("enabled", True),
            qa=context.get("qaMode", False),
        ),
    )
    assert (experiment["variations"][result.index], result.enrolled, result.counted) == (value, enrolled, counted)


def check_version(sign: str, one: str, two: str, expected: bool) -> None:
    left, right = padded_version(one), padded_version(two)
    assert {"lt": left < right, "gt": left > right, "eq": left == right}[sign] is expected


OURS: dict[str, Callable[..., None]] = {"bucket": check_bucket, "ranges": check_ranges, "assign": check_assign}
GROWTHBOOK: dict[str, Callable[..., None]] = {
    "hash": check_hash,
    "getBucketRange": check_bucket_range,
    "chooseVariation": check_choose,
    "inNamespace": check_namespace,
    "evalCondition": check_condition,
    "run": check_run,
    "getQueryStringOverride": check_query,
}


def cases(groups: dict[str, Any], path: str = "") -> Iterator[Any]:
    """Every case of the groups we know; newer files nest some of them in groups of their own."""
    for group, several in groups.items():
        if group == "versionCompare":
            for sign, pairs in several.items():
                for pair in pairs:
                    yield pytest.param(check_version, [sign, *pair], id=f"{pair[0]} {sign} {pair[1]}")
        elif isinstance(several, dict):
            yield from cases(several, f"{path}{group}.")
        elif check := (OURS | GROWTHBOOK).get(group):
            for index, case in enumerate(several):
                arguments = case if isinstance(case, list) else [case]
                name = arguments[0] if group in GROWTHBOOK and group != "hash" else str(index)
                left_out = [pytest.mark.skip(reason=LEFT_OUT[name])] if name in LEFT_OUT else []
                yield pytest.param(check, arguments, id=f"{path}{group}: {name}", marks=left_out)


ALL = list(cases(CASES))


@pytest.mark.parametrize(("check", "arguments"), ALL)
def test_our_python_agrees_with_the_vector(check, arguments):
    check(*arguments)


def test_the_file_holds_vectors():
    assert ALL

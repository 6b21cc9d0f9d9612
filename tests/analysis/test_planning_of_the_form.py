"""The form on the results page plans with the formula of `abacus plan`: one file of cases holds both to it.

The other half is in tests/javascript/results.test.mjs."""

from __future__ import annotations

import json

import pytest

from abacus.paths import PROJECT
from chalicelib.analysis.duration.needed import needed

CASES = json.loads((PROJECT / "tests" / "fixtures" / "planning.json").read_text())["cases"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['rate']} {case['lift']} {case['variants']}")
def test_the_planner_agrees_with_the_cases_that_the_form_is_held_to(case: dict[str, float]) -> None:
    variants = int(case["variants"])
    plan = needed(case["rate"], case["lift"], [1 / variants] * variants)
    assert plan is not None
    assert plan.visitors[0] == case["visitors"]

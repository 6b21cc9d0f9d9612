"""Comparisons with a variant other than the control; the verdict stays by the control."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.api.parameters import question
from chalicelib.domain.errors import InvalidInput
from chalicelib.domain.manifest import Phase
from chalicelib.reporting.queries import detail
from tests.support.builders import NOON, a_manifest, an_experiment
from tests.support.memory_store import MemoryStore
from tests.support.tallied import daily, report_on

KEYS = ("blue", "green", "red")
DAYS = [{"blue": (600, 60), "green": (300, 45), "red": (100, 12)} for _ in range(10)]


def a_report(variants: tuple[str, ...] = KEYS, **asked: Any) -> dict[str, Any]:
    weights = {"blue": 0.6, "green": 0.3, "red": 0.1}
    phases = (Phase(weights=tuple(weights[key] for key in variants)),)
    experiment = an_experiment(variants=variants, phases=phases, goals=("signup",))
    return report_on(daily(*DAYS), experiment=experiment, series="day", **asked)


def test_another_baseline_compares_as_an_experiment_with_that_control_does() -> None:
    by_green, declared = a_report(baseline="green"), a_report(("green", "blue", "red"))
    for part in ("comparisons", "metrics", "means"):
        assert by_green[part] == declared[part], part
    assert [day["comparisons"] for day in by_green["series"]] == [day["comparisons"] for day in declared["series"]]
    assert by_green["baseline"] == "green"
    # 15 % against 10 %: a third less, whatever the method.
    assert by_green["comparisons"][0] | {"lift": 0} == declared["comparisons"][0] | {"lift": 0}
    assert by_green["comparisons"][0]["lift"] == pytest.approx(-1 / 3)


def test_verdict_checks_plan_and_rows_stay_by_the_control() -> None:
    by_green, by_control = a_report(baseline="green"), a_report()
    unchanged = ("verdict", "health", "plan", "guardrails", "variants", "phases", "omnibus", "age", "excluded")
    assert {part: by_green[part] for part in unchanged} == {part: by_control[part] for part in unchanged}
    assert by_control["baseline"] == "blue"
    assert a_report(baseline="blue") == by_control


def test_the_expected_visitors_of_a_day_stay_with_their_variant() -> None:
    (day, *_), (by_control, *_) = a_report(baseline="red")["series"], a_report()["series"]
    expected = {row["variant"]: row["expected"] for row in day["variants"]}
    assert expected == pytest.approx({row["variant"]: row["expected"] for row in by_control["variants"]})
    assert expected == pytest.approx({"blue": 600, "green": 300, "red": 100})


def test_a_baseline_that_is_no_variant_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match=r"baseline: 'pink' is not a variant of cta-color; it has blue, green"):
        detail(MemoryStore(), a_manifest(), "cta-color", question({"baseline": "pink"}), now_ms=NOON)

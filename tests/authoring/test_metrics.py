"""Goals with values, the primary metric, guardrails and the conversion window, as people write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from abacus.authoring.load import load
from abacus.authoring.problems import Problems
from abacus.publishing.yaml_lines import experiment_lines
from chalicelib.domain.clock import DAY_MS
from chalicelib.domain.manifest import Experiment, GoalValue, Guardrail

HEAD = "key: a\nstatus: running\nvariants: [{key: x}, {key: y}]\n"
WHOLE = """
goals:
  signup:
  purchase: { value: { unit: EUR, decimals: 2, cap: 499.5 } }
  error: { better: lower }
primary: purchase
guardrails:
  - { metric: error, worse_by_at_most: 5 % }
  - { metric: purchase.count, worse_by_at_most: 0.1 }
conversion_window: 7 days
"""


def read(folder: Path, text: str) -> Experiment:
    (folder / "a.yaml").write_text(HEAD + text)
    return load(folder).experiments[0]


def problem(folder: Path, text: str) -> str:
    with pytest.raises(Problems) as raised:
        read(folder, text)
    return raised.value.message.partition("a.yaml:")[2]


def test_everything_about_metrics_is_read(tmp_path: Path) -> None:
    experiment = read(tmp_path, WHOLE)
    assert (experiment.goals, experiment.lower_is_better) == (("signup", "purchase", "error"), ("error",))
    assert experiment.goal_values == {"purchase": GoalValue(unit="EUR", decimals=2, cap=49950)}
    assert (experiment.primary, experiment.conversion_window_ms) == ("purchase", 7 * DAY_MS)
    assert experiment.guardrails == (
        Guardrail(metric="error", margin=0.05),
        Guardrail(metric="purchase.count", margin=0.1),
    )


def test_the_lines_printed_for_it_read_back_as_the_same(tmp_path: Path) -> None:
    experiment = read(tmp_path, WHOLE)
    (tmp_path / "a.yaml").write_text("\n".join(experiment_lines(experiment)) + "\n")
    assert load(tmp_path).experiments[0] == experiment


def test_a_plain_list_of_goals_means_what_it_meant(tmp_path: Path) -> None:
    assert read(tmp_path, "goals: [signup]") == read(tmp_path, "goals: {signup: {}}")
    assert read(tmp_path, "goals: [signup]").primary == "click"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "primary: sale",
            "4: primary: 'sale' is not a goal; the experiment has only click. Declare it: `goals: [sale]`.",
        ),
        (
            "goals: [buy]\nprimary: sale",
            "5: primary: 'sale' is not a goal; there are click, buy. Declare it: put it under `goals:`.",
        ),
        (
            "primary: click.median",
            "4: primary: 'click.median' is not a metric: write click, click.value or click.count",
        ),
        (
            "goals: [buy]\nprimary: buy.value",
            "5: primary: 'buy' carries no values: add value: { unit: EUR, cap: 500 } to the goal",
        ),
        ("goals: {e: {better: lower}}\nprimary: e.count", "5: primary: 'e.count' should be low: make it a guardrail"),
        ("goals: {e: {better: lower}}\nprimary: e", "5: primary: 'e' should be low: make it a guardrail"),
        ("goals: {buy: {value: {unit: EUR}}}", "4: goals.buy.value: has no cap: add one"),
        ("goals: {buy: {value: {unit: EUR, decimals: 0, cap: 9.5}}}", "4: goals.buy.value: "),
        ("goals: {buy: {value: {unit: EUR, decimals: 7, cap: 9}}}", "4: goals.buy.value.decimals: "),
        ("goals: {buy: {better: smaller}}", "4: goals.buy.better: 'smaller' is not one of higher, lower"),
        ("goals: {click: {value: {unit: EUR, cap: 9}}}", "4: goals.click.value: a click carries no value"),
        ("guardrails: [{metric: click, worse_by_at_most: 5 %}]", "4: guardrails[0].metric: 'click' is the primary"),
        ("guardrails: [{metric: x, worse_by_at_most: 0 %}]", "4: guardrails[0].worse_by_at_most: "),
        ("guardrails: [{metric: x, worse_by_at_most: 5}]", "4: guardrails[0].worse_by_at_most: "),
        ("conversion_window: 7", "4: conversion_window: 7 is not a duration: write 7 days, 12 hours or 30 minutes"),
        ("conversion_window: 90 days", "4: conversion_window: is longer than 60 days"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    assert problem(tmp_path, text).startswith(message)

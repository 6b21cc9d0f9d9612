"""Rules for goals, the primary metric and guardrails that need more than one field to check."""

from __future__ import annotations

from collections.abc import Iterator

from abacus.authoring.condition_rules import Finding
from abacus.authoring.forms import ExperimentForm
from abacus.authoring.metrics.forms import GoalForm, goal_forms
from abacus.authoring.problems import did_you_mean, listed
from abacus.authoring.syntax.unsafe_names import reserved
from abacus.authoring.syntax.writer import flow
from chalicelib.domain.clock import DAY_MS
from chalicelib.domain.manifest import CLICK
from chalicelib.domain.metrics import parse_metric

LONGEST_WINDOW_DAYS = 60  # rows are kept 90 days from the last event unless configured


def check_goals(form: ExperimentForm) -> Iterator[Finding]:
    """No goal twice, no values on clicks, and no name that breaks a program which reads the manifest."""
    for index, goal in enumerate(form.goals):
        if problem := reserved(goal):
            yield ("goals", index if isinstance(form.goals, list) else goal), problem
    if isinstance(form.goals, list):
        for index, goal in enumerate(form.goals):
            if goal in form.goals[:index]:
                yield ("goals", index), f"{goal!r} is listed twice"
    elif CLICK in form.goals and form.goals[CLICK].value is not None:
        yield ("goals", CLICK, "value"), "a click carries no value: use a goal of another name"


def check_primary(form: ExperimentForm) -> Iterator[Finding]:
    """The primary metric exists."""
    if form.primary is not None:
        problems = list(_metric_problems(form.primary, goal_forms(form.goals)))
        yield from ((("primary",), rule) for rule in problems)
        goal = form.primary.partition(".")[0]
        if not problems and goal_forms(form.goals).get(goal, GoalForm()).better == "lower":
            yield ("primary",), f"{form.primary!r} should be low: make it a guardrail, and choose a goal to raise"


def check_guardrails(form: ExperimentForm) -> Iterator[Finding]:
    """Each guardrail is a metric that exists, once, and not the primary."""
    seen: set[str] = set()
    for index, guardrail in enumerate(form.guardrails):
        at = ("guardrails", index, "metric")
        yield from ((at, rule) for rule in _metric_problems(guardrail.metric, goal_forms(form.goals)))
        if guardrail.metric in seen:
            yield at, f"{guardrail.metric!r} is listed twice"
        if guardrail.metric == (form.primary or CLICK):
            yield at, f"{guardrail.metric!r} is the primary metric, which decides already: choose another one"
        seen.add(guardrail.metric)


def check_window(form: ExperimentForm) -> Iterator[Finding]:
    """The conversion window ends while rows are certain to exist."""
    if form.conversion_window is not None and form.conversion_window > LONGEST_WINDOW_DAYS * DAY_MS:
        yield ("conversion_window",), f"is longer than {LONGEST_WINDOW_DAYS} days, for which events are kept"


def _metric_problems(text: str, goals: dict[str, GoalForm]) -> Iterator[str]:
    try:
        metric = parse_metric(text)
    except ValueError as error:
        yield str(error)
        return
    known = [CLICK, *(goal for goal in goals if goal != CLICK)]
    if metric.goal not in known:
        there = f"there are {listed(known)}" if len(known) > 1 else f"the experiment has only {CLICK}"
        declared = "put it under `goals:`" if goals else f"`goals: {flow([metric.goal])}`"
        hint = did_you_mean(metric.goal, known) or f" Declare it: {declared}."
        yield f"{metric.goal!r} is not a goal; {there}.{hint}"
    elif metric.kind == "value" and (metric.goal == CLICK or goals[metric.goal].value is None):
        yield f"{metric.goal!r} carries no values: add value: {{ unit: EUR, cap: 500 }} to the goal"

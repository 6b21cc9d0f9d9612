"""Which changes of goals, primary metric and guardrails would mix two meanings of the same numbers."""

from __future__ import annotations

from collections.abc import Iterator

from abacus.authoring.problems import listed
from abacus.publishing.phase_changes import Findings
from abacus.publishing.yaml_lines import field_lines, with_lines
from chalicelib.domain.manifest import Experiment

NEW_KEY = "Start an experiment with another key, and put the old lines back"


def metric_changes(before: Experiment, after: Experiment) -> Findings:
    """Every change of the metrics of an experiment that visitors have taken part in."""
    for field, reason in _mixing(before, after):
        lines = field_lines(before).get(field, [f"# remove the field {field}"])
        yield "refusal", with_lines(f"{reason}. {NEW_KEY}", lines)
    for goal in sorted(set(after.goals) - set(before.goals)):
        yield "change", f"goal {goal} added"
    for goal in sorted(set(before.goals) - set(after.goals)):
        yield "change", f"goal {goal} removed"
        yield "warning", f"events of goal {goal} will be refused from now on"


def _mixing(before: Experiment, after: Experiment) -> Iterator[tuple[str, str]]:
    """(field, why it must not change) for every field that differs."""
    common = [goal for goal in before.goals if goal in after.goals]
    values = [goal for goal in common if before.goal_values.get(goal) != after.goal_values.get(goal)]
    if values:
        yield "goals", f"value of {listed(values)} changed: sums so far were counted by the old unit, decimals and cap"
    better = [goal for goal in common if (goal in before.lower_is_better) != (goal in after.lower_is_better)]
    if better:
        yield "goals", f"better of {listed(better)} changed: a winner would become a loser"
    if before.primary != after.primary:
        yield (
            "primary",
            f"primary {before.primary} → {after.primary}: choosing the metric after the start finds a winner by chance",
        )
    if before.guardrails != after.guardrails:
        yield "guardrails", "guardrails changed: a margin chosen after the start always fits"
    if before.conversion_window_ms != after.conversion_window_ms:
        yield "conversion_window", "conversion_window changed: visitors so far were counted by the old one"
    if before.segments != after.segments:
        yield "segments", "segments changed: visitors so far are in the old ones, or in none"

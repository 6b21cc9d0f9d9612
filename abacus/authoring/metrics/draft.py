"""The metrics of a new experiment, as `abacus new` takes them, and the lines of its file and its page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from abacus.authoring.syntax.writer import scalar
from abacus.shares import parse_share, percent
from chalicelib.domain.errors import AbacusError
from chalicelib.domain.manifest import CLICK
from chalicelib.domain.metrics import MetricName, parse_metric


class CannotMeasure(AbacusError):
    """The metrics do not fit together; the message says what is missing."""


@dataclass(frozen=True)
class DraftGuardrail:
    """A metric that must not get worse by more than `margin`, a fraction."""

    metric: MetricName
    margin: float


@dataclass(frozen=True)
class DraftMetrics:
    """primary: the metric that decides. unit, cap: of its values, "" and None without. lower: goals that fewer visitors
    should reach."""

    primary: MetricName
    unit: str = ""
    cap: float | None = None
    guardrails: tuple[DraftGuardrail, ...] = ()
    lower: tuple[str, ...] = ()

    @property
    def goals(self) -> tuple[str, ...]:
        """Every goal but the click, each once."""
        named = [self.primary.goal, *(guardrail.metric.goal for guardrail in self.guardrails), *self.lower]
        return tuple(goal for goal in dict.fromkeys(named) if goal != CLICK)

    def yaml_lines(self) -> Iterator[str]:
        """Goals, primary metric and guardrails."""
        if self.goals:
            yield "goals:"
            yield from (f"  {scalar(goal)}: {self._settings(goal)}" for goal in self.goals)
        if str(self.primary) != CLICK:
            yield f"primary: {scalar(str(self.primary))} # the metric that decides"
        if self.guardrails:
            yield "guardrails:"
        for guardrail in self.guardrails:
            margin = percent(guardrail.margin)
            yield f"  - {{ metric: {scalar(str(guardrail.metric))}, worse_by_at_most: {margin} }}"

    def _settings(self, goal: str) -> str:
        parts = []
        if goal == self.primary.goal and self.cap is not None:
            parts.append(f"value: {{ unit: {scalar(self.unit)}, cap: {self.cap:.12g} }}")
        if goal in self.lower:
            parts.append("better: lower")
        return f"{{ {', '.join(parts)} }}" if parts else "{}"

    def page_lines(self) -> Iterator[str]:
        """What the page sends for each goal, as HTML with a comment each."""
        for goal in self.goals:
            if goal == self.primary.goal and self.cap is not None:
                yield f'<form data-ab="goal:{goal}" data-ab-value="49.90">   <!-- or: abacus.goal("{goal}", 49.9) -->'
            else:
                yield f'<form data-ab="goal:{goal}">   <!-- or: abacus.goal("{goal}") -->'


def draft_metrics(
    primary: str, unit: str, cap: float | None, guardrails: Sequence[str], lower: Sequence[str]
) -> DraftMetrics:
    """The metrics from their options; guardrails: `error=5 %`. Raises CannotMeasure that names option and rule."""
    name = _name("--primary", primary)
    if name.kind == "value" and (not unit or cap is None):
        raise CannotMeasure(
            f"--primary: the values of {name.goal} need a unit and a cap, the most that a visitor's sum counts for; "
            "add --unit EUR --cap 500"
        )
    if name.kind != "value" and (unit or cap is not None):
        raise CannotMeasure(f"--cap, --unit: {name} has no values; write --primary {name.goal}.value to decide by them")
    return DraftMetrics(name, unit, cap, tuple(_guardrail(text) for text in guardrails), tuple(lower))


def _guardrail(text: str) -> DraftGuardrail:
    metric, _, margin = text.partition("=")
    try:
        return DraftGuardrail(_name("--guardrail", metric.strip()), parse_share(margin.strip()))
    except ValueError as error:
        raise CannotMeasure(f"--guardrail: {text!r}: {margin!r} {error}; write 'error=5 %'") from None


def _name(option: str, text: str) -> MetricName:
    try:
        return parse_metric(text)
    except ValueError as error:
        raise CannotMeasure(f"{option}: {error}") from None

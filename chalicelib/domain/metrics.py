"""Metrics by name, as a manifest refers to them: `signup`, `purchase.value`, `purchase.count`.

rate    visitors who reached the goal / visitors                       `signup`, `click`
value   sum of a goal's values per visitor, each visitor's sum capped  `purchase.value`
count   events of a goal per visitor, at most 100 of each visitor      `purchase.count`
"""

from __future__ import annotations

from typing import Literal, NamedTuple

MetricKind = Literal["rate", "value", "count"]
_SUFFIXES: dict[str, MetricKind] = {"value": "value", "count": "count"}


class MetricName(NamedTuple):
    """A metric of one goal."""

    goal: str
    kind: MetricKind = "rate"

    def __str__(self) -> str:
        return self.goal if self.kind == "rate" else f"{self.goal}.{self.kind}"


def parse_metric(text: str) -> MetricName:
    """The metric that `text` names. Raises ValueError for a suffix that is not a kind of metric.

    >>> parse_metric("signup"), str(parse_metric("purchase.value"))
    (MetricName(goal='signup', kind='rate'), 'purchase.value')
    """
    goal, dot, suffix = text.partition(".")
    if not dot:
        return MetricName(goal)
    if suffix not in _SUFFIXES:
        raise ValueError(f"{text!r} is not a metric: write {goal}, {goal}.value or {goal}.count")
    return MetricName(goal, _SUFFIXES[suffix])

"""What was counted and how long it took, as lines of the log from which CloudWatch makes metrics by itself.

One line for each request or batch, in CloudWatch's embedded metric format. It is the access log too: route, status and
outcomes, and nothing that belongs to a visitor.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Literal, NamedTuple

Facts = Mapping[str, str | int | float]


class Figures(NamedTuple):
    """Numbers of one unit. `by`: which of the line's facts part them; each combination is a metric that is paid for."""

    unit: Literal["Count", "Milliseconds"]
    values: Mapping[str, int | float]
    by: tuple[str, ...] = ()


def line(namespace: str, at_ms: int, facts: Facts, *figures: Figures) -> str:
    """One line of log that is metrics as well. `at_ms`: epoch milliseconds.

    Source: CloudWatch user guide, "Embedded metric format specification".

    >>> line("abacus-prod", 1795262400000, {"Status": 202}, Figures("Count", {"accepted": 2}))
    '{"_aws":{"Timestamp":1795262400000,"CloudWatchMetrics":[{"Namespace":"abacus-prod","Dimensions":[[]],\
"Metrics":[{"Name":"accepted","Unit":"Count"}]}]},"Status":202,"accepted":2}'
    """
    directives = [
        {
            "Namespace": namespace,
            "Dimensions": [list(some.by)],
            "Metrics": [{"Name": name, "Unit": some.unit} for name in some.values],
        }
        for some in figures
        if some.values
    ]
    members = {name: value for some in figures for name, value in some.values.items()}
    record = {"_aws": {"Timestamp": at_ms, "CloudWatchMetrics": directives}, **facts, **members}
    return json.dumps(record, separators=(",", ":"))


class Meter:
    """Writes such lines for one deployment. `write` is None where no one reads them, as on a developer's machine."""

    def __init__(self, namespace: str, write: Callable[[str], None] | None) -> None:
        self._namespace = namespace
        self._write = write
        self._lock = Lock()
        self._outcomes: Counter[str] = Counter()
        self._cold = True

    def note(self, outcomes: Mapping[str, int]) -> None:
        """Events of the request that is being answered, by outcome."""
        with self._lock:
            self._outcomes.update(outcomes)

    def request(self, route: str, status: int, *, ms: float, now_ms: int) -> None:
        """An answered request, with what was noted since the last one. `route`: method and pattern, never the path that
        was asked for; `now_ms`: epoch milliseconds."""
        with self._lock:
            outcomes, self._outcomes = +self._outcomes, Counter()
            cold, self._cold = self._cold, False
        counts = dict(outcomes) | ({"Failed": 1} if status >= 500 else {}) | ({"ColdStart": 1} if cold else {})
        latency = Figures("Milliseconds", {"Latency": round(ms, 1)}, by=("Route",))
        self._say(now_ms, {"Route": route, "Status": status}, latency, Figures("Count", counts))

    def batch(self, function: str, counts: Mapping[str, int], facts: Facts | None = None, *, now_ms: int) -> None:
        """What one call of a function without a client has done; `facts` are logged, but make no metrics."""
        self._say(now_ms, {"Function": function, **(facts or {})}, Figures("Count", counts))

    def _say(self, now_ms: int, facts: Facts, *figures: Figures) -> None:
        if self._write:
            self._write(line(self._namespace, now_ms, facts, *figures))

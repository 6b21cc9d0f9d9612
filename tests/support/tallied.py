"""Tallies without events: so many visitors, so many of them converted."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

from chalicelib.reporting.report import report
from chalicelib.storage.tally import Cell, Tallies, Tally
from tests.support.builders import an_experiment

BEGAN = date(2026, 11, 2)  # a Monday
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)  # three weeks later
Arm = tuple[int, int]  # visitors, converted


def a_tally(visitors: int = 0, converted: int = 0, **fields: Any) -> Tally:
    """Every visitor saw the variant once, and clicked once or not at all."""
    n, x = visitors, converted
    counts = {"impressions": n, "clicks": x, "visitors": n, "sx": n, "sy": x, "sxx": n, "syy": x, "sxy": x}
    named = {name: Counter(fields.pop(name, {})) for name in ("excluded", "goal_events")}
    converted_to = Counter(fields.pop("goals", {})) + Counter({"click": x})
    return Tally(**counts | {"received": n + x, "events": n + x} | fields, **named, converted=converted_to)


def totals(phase: int = 0, **arms: Arm | Tally) -> Tallies:
    """blue=(1000, 100): visitors and converted, all-time."""
    return {
        Cell("total", "", phase, variant): arm if isinstance(arm, Tally) else a_tally(*arm)
        for variant, arm in arms.items()
    }


def daily(*days: dict[str, Arm], phase: int = 0, began: date = BEGAN) -> Tallies:
    """One cohort for each day, and the totals they add up to."""
    tallies: Tallies = {}
    for number, arms in enumerate(days):
        day = (began + timedelta(days=number)).isoformat()
        for variant, arm in arms.items():
            tallies[Cell("day", day, phase, variant)] = a_tally(*arm)
            tallies.setdefault(Cell("total", "", phase, variant), Tally()).add(a_tally(*arm))
    return tallies


def report_on(tallies: Tallies, **arguments: Any) -> dict[str, Any]:
    """The report three weeks after the first visitor."""
    defaults: dict[str, Any] = {
        "began": BEGAN,
        "series": "none",
        "now": NOW,
        "conservation": {},
        "refused": {},
    }
    experiment = arguments.pop("experiment", None) or an_experiment()
    return report(experiment, tallies, **defaults | arguments)


def checked(answer: dict[str, Any], name: str) -> dict[str, Any]:
    """One health check by name."""
    return next(check for check in answer["health"]["checks"] if check["name"] == name)

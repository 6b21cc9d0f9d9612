"""Tallies without events: so many visitors, so many of them converted."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date, timedelta
from typing import Any

from pydantic import BaseModel

from chalicelib.domain.clock import DAY_MS, day_start_ms
from chalicelib.reporting.report import Question, ReportContext, report
from chalicelib.storage.tally import Cell, Tallies, Tally
from tests.support.builders import an_experiment

BEGAN = date(2026, 11, 2)  # a Monday
NOW = day_start_ms(date(2026, 11, 23)) + DAY_MS // 2  # noon, three weeks later
Arm = tuple[int, int]  # visitors, converted


def a_tally(visitors: int = 0, converted: int = 0, **fields: Any) -> Tally:
    """Every visitor saw the variant once, and clicked once or not at all."""
    n, x = visitors, converted
    counts = {"impressions": n, "clicks": x, "visitors": n, "sx": n, "sy": x, "sxx": n, "syy": x, "sxy": x}
    named: dict[str, Any] = {
        name: Counter(fields.pop(name, {})) for name in ("excluded", "flagged", "flagged_events", "goal_events")
    }
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
    """The report three weeks after the first visitor, as its client reads it.

    `arguments`: of Question and ReportContext."""
    experiment = arguments.pop("experiment", None) or an_experiment()
    asked: dict[str, Any] = {"series": "none"}
    asked |= {name: arguments.pop(name) for name in ("goal", "series", "start", "end", "baseline") if name in arguments}
    known: dict[str, Any] = {"now_ms": NOW, "began": BEGAN} | arguments
    return as_json(report(experiment, tallies, Question(**asked), ReportContext(**known)))


def as_json(answer: BaseModel) -> dict[str, Any]:
    """An answer of the API as JSON has it."""
    parsed: dict[str, Any] = json.loads(answer.model_dump_json(by_alias=True))
    return parsed


def checked(answer: dict[str, Any], name: str) -> dict[str, Any]:
    """One health check by name."""
    return next(check for check in answer["health"]["checks"] if check["name"] == name)

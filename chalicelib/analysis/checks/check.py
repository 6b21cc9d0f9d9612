"""The result of one data check."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

State = Literal["ok", "warning", "alarm"]
ALARM = 0.001  # p below which a check raises an alarm
WARNING = 0.01
POINT = 0.01  # a share, or a difference of shares, worth mentioning


@dataclass(frozen=True)
class Check:
    """A sentence for people, and the figures it rests on."""

    name: str
    state: State
    text: str
    figures: dict[str, Any] = field(default_factory=dict)


def worst(checks: Iterable[Check]) -> State:
    """alarm before warning before ok."""
    states = {check.state for check in checks}
    return "alarm" if "alarm" in states else "warning" if "warning" in states else "ok"

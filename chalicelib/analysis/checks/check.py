"""The result of one data check."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

State = Literal["ok", "warning", "alarm"]
ALARM = 0.001  # p below which a check raises an alarm
WARNING = 0.01
POINT = 0.01  # a share, or a difference of shares, worth mentioning


# What people read in place of a check's name; static/results/ui/labels.js has the same titles, with an explanation.
TITLES = {
    "impossible-counts": "Counts",
    "srm": "Split",
    "multiple-variants": "Seen in several variants",
    "duplicates": "Repeated events",
    "no-impression": "Clicks without an impression",
    "before-impression": "Clicks before the impression",
    "late-arrivals": "Late arrivals",
    "arrival-bursts": "Bursts of visitors",
    "missing-cookies": "Missing cookies",
    "impossible-speed": "Impossible speed",
    "shared-ids": "Shared visitor ids",
    "bot": "Bots",
    "simpson": "Changed split",
    "novelty": "Drift",
    "twyman": "Striking difference",
    "refused": "Refused events",
    "conservation": "Lost events",
}


@dataclass(frozen=True)
class Check:
    """A sentence for people, and the figures it rests on. `name`: one of TITLES, for programs."""

    name: str
    state: State
    text: str
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """What people call it."""
        return TITLES[self.name]


def worst(checks: Iterable[Check]) -> State:
    """alarm before warning before ok."""
    states = {check.state for check in checks}
    return "alarm" if "alarm" in states else "warning" if "warning" in states else "ok"

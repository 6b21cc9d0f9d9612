"""What of an event, and of its experiment, is stored with it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from chalicelib.domain.manifest import GoalValue
from chalicelib.storage.event_encoding import Marks, element_of
from tests.support.builders import NOON, an_event, an_experiment

VALUED = {"goals": ("buy",), "goal_values": {"buy": GoalValue(unit="EUR", decimals=2, cap=900)}}
BOUGHT = {"type": "goal", "goal": "buy", "value": Decimal("4.5")}


@pytest.mark.parametrize(
    ("event", "experiment", "element"),
    [
        ({}, {}, f"i|green|0|{NOON}|e1"),
        ({}, {"assignment": "client"}, f"I|green|0|{NOON}|e1"),
        ({"phase": 3}, {}, f"i|green|3|{NOON}|e1"),
        (BOUGHT, VALUED, f"g:buy|green|0|{NOON}|e1||450^900"),
        ({}, {"conversion_window_ms": 3_600_000}, f"i|green|0|{NOON}|e1||^3600"),
        ({"type": "click"}, {"conversion_window_ms": 3_600_000}, f"c|green|0|{NOON}|e1"),
    ],
)
def test_an_event_is_stored_with_what_its_experiment_says(
    event: dict[str, object], experiment: dict[str, object], element: str
) -> None:
    assert element_of(an_event(**event), an_experiment(**experiment), Marks()) == element


def test_only_an_impression_keeps_the_segments() -> None:
    stored = [
        element_of(an_event(**fields), an_experiment(), Marks(), ("plan=pro", "device=mobile"))
        for fields in ({}, {"type": "click"})
    ]
    assert stored == [f"i|green|0|{NOON}|e1|||plan=pro,device=mobile", f"c|green|0|{NOON}|e1"]

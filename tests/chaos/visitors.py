"""Made-up visitors, what they send, and what the tallies must say after it."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from chalicelib.domain.manifest import Experiment

SPLIT = 0.2  # share of visitors whose events come in two requests, in any order
KINDS = ("click", "goal:signup")


@dataclass
class Expected:
    """What the visitors did. ids: of every event, by visitor and experiment. totals: numbers by experiment and variant,
    named as in a tally."""

    ids: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    totals: dict[tuple[str, str], Counter[str]] = field(default_factory=dict)

    def add(self, visitor: str, events: Sequence[dict[str, Any]]) -> None:
        """Add the events of one visitor, all experiments together."""
        for key in {event["experiment"] for event in events}:
            mine = [event for event in events if event["experiment"] == key]
            self.ids[visitor, key] = {event["id"] for event in mine}
            total = self.totals.setdefault((key, mine[0]["variant"]), Counter())
            total["visitors"] += 1
            kinds = Counter(event["type"] for event in mine)
            total["impressions"] += kinds["impression"]
            total["clicks"] += kinds["click"]
            total["events"] += len(mine)
            total["goal_events.signup"] += kinds["goal"]
            total["converted.click"] += bool(kinds["click"])
            total["converted.signup"] += bool(kinds["goal"])


def visits(
    experiments: Sequence[Experiment], events: int, name: str, rng: random.Random, expected: Expected | None
) -> Iterator[dict[str, Any]]:
    """Bodies of POST /events with about `events` events in total. name: what the visitors' ids begin with. expected:
    where the events are added; None: nowhere. A visitor has an impression in each experiment before anything else."""
    made = number = 0
    while made < events:
        visitor = f"{name}-{number}"
        number += 1
        mine = [event for experiment in experiments for event in _events(experiment, visitor, rng)]
        for index, event in enumerate(mine):
            event["id"] = f"e{index}"
        made += len(mine)
        if expected is not None:
            expected.add(visitor, mine)
        if rng.random() < SPLIT:
            rng.shuffle(mine)
            yield {"visitor": visitor, "events": mine[:2]}
            yield {"visitor": visitor, "events": mine[2:]}
        else:
            yield {"visitor": visitor, "events": mine}


def _events(experiment: Experiment, visitor: str, rng: random.Random) -> Iterator[dict[str, Any]]:
    at = round(time.time() * 1000)
    variant = experiment.assign(visitor, 0)
    # The phase is named: a publish may begin another one at any moment.
    common = {"experiment": experiment.key, "variant": variant, "phase": 0}
    yield common | {"type": "impression", "at": at}
    for n in range(rng.randrange(10)):
        kind, _, goal = rng.choice(KINDS if experiment.goals else KINDS[:1]).partition(":")
        yield common | {"type": kind, "at": at + n} | ({"goal": goal} if goal else {})

"""Simulated visitors with a known effect: when they come, what they see, whether they click or reach a goal.

Each visitor returns a few times over the days. Each visit is one request, with one impression of every experiment
that the visitor takes part in. A visitor who clicks does so at one of the visits, sometimes twice, and may then reach
a goal. Everything but the clock comes from the seed, ids included: the same seed again counts nothing new.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from chalicelib.domain.manifest import Experiment

ID_PREFIX = "sim-"  # of every simulated visitor's id; `abacus demo --clear` removes these visitors
RATE = 0.10  # share of visitors who click at least once, where --rates does not name another
GOAL_AFTER_CLICK = 0.4  # share of those who clicked that reach a goal, for each goal
GOAL_WITHOUT = 0.01  # and of those who did not
VISITS = {1: 50, 2: 25, 3: 13, 4: 8, 5: 4}  # number of visits: weight in percent
SECOND_CLICK = 0.15
HOUR, DAY = 3_600_000, 86_400_000  # milliseconds

Rates = Mapping[str, float]  # "experiment:variant" → share of its visitors who click at least once
Event = dict[str, Any]


class Visitor(NamedTuple):
    """One simulated visitor with all events."""

    id: str
    visits: list[list[Event]]  # oldest first; the events of each are one request


def visitors(
    experiments: Sequence[Experiment], rates: Rates, *, count: int, days: float, seed: int, now_ms: int
) -> Iterator[Visitor]:
    """`count` visitors, whose events lie in the `days` before `now_ms` (epoch milliseconds)."""
    dice = random.Random(seed)
    for _ in range(count):
        visitor = visitor_id(dice)
        times = _times(dice, now_ms - round(days * DAY), now_ms)
        visits: list[list[Event]] = [[] for _ in times]
        for experiment in experiments:
            variant = experiment.assign(visitor, experiment.current_phase)
            if variant is not None:
                rate = rates.get(f"{experiment.key}:{variant}", RATE)
                for visit, events in zip(visits, _events(dice, experiment, variant, times, rate), strict=True):
                    visit += [event for event in events if experiment.accepts(event["at"])]
        yield Visitor(visitor, [sorted(visit, key=lambda e: int(e["at"])) for visit in visits if visit])


def visitor_id(dice: random.Random) -> str:
    """A random id that shows that its visitor is simulated."""
    return f"{ID_PREFIX}{dice.getrandbits(112):028x}"


def _times(dice: random.Random, start: int, end: int) -> list[int]:
    """The visits of one visitor: the first at any moment, the others some hours later, all before `end`."""
    (visits,) = dice.choices(list(VISITS), list(VISITS.values()))
    at = dice.randrange(start, end - HOUR // 60)
    times = [at]
    for _ in range(visits - 1):
        at += HOUR // 4 + round(dice.expovariate(1 / (8 * HOUR)))
        if at < end - HOUR // 60:
            times.append(at)
    return times


def _events(
    dice: random.Random, experiment: Experiment, variant: str, times: Sequence[int], rate: float
) -> Iterator[list[Event]]:
    """The events of one visitor in one experiment, visit by visit; all within a minute of the visit's time."""

    def event(kind: str, at: int, **more: str) -> Event:
        return {
            "id": f"{dice.getrandbits(64):016x}", "type": kind, "experiment": experiment.key, "variant": variant,
            "phase": experiment.current_phase, "at": at, **more,
        }  # fmt: skip

    clicks = dice.random() < rate
    clicked_at = dice.randrange(len(times)) if clicks else None
    goals = [g for g in experiment.goals if dice.random() < (GOAL_AFTER_CLICK if clicks else GOAL_WITHOUT)]
    for index, at in enumerate(times):
        events = [event("impression", at)]
        if index == clicked_at:
            events += [event("click", at + 3_000 + i * 1_500) for i in range(1 + (dice.random() < SECOND_CLICK))]
        if index == (clicked_at or 0):
            events += [event("goal", at + 20_000, goal=goal) for goal in goals]
        yield events


def truth(simulated: Iterable[Visitor]) -> Iterator[str]:
    """What the results page must show if nothing else was sent: one line per variant."""
    seen: Counter[tuple[str, str]] = Counter()
    clicked: Counter[tuple[str, str]] = Counter()
    for visitor in simulated:
        events = [event for visit in visitor.visits for event in visit]
        seen.update({(e["experiment"], e["variant"]) for e in events})
        clicked.update({(e["experiment"], e["variant"]) for e in events if e["type"] == "click"})
    for (experiment, variant), n in sorted(seen.items()):
        share = clicked[experiment, variant] / n
        yield f"{experiment} {variant}: {n} visitors, {clicked[experiment, variant]} clicked ({share:.2%})"

"""Simulated visitors with a known effect: when they come, what they see, whether they click or reach a goal.

Each visitor returns a few times over the days. Each visit is one request, with one impression of every experiment
that the visitor takes part in. A visitor who clicks does so at one of the visits, sometimes twice, and may then reach
a goal, with the value of an order where the goal has values. Everything but the clock comes from the seed, ids
included: the same seed again counts nothing new.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from abacus.simulation.traffic.effects import Effects
from abacus.simulation.traffic.traits import Traits, said_segments, traits_of
from chalicelib.domain.clock import DAY_MS, HOUR_MS, MINUTE_MS
from chalicelib.domain.manifest import Experiment
from chalicelib.domain.segments import marker

ID_PREFIX = "sim-"  # of every simulated visitor's id; `abacus demo --clear` removes these visitors
VISITS = {1: 50, 2: 25, 3: 13, 4: 8, 5: 4}  # number of visits: weight in percent
SECOND_CLICK = 0.15

Event = dict[str, Any]


class Visitor(NamedTuple):
    """One simulated visitor with all events."""

    id: str
    visits: list[list[Event]]  # oldest first; the events of each are one request
    traits: Traits = Traits()


def visitors(
    experiments: Sequence[Experiment],
    effects: Effects,
    *,
    count: int,
    days: float,
    seed: int,
    now_ms: int,
) -> Iterator[Visitor]:
    """`count` visitors, whose events lie in the `days` before `now_ms` (epoch milliseconds)."""
    shares = effects.shares
    rng = random.Random(seed)
    for _ in range(count):
        visitor = visitor_id(rng)
        traits = traits_of(visitor, shares)
        times = _times(rng, now_ms - round(days * DAY_MS), now_ms)
        visits: list[list[Event]] = [[] for _ in times]
        for experiment in experiments:
            variant = experiment.assign(visitor, experiment.current_phase)
            if variant is not None:
                segments = said_segments(experiment, visitor, traits, shares, first=True)
                markers = [marker(s.name, s.value_of(segments[s.name])) for s in experiment.segments]
                meeting = _Meeting(visitor, experiment, variant, markers, effects)
                for visit, events in zip(visits, meeting.events(rng, times), strict=True):
                    segments = said_segments(experiment, visitor, traits, shares, first=visit is visits[0])
                    if segments:
                        events = [e | {"segments": segments} if e["type"] == "impression" else e for e in events]
                    visit += [event for event in events if experiment.accepts(event["at"])]
        yield Visitor(visitor, [sorted(visit, key=lambda e: int(e["at"])) for visit in visits if visit], traits)


def visitor_id(rng: random.Random) -> str:
    """A random id that shows that its visitor is simulated."""
    return f"{ID_PREFIX}{rng.getrandbits(112):028x}"


def _times(rng: random.Random, start: int, end: int) -> list[int]:
    """The visits of one visitor: the first at any moment, the others some hours later, all before `end`."""
    (visits,) = rng.choices(list(VISITS), list(VISITS.values()))
    at = rng.randrange(start, end - MINUTE_MS)
    times = [at]
    for _ in range(visits - 1):
        at += HOUR_MS // 4 + round(rng.expovariate(1 / (8 * HOUR_MS)))
        if at < end - MINUTE_MS:
            times.append(at)
    return times


class _Meeting(NamedTuple):
    """One visitor in one experiment. `markers`: of the visitor's segments."""

    visitor: str
    experiment: Experiment
    variant: str
    markers: Sequence[str]
    effects: Effects

    def events(self, rng: random.Random, times: Sequence[int]) -> Iterator[list[Event]]:
        """The events visit by visit; all within a minute of the visit's time."""
        experiment, effects, arm = self.experiment, self.effects, f"{self.experiment.key}:{self.variant}"

        def event(kind: str, at: int, **more: Any) -> Event:
            return {
                "id": f"{rng.getrandbits(64):016x}", "type": kind, "experiment": experiment.key,
                "variant": self.variant, "phase": experiment.current_phase, "at": at, **more,
            }  # fmt: skip

        clicks = rng.random() < effects.click_rate(arm, self.markers)
        clicked_at = rng.randrange(len(times)) if clicks else None
        rates = {g: effects.goal_rate(arm, g, self.markers, clicks=clicks) for g in experiment.goals}
        goals = [goal for goal, rate in rates.items() if rng.random() < rate]
        for index, at in enumerate(times):
            events = [event("impression", at)]
            if index == clicked_at:
                events += [event("click", at + 3_000 + i * 1_500) for i in range(1 + (rng.random() < SECOND_CLICK))]
            if index == (clicked_at or 0):
                for goal in goals:
                    events += self._orders(event("goal", at + 20_000, goal=goal), at)
            yield events

    def _orders(self, goal: Event, visit: int) -> list[Event]:
        """The event of a goal, or its orders where it has values. Their random numbers are their own, so that they
        change nothing else. `visit`: when it began, epoch milliseconds."""
        declared = self.experiment.goal_values.get(goal["goal"])
        if declared is None:
            return [goal]
        rng = random.Random(f"{self.visitor} {self.experiment.key} {goal['goal']}")
        place = f"{self.experiment.key}:{self.variant}.{goal['goal']}"
        return [
            goal | {"id": f"{rng.getrandbits(64):016x}", "at": visit + order.after_ms, "value": order.value}
            for order in self.effects.orders(rng, place, self.markers, declared)
        ]

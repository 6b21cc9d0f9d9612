"""Three weeks of simulated visitors for the demo's experiments, so that the results page shows each of its states.

Their events are up to 21 days old, which only a signed sender may send. Everything but the clock comes from the seed,
ids included: sent again, nothing counts twice.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from abacus.simulation.traffic.effects import (
    GOAL_AFTER_CLICK,
    GOAL_WITHOUT,
    ORDER,
    RATE,
    SPREAD,
    drawn_orders,
    split_rate,
)
from abacus.simulation.traffic.traits import said_segments, traits_of
from abacus.simulation.traffic.visitors import SECOND_CLICK, VISITS, Event, Visitor, visitor_id
from chalicelib.domain.clock import DAY_MS, HOUR_MS, MINUTE_MS
from chalicelib.domain.manifest import Experiment
from chalicelib.ingestion.sender import sign

CLIENT = "demo"  # name of the signed sender; `abacus run` makes its key
SEED = 3
VISITORS = 2400
STRAY_CLICKS = 0.004  # share of visitors who click, and whose impression never arrives
SENT_TWICE = 0.02  # share of visitors whose events all arrive twice


@dataclass(frozen=True)
class Story:
    """The past of one experiment.

    rates: share of each variant's visitors who click; buyers: share who reach a goal with values; order: mean of an
    order, refunds: share of orders that are refunded; part: share of all visitors who meet the experiment; since,
    until: days ago; turns: days ago at which each later phase began; growth: relative growth of all rates with each
    phase; lost: share of a variant's visitors whose events never arrive; on_mobile: rates on phones, where they
    differ."""

    rates: Mapping[str, float] = field(default_factory=dict)
    part: float = 0.5
    since: float = 21
    until: float = 0
    turns: tuple[float, ...] = ()
    growth: float = 0.0
    lost_share: Mapping[str, float] = field(default_factory=dict)
    on_mobile: Mapping[str, float] = field(default_factory=dict)
    buyers: Mapping[str, float] = field(default_factory=dict)
    order: Mapping[str, float] = field(default_factory=dict)
    refunds: Mapping[str, float] = field(default_factory=dict)

    def goal_rate(self, variant: str, click_rate: float, *, clicks: bool) -> float:
        """Of those who click, or of those who do not."""
        if variant in self.buyers:
            return split_rate(self.buyers[variant], click_rate, clicks=clicks)
        return GOAL_AFTER_CLICK if clicks else GOAL_WITHOUT


# Rates are higher than on a real site, so that a few thousand visitors show an effect.
STORIES = {
    "cta-color": Story({"blue": 0.22, "green": 0.32}, part=0.7),  # a winner
    "hero": Story({"plain": 0.22, "benefit": 0.38, "question": 0.23}, part=0.8),  # more than two variants
    "footer-links": Story({"a": 0.2, "also-a": 0.2}),  # an A/A test
    "checkout-steps": Story({"three-pages": 0.25, "one-page": 0.29}, lost_share={"one-page": 0.36}),  # a broken split
    "free-shipping": Story({"none": 0.2, "from-50": 0.23}, part=0.6, turns=(10,), growth=0.5),  # weights changed
    "newsletter": Story({"footer": 0.1, "article-end": 0.13}, part=0.15, since=3),  # still collecting
    "sticky-header": Story({"scrolls": 0.2, "sticky": 0.33}, part=0.6, until=2),  # stopped
    # Better on phones alone.
    "tea-cards": Story({"list": 0.28, "cards": 0.28}, part=0.8, on_mobile={"list": 0.16, "cards": 0.34}),
    # Wins clicks and loses revenue, which its guardrail forbids.
    "buy-button": Story(
        {"add": 0.42, "buy-now": 0.58},
        part=0.75,
        buyers={"add": 0.3, "buy-now": 0.32},
        order={"add": 31.0, "buy-now": 12.5},
        refunds={"add": 0.03, "buy-now": 0.06},
    ),
}


def demo_visitors(
    experiments: Iterable[Experiment], *, visitors: int = VISITORS, seed: int = SEED, now_ms: int
) -> list[Visitor]:
    """The visitors of the demo's experiments before `now_ms` (epoch milliseconds), each with one request.

    Any other experiment gets none: simulated visitors must not mix with the real ones of your own experiments."""
    stories = [(e, STORIES[e.key]) for e in experiments if e.key in STORIES and e.status != "draft"]
    people = []
    for number in range(visitors):
        rng = random.Random(f"{seed} {number}")
        visitor = visitor_id(rng)
        events = [event for experiment, story in stories for event in _meeting(visitor, experiment, story, now_ms)]
        if events:
            people.append(Visitor(visitor, [events] * (2 if rng.random() < SENT_TWICE else 1), traits_of(visitor)))
    return people


def _meeting(visitor: str, experiment: Experiment, story: Story, now_ms: int) -> Iterator[Event]:
    """The events of one visitor in one experiment."""
    # The times have random numbers of their own: the hour of today must not change who clicks.
    times = _times(random.Random(f"{visitor} {experiment.key} times"), now_ms, story)
    rng = random.Random(f"{visitor} {experiment.key}")
    phase = min(experiment.current_phase, sum(times[0] >= now_ms - turn * DAY_MS for turn in story.turns))
    variant = experiment.assign(visitor, phase)
    if variant is None or rng.random() >= story.part or rng.random() < story.lost_share.get(variant, 0):
        return
    traits = traits_of(visitor)
    rates = {**story.rates, **(story.on_mobile if traits.device == "mobile" else {})}
    rate = rates.get(variant, RATE) * (1 + story.growth * phase)
    clicks = rng.random() < rate
    at = rng.choice(times)  # of the visit at which it happens, if it does
    goals = [goal for goal in experiment.goals if rng.random() < story.goal_rate(variant, rate, clicks=clicks)]
    stray = rng.random() < STRAY_CLICKS
    moments: list[tuple[str, int, Event]]
    moments = [("click", at + 3_000, {})] if stray else [("impression", time, {}) for time in times]
    second = clicks and rng.random() < SECOND_CLICK
    moments += [("click", at + 3_000 + n * 1_500, {}) for n in range(clicks + second)]
    moments += [
        ("goal", at + after_ms, more)
        for goal in goals
        for after_ms, more in _of_goal(visitor, experiment, story, variant, goal)
    ]
    for kind, moment, more in moments:
        about = {"id": f"{rng.getrandbits(64):016x}", "experiment": experiment.key, "variant": variant, "phase": phase}
        segments = said_segments(experiment, visitor, traits, first=moment == times[0]) if kind == "impression" else {}
        if experiment.accepts(moment):
            yield about | {"type": kind} | more | ({"segments": segments} if segments else {}) | {"at": moment}


def _of_goal(
    visitor: str, experiment: Experiment, story: Story, variant: str, goal: str
) -> Iterator[tuple[int, Event]]:
    """How long after the visit the events of a goal come, and what they say."""
    declared = experiment.goal_values.get(goal)
    if declared is None:
        yield 20_000, {"goal": goal}
        return
    rng = random.Random(f"{visitor} {experiment.key} {goal}")
    mean, refunds = story.order.get(variant, ORDER), story.refunds.get(variant, 0)
    for order in drawn_orders(rng, declared.decimals, mean=mean, spread=SPREAD, refunds=refunds):
        yield order.after_ms, {"goal": goal, "value": order.value}


def _times(rng: random.Random, now_ms: int, story: Story) -> list[int]:
    """The visits of one visitor, oldest first: more by day than by night (UTC), and fewer at weekends."""
    start, end = now_ms - round(story.since * DAY_MS), now_ms - round(story.until * DAY_MS) - MINUTE_MS
    (visits,) = rng.choices(list(VISITS), list(VISITS.values()))
    at = rng.randrange(start, end)
    while rng.random() > _activity(datetime.fromtimestamp(at / 1000, UTC)):
        at = rng.randrange(start, end)
    times = [at]
    for _ in range(visits - 1):
        at += HOUR_MS // 4 + round(rng.expovariate(1 / (8 * HOUR_MS)))
        if at < end:
            times.append(at)
    return times


def _activity(moment: datetime) -> float:
    """Traffic, relative to the busiest hour."""
    by_day = 0.55 - 0.45 * math.cos((moment.hour - 3) / 24 * 2 * math.pi)
    return by_day * (0.7 if moment.weekday() >= 5 else 1)


def signed(key: str, body: bytes) -> dict[str, str]:
    """The headers of a request that the demo's sender signs with `key`."""
    seconds = int(time.time())
    return {"X-Client-Id": CLIENT, "X-Timestamp": str(seconds), "X-Signature": sign(key, seconds, body)}

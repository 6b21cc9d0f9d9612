"""`abacus demo`: three weeks of invented visitors, so that every state of the results page can be seen.

Their events lie up to 21 days back, which only a signed sender may send. Everything but the clock comes from the seed,
ids included: played again, nothing counts twice.
"""

from __future__ import annotations

import asyncio
import math
import os
import random
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click

from abacus.authoring.load import load
from abacus.aws.target import at_target
from abacus.simulation.simulate import with_progress
from abacus.simulation.visitors import (
    DAY,
    GOAL_AFTER_CLICK,
    GOAL_WITHOUT,
    HOUR,
    RATE,
    SECOND_CLICK,
    VISITS,
    Event,
    Visitor,
)
from chalicelib.domain.errors import AbacusError
from chalicelib.domain.manifest import Experiment
from chalicelib.ingestion.signatures import sign
from chalicelib.runtime.settings import Settings

CLIENT = "demo"  # the sender's name; `abacus run` gives it a key
SEED = 14
VISITORS = 2400
STRAY_CLICKS = 0.004  # of visitors: clicked, but their impression never arrived
SENT_TWICE = 0.02  # of visitors: everything arrives once more


@dataclass(frozen=True)
class Story:
    """The past of one experiment. part: the share of all visitors who meet it; rates: of those who click; since, until:
    days ago; turns: days ago at which its later phases began; growth: of all rates with each phase; lost: share of a
    variant's visitors whose events never arrive."""

    rates: Mapping[str, float] = field(default_factory=dict)
    part: float = 0.5
    since: float = 21
    until: float = 0
    turns: tuple[float, ...] = ()
    growth: float = 0.0
    lost: Mapping[str, float] = field(default_factory=dict)


# Rates are higher than in life: a few thousand visitors have to be enough to see something.
STORIES = {
    "cta-color": Story({"blue": 0.22, "green": 0.32}, part=0.7),  # a winner
    "hero": Story({"plain": 0.22, "benefit": 0.38, "question": 0.23}, part=0.8),  # more than two variants
    "footer-links": Story({"a": 0.2, "also-a": 0.2}),  # an A/A test
    "checkout-steps": Story({"three-pages": 0.25, "one-page": 0.29}, lost={"one-page": 0.36}),  # a broken split
    "free-shipping": Story({"none": 0.2, "from-50": 0.23}, part=0.6, turns=(10,), growth=0.5),  # weights changed
    "newsletter": Story({"footer": 0.1, "article-end": 0.13}, part=0.15, since=3),  # still collecting
    "sticky-header": Story({"scrolls": 0.2, "sticky": 0.33}, part=0.6, until=2),  # stopped
}


def crowd(experiments: Iterable[Experiment], *, visitors: int = VISITORS, seed: int = SEED, now: int) -> list[Visitor]:
    """Who met these experiments before `now` (epoch milliseconds), with all that one did in one request.
    An experiment without a story gets a plain one; one that takes no events, none."""
    told = [(e, STORIES.get(e.key, Story())) for e in experiments if e.status != "draft"]
    people = []
    for number in range(visitors):
        dice = random.Random(f"{seed} {number}")
        visitor = f"{dice.getrandbits(128):032x}"
        events = [event for experiment, story in told for event in _meeting(visitor, experiment, story, now)]
        if events:
            people.append(Visitor(visitor, [events] * (2 if dice.random() < SENT_TWICE else 1)))
    return people


def _meeting(visitor: str, experiment: Experiment, story: Story, now: int) -> Iterator[Event]:
    """What one visitor did in one experiment."""
    # Dice of their own for the times: which hour it is today must not change who clicks.
    times = _times(random.Random(f"{visitor} {experiment.key} times"), now, story)
    dice = random.Random(f"{visitor} {experiment.key}")
    phase = min(experiment.current_phase, sum(times[0] >= now - turn * DAY for turn in story.turns))
    variant = experiment.assign(visitor, phase)
    if variant is None or dice.random() >= story.part or dice.random() < story.lost.get(variant, 0):
        return
    clicks = dice.random() < story.rates.get(variant, RATE) * (1 + story.growth * phase)
    at = dice.choice(times)  # of the visit at which it happens, if it does
    goals = [goal for goal in experiment.goals if dice.random() < (GOAL_AFTER_CLICK if clicks else GOAL_WITHOUT)]
    stray = dice.random() < STRAY_CLICKS
    made = [("click", at + 3_000)] if stray else [("impression", time) for time in times]
    made += [("click", at + 3_000 + n * 1_500) for n in range(clicks + (clicks and dice.random() < SECOND_CLICK))]
    made += [(goal, at + 20_000) for goal in goals]
    for kind, moment in made:
        about = {"id": f"{dice.getrandbits(64):016x}", "experiment": experiment.key, "variant": variant, "phase": phase}
        if experiment.accepts(moment):
            yield about | ({"type": "goal", "goal": kind} if kind in goals else {"type": kind}) | {"at": moment}


def _times(dice: random.Random, now: int, story: Story) -> list[int]:
    """When one visitor came, oldest first: more by day than by night (UTC), and fewer at weekends."""
    start, end = now - round(story.since * DAY), now - round(story.until * DAY) - HOUR // 60
    (visits,) = dice.choices(list(VISITS), list(VISITS.values()))
    at = dice.randrange(start, end)
    while dice.random() > _bustle(datetime.fromtimestamp(at / 1000, UTC)):
        at = dice.randrange(start, end)
    times = [at]
    for _ in range(visits - 1):
        at += HOUR // 4 + round(dice.expovariate(1 / (8 * HOUR)))
        if at < end:
            times.append(at)
    return times


def _bustle(moment: datetime) -> float:
    """How much is going on, compared with the busiest hour."""
    by_day = 0.55 - 0.45 * math.cos((moment.hour - 3) / 24 * 2 * math.pi)
    return by_day * (0.7 if moment.weekday() >= 5 else 1)


def signed(key: str, body: bytes) -> dict[str, str]:
    """The headers by which the service knows the sender."""
    now = int(time.time())
    return {"X-Client-Id": CLIENT, "X-Timestamp": str(now), "X-Signature": sign(key, now, body)}


@click.command()
@click.option("--base-url", default="http://127.0.0.1:8000", show_default=True)
@click.option("--manifest", type=click.Path(path_type=Path), default=Path("manifest"), show_default=True)
@click.option("--visitors", type=click.IntRange(1), default=VISITORS, show_default=True)
@at_target
def command(base_url: str, manifest: Path, visitors: int) -> None:
    """Play three weeks of visitors into the demo experiments of a running ABacus."""
    key = Settings.of(os.environ).sender_keys.get(CLIENT)
    if key is None:
        raise AbacusError(f"That ABacus has no key for the sender {CLIENT!r}: see docs/results.md.")
    told = [e for e in load(manifest).experiments if e.key in STORIES]
    people = crowd(told, visitors=visitors, now=time.time_ns() // 1_000_000)
    outcomes = asyncio.run(with_progress(base_url.rstrip("/"), people, headers=partial(signed, key)))
    click.echo(", ".join(f"{n} {name}" for name, n in sorted(outcomes.items())))

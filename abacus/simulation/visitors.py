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
from chalicelib.domain.segments import marker

ID_PREFIX = "sim-"  # of every simulated visitor's id; `abacus demo --clear` removes these visitors
RATE = 0.10  # share of visitors who click at least once, where --rates does not name another
GOAL_AFTER_CLICK = 0.4  # share of those who clicked that reach a goal, for each goal
GOAL_WITHOUT = 0.01  # and of those who did not
VISITS = {1: 50, 2: 25, 3: 13, 4: 8, 5: 4}  # number of visits: weight in percent
SECOND_CLICK = 0.15
HOUR, DAY = 3_600_000, 86_400_000  # milliseconds

# "experiment:variant", or of one segment "experiment:variant@device=mobile" → share of its visitors who click at least
# once.
Rates = Mapping[str, float]
Event = dict[str, Any]


class Traits(NamedTuple):
    """What a visitor's requests show. country: ISO 3166."""

    device: str = "desktop"
    browser: str = "firefox"
    country: str = "US"

    @property
    def headers(self) -> dict[str, str]:
        """Those of a request. CloudFront replaces the country by its own; a local product takes it as it is."""
        return {"User-Agent": AGENTS[self.device, self.browser], "CloudFront-Viewer-Country": self.country}


class Visitor(NamedTuple):
    """One simulated visitor with all events."""

    id: str
    visits: list[list[Event]]  # oldest first; the events of each are one request
    traits: Traits = Traits()


# The beginnings of real ones; with none of these words a visitor would count as a bot or as no browser.
AGENTS = {
    (
        "mobile",
        "safari",
    ): "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18.5 Mobile/15E148 Safari/604.1",
    ("mobile", "chrome"): "Mozilla/5.0 (Linux; Android 10; K) Chrome/143.0.0.0 Mobile Safari/537.36",
    ("tablet", "safari"): "Mozilla/5.0 (iPad; CPU OS 12_5 like Mac OS X) Version/12.1 Mobile/15E148 Safari/604.1",
    ("desktop", "chrome"): "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/143.0.0.0 Safari/537.36",
    ("desktop", "safari"): "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/26.0 Safari/605.1.15",
    ("desktop", "firefox"): "Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0",
}
KINDS = dict(zip(AGENTS, (32, 23, 5, 22, 8, 10), strict=True))  # weight in percent
COUNTRIES = {"US": 50, "GB": 15, "DE": 10, "FR": 8, "CH": 5, "BR": 5, "SE": 4, "NZ": 3}


def traits_of(visitor: str) -> Traits:
    """Of a visitor, always the same. The rng are its own, so that who clicks stays as the seed says."""
    rng = random.Random(f"{visitor} traits")
    ((device, browser),) = rng.choices(list(KINDS), list(KINDS.values()))
    (country,) = rng.choices(list(COUNTRIES), list(COUNTRIES.values()))
    return Traits(device, browser, country)


def said_segments(experiment: Experiment, visitor: str, traits: Traits, *, first: bool) -> dict[str, str]:
    """What an impression says of its visitor, by segment. `first`: on the first visit."""
    known = traits._asdict() | {"visitor": "new" if first else "returning"}
    return {
        segment.name: known.get(segment.name) or random.Random(f"{visitor} {segment.name}").choice(segment.values)
        for segment in experiment.segments
    }


def visitors(
    experiments: Sequence[Experiment], rates: Rates, *, count: int, days: float, seed: int, now_ms: int
) -> Iterator[Visitor]:
    """`count` visitors, whose events lie in the `days` before `now_ms` (epoch milliseconds)."""
    rng = random.Random(seed)
    for _ in range(count):
        visitor = visitor_id(rng)
        traits = traits_of(visitor)
        times = _times(rng, now_ms - round(days * DAY), now_ms)
        visits: list[list[Event]] = [[] for _ in times]
        for experiment in experiments:
            variant = experiment.assign(visitor, experiment.current_phase)
            if variant is not None:
                rate = _rate(rates, experiment, variant, said_segments(experiment, visitor, traits, first=True))
                for visit, events in zip(visits, _events(rng, experiment, variant, times, rate), strict=True):
                    segments = said_segments(experiment, visitor, traits, first=visit is visits[0])
                    if segments:
                        events = [e | {"segments": segments} if e["type"] == "impression" else e for e in events]
                    visit += [event for event in events if experiment.accepts(event["at"])]
        yield Visitor(visitor, [sorted(visit, key=lambda e: int(e["at"])) for visit in visits if visit], traits)


def _rate(rates: Rates, experiment: Experiment, variant: str, segments: Mapping[str, str]) -> float:
    """The share of those like this visitor who click: by segment where `rates` names one."""
    place = f"{experiment.key}:{variant}"
    own = [f"{place}@{marker(s.name, s.value_of(segments[s.name]))}" for s in experiment.segments]
    return next((rates[name] for name in (*own, place) if name in rates), RATE)


def visitor_id(rng: random.Random) -> str:
    """A random id that shows that its visitor is simulated."""
    return f"{ID_PREFIX}{rng.getrandbits(112):028x}"


def _times(rng: random.Random, start: int, end: int) -> list[int]:
    """The visits of one visitor: the first at any moment, the others some hours later, all before `end`."""
    (visits,) = rng.choices(list(VISITS), list(VISITS.values()))
    at = rng.randrange(start, end - HOUR // 60)
    times = [at]
    for _ in range(visits - 1):
        at += HOUR // 4 + round(rng.expovariate(1 / (8 * HOUR)))
        if at < end - HOUR // 60:
            times.append(at)
    return times


def _events(
    rng: random.Random, experiment: Experiment, variant: str, times: Sequence[int], rate: float
) -> Iterator[list[Event]]:
    """The events of one visitor in one experiment, visit by visit; all within a minute of the visit's time."""

    def event(kind: str, at: int, **more: str) -> Event:
        return {
            "id": f"{rng.getrandbits(64):016x}", "type": kind, "experiment": experiment.key, "variant": variant,
            "phase": experiment.current_phase, "at": at, **more,
        }  # fmt: skip

    clicks = rng.random() < rate
    clicked_at = rng.randrange(len(times)) if clicks else None
    goals = [g for g in experiment.goals if rng.random() < (GOAL_AFTER_CLICK if clicks else GOAL_WITHOUT)]
    for index, at in enumerate(times):
        events = [event("impression", at)]
        if index == clicked_at:
            events += [event("click", at + 3_000 + i * 1_500) for i in range(1 + (rng.random() < SECOND_CLICK))]
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

"""Experiments in every state the results page can be in: invented tallies, and what GET /stats makes of them."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from chalicelib.api import parameters
from chalicelib.domain.clock import DAY_MS, utc_day
from chalicelib.domain.manifest import Experiment, GoalValue, Guardrail, Manifest, Note, Period, Phase, Variant
from chalicelib.reporting import queries
from chalicelib.storage.store import Booking, cell_name
from chalicelib.storage.tally import Cell, Tallies, Tally
from tests.support.memory_store import MemoryStore
from tests.support.tallied import as_json

NOW = 1_795_262_400_000  # 2026-11-21T12:00:00Z, epoch milliseconds
TODAY = utc_day(NOW)


@dataclass(frozen=True)
class Scenario:
    """`rates`: share of visitors who click at least once. `phases`: (from which day on, weights). `lost`: share of a
    variant's visitors that never arrive. `days`: how long it has run."""

    key: str
    rates: Mapping[str, float]
    days: int = 21
    per_day: int = 400
    phases: Sequence[tuple[int, Sequence[float]]] = ()
    lost: Mapping[str, float] = field(default_factory=dict)
    goals: tuple[str, ...] = ()
    status: str = "running"
    winner: str | None = None
    description: str = ""
    drift: float = 0.0  # of all rates, per phase
    gaps: tuple[int, ...] = ()  # days without visitors
    bots: float = 0.0  # share of visitors that were bots
    seed: int = 1
    notes: tuple[Note, ...] = ()
    decision: Note | None = None
    cents: Mapping[str, int] = field(default_factory=dict)  # of a visitor who reaches the first goal, by variant
    errors: Mapping[str, float] = field(default_factory=dict)  # share of visitors who reach the last goal

    @property
    def experiment(self) -> Experiment:
        keys = list(self.rates)
        weights = [w for _, w in self.phases] or [[1 / len(keys)] * len(keys)]
        end = None if self.status != "stopped" else NOW - DAY_MS
        return Experiment(
            key=self.key,
            status=self.status,  # type: ignore[arg-type]
            variants=tuple(Variant(key=key) for key in keys),
            phases=tuple(Phase(weights=tuple(w)) for w in weights),
            seed=self.key,
            description=self.description,
            hypothesis="More visitors click when the next step is plain to see." if self.description else "",
            goals=self.goals,
            goal_values={self.goals[0]: GoalValue(unit="EUR", cap=50_000)} if self.cents else {},
            primary=f"{self.goals[0]}.value" if self.cents else "click",
            lower_is_better=self.goals[-1:] if self.errors else (),
            guardrails=(Guardrail(metric=self.goals[-1], margin=0.05),) if self.errors else (),
            minimum_detectable_effect=0.1,
            winner=self.winner,
            periods=(Period(end=end),),
            notes=self.notes,
            decision=self.decision,
        )

    def tallies(self) -> Tallies:
        rng = random.Random(self.seed)
        tallies: Tallies = {}
        for day, phase, weights in self._days():
            left, shares = round(self.per_day * rng.uniform(0.85, 1.15)), sum(weights)
            for (variant, rate), weight in zip(self.rates.items(), weights, strict=True):
                due = binomial(rng, left, weight / shares)
                left, shares = left - due, shares - weight
                size = due - binomial(rng, due, self.lost.get(variant, 0))
                tally = _cohort(rng, size, min(0.95, rate * (1 + self.drift * phase)), self.goals, self.bots)
                self._add_values(rng, variant, tally)
                when = day.isoformat()
                for cell in (Cell("total", "", phase, variant), Cell("day", when, phase, variant)):
                    tallies.setdefault(cell, Tally()).add(tally)
        return tallies

    def _add_values(self, rng: random.Random, variant: str, tally: Tally) -> None:
        """The amounts are alike, but for a spread as large as the mean."""
        if self.cents:
            goal, amount = self.goals[0], self.cents[variant]
            tally.value_sum[goal] = tally.converted[goal] * amount
            tally.value_squares[goal] = 2 * tally.converted[goal] * amount**2
        if self.errors:
            failed = binomial(rng, tally.visitors, self.errors[variant])
            more = failed - tally.goal_events[self.goals[-1]]
            tally.events += more
            tally.received += more
            tally.converted[self.goals[-1]] = tally.goal_events[self.goals[-1]] = failed

    def _days(self) -> Iterator[tuple[date, int, Sequence[float]]]:
        phases = self.phases or [(0, [1.0] * len(self.rates))]
        over = 1 if self.status == "stopped" else 0
        for n in range(self.days):
            if n not in self.gaps:
                phase = max(i for i, (since, _) in enumerate(phases) if since <= n)
                yield TODAY - timedelta(days=self.days - 1 - n + over), phase, phases[phase][1]

    def store(self) -> MemoryStore:
        """The tables as a fold would have left them."""
        store = MemoryStore()
        for cell, tally in self.tallies().items():
            store.book([Booking(self.key, cell_name(cell, 0, 0), tally.numbers())])
        for outcome, n in self.refused.items():
            store.book([Booking(self.key, f"refused#{outcome}#0", {"n": n})])
            store.book([Booking(self.key, f"daily#{TODAY - timedelta(days=2)}#{outcome}", {"n": n})])
        return store

    def detail(self, query: Mapping[str, str]) -> dict[str, Any]:
        """What GET /stats/{experiment} answers."""
        manifest = Manifest(experiments=(self.experiment,))
        return as_json(queries.detail(self.store(), manifest, self.key, parameters.question(query), now_ms=NOW))

    def entry(self) -> dict[str, Any]:
        """Its entry in what GET /stats?series=day answers."""
        manifest = Manifest(experiments=(self.experiment,))
        (entry,) = as_json(queries.overview(self.store(), manifest, days=True, now_ms=NOW))["experiments"]
        return entry  # type: ignore[no-any-return]

    @property
    def refused(self) -> dict[str, int]:
        return {"too-old": 14, "wrong-variant": 3} if self.days > 10 else {}


def _cohort(rng: random.Random, size: int, rate: float, goals: Sequence[str], bots: float) -> Tally:
    converted = binomial(rng, size, rate)
    impressions = size + binomial(rng, size, 0.6)
    clicks = converted + binomial(rng, converted, 0.15)
    tally = Tally(visitors=size, impressions=impressions, clicks=clicks, sx=impressions, sy=clicks)
    extra = impressions - size  # visitors with two impressions; the others have one
    tally.sxx, tally.syy, tally.sxy = size + 3 * extra, converted + 3 * (clicks - converted), round(1.6 * clicks)
    tally.converted["click"] = converted
    for goal in goals:
        tally.converted[goal] = binomial(rng, converted, 0.4)
        tally.goal_events[goal] = tally.converted[goal]
    left_out = binomial(rng, size, bots)
    tally.excluded["bot"] = left_out
    tally.excluded_events = left_out
    tally.events = impressions + clicks + sum(tally.goal_events.values()) + left_out
    tally.received = tally.events + binomial(rng, tally.events, 0.01)
    return tally


def binomial(rng: random.Random, n: int, p: float) -> int:
    """Near enough, and quick."""
    return max(0, min(n, round(rng.gauss(n * p, math.sqrt(max(0.0, n * p * (1 - p)))))))


SCENARIOS = {
    scenario.key: scenario
    for scenario in (
        Scenario(
            "cta-color",
            {"blue": 0.1, "green": 0.125},
            per_day=700,
            goals=("signup",),
            bots=0.01,
            description="The colour of the button on the first screen of the demo shop.",
        ),
        Scenario("search-box", {"top": 0.12, "side": 0.088}, per_day=700, description="Where the search box stands."),
        Scenario("a-a-test", {"a": 0.1, "also-a": 0.1}, description="The same page twice. Nothing should be found."),
        Scenario("price-tag", {"plain": 0.5, "bold": 0.5}, per_day=60_000, seed=3, description="Bold prices."),
        Scenario(
            "checkout-steps",
            {"three-pages": 0.2, "one-page": 0.22},
            lost={"one-page": 0.12},
            description="One long page instead of three short ones.",
        ),
        Scenario("newsletter", {"foot": 0.05, "popup": 0.08}, days=3, description="Where we ask for the address."),
        Scenario(
            "hero",
            {"plain": 0.10, "benefit": 0.142, "question": 0.104, "story": 0.097},
            per_day=900,
            goals=("signup", "purchase"),
            gaps=(8, 9),
            description="The headline of the shop.",
        ),
        Scenario(
            "free-shipping",
            {"none": 0.1, "from-50": 0.112},
            per_day=600,
            phases=[(0, (0.9, 0.1)), (10, (0.5, 0.5))],
            drift=0.4,
            description="Free shipping above 50 euros. Began with 10 % of visitors, to be careful.",
        ),
        Scenario(
            "sticky-header",
            {"scrolls": 0.1, "sticky": 0.13},
            per_day=700,
            status="stopped",
            winner="sticky",
            description="The header stays while one scrolls.",
            notes=(Note(at=NOW - 9 * DAY_MS, by="Jonas", text="The newsletter went out."),),
            decision=Note(at=NOW - DAY_MS, by="Anna", text="Sticky wins, and support has no complaints."),
        ),
        Scenario("gift-wrap", {"no": 0.1, "yes": 0.1}, days=0, description="Published just now."),
    )
}

LONG = "a-very-long-name-that-was-meant-to-explain-everything-to-readers"[:64].ljust(64, "x")

# Not in the default list: what is at the edge of what the manifest allows.
EXTREMES = {
    scenario.key: scenario
    for scenario in (
        Scenario(
            LONG,
            {"B" * 64: 0.1, f"{'another-' * 7}name": 0.13},
            per_day=700,
            goals=("a-goal-of-sixty-four-letters".ljust(64, "z"),),
            description="\u0627\u0644\u0639\u0646\u0648\u0627\u0646 " * 12 + "W" * 80,
        ),
        Scenario(
            "twenty-variants",
            {f"headline-number-{n:02}-of-twenty": 0.1 + 0.004 * (n % 7) for n in range(20)},
            per_day=4000,
            description="As many variants as the manifest allows.",
        ),
        Scenario(
            "shipped-undecided",
            {"plain": 0.1, "bold": 0.1},
            status="stopped",
            winner="bold",
            seed=5,
            description="Shipped although the numbers did not decide.",
            decision=Note(at=NOW - DAY_MS, by="Anna", text="The brand needs it."),
        ),
        Scenario("stopped-quietly", {"plain": 0.1, "bold": 0.1}, status="stopped", description="Stopped, no winner."),
        Scenario(
            "basket",
            {"plain": 0.2, "bundles": 0.2},
            per_day=6000,
            goals=("purchase", "error"),
            cents={"plain": 4000, "bundles": 4900},
            errors={"plain": 0.05, "bundles": 0.08},
            description="Bundles in the basket: more revenue, and more errors.",
        ),
        Scenario("far-away", {"plain": 0.1, "bold": 0.1}, per_day=20, description="Too little traffic to decide."),
        Scenario("young", {"plain": 0.1, "bold": 0.2}, days=2, per_day=60, description="A very wide interval."),
    )
}


def written(text: str, *, german: bool = False) -> str:
    """A sentence of the server with its percentages as a British (or a German) reader's page writes them."""
    if not german:
        return text.replace(" %", "%")
    return re.sub(r"(\d)\.(\d)", r"\1,\2", text).replace(" %", "\u00a0%")


def headline(key: str) -> str:
    """The headline of an experiment's verdict, as the page writes it."""
    return written(SCENARIOS[key].detail({})["verdict"]["headline"])


def reason(key: str, *, german: bool = False) -> str:
    """The reason of an experiment's verdict, as the page writes it."""
    return written(SCENARIOS[key].detail({})["verdict"]["reason"], german=german)

"""Made-up experiments that are decided by revenue, and guardrails with a known truth, looked at all along."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from random import Random

from abacus.simulation.random_counts import binomial, multinomial
from abacus.simulation.trials import BEGAN, NOW
from chalicelib.analysis.comparison import compare
from chalicelib.analysis.duration.needed import variation_of
from chalicelib.analysis.metrics.guardrails import check_guardrails
from chalicelib.analysis.sample import Window, select
from chalicelib.domain.manifest import CLICK, Experiment, GoalValue, Guardrail, Phase, Variant
from chalicelib.domain.metrics import MetricName
from chalicelib.reporting.report import Question, ReportContext, report
from chalicelib.statistics.numerics import normal
from chalicelib.statistics.sequential.sample_sizes import mean_sample_size
from chalicelib.storage.tally import Cell, Tallies, Tally

BUY = "buy"
MEDIAN = 4000  # cents, of an order


@dataclass(frozen=True)
class Shop:
    """Visitors who buy once or not at all. rate: share who buy; sigma: of the logarithm of an order's amount, which is
    lognormal; pareto: the index of a Pareto distribution of amounts instead, whose variance is infinite up to 2; cap:
    the share of orders below it, None for no cap; lift: of the mean in b, by more buyers."""

    name: str
    rate: float = 0.03
    sigma: float = 1.0
    pareto: float | None = None
    cap: float | None = 0.99
    lift: float = 0.0
    weights: tuple[float, float] = (0.5, 0.5)

    @property
    def cap_cents(self) -> int:
        """The most that a visitor's sum counts for."""
        if self.cap is None:
            return 10**12
        if self.pareto is not None:
            return int(_least(self.pareto) * (1 - self.cap) ** (-1 / self.pareto))
        return int(MEDIAN * math.exp(self.sigma * normal.quantile(self.cap)))

    @property
    def variation(self) -> float:
        """The standard deviation of one visitor's capped value over the mean, in closed form; of lognormal amounts."""
        mean, square = (_capped_moment(self, power) for power in (1, 2))
        return math.sqrt(square / self.rate / mean**2 - 1)

    @property
    def visitors(self) -> int:
        """Of both variants, to find 10 % with probability 80 % at a single look."""
        ratio = self.weights[1] / self.weights[0]
        return math.ceil(mean_sample_size(self.variation, 0.1, ratio=ratio) * (1 + ratio))

    @property
    def experiment(self) -> Experiment:
        """It is decided by the value of the goal."""
        return Experiment(
            key="trial",
            status="running",
            variants=(Variant(key="a"), Variant(key="b")),
            phases=(Phase(weights=self.weights),),
            seed="trial",
            goals=(BUY,),
            goal_values={BUY: GoalValue(unit="EUR", decimals=2, cap=self.cap_cents)},
            primary=f"{BUY}.value",
        )


def _least(pareto: float) -> float:
    """The smallest amount of a Pareto distribution with this index, whose median is MEDIAN."""
    return float(MEDIAN / 2 ** (1 / pareto))


def _capped_moment(shop: Shop, power: int) -> float:
    """E[min(X, cap)^power] of a lognormal amount, in closed form."""
    uncapped = float(MEDIAN**power) * math.exp((power * shop.sigma) ** 2 / 2)
    if shop.cap is None:
        return uncapped
    below = uncapped * normal.cdf(normal.quantile(shop.cap) - power * shop.sigma)
    return below + float(shop.cap_cents**power) * (1 - shop.cap)


@dataclass
class RevenueOutcome:
    """Visitors when something was first said; None: never. covers: whether the fixed-horizon interval holds the truth
    at the last look."""

    decided: int | None = None
    winner: bool = False
    missed: int | None = None
    covers: bool = True


def run_shop(shop: Shop, looks: tuple[int, ...], rng: Random) -> RevenueOutcome:
    """One experiment from its first visitor to its last look."""
    experiment, outcome, tallies = shop.experiment, RevenueOutcome(), _empty()
    seen = 0
    for look in looks:
        for (cell, n), lift in zip(_arrivals(rng, tallies, shop.weights, look - seen), (0.0, shop.lift), strict=True):
            tallies[cell].add(buyers_tally(shop, n, binomial(rng, n, shop.rate * (1 + lift)), rng))
        seen = look
        [c] = compare(select(experiment, tallies, BUY, Window(), BEGAN).for_metric(MetricName(BUY, "value")))
        if not c.ready:
            continue
        if outcome.decided is None and c.decision in ("winner", "loser"):
            state = report(experiment, tallies, Question(series="none"), ReportContext(NOW, BEGAN)).verdict.state
            if state in ("winner", "loser"):
                outcome.decided, outcome.winner = look, state == "winner"
        if outcome.missed is None and not c.lift_interval.low <= shop.lift <= c.lift_interval.high:
            outcome.missed = look
        low, high = c.pair.interval(normal.critical(0.05))
        outcome.covers = low <= shop.lift <= high
    return outcome


def _empty() -> Tallies:
    return {Cell("total", "", 0, key): Tally() for key in ("a", "b")}


def _arrivals(rng: Random, tallies: Tallies, weights: tuple[float, ...], visitors: int) -> list[tuple[Cell, int]]:
    return list(zip(tallies, multinomial(rng, visitors, weights), strict=True))


def buyers_tally(shop: Shop, visitors: int, buyers: int, rng: Random) -> Tally:
    """The tally of so many visitors, of whom `buyers` buy once."""
    mu, cap = math.log(MEDIAN), shop.cap_cents
    if shop.pareto is not None:
        least, index = _least(shop.pareto), shop.pareto
        amounts = [min(cap, round(least * rng.paretovariate(index))) for _ in range(buyers)]
    else:
        amounts = [min(cap, round(rng.lognormvariate(mu, shop.sigma))) for _ in range(buyers)]
    n, events = visitors, visitors + buyers
    new = Tally(impressions=n, visitors=n, sx=n, sxx=n, received=events, events=events)
    new.converted, new.goal_events = Counter({BUY: buyers}), Counter({BUY: buyers})
    new.value_sum = Counter({BUY: sum(amounts)})
    new.value_squares = Counter({BUY: sum(amount * amount for amount in amounts)})
    return new


@dataclass(frozen=True)
class Rail:
    """A guardrail on a rate, or on the revenue per visitor of a shop, with this true lift in b. rate: who convert."""

    name: str
    rate: float
    margin: float
    lift: float = 0.0
    shop: Shop | None = None

    @property
    def variation(self) -> float:
        """The standard deviation of one visitor's number over the mean."""
        return self.shop.variation if self.shop else variation_of(self.rate)

    @property
    def experiment(self) -> Experiment:
        """It is decided by clicks, and guarded by the goal."""
        guarded = Guardrail(metric=f"{BUY}.value" if self.shop else BUY, margin=self.margin)
        if self.shop:
            return self.shop.experiment.model_copy(update={"primary": CLICK, "guardrails": (guarded,)})
        return Experiment(
            key="trial",
            status="running",
            variants=(Variant(key="a"), Variant(key="b")),
            phases=(Phase(weights=(0.5, 0.5)),),
            seed="trial",
            goals=(BUY,),
            guardrails=(guarded,),
        )

    def arrived(self, visitors: int, converted: int, rng: Random) -> Tally:
        """The tally of so many visitors."""
        if self.shop:
            return buyers_tally(self.shop, visitors, converted, rng)
        events = visitors + converted
        new = Tally(impressions=visitors, visitors=visitors, sx=visitors, sxx=visitors, received=events, events=events)
        new.converted, new.goal_events = Counter({BUY: converted}), Counter({BUY: converted})
        return new


@dataclass
class RailOutcome:
    """Visitors when the guardrail was first ok, and first broken; None: never."""

    ok: int | None = None
    broken: int | None = None


def run_rail(rail: Rail, looks: tuple[int, ...], rng: Random) -> RailOutcome:
    """One experiment from its first visitor to its last look."""
    experiment, outcome, tallies = rail.experiment, RailOutcome(), _empty()
    seen = 0
    for look in looks:
        for (cell, n), lift in zip(_arrivals(rng, tallies, (0.5, 0.5), look - seen), (0.0, rail.lift), strict=True):
            tallies[cell].add(rail.arrived(n, binomial(rng, n, rail.rate * (1 + lift)), rng))
        seen = look
        [result] = check_guardrails(select(experiment, tallies, CLICK, Window(), BEGAN))
        if outcome.ok is None and result.state == "ok":
            outcome.ok = look
        if outcome.broken is None and result.state == "broken":
            outcome.broken = look
    return outcome

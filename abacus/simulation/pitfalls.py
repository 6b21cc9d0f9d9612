"""What happens to those who do it the obvious way: add phases up, or count impressions as if each were a visitor."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

from abacus.simulation.random_counts import binomial, multinomial
from abacus.simulation.trials import Stretch
from chalicelib.statistics import ALPHA, Counts, Interval
from chalicelib.statistics.rates import wilson
from chalicelib.statistics.ratio import Sums, ratio
from chalicelib.statistics.sequential import lift_evidence
from chalicelib.statistics.stratified import Stratum, combine


def phases(stretches: tuple[Stretch, ...], rng: Random) -> tuple[bool, bool]:
    """Whether one look at the end names a difference: within phases, and with phases added up."""
    strata, seen = [], 0
    for stretch in stretches:
        visitors = multinomial(rng, stretch.until - seen, stretch.weights)
        arms = [Counts(binomial(rng, n, rate), n) for n, rate in zip(visitors, stretch.rates, strict=True)]
        strata.append(Stratum(arms[0], arms[1]))
        seen = stretch.until
    a, b = (Counts(*map(sum, zip(*arm, strict=True))) for arm in zip(*strata, strict=True))
    return combine(strata).evidence.p <= ALPHA, lift_evidence.evidence(a, b).p <= ALPHA


@dataclass(frozen=True)
class Population:
    """So many visitors with `impressions` each on average, most with fewer, a few with many. alike: how much the
    clicks of one visitor are alike, as a correlation: some click nearly always, most hardly ever."""

    visitors: int = 2000
    impressions: int = 10
    rate: float = 0.05
    correlation: float = 0.3


def ctr(population: Population, rng: Random) -> tuple[bool, bool]:
    """Whether the 95 % interval of CTR holds the truth: ours, and with impressions as if independent."""
    size = 1 / population.correlation - 1
    n = sx = sy = sxx = syy = sxy = 0
    for _ in range(population.visitors):
        x = 1 + math.floor(math.log(1 - rng.random()) / math.log1p(-1 / population.impressions))  # geometric
        y = binomial(rng, x, rng.betavariate(population.rate * size, (1 - population.rate) * size))
        n, sx, sy, sxx, syy, sxy = n + 1, sx + x, sy + y, sxx + x * x, syy + y * y, sxy + x * y
    robust, naive = ratio(Sums(n, sx, sy, sxx, syy, sxy)).interval, wilson(sy, sx)
    return robust is not None and _holds(robust, population.rate), _holds(naive, population.rate)


def _holds(interval: Interval, truth: float) -> bool:
    return interval.low <= truth <= interval.high


TUNING = 5000  # visitors; GrowthBook's default
LEAST = 150  # conversions in the larger arm before GrowthBook shows a result


def growthbook_decides(a: Counts, b: Counts, alpha: float = ALPHA) -> bool:
    """Whether GrowthBook's sequential interval of the relative lift excludes 0.

        ρ² = (−2 ln α + ln(1 − 2 ln α))/5000;  reach = se √N √(2(Nρ² + 1)/(N²ρ²) · ln(√(Nρ² + 1)/α))

    se: delta method, of the lift. Source: GrowthBook's documentation; Waudby-Smith et al. (2024), arXiv:2103.06476.

    >>> growthbook_decides(Counts(200, 1000), Counts(330, 1000))
    True
    >>> growthbook_decides(Counts(200, 1000), Counts(230, 1000))
    False
    """
    if max(a.converted, b.converted) < LEAST or a.converted == 0:
        return False
    n, p_a, p_b = a.visitors + b.visitors, a.converted / a.visitors, b.converted / b.visitors
    se = math.sqrt(p_b * (1 - p_b) / b.visitors + p_b**2 / p_a**2 * p_a * (1 - p_a) / a.visitors) / p_a
    rho2 = (-2 * math.log(alpha) + math.log(1 - 2 * math.log(alpha))) / TUNING
    reach = (
        se * math.sqrt(n) * math.sqrt(2 * (n * rho2 + 1) / (n * n * rho2) * math.log(math.sqrt(n * rho2 + 1) / alpha))
    )
    return abs(p_b / p_a - 1) > reach

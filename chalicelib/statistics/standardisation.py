"""Rates averaged over phases with the same weights for every variant (direct standardisation).

Source: Fleiss, Levin, Paik (2003), Statistical Methods for Rates and Proportions, ch. 19. The weight of a phase is
stratified.harmonic_weight: large where every variant has visitors, small where one has few.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from chalicelib.statistics import ALPHA, Counts
from chalicelib.statistics.ratio import Ratio, RatioTest, Sums, interval_of, ratio_test


class StandardisedRate(NamedTuple):
    """rate: the weighted average; visitors: how many visitors a plain rate would need to be as precise."""

    rate: float
    visitors: float

    @property
    def converted(self) -> float:
        """The conversions of that many visitors; may be fractional."""
        return self.rate * self.visitors


def standardised(strata: Sequence[Counts], weights: Sequence[float]) -> StandardisedRate:
    """One variant's rate over several phases.

        rate = Σ w x/n / Σ w;  visitors = (Σ w)² / Σ (w²/n)

    With one phase: the plain rate and its visitors. Rates of variants with the same weights can be compared; pooled
    ones cannot. All strata have visitors.

    >>> standardised([Counts(10, 100), Counts(30, 100)], [1, 1])
    StandardisedRate(rate=0.2, visitors=200.0)
    """
    if len(strata) == 1:
        return StandardisedRate(strata[0].converted / strata[0].visitors, float(strata[0].visitors))
    total = math.fsum(weights)
    rate = math.fsum(w * x / n for (x, n), w in zip(strata, weights, strict=True)) / total
    inverse = math.fsum(w * w / n for (_, n), w in zip(strata, weights, strict=True))
    return StandardisedRate(min(1.0, rate), total * total / inverse)


def standardised_ratio(strata: Sequence[Ratio], weights: Sequence[float], alpha: float = ALPHA) -> Ratio:
    """The same for a ratio such as CTR: q = Σ w q / Σ w, var = Σ w² var / (Σ w)².

    >>> from .ratio import Sums, ratio
    >>> half = ratio(Sums(5, 5, 2, 5, 2, 2))
    >>> standardised_ratio([half, half], [1, 1]).ctr
    0.4
    """
    if len(strata) == 1:
        return strata[0]
    total = math.fsum(weights)
    q = variance = inverse = 0.0
    for stratum, weight in zip(strata, weights, strict=True):
        if stratum.ctr is None or not stratum.n_eff:
            return Ratio(None, 0.0, None, None, None)
        q += weight / total * stratum.ctr
        variance += (weight / total) ** 2 * stratum.variance
        inverse += (weight / total) ** 2 / stratum.n_eff
    n_eff = q * (1 - q) / variance if variance > 0 and 0 < q < 1 else 1 / inverse
    return Ratio(q, variance, None, n_eff, interval_of(q, variance, n_eff, alpha))


def standardised_ratio_test(strata: Sequence[tuple[Sums, Sums]], weights: Sequence[float]) -> RatioTest | None:
    """Two variants' ratios compared within phases: difference = Σ w (q_b − q_a) / Σ w, its variance pooled under the
    null within each phase (ratio.ratio_test). None unless every phase has impressions in both.

    >>> from .ratio import Sums
    >>> f"{standardised_ratio_test([(Sums(5, 5, 2, 5, 2, 2), Sums(5, 5, 1, 5, 1, 1))], [1.0]).difference:.1f}"
    '-0.2'
    """
    tests = [ratio_test(a, b) for a, b in strata]
    if len(tests) == 1:
        return tests[0]
    total = math.fsum(weights)
    difference = variance = pooled = 0.0
    for test, (a, b), weight in zip(tests, strata, weights, strict=True):
        if test is None:
            return None
        share = weight / total
        difference += share * test.difference
        variance += (share * test.se) ** 2
        pooled += share * (a.sy + b.sy) / (a.sx + b.sx)
    return RatioTest.of(difference, math.sqrt(variance), pooled) if tests else None

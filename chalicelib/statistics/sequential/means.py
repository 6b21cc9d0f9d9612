"""Two means compared by the sequential test: revenue per visitor, orders per visitor.

Asymptotic: valid once enough visitors have a value, see MIN_WITH_VALUE.
Sources: Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas (2024), Annals of Statistics, arXiv:2103.06476;
Deng, Knoblich, Lu (2018), arXiv:1803.06336 for the delta method.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from chalicelib.statistics import ALPHA, TAUS, Interval
from chalicelib.statistics.numerics import normal
from chalicelib.statistics.sequential.lift_evidence import Evidence, critical, mixture

MIN_WITH_VALUE = 100  # visitors with a value in each arm, below which the normal approximation is not trusted


class ValueSums(NamedTuple):
    """Over n visitors: total = Σx, squares = Σx², x a visitor's value (0 without one), in whole minor units."""

    n: int
    total: int
    squares: int

    @property
    def mean(self) -> float:
        """Minor units per visitor."""
        return self.total / self.n

    @property
    def variance(self) -> float:
        """The sample variance (n − 1) of one visitor's value.

        >>> ValueSums(4, 10, 30).variance
        1.6666666666666667
        """
        # In whole numbers: the difference of two large sums loses no digit.
        return max(0, self.n * self.squares - self.total * self.total) / self.n / (self.n - 1)


class MeanLogRatio(NamedTuple):
    """ln(mean_b / mean_a), and the variance of its estimate by the delta method."""

    value: float
    variance: float


def log_ratio(a: ValueSums, b: ValueSums) -> MeanLogRatio | None:
    """ln(m_b/m_a) with V = s_a²/(n_a m_a²) + s_b²/(n_b m_b²); None while a mean is not positive, or a variance is 0.

    >>> f"{log_ratio(ValueSums(1000, 142313, 893096551), ValueSums(1000, 198253, 4334638371)).value:.6f}"
    '0.331515'
    """
    if min(a.n, b.n) < 2 or min(a.total, b.total) <= 0:
        return None
    variance = a.variance / a.n / a.mean**2 + b.variance / b.n / b.mean**2
    return MeanLogRatio(math.log(b.mean / a.mean), variance) if variance > 0 else None


def combine(parts: Sequence[MeanLogRatio]) -> MeanLogRatio | None:
    """Several phases, each compared within itself, averaged by precision: Σ(L/V)/Σ(1/V), variance 1/Σ(1/V).

    >>> combine([MeanLogRatio(0.1, 0.01), MeanLogRatio(0.2, 0.01)])
    MeanLogRatio(value=0.15, variance=0.005)
    """
    if not parts:
        return None
    precision = math.fsum(1 / part.variance for part in parts)
    return MeanLogRatio(math.fsum(part.value / part.variance for part in parts) / precision, 1 / precision)


def evidence(ratio: MeanLogRatio, taus: Sequence[float] = TAUS) -> Evidence:
    """The e-value against equal means: the mixture of lift_evidence with z = L/√V and information 1/V.

    >>> f"{evidence(MeanLogRatio(0.3315151355964345, 0.15253375), [0.1]).ln_e:.4f}"
    '-0.0096'
    """
    return mixture(ratio.value / math.sqrt(ratio.variance), 1 / ratio.variance, taus)


def confidence_sequence(ratio: MeanLogRatio, alpha: float = ALPHA, taus: Sequence[float] = TAUS) -> Interval:
    """The lift exp(L ∓ c√V) − 1 that holds at every look. It excludes 0 exactly when evidence(...).p ≤ α.

    >>> low, high = confidence_sequence(MeanLogRatio(0.3, 0.0004), taus=[0.1])
    >>> f"{low:.4f} {high:.4f}"
    '0.2687 0.4362'
    """
    return interval(ratio, critical(1 / ratio.variance, alpha, taus))


def interval(ratio: MeanLogRatio, bar: float) -> Interval:
    """The lift exp(L ∓ bar √V) − 1; with bar = 1.96 the fixed-horizon interval at 5 %.

    >>> low, high = interval(MeanLogRatio(0.0, 0.01), 1.96)
    >>> f"{low:.4f} {high:.4f}"
    '-0.1780 0.2165'
    """
    if math.isinf(bar):
        return Interval(-1.0, math.inf)
    reach = bar * math.sqrt(ratio.variance)
    high = ratio.value + reach
    return Interval(math.expm1(ratio.value - reach), math.expm1(high) if high < 700 else math.inf)


def mean_interval(sums: ValueSums, alpha: float = ALPHA) -> Interval | None:
    """The fixed-horizon interval of one mean, m ∓ z √(s²/n); None below two visitors. Units: minor units per visitor.

    >>> low, high = mean_interval(ValueSums(100, 1000, 20000))
    >>> f"{low:.3f} {high:.3f}"
    '8.030 11.970'
    """
    if sums.n < 2:
        return None
    reach = normal.critical(alpha) * math.sqrt(sums.variance / sums.n)
    return Interval(sums.mean - reach, sums.mean + reach)


class Difference(NamedTuple):
    """m_b − m_a with its standard error, in minor units per visitor."""

    value: float
    se: float


def difference(a: ValueSums, b: ValueSums) -> Difference | None:
    """The difference of two means, unpooled: se² = s_a²/n_a + s_b²/n_b; None below two visitors in an arm.

    >>> difference(ValueSums(100, 1000, 20000), ValueSums(100, 1100, 22100)).value
    1.0
    """
    if min(a.n, b.n) < 2:
        return None
    return Difference(b.mean - a.mean, math.sqrt(a.variance / a.n + b.variance / b.n))

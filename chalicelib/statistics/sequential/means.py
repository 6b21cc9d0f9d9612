"""Two means compared by the sequential test: revenue per visitor, orders per visitor.

Asymptotic: valid once enough visitors have a value, see MIN_WITH_VALUE.
Sources: Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas (2024), Annals of Statistics, arXiv:2103.06476;
Deng, Knoblich, Lu (2018), arXiv:1803.06336 for the delta method.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from chalicelib.statistics import ALPHA, TAUS, Counts, Interval
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


class MeanEstimate(NamedTuple):
    """A mean, and the variance of its estimate. A rate is the mean of zeros and ones."""

    value: float
    variance: float


class MeanLogRatio(NamedTuple):
    """ln(mean_b / mean_a), the variance of its estimate by the delta method, and the control's part of it."""

    value: float
    variance: float
    control_variance: float = 0.0


def estimate(sums: ValueSums) -> MeanEstimate | None:
    """The mean with variance s²/n; of a single visitor, whose variance is not known, the square of the value. None
    without visitors.

    >>> estimate(ValueSums(100, 1000, 19900))
    MeanEstimate(value=10.0, variance=1.0)
    """
    if sums.n < 1:
        return None
    return MeanEstimate(sums.mean, sums.variance / sums.n if sums.n > 1 else float(sums.squares))


def rate_estimate(counts: Counts) -> MeanEstimate | None:
    """The rate p with variance p(1 − p)/n, as if one had converted where none did; None without visitors.

    >>> rate_estimate(Counts(50, 100))
    MeanEstimate(value=0.5, variance=0.0025)
    """
    converted, visitors = counts
    if visitors <= 0 or converted < 0 or converted > visitors:
        return None
    assumed = max(converted, 1) / visitors
    return MeanEstimate(converted / visitors, assumed * (1 - assumed) / visitors)


def average(estimates: Sequence[MeanEstimate], weights: Sequence[float]) -> MeanEstimate:
    """Σ w m/Σ w, with variance Σ w² v/(Σ w)²: phases with the same weights for all variants.

    >>> average([MeanEstimate(1.0, 0.5), MeanEstimate(2.0, 0.5)], [1.0, 1.0])
    MeanEstimate(value=1.5, variance=0.25)
    """
    total = math.fsum(weights)
    return MeanEstimate(
        math.fsum(w * e.value for w, e in zip(weights, estimates, strict=True)) / total,
        math.fsum(w * w * e.variance for w, e in zip(weights, estimates, strict=True)) / total**2,
    )


def ratio_of(a: MeanEstimate, b: MeanEstimate) -> MeanLogRatio | None:
    """ln(m_b/m_a) with V = v_a/m_a² + v_b/m_b²; None while a mean is not positive, or V is 0.

    >>> ratio_of(MeanEstimate(1.0, 0.01), MeanEstimate(1.0, 0.02)).variance
    0.03
    """
    if min(a.value, b.value) <= 0:
        return None
    of_control, of_variant = a.variance / a.value**2, b.variance / b.value**2
    if of_control + of_variant <= 0:
        return None
    return MeanLogRatio(math.log(b.value / a.value), of_control + of_variant, of_control)


def log_ratio(a: ValueSums, b: ValueSums) -> MeanLogRatio | None:
    """ratio_of the two means.

    >>> f"{log_ratio(ValueSums(1000, 142313, 893096551), ValueSums(1000, 198253, 4334638371)).value:.6f}"
    '0.331515'
    """
    of_a, of_b = estimate(a), estimate(b)
    return ratio_of(of_a, of_b) if of_a and of_b else None


def dispersion(sums: ValueSums, with_value: int) -> float:
    """κ = x Σv²/(Σv)² of the x visitors with a value: 1 where all values are alike, more the heavier their tail.

    >>> dispersion(ValueSums(100, 40, 160), 10), dispersion(ValueSums(100, 40, 1000), 10)
    (1.0, 6.25)
    """
    return with_value * sums.squares / sums.total**2


def shared_variance(sums: ValueSums, with_value: int, kappa: float) -> float:
    """The variance of the log of a mean, κ/x − 1/n, where κ is known from more visitors than these.

    It depends on counts alone. The variance of the values themselves rises and falls with their mean: a day without a
    large value would look precise, and low. With its own κ it is s²/(n m²) up to the factor (n − 1)/n.

    >>> shared_variance(ValueSums(100, 40, 160), 10, 1.0)
    0.09000000000000001
    """
    return kappa / with_value - 1 / sums.n


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


def mean_sequence(mean: MeanEstimate, alpha: float = ALPHA, taus: Sequence[float] = TAUS) -> Interval | None:
    """The confidence sequence of one mean, m exp(∓ c √v/m), valid at every look; None for a mean that is not positive.

    >>> low, high = mean_sequence(MeanEstimate(10.0, 0.01))
    >>> f"{low:.3f} {high:.3f}"
    '9.677 10.334'
    """
    if mean.value <= 0 or mean.variance <= 0:
        return None
    low, high = confidence_sequence(MeanLogRatio(0.0, mean.variance / mean.value**2), alpha, taus)
    return Interval(mean.value * (1 + low), mean.value * (1 + high))


def mean_interval(mean: MeanEstimate, alpha: float = ALPHA) -> Interval:
    """The fixed-horizon interval of one mean, m ∓ z √v.

    >>> low, high = mean_interval(MeanEstimate(10.0, 1.0))
    >>> f"{low:.3f} {high:.3f}"
    '8.040 11.960'
    """
    reach = normal.critical(alpha) * math.sqrt(mean.variance)
    return Interval(mean.value - reach, mean.value + reach)


class Difference(NamedTuple):
    """m_b − m_a with its standard error, in minor units per visitor."""

    value: float
    se: float


def difference(a: MeanEstimate, b: MeanEstimate) -> Difference:
    """The difference of two means, unpooled: se² = v_a + v_b.

    >>> difference(MeanEstimate(10.0, 0.09), MeanEstimate(11.0, 0.16))
    Difference(value=1.0, se=0.5)
    """
    return Difference(b.value - a.value, math.sqrt(a.variance + b.variance))

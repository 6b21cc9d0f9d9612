"""Ratio metrics such as CTR (clicks per impression). Their error comes from visitors, who see several impressions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from chalicelib.statistics import ALPHA, TAUS, Interval
from chalicelib.statistics.numerics import normal
from chalicelib.statistics.rates import wilson
from chalicelib.statistics.sequential.lift_evidence import Evidence, mixture


class Sums(NamedTuple):
    """Over n visitors with x impressions and y clicks each: Σx, Σy, Σx², Σy², Σxy."""

    n: int
    sx: int
    sy: int
    sxx: int
    syy: int
    sxy: int


class Ratio(NamedTuple):
    """ctr in clicks per impression; deff: design effect, how many times larger the variance is than with independent
    impressions; n_eff: the effective number of independent impressions. None: unknown."""

    ctr: float | None
    variance: float
    deff: float | None
    n_eff: float | None
    interval: Interval | None


def ratio(sums: Sums, alpha: float = ALPHA) -> Ratio:
    """A ratio by the delta method.

        q = Σy/Σx;  var(q) = n/((n−1)(Σx)²) · (Σy² − 2q Σxy + q² Σx²);  deff = var / (q(1−q)/Σx)
        n_eff = q(1−q)/var;  interval: Wilson on (q, n_eff)

    Where the visitors do not vary (no click at all, or every impression clicked) each counts as one impression, so the
    interval has a width. The sums are combined in whole numbers, so nothing cancels. A ratio above 1 has a normal
    interval. Source: Deng, Knoblich, Lu (2018), KDD, arXiv:1803.06336.

    >>> f"{ratio(Sums(5, 5, 2, 5, 2, 2)).interval.high:.4f} {ratio(Sums(100, 300, 0, 900, 0, 0)).interval.high:.4f}"
    '0.7954 0.0370'
    """
    n, sx, sy, sxx, syy, sxy = sums
    if sx <= 0 or sy < 0:
        return Ratio(None, 0.0, None, None, None)
    q = sy / sx
    squares = syy * sx * sx - 2 * sy * sx * sxy + sy * sy * sxx
    if n < 2 or squares <= 0:
        n_eff = float(max(1, n))
        return Ratio(q, 0.0, None, n_eff, interval_of(q, 0.0, n_eff, alpha))
    variance = squares / (sx * sx) * n / (n - 1) / (sx * sx)
    if not 0 < q < 1:
        n_eff = float(n)
        return Ratio(q, variance, None, n_eff, interval_of(q, variance, n_eff, alpha))
    n_eff = q * (1 - q) / variance
    return Ratio(q, variance, sx / n_eff, n_eff, interval_of(q, variance, n_eff, alpha))


def interval_of(q: float, variance: float, n_eff: float, alpha: float = ALPHA) -> Interval | None:
    """Wilson's interval on the effective number of impressions; for a ratio above 1 the normal one (None without a
    variance). It always contains q.

    >>> f"{interval_of(0.0, 0.0, 100.0).high:.4f}"
    '0.0370'
    """
    if q <= 1:
        low, high = wilson(q * n_eff, n_eff, alpha)
        return Interval(min(low, q), max(high, q))
    if variance <= 0:
        return None
    reach = normal.critical(alpha) * math.sqrt(variance)
    return Interval(max(0.0, q - reach), q + reach)


class RatioTest(NamedTuple):
    """difference: q_b − q_a; se: its standard error if both ratios are the same; p: two-sided, for one look;
    evidence: valid at every look."""

    difference: float
    se: float
    z: float
    p: float
    evidence: Evidence

    @classmethod
    def of(cls, difference: float, se: float, pooled: float, taus: Sequence[float] = TAUS) -> RatioTest:
        """The test of a difference. `pooled`: both variants' ratio, which turns the difference into a lift."""
        z = difference / se if se > 0 else 0.0
        info = (pooled / se) ** 2 if se > 0 else 0.0
        return cls(difference, se, z, normal.two_sided(z), mixture(z, info, taus))


def ratio_test(a: Sums, b: Sums, taus: Sequence[float] = TAUS) -> RatioTest | None:
    """Are two ratios the same? With the variance pooled under the null, as in the score test.

        q₀ = Σy/Σx of both;  s² = Σ (Σy² − 2q₀ Σxy + q₀² Σx²)/(N−1);  V = s² (n_a/Σx_a² + n_b/Σx_b²)
        z = (q_b − q_a)/√V;  E: lift_evidence.mixture with info = q₀²/V

    An arm without clicks has no variance of its own; pooled, it gets the other's. None without impressions in both.
    Source: Deng, Knoblich, Lu (2018), with the null variance pooled.

    >>> f"{ratio_test(Sums(1000, 1000, 21, 1000, 21, 21), Sums(111, 111, 0, 111, 0, 0)).p:.4f}"
    '0.1234'
    """
    if min(a.sx, b.sx) <= 0 or a.n + b.n < 2:
        return None
    sx, sy = a.sx + b.sx, a.sy + b.sy
    squares = (a.syy + b.syy) * sx * sx - 2 * sy * sx * (a.sxy + b.sxy) + sy * sy * (a.sxx + b.sxx)
    spread = max(0, squares) / (sx * sx) / (a.n + b.n - 1)
    se = math.sqrt(spread * (max(0, a.n) / a.sx / a.sx + max(0, b.n) / b.sx / b.sx))
    difference = (b.sy * a.sx - a.sy * b.sx) / (a.sx * b.sx)
    return RatioTest.of(difference, se, sy / sx, taus)

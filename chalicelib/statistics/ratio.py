"""CTR: clicks per impression. Its error comes from visitors, who see several, not from impressions."""

from __future__ import annotations

import math
from typing import NamedTuple

from chalicelib.statistics import ALPHA, Interval
from chalicelib.statistics.numerics import normal
from chalicelib.statistics.rates import wilson


class Sums(NamedTuple):
    """Over n visitors with x impressions and y clicks each: Σx, Σy, Σx², Σy², Σxy."""

    n: int
    sx: int
    sy: int
    sxx: int
    syy: int
    sxy: int


class Ratio(NamedTuple):
    """ctr in clicks per impression; deff: how many times larger the variance is than if impressions were
    independent; n_eff: how many independent impressions it is worth. None: nothing to say."""

    ctr: float | None
    variance: float
    deff: float | None
    n_eff: float | None
    interval: Interval | None


def ratio(sums: Sums, alpha: float = ALPHA) -> Ratio:
    """Delta method.

        q = Σy/Σx;  var(q) = n/((n−1)(Σx)²) · (Σy² − 2q Σxy + q² Σx²);  deff = var / (q(1−q)/Σx)
        n_eff = q(1−q)/var;  interval: Wilson on (q, n_eff)

    The sums in whole numbers, so that nothing cancels. A CTR of 0 or above 1 has no interval.
    Source: Deng, Knoblich, Lu (2018), KDD, arXiv:1803.06336.

    >>> f"{ratio(Sums(5, 5, 2, 5, 2, 2)).interval.high:.4f}"
    '0.7954'
    """
    n, sx, sy, sxx, syy, sxy = sums
    if sx <= 0:
        return Ratio(None, 0.0, None, None, None)
    q = sy / sx
    squares = syy * sx * sx - 2 * sy * sx * sxy + sy * sy * sxx
    if n < 2 or squares <= 0:
        return Ratio(q, 0.0, None, None, None)
    variance = squares / (sx * sx) * n / (n - 1) / (sx * sx)
    if not 0 < q < 1:
        return Ratio(q, variance, None, None, None)
    n_eff = q * (1 - q) / variance
    return Ratio(q, variance, sx / n_eff, n_eff, wilson(q * n_eff, n_eff, alpha))


class RatioTest(NamedTuple):
    difference: float
    se: float
    z: float
    p: float


def ratio_test(a: Ratio, b: Ratio) -> RatioTest | None:
    """z = (q_b − q_a) / √(var_a + var_b), two-sided, for one look. None without impressions in both.

    >>> ratio_test(ratio(Sums(5, 5, 2, 5, 2, 2)), ratio(Sums(5, 5, 1, 5, 1, 1))).z
    -0.6324555320336759
    """
    if a.ctr is None or b.ctr is None:
        return None
    difference, se = b.ctr - a.ctr, math.sqrt(a.variance + b.variance)
    z = difference / se if se > 0 else 0.0
    return RatioTest(difference, se, z, normal.two_sided(z))

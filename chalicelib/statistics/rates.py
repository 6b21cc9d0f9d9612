"""One variant's rate, and the plain comparison of two."""

from __future__ import annotations

import math
from typing import NamedTuple

from chalicelib.statistics import ALPHA, Counts, Interval
from chalicelib.statistics.numerics import normal


def wilson(converted: float, visitors: float, alpha: float = ALPHA) -> Interval:
    """Score interval for a rate.

        (p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n),  p = converted / visitors

    Units: visitors (an effective sample size may be fractional); both ends are rates in [0, 1].
    Not p ± z·se: that is [0, 0] before the first success, which reads as certainty.
    Source: Wilson (1927), JASA 22:209-212. The lower end by the product of the roots, x² / (n(n + z²)),
    which keeps its digits when it is tiny.

    >>> low, high = wilson(10, 100)
    >>> f"{low:.4f} {high:.4f}"
    '0.0552 0.1744'
    """
    if visitors <= 0:
        return Interval(0.0, 1.0)
    z = normal.critical(alpha)
    failed = visitors - converted
    if failed == 0:
        return Interval(visitors / (visitors + z * z), 1.0)
    spread = z * math.sqrt(z * z + 4 * converted * failed / visitors)
    high = (2 * converted + z * z + spread) / (2 * (visitors + z * z))
    return Interval(converted / visitors * converted / (visitors + z * z) / high, high)


class ZTest(NamedTuple):
    """The z statistic, its two-sided p-value, and ln p, which does not underflow."""

    z: float
    p: float
    ln_p: float


def pooled_z(a: Counts, b: Counts) -> float:
    """The z statistic behind every comparison here.

        z = (p_b − p_a) / √(P(1−P)(1/n_a + 1/n_b)),  P = (x_a + x_b) / (n_a + n_b)

    Positive when b converts better; 0 when no visitor converted, or all did. No continuity correction.
    In whole numbers as far as it goes, so that 10⁸ visitors lose no digit.

    >>> f"{pooled_z(Counts(200, 1000), Counts(230, 1000)):.6f}"
    '1.632872'
    """
    both, visitors = a.converted + b.converted, a.visitors + b.visitors
    if min(a.visitors, b.visitors) <= 0 or both in (0, visitors):
        return 0.0
    excess = b.converted * a.visitors - a.converted * b.visitors
    return excess * math.sqrt(visitors / (a.visitors * b.visitors) / (both * (visitors - both)))


def z_test(a: Counts, b: Counts) -> ZTest:
    """Two-sided p of "both rates are the same", for one look at the end. Valid once: see anytime.

    >>> f"{z_test(Counts(200, 1000), Counts(230, 1000)).p:.6f}"
    '0.102496'
    """
    z = pooled_z(a, b)
    return ZTest(z, normal.two_sided(z), normal.ln_two_sided(z))

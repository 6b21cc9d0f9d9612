"""How much better: the score interval of the relative lift p_b / p_a − 1."""

from __future__ import annotations

import math
from collections.abc import Callable

from chalicelib.statistics import ALPHA, Counts, Interval
from chalicelib.statistics.numerics import normal
from chalicelib.statistics.numerics.roots import falling_root


def lift(a: Counts, b: Counts) -> float | None:
    """p_b / p_a − 1; None while a has not converted.

    >>> f"{lift(Counts(200, 1000), Counts(230, 1000)):.2f}"
    '0.15'
    """
    if a.converted == 0 or b.visitors == 0:
        return None
    # The difference in whole numbers: 1 is never subtracted from something close to it.
    return (b.converted * a.visitors - a.converted * b.visitors) / (a.converted * b.visitors)


def score(a: Counts, b: Counts) -> Callable[[float], float]:
    """z(R) as a function of ln R: how far the counts are from "p_b = R p_a"; decreasing.

        z(R) = (p̂_b − R p̂_a) / (q_b √v),  v = (1−q_a)/(n_a q_a) + (1−q_b)/(n_b q_b),  q_b = R q_a
        q_a = 2X / (B + √D),  B = n_a + x_b + R(n_b + x_a),  D = B² − 4NRX

    q_a, q_b: the rates that fit the counts best under the hypothesis. At R = 1 it is the pooled z.
    B² − 4NRX loses half its digits where both rates are near 1. With y = n − x, S = y_a + R y_b, T = (R−1)X:

        D = (y_a − R y_b − T)² + 4R y_a y_b
        1 − q_a = (√D + S + T)/(B + √D),  1 − q_b = (√D + S − T)/(B + √D)

    Source: Koopman (1984), Biometrics 40:513-517.

    >>> f"{score(Counts(200, 1000), Counts(230, 1000))(0.0):.6f}"
    '1.632872'
    """
    xa, na = a
    xb, nb = b
    both, ya, yb = xa + xb, na - xa, nb - xb
    excess = xb * na - xa * nb

    def z(ln_ratio: float) -> float:
        less = math.expm1(ln_ratio)
        ratio = less + 1
        s, t = ya + ratio * yb, less * both
        d = math.hypot(ya - ratio * yb - t, 2 * math.sqrt(ratio * ya * yb))
        whole = na + xb + ratio * (nb + xa) + d
        rest_a, rest_b = max(0.0, d + s + t), max(0.0, d + s - t)
        # Numerator and denominator of z both multiplied by q_a's denominator over 2X.
        v = ratio / both * (ratio * rest_a / na + rest_b / nb) / 2
        top = (excess - less * xa * nb) / (na * nb)
        if v == 0:
            return math.inf if top > 0 else -math.inf if top < 0 else 0.0
        return top * whole / (2 * both) / math.sqrt(v)

    return z


def lift_interval(a: Counts, b: Counts, critical: float) -> Interval:
    """All lifts whose score is within ±critical: {R − 1 : |z(R)| ≤ critical}.

    With critical = 1.96 the fixed-horizon interval: it excludes 0 exactly when the pooled z-test's p is below
    5 %. With the critical value of a confidence sequence it may be looked at at any time.
    Low is −1 while b has not converted, high is infinite while a has not; [−1, ∞) before the first conversion.
    Units: lift, 0.1 = 10 % better.
    Source: Koopman (1984); solved for ln R, where z is nearly a straight line.

    >>> low, high = lift_interval(Counts(16, 80), Counts(36, 40), 1.96)
    >>> f"{low:.2f} {high:.2f}"
    '1.94 6.15'
    """
    if min(a.visitors, b.visitors) <= 0 or a.converted + b.converted == 0 or math.isinf(critical):
        return Interval(-1.0, math.inf)
    z = score(a, b)
    start = math.log(max(b.converted, 0.5) / b.visitors) - math.log(max(a.converted, 0.5) / a.visitors)
    # The width that a normal log ratio would have: the first step outward lands close to the end.
    step = min(2.0, critical * math.sqrt(1 / max(a.converted, 0.5) + 1 / max(b.converted, 0.5)))
    low, high = -1.0, math.inf
    if b.converted > 0:
        low = math.expm1(falling_root(lambda u: z(u) - critical, start, step))
    if a.converted > 0:
        high = math.expm1(falling_root(lambda u: z(u) + critical, start, step))
    return Interval(low, high)


def koopman(a: Counts, b: Counts, alpha: float = ALPHA) -> Interval:
    """The fixed-horizon interval of the lift, valid for one look.

    >>> low, high = koopman(Counts(200, 1000), Counts(230, 1000))
    >>> f"{low:.4f} {high:.4f}"
    '-0.0275 0.3604'
    """
    return lift_interval(a, b, normal.critical(alpha))

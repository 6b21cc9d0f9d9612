"""Relative lift p_b / p_a − 1 and difference p_b − p_a, with their score intervals."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from chalicelib.statistics import Counts, Interval
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


class ConstrainedRates(NamedTuple):
    """The rates that fit two arms best under "b = R a"; not_a, not_b: 1 minus each, with all its digits."""

    a: float
    b: float
    not_a: float
    not_b: float


def constrained_rates(a: Counts, b: Counts, ln_ratio: float) -> ConstrainedRates:
    """The maximum likelihood rates under the hypothesis that b's is R times a's.

        q_a = 2X / (B + √D),  B = n_a + x_b + R(n_b + x_a),  D = B² − 4NRX,  q_b = R q_a

    B² − 4NRX loses half its digits where both rates are near 1. With y = n − x, S = y_a + R y_b, T = (R−1)X:

        D = (y_a − R y_b − T)² + 4R y_a y_b
        1 − q_a = (√D + S + T)/(B + √D),  1 − q_b = (√D + S − T)/(B + √D)

    Source: Koopman (1984), Biometrics 40:513-517.

    >>> f"{constrained_rates(Counts(200, 1000), Counts(230, 1000), 0.0).a:.6f}"
    '0.215000'
    """
    (xa, na), (xb, nb) = a, b
    both, ya, yb = xa + xb, na - xa, nb - xb
    ratio = math.exp(ln_ratio)
    s, t = ya + ratio * yb, math.expm1(ln_ratio) * both
    d = math.hypot(ya - ratio * yb - t, 2 * math.sqrt(ratio * ya * yb))
    denominator = na + xb + ratio * (nb + xa) + d
    rate = 2 * both / denominator
    return ConstrainedRates(rate, ratio * rate, max(0.0, d + s + t) / denominator, max(0.0, d + s - t) / denominator)


def lift_score(a: Counts, b: Counts) -> Callable[[float], float]:
    """z(R) as a function of ln R: how far the counts are from "p_b = R p_a"; decreasing.

        z(R) = (p̂_b − R p̂_a) / (q_b √v),  v = (1−q_a)/(n_a q_a) + (1−q_b)/(n_b q_b),  q_b = R q_a

    q_a, q_b: see constrained_rates. At R = 1 it is the pooled z. Source: Koopman (1984), Biometrics 40:513-517.

    >>> f"{lift_score(Counts(200, 1000), Counts(230, 1000))(0.0):.6f}"
    '1.632872'
    """
    (xa, na), (xb, nb) = a, b
    excess = xb * na - xa * nb

    def z(ln_ratio: float) -> float:
        less = math.expm1(ln_ratio)
        ratio = less + 1
        rates = constrained_rates(a, b, ln_ratio)
        variance = ratio * rates.a * (ratio * rates.not_a / na + rates.not_b / nb)
        top = (excess - less * xa * nb) / (na * nb)
        if variance <= 0:
            return math.inf if top > 0 else -math.inf if top < 0 else 0.0
        return top / math.sqrt(variance)

    return z


def lift_interval(a: Counts, b: Counts, critical: float) -> Interval:
    """All lifts whose score is within ±critical: {R − 1 : |z(R)| ≤ critical}.

    With critical = 1.96 the fixed-horizon interval: it excludes 0 exactly when the pooled z-test's p is below
    5 %. With the critical value of a confidence sequence it may be looked at at any time.
    Low is −1 while b has not converted, high infinite while a has not; [−1, ∞) before the first conversion.
    Units: lift, 0.1 = 10 % better.
    Source: Koopman (1984); solved for ln R, where z is nearly a straight line.

    >>> low, high = lift_interval(Counts(16, 80), Counts(36, 40), 1.96)
    >>> f"{low:.2f} {high:.2f}"
    '1.94 6.15'
    """
    if min(a.visitors, b.visitors) <= 0 or a.converted + b.converted == 0 or math.isinf(critical):
        return Interval(-1.0, math.inf)
    z = lift_score(a, b)
    start = math.log(max(b.converted, 0.5) / b.visitors) - math.log(max(a.converted, 0.5) / a.visitors)
    # The width that a normal log ratio would have: the first step outward lands close to the end.
    step = min(2.0, critical * math.sqrt(1 / max(a.converted, 0.5) + 1 / max(b.converted, 0.5)))
    low, high = -1.0, math.inf
    if b.converted > 0:
        low = math.expm1(falling_root(lambda u: z(u) - critical, start, step))
    if a.converted > 0:
        high = math.expm1(falling_root(lambda u: z(u) + critical, start, step))
    return Interval(low, high)


def _constrained_rate(a: Counts, b: Counts, delta: float) -> float:
    """The rate q_a that fits the counts best when q_b = q_a + delta.

    The likelihood's slope x_a/q − y_a/(1−q) + x_b/(q+δ) − y_b/(1−q−δ) falls from end to end, so Newton's step
    kept inside the bracket finds its zero; the trigonometric solution of the cubic loses digits at small rates.
    """
    (xa, na), (xb, nb) = a, b
    ya, yb = na - xa, nb - xb

    def slope(q: float, p: float) -> float:
        """At an end only terms without events are dropped: the others make it infinite there."""
        return (
            (xa / q if xa else 0.0)
            - (ya / (1 - q) if ya else 0.0)
            + (xb / p if xb else 0.0)
            - (yb / (1 - p) if yb else 0.0)
        )

    low, high = (0.0, 1 - delta) if delta >= 0 else (-delta, 1.0)
    if delta == 0 or low >= high:
        return (xa + xb) / (na + nb) if delta == 0 else low
    # The best fit is an end itself if nothing was counted that it forbids, and the slope points outward.
    if not (xa if delta >= 0 else xb) and slope(low, max(delta, 0.0)) <= 0:
        return low
    if not (yb if delta >= 0 else ya) and slope(high, 1.0 if delta >= 0 else 1 + delta) >= 0:
        return high
    q = min(max((xa + xb - nb * delta) / (na + nb), low), high)
    if not low < q < high:
        q = (low + high) / 2
    for _ in range(200):
        p = q + delta
        room = min(q, 1 - q, p, 1 - p)
        if room <= 0:
            return q
        rising = slope(q, p)
        low, high = (q, high) if rising > 0 else (low, q)
        step = rising / (xa / q**2 + ya / (1 - q) ** 2 + xb / p**2 + yb / (1 - p) ** 2)
        if abs(step) <= 1e-9 * room:
            return q + step  # the next step would be the square of this one
        q = q + step if low < q + step < high else (low + high) / 2
    return q


def difference_score(a: Counts, b: Counts) -> Callable[[float], float]:
    """z(δ): how far the counts are from "p_b = p_a + δ"; decreasing.

        z(δ) = (p̂_b − p̂_a − δ) / √(q_a(1−q_a)/n_a + q_b(1−q_b)/n_b)

    q_a, q_b: the rates that fit the counts best under the hypothesis. At δ = 0 it is the pooled z.
    Source: Mee (1984), Biometrics 40:1175-1176; Farrington & Manning (1990), Stat Med 9:1447-1454.

    >>> f"{difference_score(Counts(200, 1000), Counts(230, 1000))(0.0):.6f}"
    '1.632872'
    """
    difference = (b.converted * a.visitors - a.converted * b.visitors) / (a.visitors * b.visitors)

    def z(delta: float) -> float:
        q = _constrained_rate(a, b, delta)
        p = min(1.0, max(0.0, q + delta))
        variance = q * (1 - q) / a.visitors + p * (1 - p) / b.visitors
        if variance <= 0:
            return math.copysign(math.inf, difference - delta) if difference != delta else 0.0
        return (difference - delta) / math.sqrt(variance)

    return z


def difference_interval(a: Counts, b: Counts, critical: float) -> Interval:
    """All differences whose score is within ±critical.

    Units: rates, 0.01 = one percentage point. It excludes 0 exactly when the lift's interval does.

    >>> low, high = difference_interval(Counts(56, 70), Counts(48, 80), 1.959964)
    >>> f"{-high:.4f} {-low:.4f}"
    '0.0533 0.3377'
    """
    if min(a.visitors, b.visitors) <= 0 or math.isinf(critical):
        return Interval(-1.0, 1.0)
    if a.converted + b.converted > (a.visitors + b.visitors) / 2:
        # Seen from those who did not convert, whose rates are small numbers and keep their digits.
        low, high = difference_interval(_others(a), _others(b), critical)
        return Interval(-high, -low)
    z = difference_score(a, b)
    middle = (b.converted * a.visitors - a.converted * b.visitors) / (a.visitors * b.visitors)
    # Searched on the inverse hyperbolic tangent of δ, which has no ends to run into.
    start = math.atanh(middle * (1 - 1e-9))
    step = critical * math.sqrt(1 / a.visitors + 1 / b.visitors)
    low, high = -1.0, 1.0
    if middle > -1:
        low = math.tanh(falling_root(lambda u: z(math.tanh(u)) - critical, start, step))
    if middle < 1:
        high = math.tanh(falling_root(lambda u: z(math.tanh(u)) + critical, start, step))
    return Interval(low, high)


def _others(arm: Counts) -> Counts:
    return Counts(arm.visitors - arm.converted, arm.visitors)

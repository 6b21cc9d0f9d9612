"""How much better: the score interval of the relative lift p_b / p_a − 1."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from chalicelib.statistics import ALPHA, TAU, Counts, Interval
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


def lift_score(a: Counts, b: Counts) -> Callable[[float], float]:
    """z(R) as a function of ln R: how far the counts are from "p_b = R p_a"; decreasing.

        z(R) = (p̂_b − R p̂_a) / (q_b √v),  v = (1−q_a)/(n_a q_a) + (1−q_b)/(n_b q_b),  q_b = R q_a
        q_a = 2X / (B + √D),  B = n_a + x_b + R(n_b + x_a),  D = B² − 4NRX

    q_a, q_b: the rates that fit the counts best under the hypothesis. At R = 1 it is the pooled z.
    B² − 4NRX loses half its digits where both rates are near 1. With y = n − x, S = y_a + R y_b, T = (R−1)X:

        D = (y_a − R y_b − T)² + 4R y_a y_b
        1 − q_a = (√D + S + T)/(B + √D),  1 − q_b = (√D + S − T)/(B + √D)

    Source: Koopman (1984), Biometrics 40:513-517.

    >>> f"{lift_score(Counts(200, 1000), Counts(230, 1000))(0.0):.6f}"
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


def koopman(a: Counts, b: Counts, alpha: float = ALPHA) -> Interval:
    """The fixed-horizon interval of the lift, valid for one look.

    >>> low, high = koopman(Counts(200, 1000), Counts(230, 1000))
    >>> f"{low:.4f} {high:.4f}"
    '-0.0275 0.3604'
    """
    return lift_interval(a, b, normal.critical(alpha))


class Shrunk(NamedTuple):
    """weight: the share of the measured log ratio that is kept; mean, sd: of the log ratio; lift, interval: what
    to expect after shipping; p_positive: the chance that it is better at all."""

    weight: float
    mean: float
    sd: float
    lift: float
    interval: Interval
    p_positive: float


def shrink(log_ratio: float, se: float, tau: float = TAU, alpha: float = ALPHA) -> Shrunk:
    """The measured log ratio pulled towards 0 as far as its error deserves.

        w = τ²/(τ² + se²);  mean = w · log ratio;  sd = √w · se;  lift = exp(mean) − 1

    τ: the standard deviation of true log ratios, before seeing the data.
    Sources: Efron (2011), JASA 106:1602-1614; van Zwet & Cator (2021), Statistica Neerlandica 75:437-452.

    >>> f"{shrink(0.12, 0.05).lift:.4f}"
    '0.1008'
    """
    weight = tau * tau / (tau * tau + se * se)
    mean, sd = weight * log_ratio, math.sqrt(weight) * se
    reach = normal.critical(alpha) * sd
    positive = normal.cdf(mean / sd) if sd > 0 else float(mean > 0)
    interval = Interval(math.expm1(mean - reach), math.expm1(mean + reach))
    return Shrunk(weight, mean, sd, math.expm1(mean), interval, positive)


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


def mee(a: Counts, b: Counts, alpha: float = ALPHA) -> Interval:
    """The fixed-horizon interval of the difference, valid for one look.

    >>> low, high = mee(Counts(200, 1000), Counts(230, 1000))
    >>> f"{low:.4f} {high:.4f}"
    '-0.0060 0.0660'
    """
    return difference_interval(a, b, normal.critical(alpha))

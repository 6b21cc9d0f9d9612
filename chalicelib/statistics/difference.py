"""How much better in points: the score interval of the difference p_b − p_a."""

from __future__ import annotations

import math
from collections.abc import Callable

from . import ALPHA, Counts, Interval, normal
from .roots import falling_root


def _constrained_rate(a: Counts, b: Counts, delta: float) -> float:
    """The rate q_a that fits the counts best when q_b = q_a + delta.

    The likelihood's slope x_a/q − y_a/(1−q) + x_b/(q+δ) − y_b/(1−q−δ) falls from end to end, so Newton's step
    kept inside the bracket finds its zero; the trigonometric solution of the cubic loses digits at small rates.
    """
    (xa, na), (xb, nb) = a, b
    ya, yb = na - xa, nb - xb
    low, high = max(0.0, -delta), min(1.0, 1.0 - delta)
    q = min(max((xa + xb - nb * delta) / (na + nb), low), high)
    if not low < q < high:
        q = (low + high) / 2
    for _ in range(200):
        p = q + delta
        if min(q, 1 - q, p, 1 - p) <= 0:
            return min(max(q, low), high)
        slope = xa / q - ya / (1 - q) + xb / p - yb / (1 - p)
        bend = xa / q**2 + ya / (1 - q) ** 2 + xb / p**2 + yb / (1 - p) ** 2
        low, high = (q, high) if slope > 0 else (low, q)
        step = slope / bend
        following = q + step
        if not low < following < high:
            # Towards an end that may be the answer itself, in ratios: it can be many powers of ten away.
            following = (low + high) / 2
        if abs(following - q) <= 1e-16 * q or high - low <= 4e-17:
            return following
        q = following
    return q


def score(a: Counts, b: Counts) -> Callable[[float], float]:
    """z(δ): how far the counts are from "p_b = p_a + δ"; decreasing.

        z(δ) = (p̂_b − p̂_a − δ) / √(q_a(1−q_a)/n_a + q_b(1−q_b)/n_b)

    q_a, q_b: the rates that fit the counts best under the hypothesis. At δ = 0 it is the pooled z.
    Source: Mee (1984), Biometrics 40:1175-1176; Farrington & Manning (1990), Stat Med 9:1447-1454.
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
    z = score(a, b)
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


def mee(a: Counts, b: Counts, alpha: float = ALPHA) -> Interval:
    """The fixed-horizon interval of the difference, valid for one look."""
    return difference_interval(a, b, normal.critical(alpha))

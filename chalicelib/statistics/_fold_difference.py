"""How much better in points: the score interval of the difference p_b − p_a."""

from __future__ import annotations

import math
from collections.abc import Callable

from chalicelib.statistics import ALPHA, Counts, Interval
from chalicelib.statistics.numerics import normal
from chalicelib.statistics.numerics.roots import falling_root


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


def score(a: Counts, b: Counts) -> Callable[[float], float]:
    """z(δ): how far the counts are from "p_b = p_a + δ"; decreasing.

        z(δ) = (p̂_b − p̂_a − δ) / √(q_a(1−q_a)/n_a + q_b(1−q_b)/n_b)

    q_a, q_b: the rates that fit the counts best under the hypothesis. At δ = 0 it is the pooled z.
    Source: Mee (1984), Biometrics 40:1175-1176; Farrington & Manning (1990), Stat Med 9:1447-1454.

    >>> f"{score(Counts(200, 1000), Counts(230, 1000))(0.0):.6f}"
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


def _others(arm: Counts) -> Counts:
    return Counts(arm.visitors - arm.converted, arm.visitors)


def mee(a: Counts, b: Counts, alpha: float = ALPHA) -> Interval:
    """The fixed-horizon interval of the difference, valid for one look.

    >>> low, high = mee(Counts(200, 1000), Counts(230, 1000))
    >>> f"{low:.4f} {high:.4f}"
    '-0.0060 0.0660'
    """
    return difference_interval(a, b, normal.critical(alpha))

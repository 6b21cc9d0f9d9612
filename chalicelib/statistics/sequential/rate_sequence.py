"""One variant's rate, so that the whole line may be looked at as often as one likes."""

from __future__ import annotations

import math

from chalicelib.statistics import ALPHA, Interval
from chalicelib.statistics.numerics.roots import root


def rate_sequence(converted: float, visitors: float, alpha: float = ALPHA) -> Interval:
    """The interval that holds at every look at once, from the first visitor on, with probability 1 − α.

        {p : x ln p + (n − x) ln(1 − p) ≥ ln B(x + ½, n − x + ½) − ln B(½, ½) + ln α}

    The likelihood ratio of rates drawn from Jeffreys' prior against p is a martingale if p is true, so it ever
    exceeds 1/α with probability at most α (Ville). Exact, not asymptotic; about twice as wide as Wilson's.
    Units: visitors (an effective number may be fractional); both ends are rates in [0, 1].
    Source: Robbins (1970), Annals of Mathematical Statistics 41:1397-1409; Howard et al. (2021), section 4.5.

    >>> low, high = rate_sequence(10, 100)
    >>> f"{low:.4f} {high:.4f}"
    '0.0291 0.2275'
    """
    if visitors <= 0:
        return Interval(0.0, 1.0)
    failed = visitors - converted
    least = _ln_beta(converted + 0.5, failed + 0.5) - math.log(math.pi) + math.log(alpha)

    def above(p: float) -> float:
        # x ln x is 0 where x is; the logarithm at an end of [0, 1] is not asked for then.
        return (converted * math.log(p) if converted else 0.0) + (failed * math.log1p(-p) if failed else 0.0) - least

    rate, edge = converted / visitors, 1e-12
    low = root(above, edge, rate) if converted and above(edge) < 0 else 0.0
    high = root(above, 1 - edge, rate) if failed and above(1 - edge) < 0 else 1.0
    return Interval(low, high)


def _ln_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)

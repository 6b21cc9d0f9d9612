"""The upper tail of the χ² distribution."""

from __future__ import annotations

import math


def survival(x: float, df: int) -> float:
    """P(χ²_df ≥ x) = Q(df/2, x/2).

    >>> f"{survival(3.841458820694124, 1):.6f}"
    '0.050000'
    """
    return math.exp(ln_survival(x, df))


def ln_survival(x: float, df: int) -> float:
    """ln P(χ²_df ≥ x), also where the probability is below 1e-308; df ≥ 1 (df = 0: certainty at 0).

    With a = df/2, y = x/2: below y = a + 1 the series P = y^a e^-y / Γ(a+1) · Σ yⁿ / ((a+1)…(a+n)),
    above it Q by Lentz's continued fraction. Source: DLMF 8.7.1, 8.9.2; Press et al., Numerical Recipes 6.2.

    >>> f"{ln_survival(5000.0, 1):.6f}"
    '-2504.484588'
    """
    if x <= 0 or df == 0:
        return 0.0
    a, y = df / 2, x / 2
    ln_front = a * math.log(y) - y - math.lgamma(a)
    if y < a + 1:
        term = total = 1 / a
        n = a
        while term > total * 1e-17:
            n += 1
            term *= y / n
            total += term
        return math.log1p(-min(1.0, math.exp(ln_front) * total))
    b = y + 1 - a
    c, d = math.inf, 1 / b
    fraction = d
    for n in range(1, 100_000):
        over = -n * (n - a)
        b += 2
        d = 1 / (over * d + b)
        c = b + over / c
        fraction *= c * d
        if abs(c * d - 1) < 1e-16:
            break
    return ln_front + math.log(fraction)

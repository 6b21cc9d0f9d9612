"""Random counts."""

from __future__ import annotations

import math
from random import Random


def binomial(rng: Random, n: int, p: float) -> int:
    """How many of n succeed, each with probability p.

    Small counts by skipping from success to success, large ones by rejection, exact both.
    Source: Hörmann (1993), J Stat Comput Simul 46:101-110 (BTRS). Random.binomialvariate needs Python 3.12.
    """
    if p > 0.5:
        return n - binomial(rng, n, 1 - p)
    if n <= 0 or p <= 0:
        return 0
    if n * p < 10:
        return _by_skipping(rng, n, p)
    spread = math.sqrt(n * p * (1 - p))
    b = 1.15 + 2.53 * spread
    a = -0.0873 + 0.0248 * b + 0.01 * p
    alpha = (2.83 + 5.1 / b) * spread
    mode = math.floor((n + 1) * p)
    peak = math.lgamma(mode + 1) + math.lgamma(n - mode + 1)
    while True:
        u, v = rng.random() - 0.5, 1 - rng.random()
        edge = 0.5 - abs(u)
        if edge <= 0:
            continue
        k = math.floor((2 * a / edge + b) * u + n * p + 0.5)
        if edge >= 0.07 and v <= 0.92 - 4.2 / b:
            return k
        if 0 <= k <= n:
            density = peak - math.lgamma(k + 1) - math.lgamma(n - k + 1) + (k - mode) * math.log(p / (1 - p))
            if math.log(v * alpha / (a / (edge * edge) + b)) <= density:
                return k


def _by_skipping(rng: Random, n: int, p: float) -> int:
    successes, at, ln_failure = 0, 0, math.log1p(-p)
    while True:
        at += math.floor(math.log(1 - rng.random()) / ln_failure) + 1
        if at > n:
            return successes
        successes += 1


def multinomial(rng: Random, n: int, shares: tuple[float, ...]) -> list[int]:
    """n visitors over variants."""
    counts: list[int] = []
    left = 1.0
    for share in shares[:-1]:
        counts.append(binomial(rng, n - sum(counts), min(1.0, share / left)))
        left -= share
    return [*counts, n - sum(counts)]

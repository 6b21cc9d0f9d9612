"""Sample sizes, and the lift that a given number of visitors can detect.

Units: rates and lifts as fractions; visitors in the control, the variant having `ratio` times as many.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from chalicelib.statistics import ALPHA, TAUS
from chalicelib.statistics.numerics import normal
from chalicelib.statistics.numerics.roots import falling_root, root
from chalicelib.statistics.sequential.lift_evidence import critical

POWER = 0.8


def _spreads(rate: float, other: float, ratio: float) -> tuple[float, float]:
    """√ of the variance for one control visitor: if nothing differs, and if the rates are these."""
    mean = (rate + ratio * other) / (1 + ratio)
    return (
        math.sqrt(mean * (1 - mean) * (1 + 1 / ratio)),
        math.sqrt(rate * (1 - rate) + other * (1 - other) / ratio),
    )


def sample_size(rate: float, lift: float, *, ratio: float = 1.0, alpha: float = ALPHA, power: float = POWER) -> float:
    """Control visitors for a single look at the end to find `lift` with probability `power`.

        n = (z_{α/2} √(p̄q̄(1 + 1/r)) + z_β √(p₁q₁ + p₂q₂/r))² / (p₂ − p₁)²

    Not rounded up. Source: Fleiss, Levin, Paik (2003), Statistical Methods for Rates and Proportions, 4.14.

    >>> f"{sample_size(0.05, 0.1):.2f}"
    '31233.44'
    """
    other = rate * (1 + lift)
    null, real = _spreads(rate, other, ratio)
    return ((normal.critical(alpha) * null + normal.quantile(power) * real) / (other - rate)) ** 2


def anytime_information(
    log_odds: float, *, alpha: float = ALPHA, power: float = POWER, taus: Sequence[float] = TAUS
) -> float:
    """The information at which a single look at the sequential test finds `log_odds` with probability `power`.

        smallest I with |δ|√I − z_β ≥ c(I),  c = lift_evidence.critical

    As if z had variance 1 under the alternative: where the rates are close. Source: Howard et al. (2021).

    >>> f"{anytime_information(math.log(0.055 / 0.945) - math.log(0.05 / 0.95), taus=[0.1]):.3f}"
    '1502.712'
    """
    z = normal.quantile(power)
    return smallest_information(lambda info: critical(info, alpha, taus) + z, abs(log_odds))


def smallest_information(bar: Callable[[float], float], gap: float) -> float:
    """The smallest information I with gap √I ≥ bar(I).

    >>> f"{smallest_information(lambda info: 3.0, 0.1):.6f}"
    '900.000000'
    """
    ln_info = falling_root(
        lambda ln_info: bar(math.exp(ln_info)) - gap * math.exp(ln_info / 2), math.log(10 / gap**2), 1.0
    )
    return math.exp(ln_info)


def _missing(rate: float, other: float, visitors: float, ratio: float, bar: float, z_beta: float) -> float:
    """How much the difference of two rates falls short of being detected, in units of √visitors; see
    anytime_sample_size."""
    null, real = _spreads(rate, other, ratio)
    return bar * null + z_beta * real - abs(other - rate) * math.sqrt(visitors)


def anytime_sample_size(
    rate: float,
    lift: float,
    *,
    ratio: float = 1.0,
    alpha: float = ALPHA,
    power: float = POWER,
    taus: Sequence[float] = TAUS,
) -> float:
    """Control visitors for the sequential test to find `lift` with probability `power` at a single look.

        smallest n with |p₂ − p₁|√n ≥ c(I) √(p̄q̄(1 + 1/r)) + z_β √(p₁q₁ + p₂q₂/r),  I = p̄q̄ n r/(1 + r)

    Fleiss' two spreads with the sequential test's critical value: under the alternative z does not have variance 1,
    which matters for uneven splits and high rates. If you look all along you find it sooner: an upper bound.

    >>> f"{anytime_sample_size(0.05, 0.1):.0f}"
    '67919'
    """
    other = rate * (1 + lift)
    log_odds = math.log1p(lift) - math.log((1 - other) / (1 - rate))
    mean = (rate + ratio * other) / (1 + ratio)
    per_visitor = mean * (1 - mean) * ratio / (1 + ratio)
    z_beta = normal.quantile(power)

    def missing(ln_visitors: float) -> float:
        n = math.exp(ln_visitors)
        return _missing(rate, other, n, ratio, critical(per_visitor * n, alpha, taus), z_beta) / math.sqrt(n)

    start = anytime_information(log_odds, alpha=alpha, power=power, taus=taus) / per_visitor
    return math.exp(falling_root(missing, math.log(start), 0.1))


def anytime_detectable_lift(
    rate: float,
    visitors: float,
    *,
    ratio: float = 1.0,
    alpha: float = ALPHA,
    power: float = POWER,
    taus: Sequence[float] = TAUS,
) -> float | None:
    """The smallest positive lift that the sequential test finds at this size, with probability `power`, on a single
    look; the inverse of anytime_sample_size. None where even a rate of 100 % would not do.

    >>> f"{anytime_detectable_lift(0.05, 67918.5):.4f}"
    '0.1000'
    """
    if visitors <= 0 or not 0 < rate < 1:
        return None
    z_beta = normal.quantile(power)

    def other_rate(log_odds: float) -> float:
        return 1 / (1 + (1 - rate) / rate * math.exp(-log_odds))

    def missing(log_odds: float) -> float:
        """Falls as the lift grows, until the other rate nears 1."""
        other = other_rate(log_odds)
        mean = (rate + ratio * other) / (1 + ratio)
        bar = critical(mean * (1 - mean) * visitors * ratio / (1 + ratio), alpha, taus)
        return _missing(rate, other, visitors, ratio, bar, z_beta)

    # Information shrinks again as the other rate nears 1: look no further than where the score peaks.
    steps = [0.001 * 1.3**k for k in range(45)]
    enough = next((step for step in steps if missing(step) <= 0), None)
    if enough is None:
        return None
    return other_rate(root(missing, 0.0, enough)) / rate - 1


def equivalence_sample_size(
    rate: float,
    margin: float,
    *,
    ratio: float = 1.0,
    alpha: float = ALPHA,
    power: float = POWER,
    taus: Sequence[float] = TAUS,
) -> float:
    """Control visitors for the confidence sequence to lie within ±margin, with probability `power`, if nothing differs.

        smallest n with (c(I) + z_{β/2}) se ≤ ln(1 + margin),  se = √((1−p)/p · (1 + 1/r)/n) = (1−p)/√I

    Units: margin is a lift, 0.01 = 1 %. Source: two one-sided tests (Schuirmann 1987) with the sequential critical
    value.

    >>> f"{equivalence_sample_size(0.2, 0.05):.0f}"
    '70142'
    """
    z = normal.quantile(1 - (1 - power) / 2)

    def missing(ln_info: float) -> float:
        info = math.exp(ln_info)
        return (critical(info, alpha, taus) + z) * (1 - rate) / math.sqrt(info) - math.log1p(margin)

    info = math.exp(falling_root(missing, math.log(20 * ((1 - rate) / math.log1p(margin)) ** 2), 1.0))
    return info / (rate * (1 - rate) * ratio / (1 + ratio))

"""How many visitors it takes, and what a given number of visitors can show.

Units: rates and lifts as fractions; visitors in the control, the variant having `ratio` times as many.
"""

from __future__ import annotations

import math

from chalicelib.statistics import ALPHA, TAU
from chalicelib.statistics.numerics import normal
from chalicelib.statistics.numerics.roots import falling_root, root

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


def power(rate: float, lift: float, visitors: float, *, ratio: float = 1.0, alpha: float = ALPHA) -> float:
    """The probability that one look at `visitors` in the control finds a difference if it is `lift`.

    Both tails, so that it is α when the lift is 0; sample_size neglects the wrong one.

    >>> f"{power(0.05, 0.1, 31234):.6f}"
    '0.800008'
    """
    other = rate * (1 + lift)
    null, real = _spreads(rate, other, ratio)
    shift, bar = abs(other - rate) * math.sqrt(visitors), normal.critical(alpha) * null
    if real <= 0:
        return float(shift > bar)
    return normal.cdf((shift - bar) / real) + normal.cdf((-shift - bar) / real)


def detectable_lift(
    rate: float, visitors: float, *, ratio: float = 1.0, alpha: float = ALPHA, power: float = POWER
) -> float | None:
    """The smallest positive lift that one look at `visitors` in the control finds with probability `power`.

    None where even a rate of 100 % would not do.

    >>> f"{detectable_lift(0.05, 31234):.6f}"
    '0.099999'
    """
    if visitors <= 0 or not 0 < rate < 1:
        return None
    most = 1 / rate - 1

    def missing(ln_lift: float) -> float:
        lift = min(math.exp(ln_lift), most)
        return math.log(sample_size(rate, lift, ratio=ratio, alpha=alpha, power=power) / visitors)

    if missing(math.log(most)) > 0:
        return None
    return math.exp(falling_root(missing, math.log(most) - 1e-9, 0.5))


def anytime_information(log_odds: float, *, alpha: float = ALPHA, power: float = POWER, tau: float = TAU) -> float:
    """The information at which a single look at the anytime test finds `log_odds` with probability `power`.

        smallest I with |δ|√I − z_β ≥ c(I),  c² = (1 + τ²I)/(τ²I) · (2 ln(1/α) + ln(1 + τ²I))

    Looking all along finds it sooner: an upper bound. Source: Howard et al. (2021).

    >>> f"{anytime_information(math.log(0.055 / 0.945) - math.log(0.05 / 0.95)):.3f}"
    '1502.712'
    """
    z = normal.quantile(power)

    def missing(ln_info: float) -> float:
        info = math.exp(ln_info)
        r = tau * tau * info
        bar = math.sqrt((1 + r) / r * (math.log1p(r) - 2 * math.log(alpha)))
        return bar + z - abs(log_odds) * math.sqrt(info)

    return math.exp(falling_root(missing, math.log(10 / log_odds**2), 1.0))


def anytime_sample_size(
    rate: float,
    lift: float,
    *,
    ratio: float = 1.0,
    alpha: float = ALPHA,
    power: float = POWER,
    tau: float = TAU,
) -> float:
    """Control visitors for the anytime test to find `lift`: n = I / (p̄q̄ r/(1 + r)), δ the log odds ratio.

    >>> f"{anytime_sample_size(0.05, 0.1):.1f}"
    '60418.1'
    """
    other = rate * (1 + lift)
    log_odds = math.log1p(lift) - math.log((1 - other) / (1 - rate))
    mean = (rate + ratio * other) / (1 + ratio)
    info = anytime_information(log_odds, alpha=alpha, power=power, tau=tau)
    return info / (mean * (1 - mean) * ratio / (1 + ratio))


def anytime_detectable_lift(
    rate: float,
    visitors: float,
    *,
    ratio: float = 1.0,
    alpha: float = ALPHA,
    power: float = POWER,
    tau: float = TAU,
) -> float | None:
    """The smallest positive lift that the anytime test finds at this size, with probability `power`, on a single
    look; the inverse of anytime_sample_size. None where even a rate of 100 % would not do.

    >>> f"{anytime_detectable_lift(0.05, 60418.12):.4f}"
    '0.1000'
    """
    if visitors <= 0 or not 0 < rate < 1:
        return None

    def missing(log_odds: float) -> float:
        """Falls as the lift grows: the score to reach, less the score to expect."""
        other = 1 / (1 + (1 - rate) / rate * math.exp(-log_odds))
        mean = (rate + ratio * other) / (1 + ratio)
        info = mean * (1 - mean) * visitors * ratio / (1 + ratio)
        r = tau * tau * info
        if r <= 0:
            return math.inf
        bar = math.sqrt((1 + r) / r * (math.log1p(r) - 2 * math.log(alpha)))
        return bar + normal.quantile(power) - log_odds * math.sqrt(info)

    # Information shrinks again as the other rate nears 1: look no further than where the score peaks.
    steps = [0.001 * 1.3**k for k in range(45)]
    enough = next((step for step in steps if missing(step) <= 0), None)
    if enough is None:
        return None
    log_odds = root(missing, 0.0, enough)
    return 1 / (rate + (1 - rate) * math.exp(-log_odds)) - 1

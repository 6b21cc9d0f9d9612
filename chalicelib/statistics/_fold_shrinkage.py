"""What a winner's lift is worth: winners are picked for looking large, so their lift is too large on average."""

from __future__ import annotations

import math
from typing import NamedTuple

from chalicelib.statistics import ALPHA, TAU, Interval
from chalicelib.statistics.numerics import normal


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

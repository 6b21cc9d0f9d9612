"""Evidence that stays valid however often, and whenever, somebody looks.

The decision statistic: a normal mixture of the score statistic, on the scale of the log odds ratio.
Sources: Robbins (1970); Johari, Koomen, Pekelis, Walsh (2022), Operations Research 70:1806-1821;
Howard, Ramdas, McAuliffe, Sekhon (2021), Annals of Statistics 49:1055-1080.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from chalicelib.statistics import ALPHA, TAU, Counts, Interval
from chalicelib.statistics.effects import lift_interval
from chalicelib.statistics.rates import pooled_z


class Evidence(NamedTuple):
    """z: the score; info: what the sample knows (1/variance of the log odds ratio); ln_e: ln of the evidence
    against "no difference"; p: valid at any time."""

    z: float
    info: float
    ln_e: float
    p: float


def information(a: Counts, b: Counts) -> float:
    """m = P(1−P) n_a n_b / N: the Fisher information on the log odds ratio, near 0.

    >>> information(Counts(200, 1000), Counts(230, 1000))
    84.3875
    """
    both, visitors = a.converted + b.converted, a.visitors + b.visitors
    if visitors <= 0:
        return 0.0
    return both * (visitors - both) / visitors / visitors * (a.visitors * b.visitors / visitors)


def mixture(z: float, info: float, tau: float = TAU) -> Evidence:
    """E averages the likelihood ratio over lifts drawn from N(0, τ²), on the log odds scale.

        r = τ² info;  ln E = z² r / (2(1 + r)) − ln(1 + r)/2;  p = min(1, 1/E)

    τ: the size of lift to look for; 0.1 ≈ 10 %. With no difference, E exceeds 1/α at any time at all with
    probability at most α (Ville), so p may be read whenever one likes.

    >>> f"{mixture(3.0, 1000.0).p:.4f}"
    '0.0555'
    """
    r = tau * tau * info
    ln_e = z * z * r / (2 * (1 + r)) - math.log1p(r) / 2
    return Evidence(z, info, ln_e, math.exp(min(0.0, -ln_e)))


def evidence(a: Counts, b: Counts, tau: float = TAU) -> Evidence:
    """The evidence that the rates differ.

    >>> f"{evidence(Counts(200, 1000), Counts(230, 1000)).p:.4f}"
    '0.7377'
    """
    return mixture(pooled_z(a, b), information(a, b), tau)


def critical(info: float, alpha: float = ALPHA, tau: float = TAU) -> float:
    """The score at which p reaches α: c = √((1 + r)/r · (2 ln(1/α) + ln(1 + r))), r = τ² info.

    Infinite while nothing is known, so no minimum sample size needs to be made up.

    >>> f"{critical(84.3875):.4f}"
    '3.7985'
    """
    r = tau * tau * info
    if r <= 0:
        return math.inf
    return math.sqrt((1 + r) / r * (math.log1p(r) - 2 * math.log(alpha)))


def confidence_sequence(a: Counts, b: Counts, alpha: float = ALPHA, tau: float = TAU) -> Interval:
    """The interval of the lift that holds at every look at once, with probability 1 − α.

    Excludes 0 exactly when evidence(a, b).p ≤ α. Units: lift.

    >>> low, high = confidence_sequence(Counts(200, 1000), Counts(230, 1000))
    >>> f"{low:.4f} {high:.4f}"
    '-0.1681 0.5918'
    """
    return lift_interval(a, b, critical(information(a, b), alpha, tau))

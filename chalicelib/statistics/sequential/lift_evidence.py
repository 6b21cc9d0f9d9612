"""The sequential test that decides: valid however often, and whenever, you look.

A mixture sequential probability ratio test on the score statistic, on the scale of the log odds ratio.
Sources: Robbins (1970); Johari, Koomen, Pekelis, Walsh (2022), Operations Research 70:1806-1821;
Howard, Ramdas, McAuliffe, Sekhon (2021), Annals of Statistics 49:1055-1080.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from chalicelib.statistics import ALPHA, TAUS, Counts, Interval
from chalicelib.statistics.effects import lift_interval
from chalicelib.statistics.rates import pooled_z


class Evidence(NamedTuple):
    """z: the score; info: the information on the log odds ratio (1/variance); ln_e: logarithm of the e-value against
    "no difference"; p: valid at any time."""

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


def mixture(z: float, info: float, taus: Sequence[float] = TAUS) -> Evidence:
    """The e-value of a score: the likelihood ratio averaged over lifts from N(0, τ²), then over several τ.

        r = τ² info;  ln E_τ = z² r / (2(1 + r)) − ln(1 + r)/2;  E = mean of E_τ;  p = min(1, 1/E)

    Without a difference E ever exceeds 1/α with probability at most α (Ville's inequality); an average of e-values is
    an e-value. One τ finds lifts near τ soonest and others late; the average finds any lift from 2 to 50 % within
    1.4 times the visitors of a test with a single look (median; docs/statistics.md). Units: log odds.

    >>> f"{mixture(3.0, 1000.0, [0.1]).p:.4f} {mixture(3.0, 1000.0).p:.4f}"
    '0.0555 0.1108'
    """
    terms = [z * z * (r := tau * tau * info) / (2 * (1 + r)) - math.log1p(r) / 2 for tau in taus]
    ln_e = ln_mean(terms)
    return Evidence(z, info, ln_e, math.exp(min(0.0, -ln_e)))


def ln_mean(logarithms: Sequence[float]) -> float:
    """The logarithm of the mean of numbers given by their logarithms.

    >>> f"{math.exp(ln_mean([math.log(2), math.log(4)])):.12f}"
    '3.000000000000'
    """
    largest = max(logarithms)
    if math.isinf(largest):
        return largest
    return largest + math.log(math.fsum(math.exp(x - largest) for x in logarithms) / len(logarithms))


def evidence(a: Counts, b: Counts, taus: Sequence[float] = TAUS) -> Evidence:
    """The evidence that two rates differ.

    >>> f"{evidence(Counts(200, 1000), Counts(230, 1000), [0.1]).p:.4f}"
    '0.7377'
    """
    return mixture(pooled_z(a, b), information(a, b), taus)


def critical(info: float, alpha: float = ALPHA, taus: Sequence[float] = TAUS) -> float:
    """The score at which p reaches α; for one τ c = √((1 + r)/r · (2 ln(1/α) + ln(1 + r))), r = τ² info.

    Infinite without information, so no minimum sample size has to be invented. For several τ by Newton's method on z²,
    where ln E is convex and rising, from the right: each step stays on that side.

    >>> f"{critical(84.3875, taus=[0.1]):.4f} {critical(84.3875):.4f}"
    '3.7985 3.3433'
    """
    lines = [(r / (2 * (1 + r)), math.log1p(r) / 2) for tau in taus if (r := tau * tau * info) > 0]
    if len(lines) < len(taus):
        return math.inf
    least = math.log(1 / alpha) + math.log(len(lines))
    square = min((least + cost) / slope for slope, cost in lines)
    for _ in range(50):
        terms = [slope * square - cost for slope, cost in lines]
        largest = max(terms)
        shares = [math.exp(term - largest) for term in terms]
        total = math.fsum(shares)
        steepness = math.fsum(share * slope for share, (slope, _) in zip(shares, lines, strict=True)) / total
        step = (largest + math.log(total) - least) / steepness
        square -= step
        if abs(step) <= 1e-13 * square:
            break
    return math.sqrt(square)


def confidence_sequence(a: Counts, b: Counts, alpha: float = ALPHA, taus: Sequence[float] = TAUS) -> Interval:
    """The confidence sequence of the lift: it contains the truth at every look at once, with probability 1 − α.

    Excludes 0 exactly when evidence(a, b).p ≤ α. Units: lift.

    >>> low, high = confidence_sequence(Counts(200, 1000), Counts(230, 1000), taus=[0.1])
    >>> f"{low:.4f} {high:.4f}"
    '-0.1681 0.5918'
    """
    return lift_interval(a, b, critical(information(a, b), alpha, taus))

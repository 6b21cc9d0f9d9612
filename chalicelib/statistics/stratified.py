"""Phases (or days) side by side: compared within each, then averaged. Never pooled: a change of the split while
the rate also drifts makes pooled numbers wrong in 99 of 100 experiments without any difference."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from chalicelib.statistics import ALPHA, TAU, Counts, Interval
from chalicelib.statistics.numerics import chi2, normal
from chalicelib.statistics.rates import wilson
from chalicelib.statistics.ratio import Ratio
from chalicelib.statistics.sequential import lift_evidence


class Stratum(NamedTuple):
    a: Counts
    b: Counts


class Combined(NamedTuple):
    """ratio: Mantel-Haenszel p_b/p_a (None while a has not converted); se: of its logarithm (None while
    unknown); evidence: the anytime test over all strata."""

    ratio: float | None
    se: float | None
    evidence: lift_evidence.Evidence


def combine(strata: Sequence[Stratum], tau: float = TAU) -> Combined:
    """One comparison out of several strata.

        ratio = Σ x_b n_a/N / Σ x_a n_b/N                                       (Mantel & Haenszel 1959)
        se² = Σ (n_a n_b X − x_a x_b N)/N² / (Σ x_b n_a/N · Σ x_a n_b/N)        (Greenland & Robins 1985)
        U = Σ (x_b − X n_b/N),  V = Σ n_a n_b X(N−X) / (N²(N−1)),  z = U/√V,  info = V

    A stratum with one empty arm says nothing and counts for nothing.

    >>> both = combine([Stratum(Counts(1311, 25000), Counts(1381, 25000))])
    >>> f"{both.ratio:.6f} {both.evidence.z:.6f}"
    '1.053394 1.386992'
    """
    ratio_b = ratio_a = spread = u = v = 0.0
    for (xa, na), (xb, nb) in strata:
        n, x = na + nb, xa + xb
        if na <= 0 or nb <= 0:
            continue
        ratio_b += xb * na / n
        ratio_a += xa * nb / n
        spread += (na * nb * x - xa * xb * n) / (n * n)
        u += (xb * na - xa * nb) / n
        v += na * nb * x * (n - x) / (n * n * (n - 1))
    z = u / math.sqrt(v) if v > 0 else 0.0
    known = ratio_a > 0 and ratio_b > 0 and spread >= 0
    return Combined(
        ratio_b / ratio_a if ratio_a > 0 else None,
        math.sqrt(spread / (ratio_a * ratio_b)) if known else None,
        lift_evidence.mixture(z, v, tau),
    )


def lift_interval(combined: Combined, critical: float) -> Interval:
    """exp(ln ratio ± critical · se) − 1; [−1, ∞) while se is unknown. Units: lift.

    >>> low, high = lift_interval(combine([Stratum(Counts(1311, 25000), Counts(1381, 25000))]), 1.959964)
    >>> f"{low:.6f} {high:.6f}"
    '-0.021268 0.133753'
    """
    if not combined.ratio or combined.se is None or math.isinf(critical):
        return Interval(-1.0, math.inf)
    middle, reach = math.log(combined.ratio), critical * combined.se
    return Interval(math.expm1(middle - reach), _expm1(middle + reach))


def confidence_sequence(combined: Combined, alpha: float = ALPHA, tau: float = TAU) -> Interval:
    """The lift's interval at every look at once.

    >>> both = combine([Stratum(Counts(1311, 25000), Counts(1381, 25000))])
    >>> low, high = confidence_sequence(both)
    >>> f"{low:.4f} {high:.4f}"
    '-0.0601 0.1806'
    """
    return lift_interval(combined, lift_evidence.critical(combined.evidence.info, alpha, tau))


def _expm1(x: float) -> float:
    return math.expm1(x) if x < 700 else math.inf


class Heterogeneity(NamedTuple):
    """Do the strata tell the same story? i2: the share of their scatter that is not chance. trend: change of the
    log ratio per stratum (None with fewer than three)."""

    q: float
    df: int
    p: float
    i2: float
    trend: float | None
    trend_z: float | None
    trend_p: float | None


def heterogeneity(strata: Sequence[Stratum]) -> Heterogeneity:
    """Cochran's Q over the strata's log ratios, and their weighted trend.

        yᵢ = ln (x_b+½)/(n_b+½) − ln (x_a+½)/(n_a+½)      (Walter 1975)
        wᵢ = 1/varᵢ,  varᵢ = 1/(x_b+½) − 1/(n_b+½) + 1/(x_a+½) − 1/(n_a+½)
        Q = Σ wᵢ (yᵢ − ȳ)²,  I² = max(0, 1 − df/Q);  slope = Σ w (i−ī)(y−ȳ) / Σ w (i−ī)²,  z = slope·√Σ w (i−ī)²

    A stratum with one empty arm has no ratio and takes no part, but keeps its place in time.
    Sources: Cochran (1954); Higgins & Thompson (2002), Stat Med 21:1539-1558.

    >>> round(heterogeneity([Stratum(Counts(7, 500), Counts(13, 500))]).q, 9)
    0.0
    """
    points: list[tuple[float, float, float]] = []
    for index, (a, b) in enumerate(strata):
        if a.visitors > 0 and b.visitors > 0:
            y, variance = walter(a, b)
            points.append((float(index), y, 1 / variance))
    if not points:
        return Heterogeneity(0.0, 0, 1.0, 0.0, None, None, None)
    total = math.fsum(w for _, _, w in points)
    mean_y = math.fsum(w * y for _, y, w in points) / total
    mean_i = math.fsum(w * i for i, _, w in points) / total
    q = math.fsum(w * (y - mean_y) ** 2 for _, y, w in points)
    df = len(points) - 1
    trend = trend_z = trend_p = None
    leverage = math.fsum(w * (i - mean_i) ** 2 for i, _, w in points)
    if df >= 2 and leverage > 0:
        trend = math.fsum(w * (i - mean_i) * (y - mean_y) for i, y, w in points) / leverage
        trend_z = trend * math.sqrt(leverage)
        trend_p = normal.two_sided(trend_z)
    i2 = max(0.0, 1 - df / q) if q > 0 else 0.0
    return Heterogeneity(q, df, chi2.survival(q, df), i2, trend, trend_z, trend_p)


def walter(a: Counts, b: Counts) -> tuple[float, float]:
    """The log ratio with half a conversion added everywhere, and its variance: defined for any two arms with visitors.

    Where everybody converted the variance comes out 0; then it is that of one more visitor who did not.
    Source: Walter (1975), Biometrika 62:371-374.

    >>> walter(Counts(0, 1), Counts(1, 1))
    (1.0986122886681098, 1.3333333333333333)
    """
    xa, na, xb, nb = a.converted + 0.5, a.visitors + 0.5, b.converted + 0.5, b.visitors + 0.5
    variance = (na - xa) / (na * xa) + (nb - xb) / (nb * xb)
    return math.log(xb / nb) - math.log(xa / na), variance or 1 / (na * na) + 1 / (nb * nb)


def standardised(strata: Sequence[Counts], sizes: Sequence[float]) -> tuple[float, float]:
    """One arm's rate as if its visitors had been spread over the strata in proportion to `sizes`.

        rate = Σ ωᵢ xᵢ/nᵢ,  ωᵢ = sizeᵢ / Σ size;  visitors = 1 / Σ (ωᵢ²/nᵢ)

    Returns (rate, the number of visitors that it is worth), to put into a Wilson interval. With one stratum: the
    plain rate and its visitors. Arms standardised alike can be compared; pooled ones cannot.
    Source: direct standardisation, Fleiss, Levin, Paik (2003), ch. 19.

    >>> standardised([Counts(10, 100), Counts(30, 100)], [1, 1])
    (0.2, 200.0)
    """
    total = math.fsum(sizes)
    rate = math.fsum(size / total * x / n for (x, n), size in zip(strata, sizes, strict=True))
    worth = math.fsum((size / total) ** 2 / n for (_, n), size in zip(strata, sizes, strict=True))
    return min(1.0, rate), 1 / worth


def standardised_ratio(strata: Sequence[Ratio], sizes: Sequence[float], alpha: float = ALPHA) -> Ratio:
    """The same for a ratio: q = Σ ωᵢ qᵢ, var = Σ ωᵢ² varᵢ.

    >>> from .ratio import Sums, ratio
    >>> half = ratio(Sums(5, 5, 2, 5, 2, 2))
    >>> standardised_ratio([half, half], [1, 1]).ctr
    0.4
    """
    if len(strata) == 1:
        return strata[0]
    total = math.fsum(sizes)
    q = variance = 0.0
    for one, size in zip(strata, sizes, strict=True):
        if one.ctr is None:
            return Ratio(None, 0.0, None, None, None)
        q += size / total * one.ctr
        variance += (size / total) ** 2 * one.variance
    if variance <= 0 or not 0 < q < 1:
        return Ratio(q, variance, None, None, None)
    n_eff = q * (1 - q) / variance
    return Ratio(q, variance, None, n_eff, wilson(q * n_eff, n_eff, alpha))

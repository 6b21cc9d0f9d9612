"""Phases (or days) compared within each, then combined. Never pooled: a change of the split while the rate also drifts
makes pooled numbers wrong in 99 of 100 experiments without any difference."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from chalicelib.statistics import TAUS, Counts, Interval
from chalicelib.statistics.effects import constrained_rates
from chalicelib.statistics.numerics import chi2, normal
from chalicelib.statistics.numerics.roots import falling_root
from chalicelib.statistics.sequential import lift_evidence


class Stratum(NamedTuple):
    """The control (a) and a variant (b) within one phase or day."""

    a: Counts
    b: Counts


class Combined(NamedTuple):
    """ratio: weighted p_b/p_a (None while a has not converted); se: standard error of its logarithm (None while
    unknown); evidence: the sequential test over all strata."""

    ratio: float | None
    se: float | None
    evidence: lift_evidence.Evidence


def harmonic_weight(visitors: Sequence[int]) -> float:
    """The weight of a stratum: 1 / Σ 1/n over the variants in it; n_a n_b / N for two (Mantel & Haenszel 1959).

    >>> harmonic_weight([100, 300])
    75.0
    """
    return 1 / math.fsum(1 / n for n in visitors)


def combine(
    strata: Sequence[Stratum], taus: Sequence[float] = TAUS, weights: Sequence[float] | None = None
) -> Combined:
    """One comparison out of several strata, with weights w (default Mantel-Haenszel's n_a n_b / N).

        ratio = Σ w p_b / Σ w p_a;  se² = Σ w² (X − x_a x_b N/(n_a n_b))/(n_a n_b) / (Σ w p_a · Σ w p_b)
        U = Σ w (p_b − p_a),  V = Σ w² X(N−X) / (n_a n_b (N−1)),  z = U/√V,  info = (Σ w X(N−X)/(N(N−1)))² / V

    With the default weights: Cochran-Mantel-Haenszel's z, info = V, and the standard error of Greenland & Robins
    (1985). A stratum with one empty arm counts for nothing.

    >>> both = combine([Stratum(Counts(1311, 25000), Counts(1381, 25000))])
    >>> f"{both.ratio:.6f} {both.evidence.z:.6f}"
    '1.053394 1.386992'
    """
    ratio_b = ratio_a = spread = u = v = slope = 0.0
    for ((xa, na), (xb, nb)), weight in zip(strata, weights or _default_weights(strata), strict=True):
        n, x = na + nb, xa + xb
        if na <= 0 or nb <= 0:
            continue
        ratio_b += weight * xb / nb
        ratio_a += weight * xa / na
        spread += weight * weight * (na * nb * x - xa * xb * n) / (na * nb) / (na * nb)
        u += weight * (xb * na - xa * nb) / (na * nb)
        v += weight * weight * x * (n - x) / (na * nb) / (n - 1)
        slope += weight * x * (n - x) / n / (n - 1)
    z, info = (u / math.sqrt(v), slope * slope / v) if v > 0 else (0.0, 0.0)
    known = ratio_a > 0 and ratio_b > 0 and spread >= 0
    return Combined(
        ratio_b / ratio_a if ratio_a > 0 else None,
        math.sqrt(spread / (ratio_a * ratio_b)) if known else None,
        lift_evidence.mixture(z, info, taus),
    )


def _default_weights(strata: Sequence[Stratum]) -> list[float]:
    return [harmonic_weight([a.visitors, b.visitors]) if min(a.visitors, b.visitors) > 0 else 0.0 for a, b in strata]


def stratified_score(strata: Sequence[Stratum], weights: Sequence[float]) -> Callable[[float], float]:
    """z(R) as a function of ln R: how far the strata are from "p_b = R p_a in each". At R = 1 it is combine's z.

        z(R) = Σ w (p_b − R p_a) / √(Σ w² N/(N−1) (q_b(1−q_b)/n_b + R² q_a(1−q_a)/n_a))

    q_a, q_b = R q_a: the rates that fit a stratum best under the hypothesis (effects.constrained_rates). Zero at the
    weighted ratio. Source: the stratified score test of Miettinen & Nurminen (1985), Stat Med 4:213-226, with N/(N−1).

    >>> z = stratified_score([Stratum(Counts(1311, 25000), Counts(1381, 25000))], [12500.0])
    >>> f"{z(0.0):.6f}"
    '1.386992'
    """
    total_a = math.fsum(w * a.converted / a.visitors for (a, _), w in zip(strata, weights, strict=True))
    total_b = math.fsum(w * b.converted / b.visitors for (_, b), w in zip(strata, weights, strict=True))
    # At R = 1 the difference is taken in whole numbers, stratum by stratum, so that nothing cancels.
    excess = math.fsum(
        w * (b.converted * a.visitors - a.converted * b.visitors) / (a.visitors * b.visitors)
        for (a, b), w in zip(strata, weights, strict=True)
    )

    def z(ln_ratio: float) -> float:
        ratio, variance = math.exp(ln_ratio), 0.0
        for (a, b), weight in zip(strata, weights, strict=True):
            if a.converted + b.converted == 0:
                continue
            n, rates = a.visitors + b.visitors, constrained_rates(a, b, ln_ratio)
            spread = ratio * rates.a * (rates.not_b / b.visitors + ratio * rates.not_a / a.visitors)
            variance += weight * weight * spread * n / (n - 1)
        top = excess - math.expm1(ln_ratio) * total_a if abs(ln_ratio) < 0.5 else total_b - ratio * total_a
        if variance <= 0:
            return math.copysign(math.inf, top) if top else 0.0
        return top / math.sqrt(variance)

    return z


def lift_interval(strata: Sequence[Stratum], weights: Sequence[float], critical: float) -> Interval:
    """All lifts whose stratified score is within ±critical. It excludes 0 exactly when |combine's z| > critical.

    [−1, ∞) before the first conversion; low is −1 while b has not converted, high infinite while a has not. All strata
    have visitors in both arms. Units: lift, 0.1 = 10 % better.

    >>> low, high = lift_interval([Stratum(Counts(1311, 25000), Counts(1381, 25000))], [12500.0], 1.959964)
    >>> f"{low:.6f} {high:.6f}"
    '-0.021251 0.133737'
    """
    converted_a, converted_b = sum(s.a.converted for s in strata), sum(s.b.converted for s in strata)
    if not strata or converted_a + converted_b == 0 or math.isinf(critical):
        return Interval(-1.0, math.inf)
    z = stratified_score(strata, weights)
    rate_a = math.fsum(w * max(s.a.converted, 0.5) / s.a.visitors for s, w in zip(strata, weights, strict=True))
    rate_b = math.fsum(w * max(s.b.converted, 0.5) / s.b.visitors for s, w in zip(strata, weights, strict=True))
    start = math.log(rate_b / rate_a)
    if converted_a and converted_b:
        start = math.log(combine(strata, weights=weights).ratio or rate_b / rate_a)
    step = min(2.0, critical * math.sqrt(1 / max(converted_a, 0.5) + 1 / max(converted_b, 0.5)))
    low = math.expm1(_end(lambda u: z(u) - critical, start, step)) if converted_b else -1.0
    high = math.expm1(_end(lambda u: z(u) + critical, start, step)) if converted_a else math.inf
    return Interval(low, high)


def _end(f: Callable[[float], float], start: float, step: float) -> float:
    """The zero of f on the side of 0 where f(0) says it is.

    Where one phase has no variance at R = 1 (everyone converted), f has a peak there and may have a second zero on
    the other side. That one would contradict the test.
    """
    end = falling_root(f, start, step)
    return end if (end > 0) == (f(0.0) > 0) else falling_root(f, 0.0, step)


class Heterogeneity(NamedTuple):
    """Do the strata agree? i2: the share of their scatter that is not chance. trend: change of the log ratio per
    stratum (None with fewer than three)."""

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

    A stratum with one empty arm has no ratio and takes no part, but keeps its place in time. One stratum agrees with
    itself: Q, df and I² are 0. Sources: Cochran (1954); Higgins & Thompson (2002), Stat Med 21:1539-1558.

    >>> heterogeneity([Stratum(Counts(7, 500), Counts(13, 500))])[:4]
    (0.0, 0, 1.0, 0.0)
    """
    points: list[tuple[float, float, float]] = []
    for index, (a, b) in enumerate(strata):
        if a.visitors > 0 and b.visitors > 0:
            y, variance = walter(a, b)
            points.append((float(index), y, 1 / variance))
    return scatter(points)


def scatter(points: Sequence[tuple[float, float, float]]) -> Heterogeneity:
    """Cochran's Q and the weighted trend of points (place in time, value, 1/variance).

    >>> scatter([(0, 1.0, 4.0), (1, 2.0, 4.0)])[:2]
    (2.0, 1)
    """
    if len(points) < 2:
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

    Where everyone converted the variance comes out 0; then it is that of one more visitor who did not.
    Source: Walter (1975), Biometrika 62:371-374.

    >>> walter(Counts(0, 1), Counts(1, 1))
    (1.0986122886681098, 1.3333333333333333)
    """
    xa, na, xb, nb = a.converted + 0.5, a.visitors + 0.5, b.converted + 0.5, b.visitors + 0.5
    variance = (na - xa) / (na * xa) + (nb - xb) / (nb * xb)
    return math.log(xb / nb) - math.log(xa / na), variance or 1 / (na * na) + 1 / (nb * nb)

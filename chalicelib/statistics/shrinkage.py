"""The posterior of the lift under a prior that expects small lifts: expected lift, chance to be best, expected loss.

Prior: the log ratio of a variant to the control is N(0, τ²), with τ unknown among PRIOR_SDS. Flat priors are
overconfident: they say 98 % where 81 % is true if lifts are N(0, 3 %) (`abacus prove`, docs/statistics.md).
Sources: Efron (2011), JASA 106:1602-1614; van Zwet & Cator (2021), Statistica Neerlandica 75:437-452.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from chalicelib.statistics import ALPHA, TAUS, Interval
from chalicelib.statistics.numerics import normal
from chalicelib.statistics.numerics.quadrature import NODES, WEIGHTS
from chalicelib.statistics.numerics.roots import falling_root

# The test's, and one for lifts of several hundred per cent, which 60 % would shrink below their confidence interval.
PRIOR_SDS = (*TAUS, 2.0)
_REACH = 7.5  # standard deviations beyond which a density counts for nothing: 3e-14


class LogRatio(NamedTuple):
    """An estimated log ratio to the control: its mean and variance, and the part of the variance that is the
    control's."""

    mean: float
    variance: float
    control_variance: float


def log_ratio(control: tuple[float, float], variant: tuple[float, float]) -> LogRatio:
    """The log ratio of two rates, each (converted, visitors), with a conversion added in proportion to the visitors.

        c = 1/(n_a + n_b);  rate = (x/n + c)/(1 + c);  variance = 1/(n(rate)(1 + c)) − 1/(n(1 + c)) for each

    Defined without conversions, and never of another sign than the plain lift. For arms of one size it adds half a
    conversion to each, as Walter (1975) does. Visitors may be effective numbers. Source: Sweeting, Sutton, Lambert
    (2004), Stat Med 23:1351-1375, on corrections in proportion to the arms.

    >>> f"{log_ratio((200, 1000), (230, 1000)).mean:.6f}"
    '0.139437'
    """
    (xa, na), (xb, nb) = control, variant
    c = 1 / (na + nb)
    odds_a, odds_b = xa / na + c, xb / nb + c
    spread_a = (1 + c - odds_a) / (na * (1 + c) * odds_a) if odds_a < 1 + c else 1 / (na * na)
    spread_b = (1 + c - odds_b) / (nb * (1 + c) * odds_b) if odds_b < 1 + c else 1 / (nb * nb)
    return LogRatio(math.log(odds_b / odds_a), spread_a + spread_b, spread_a)


def agreeing(ratio: LogRatio, z: float) -> LogRatio:
    """The same estimate, as many standard errors from 0 as the score test's z where the two differ widely.

    They do where a rate is near 0 or 1 and one arm is small: 9,000 of 9,000 against 1 of 7 is proof by the score,
    which knows the rate under the null, and vague by the log ratio's own variance. The posterior follows the test
    where the variance would have to be less than four fifths.

    >>> agreeing(LogRatio(0.4, 0.04, 0.01), 4.0)
    LogRatio(mean=0.4, variance=0.010000000000000002, control_variance=0.0025000000000000005)
    """
    by_score = (ratio.mean / z) ** 2 if z else math.inf
    if ratio.mean == 0 or by_score > 0.8 * ratio.variance:
        return ratio
    return LogRatio(ratio.mean, by_score, ratio.control_variance * (by_score / ratio.variance))


def prior_weights(ratios: Sequence[LogRatio], taus: Sequence[float] = PRIOR_SDS) -> list[float]:
    """The posterior probability of each τ: proportional to the likelihood of all variants' log ratios under it.

    >>> [round(w, 3) for w in prior_weights([LogRatio(0.5, 0.0004, 0.0002)], [0.02, 0.2, 0.6])]
    [0.0, 0.161, 0.839]
    """
    ln = [
        math.fsum(
            -r.mean * r.mean / (tau * tau + r.variance) / 2 - math.log(tau * tau + r.variance) / 2 for r in ratios
        )
        for tau in taus
    ]
    largest = max(ln)
    shares = [math.exp(x - largest) for x in ln]
    total = math.fsum(shares)
    return [share / total for share in shares]


class Shrunk(NamedTuple):
    """weight: the share of the measured log ratio that is kept; mean, sd: of the log ratio; lift, interval: what
    to expect after a rollout; p_positive: the chance that it is better at all."""

    weight: float
    mean: float
    sd: float
    lift: float
    interval: Interval
    p_positive: float


def shrink(
    log_ratio: float,
    se: float,
    taus: Sequence[float] = PRIOR_SDS,
    alpha: float = ALPHA,
    weights: Sequence[float] | None = None,
) -> Shrunk:
    """The measured log ratio pulled towards 0 as far as its standard error deserves.

        for each τ: w = τ²/(τ² + se²), mean = w · log ratio, sd = √w · se;  lift = exp(mean) − 1

    averaged over τ with `weights` (default: prior_weights of this log ratio alone).

    >>> f"{shrink(0.12, 0.05, [0.1]).lift:.4f} {shrink(0.12, 0.05).lift:.4f}"
    '0.1008 0.0911'
    """
    if weights is None:
        weights = prior_weights([LogRatio(log_ratio, se * se, 0.0)], taus)
    shrinkage = [tau * tau / (tau * tau + se * se) for tau in taus]
    parts = [(share, w * log_ratio, math.sqrt(w) * se) for share, w in zip(weights, shrinkage, strict=True)]
    weight = math.fsum(share * w for share, w in zip(weights, shrinkage, strict=True))
    mean = weight * log_ratio
    sd = math.sqrt(math.fsum(share * (s * s + (m - mean) ** 2) for share, m, s in parts))
    if sd <= 0:
        return Shrunk(weight, mean, sd, math.expm1(mean), Interval(math.expm1(mean), math.expm1(mean)), float(mean > 0))
    z = normal.critical(alpha)
    if len(parts) == 1:
        ends = (mean - z * sd, mean + z * sd)
    else:
        ends = (_quantile(parts, alpha / 2, mean - z * sd, sd), _quantile(parts, 1 - alpha / 2, mean + z * sd, sd))
    positive = math.fsum(share * normal.cdf(m / s) for share, m, s in parts)
    interval = Interval(math.expm1(min(ends[0], 700.0)), math.expm1(min(ends[1], 700.0)))
    return Shrunk(weight, mean, sd, math.expm1(min(mean, 700.0)), interval, min(1.0, positive))


def _quantile(parts: Sequence[tuple[float, float, float]], p: float, start: float, step: float) -> float:
    """Where a mixture of normals (share, mean, sd) has the distribution function p."""
    return falling_root(lambda t: p - math.fsum(w * normal.cdf((t - m) / s) for w, m, s in parts), start, step / 4)


class Best(NamedTuple):
    """p_best: the chance that this variant has the best rate, the highest unless `lowest` is set;
    expected_loss: how much rate you give away on average by choosing it (0.001 = a tenth of a percentage point)."""

    p_best: float
    expected_loss: float


def best(
    rate: float,
    ratios: Sequence[LogRatio],
    taus: Sequence[float] = PRIOR_SDS,
    *,
    lowest: bool = False,
    limit: float = math.inf,
) -> list[Best]:
    """For the control, whose rate is `rate`, and each variant given by its log ratio to the control, in that order:

        P(best)ᵢ = ∫ fᵢ Π_{j≠i} Fⱼ du,   expected lossᵢ = ∫ Fᵢ (1 − Π_{j≠i} Fⱼ) rate·eᵘ du

    for each τ over independent normals u (log rates relative to the control's): the control N(0, v), a variant
    N(w L, w se² − v), v = the smallest w · the control's variance. So each difference to the control has exactly
    shrink's distribution, and before any data every variant is best with the same probability. Averaged over τ by
    prior_weights. `lowest`: the best rate is the lowest; then 1 − Fⱼ stands in place of every Fⱼ.
    `limit`: of the loss; 1 for rates, which eᵘ does not know.

    >>> ratio = log_ratio((200, 1000), (230, 1000))
    >>> control, variant = best(0.2, [ratio])
    >>> f"{variant.p_best:.6f} {shrink(ratio.mean, math.sqrt(ratio.variance)).p_positive:.6f}"
    '0.830963 0.830963'
    """
    totals = [[0.0, 0.0] for _ in range(len(ratios) + 1)]
    for share, tau in zip(prior_weights(ratios, taus), taus, strict=True):
        if share > 1e-9:
            for total, (chance, loss) in zip(totals, _best_of(_normals(ratios, tau), lowest), strict=True):
                total[0] += share * chance
                total[1] += share * loss
    all_chances = math.fsum(chance for chance, _ in totals)
    return [Best(chance / all_chances, min(limit, max(0.0, rate * loss))) for chance, loss in totals]


def _normals(ratios: Sequence[LogRatio], tau: float) -> list[tuple[float, float]]:
    """(mean, sd) of the log rates of the control and each variant; see best."""
    shrinkage = [tau * tau / (tau * tau + r.variance) for r in ratios]
    common = min(w * r.control_variance for w, r in zip(shrinkage, ratios, strict=True))
    # A tenth of the smallest variance at least: a density without width cannot be integrated.
    spread = [w * r.variance for w, r in zip(shrinkage, ratios, strict=True)]
    common = min(max(common, 0.001 * min(spread)), 0.999 * min(spread))
    normals = [(0.0, math.sqrt(common))]
    return normals + [(w * r.mean, math.sqrt(s - common)) for w, r, s in zip(shrinkage, ratios, spread, strict=True)]


def _best_of(normals: Sequence[tuple[float, float]], lowest: bool) -> list[tuple[float, float]]:
    """P(best) and the expected loss, in units of the control's rate, by Gauss-Legendre quadrature on panels."""
    chance, loss = [0.0] * len(normals), [0.0] * len(normals)
    exp, erfc, root2 = math.exp, math.erfc, -math.sqrt(2) if lowest else math.sqrt(2)
    scaled = [(mean, sd * root2) for mean, sd in normals]
    densities = [(mean, sd, sd * 2.5066282746310002) for mean, sd in normals]
    for start, stop in _panels(normals):
        half = (stop - start) / 2
        for node, weight in zip(NODES, WEIGHTS, strict=True):
            u = start + half + half * node
            worse = [erfc((mean - u) / width) / 2 for mean, width in scaled]
            measure, level = half * weight, exp(u)
            everyone = math.prod(worse)
            for i, (mean, sd, height) in enumerate(densities):
                others = everyone / worse[i] if worse[i] > 1e-100 else math.prod(worse[:i] + worse[i + 1 :])
                z = (u - mean) / sd
                if -9 < z < 9:
                    chance[i] += measure * others * exp(-z * z / 2) / height
                loss[i] += measure * worse[i] * (1 - others) * level
    return list(zip(chance, loss, strict=True))


def _panels(normals: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Panels of at most 2 standard deviations of the narrowest density in them, over all that count."""
    ends = [(mean - _REACH * sd, mean + _REACH * sd, sd) for mean, sd in normals]
    t, stop = min(low for low, _, _ in ends), max(high for _, high, _ in ends)
    panels = []
    while t < stop:
        here = [sd for low, high, sd in ends if low <= t < high]
        width = 2 * min(here) if here else stop - t
        width = min([width, stop - t, *(low - t for low, _, sd in ends if low > t and 2 * sd < width)])
        panels.append((t, t + width))
        t += width if width > 0 else 1e-12
    return panels

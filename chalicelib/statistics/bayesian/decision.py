"""What to believe after the data, starting from nothing: chance of being best, expected loss, credible lift."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import mul
from typing import NamedTuple

from chalicelib.statistics import ALPHA
from chalicelib.statistics.bayesian.posterior import JEFFREYS, Beta, Grid, Panel, probit_root
from chalicelib.statistics.numerics import normal
from chalicelib.statistics.numerics.quadrature import rule


class Best(NamedTuple):
    """p_best: the chance that this variant has the highest rate; expected_loss: how much rate is given away on
    average by choosing it (rates, 0.001 = a tenth of a point)."""

    p_best: float
    expected_loss: float


# Trapezoidal nodes beyond which one density counts as a step beside the other.
_MOST_NODES = 400


class CredibleLift(NamedTuple):
    low: float
    median: float
    high: float
    p_better: float


def grid(arms: Sequence[tuple[float, float]], prior: tuple[float, float] = JEFFREYS) -> Grid:
    """Posteriors Beta(prior + converted, prior + visitors − converted), for (converted, visitors) each.

    Jeffreys' prior Beta(½, ½) by default: worth one visitor, the same for every variant.

    >>> [(beta.a, beta.b) for beta in grid([(3, 10), (0, 5)]).densities]
    [(3.5, 7.5), (0.5, 5.5)]
    """
    return Grid([Beta(prior[0] + x, prior[1] + n - x) for x, n in arms])


def mean(arm: tuple[float, float], prior: tuple[float, float] = JEFFREYS) -> float:
    """The posterior's mean rate, (a + x)/(a + b + n).

    >>> mean((0, 1))
    0.25
    """
    return (prior[0] + arm[0]) / (prior[0] + prior[1] + arm[1])


def rate_quantiles(posteriors: Grid, number: int, probabilities: Sequence[float]) -> list[float]:
    """Quantiles of one rate.

    >>> f"{rate_quantiles(grid([(200, 1000)]), 0, [0.025])[0]:.6f}"
    '0.176096'
    """
    return [posteriors.quantile(number, p) for p in probabilities]


def best(posteriors: Grid) -> list[Best]:
    """For every variant

        P(best)ᵢ = ∫ fᵢ Π_{j≠i} Fⱼ dt,   expected lossᵢ = E[maxⱼ θⱼ − θᵢ] = ∫ Fᵢ (1 − Π_{j≠i} Fⱼ) dθ

    by quadrature: exact to ten digits, the same every time, unlike drawing at random.
    Sources: Miller (2014), Formulas for Bayesian A/B testing; Stucchio (2015), Bayesian A/B testing at VWO.

    >>> first, second = best(grid([(200, 1000), (230, 1000)]))
    >>> f"{second.p_best:.6f} {second.expected_loss:.9f}"
    '0.948787 0.000394684'
    """
    k = len(posteriors.densities)
    chance, loss = [0.0] * k, [0.0] * k
    weights = rule().weights
    below = [0.0] * k  # each distribution function at the panel's left edge
    edge = None
    for panel in posteriors.panels:
        start, stop = panel.middle - panel.half, panel.middle + panel.half
        if edge is not None and start > edge:
            _gap(loss, below, edge, start)
        edge = stop
        rates = [_rate(t) for t in panel.points]
        measure = [panel.half * w * rate * (1 - rate) for w, rate in zip(weights, rates, strict=True)]
        columns = _cumulative(posteriors, panel, below)
        for i, others in enumerate(_others(columns)):
            loss[i] += sum(m * f * (1 - rest) for m, f, rest in zip(measure, columns[i], others, strict=True))
            if i in panel.values:
                scale = panel.half / posteriors.mass[i]
                chance[i] += scale * sum(map(mul, map(mul, weights, panel.values[i]), others))
                below[i] += scale * sum(map(mul, weights, panel.values[i]))
        for i, density in enumerate(posteriors.densities):
            if density.high <= stop:
                below[i] = 1.0
    return [Best(min(1.0, p), max(0.0, x)) for p, x in zip(chance, loss, strict=True)]


def _rate(t: float) -> float:
    return 1 / (1 + math.exp(-t)) if t > -700 else 0.0


def _gap(loss: list[float], below: list[float], start: float, stop: float) -> None:
    """Between densities every distribution function is 0 or 1, and only the rate moves."""
    width = _rate(stop) - _rate(start)
    for i, f in enumerate(below):
        rest = math.prod(g for j, g in enumerate(below) if j != i)
        loss[i] += width * f * (1 - rest)


def _cumulative(posteriors: Grid, panel: Panel, below: list[float]) -> list[list[float]]:
    """Each distribution function at the panel's points."""
    columns = []
    for i, start in enumerate(below):
        if i in panel.values:
            scale, values = panel.half / posteriors.mass[i], panel.values[i]
            columns.append([start + scale * sum(map(mul, row, values)) for row in rule().running])
        else:
            columns.append([start] * len(panel.points))
    return columns


def _others(columns: list[list[float]]) -> list[list[float]]:
    """For each variant the product of all the others, by products from the left and from the right."""
    left = [[1.0] * len(columns[0])]
    for column in columns[:-1]:
        left.append(list(map(mul, left[-1], column)))
    right = [1.0] * len(columns[0])
    products: list[list[float]] = []
    for column, before in zip(reversed(columns), reversed(left), strict=True):
        products.append(list(map(mul, before, right)))
        right = list(map(mul, right, column))
    return products[::-1]


def credible_lift(posteriors: Grid, a: int, b: int, alpha: float = ALPHA) -> CredibleLift:
    """Quantiles α/2, ½ and 1 − α/2 of θ_b/θ_a − 1, and P(θ_b > θ_a), for two densities of a grid.

        H(d) = P(ln θ_b − ln θ_a ≤ d) = ∫ f_a F_b(θ_a e^d) dt  for d ≤ 0, and over b for d > 0

    Turned round at 0 so that the argument of F never reaches 1, where F has a kink that costs three digits.
    Source: Kawasaki & Miyaoka (2012), on the ratio of two Beta variables.

    >>> low, median, high, better = credible_lift(grid([(200, 1000), (230, 1000)]), 0, 1)
    >>> f"{low:.4f} {median:.4f} {high:.4f} {better:.4f}"
    '-0.0275 0.1498 0.3610 0.9488'
    """
    down, up = _Below(posteriors, a, b), _Below(posteriors, b, a)

    def distribution(d: float) -> float:
        return down.at(d) if d <= 0 else 1 - up.at(-d)

    first, second = (posteriors.densities[i].ln_cumulants() for i in (a, b))
    middle, variance, third = second[0] - first[0], first[1] + second[1], second[2] - first[2]
    scale = math.sqrt(variance)
    skew = max(-1.0, min(1.0, third / scale**3))
    ends = []
    for probability in (alpha / 2, 0.5, 1 - alpha / 2):
        z = normal.quantile(probability)
        guess = middle + scale * (z + skew * (z * z - 1) / 6)
        ends.append(math.expm1(probit_root(distribution, z, guess, scale)))
    return CredibleLift(ends[0], ends[1], ends[2], up.at(0.0))


def _logit_of(u: float) -> float:
    """t of a rate given as its logarithm u < 0."""
    return u - math.log(-math.expm1(u))


def _ln_rate(t: float) -> float:
    return -math.log1p(math.exp(-t)) if t > -30 else t - math.exp(t)


class _Below:
    """P(θ_inner ≤ θ_outer e^d) for d ≤ 0, as an integral over the outer density."""

    def __init__(self, posteriors: Grid, outer: int, inner: int) -> None:
        self.outer, self.inner = posteriors.densities[outer], posteriors.densities[inner]
        self.below_outer, self.below_inner = posteriors.cumulative(outer), posteriors.cumulative(inner)
        self.mass = posteriors.mass[outer]
        step = min(0.6 * self.outer.sd, 0.6 * self.inner.sd, 0.35)
        n = math.ceil((self.outer.high - self.outer.low) / step)
        self.nodes: list[tuple[float, float]] = []
        if n <= _MOST_NODES:
            points = [self.outer.low + step * k for k in range(n + 1)]
            values = self.outer.values(points)
            total = math.fsum(values)
            self.nodes = [(_ln_rate(t), value / total) for t, value in zip(points, values, strict=True)]

    def at(self, d: float) -> float:
        if not self.nodes:
            return self._where_it_rises(d)
        # The trapezoidal rule, which converges geometrically for a smooth function that fades at both ends.
        inner, log, expm1 = self.below_inner, math.log, math.expm1
        total = 0.0
        for ln_rate, weight in self.nodes:
            u = ln_rate + d
            total += weight * inner(u - log(-expm1(u)))
        return total

    def _where_it_rises(self, d: float) -> float:
        """The inner density is so narrow that its distribution function is a step: panels where it rises, 0 before
        and the rest of the outer density after."""
        start, stop = (_ln_rate(t) - d for t in (self.inner.low, self.inner.high))
        t = max(self.outer.low, _logit_of(start)) if start < 0 else self.outer.high
        end = min(self.outer.high, _logit_of(stop)) if stop < 0 else self.outer.high
        total = 1 - self.below_outer(end)
        nodes, weights = rule().nodes, rule().weights
        while t < end:
            # The width of the inner density, as seen from the outer one's scale; wide again where θ nears 1.
            u = _ln_rate(t)
            width = 1.5 * self.inner.sd * math.expm1(u + d) / math.expm1(u)
            half = min(width, 1.5 * self.outer.sd, 1.0, end - t) / 2
            points = [t + half + half * x for x in nodes]
            risen = [self.below_inner(_logit_of(_ln_rate(x) + d)) for x in points]
            total += half / self.mass * sum(map(mul, map(mul, weights, self.outer.values(points)), risen))
            t += 2 * half
        return total

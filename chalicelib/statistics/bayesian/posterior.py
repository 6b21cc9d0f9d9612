"""Beta posteriors on the logit scale, several of them on one grid of panels.

On t = ln(θ/(1−θ)) every Beta density is smooth and bell-shaped, however close to 0 or 1 its rate is:

    s = t − ln(a/b),  ln g = a s − (a+b) log1p(m expm1(s)),  m = a/(a+b)

g is 1 at its mode: no ln Γ, and nothing cancels at 10⁸ visitors. Normalised by the quadrature that uses it.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from operator import mul
from typing import NamedTuple

from chalicelib.statistics.numerics import normal
from chalicelib.statistics.numerics.quadrature import rule
from chalicelib.statistics.numerics.roots import falling_root

JEFFREYS = (0.5, 0.5)
_CUT = 36.0  # ln g below which a density is left out: e^-36 = 2e-16
_SMALLEST = 0.06  # a tail longer than e^700 could not be represented


class Beta:
    """One Beta(a, b): its scale on t, the support that counts, and moments of t and of ln θ."""

    def __init__(self, a: float, b: float) -> None:
        if min(a, b) < _SMALLEST:
            raise ValueError(f"Beta({a:g}, {b:g}): both must be at least {_SMALLEST:g}")
        self.a, self.b = a, b
        self.mode = math.log(a) - math.log(b)
        self.sd = math.sqrt(1 / a + 1 / b)
        self.low = self.mode + self._reach(-1.0)
        self.high = self.mode + self._reach(1.0)

    def values(self, points: Sequence[float]) -> list[float]:
        """g at t; of the two equal forms the one whose small number is kept to all digits."""
        exp, log1p, expm1, n, mode = math.exp, math.log1p, math.expm1, self.a + self.b, self.mode
        if self.a <= self.b:
            a, m = self.a, self.a / n
            return [exp(a * (s := t - mode) - n * log1p(m * expm1(s))) for t in points]
        b, m = self.b, self.b / n
        return [exp(b * (s := mode - t) - n * log1p(m * expm1(s))) for t in points]

    def _reach(self, side: float) -> float:
        """s on that side of the mode where ln g = −36: Newton's method on a concave function."""
        small, large = sorted((self.a, self.b))
        turn = 1.0 if self.a <= self.b else -1.0
        n, m = small + large, small / (small + large)
        s = side * turn * self.sd * math.sqrt(2 * _CUT)
        for _ in range(100):
            grown = m * math.expm1(min(s, 700.0))
            ln_g = small * s - n * math.log1p(grown)
            step = (ln_g + _CUT) / (small - n * (grown + m) / (1 + grown))
            s -= step
            if abs(step) < 0.01 * self.sd:
                break
        return s * turn

    def ln_cumulants(self) -> tuple[float, float, float]:
        """Mean, variance and third cumulant of ln θ, roughly: asymptotic polygamma functions, as a first guess."""

        def polygamma(x: float) -> tuple[float, float, float]:
            return (
                math.log(x) - 1 / (2 * x) - 1 / (12 * x * x),
                1 / x + 1 / (2 * x * x) + 1 / (6 * x**3),
                -1 / x**2 - 1 / x**3 - 1 / (2 * x**4),
            )

        one, two, three = (p - q for p, q in zip(polygamma(self.a), polygamma(self.a + self.b), strict=True))
        return one, two, three


class Panel(NamedTuple):
    middle: float
    half: float
    points: list[float]
    values: dict[int, list[float]]  # density number → g at the points, where it counts


class Grid:
    """Several posteriors on shared panels, each panel fine enough for the narrowest density in it."""

    def __init__(self, densities: Sequence[Beta]) -> None:
        self.densities = list(densities)
        self.panels = list(self._panels())
        weights = rule().weights
        self.mass = [
            math.fsum(p.half * sum(map(mul, weights, p.values[i])) for p in self.panels if i in p.values)
            for i in range(len(self.densities))
        ]
        self._polynomials: dict[int, _Cumulative] = {}

    def _panels(self) -> list[Panel]:
        nodes, panels = rule().nodes, []
        t, end = min(d.low for d in self.densities), max(d.high for d in self.densities)
        while t < end:
            ahead = [d for d in self.densities if d.high > t]
            here = [d for d in ahead if d.low <= t]
            if not here:
                t = min(d.low for d in ahead)
                continue
            width = min(0.8, *(1.4 * d.sd for d in here))
            # A narrower density that begins within this panel gets panels of its own.
            width = min([width, *(d.low - t for d in ahead if t < d.low < t + width and 1.4 * d.sd < width)])
            half = width / 2
            points = [t + half + half * x for x in nodes]
            inside = [i for i, d in enumerate(self.densities) if d.low < t + width and d.high > t]
            panels.append(Panel(t + half, half, points, {i: self.densities[i].values(points) for i in inside}))
            t += width
        return panels

    def cumulative(self, number: int) -> Callable[[float], float]:
        """The distribution function of one density, for any t."""
        if number not in self._polynomials:
            self._polynomials[number] = _Cumulative(self, number)
        return self._polynomials[number].at

    def quantile(self, number: int, probability: float) -> float:
        """θ with P(rate ≤ θ) = probability."""
        density = self.densities[number]
        z = normal.quantile(probability)
        t = probit_root(self.cumulative(number), z, density.mode + z * density.sd, density.sd)
        return 1 / (1 + math.exp(-t)) if t > 0 else math.exp(t) / (1 + math.exp(t))


class _Cumulative:
    """A running integral as one polynomial per panel."""

    def __init__(self, grid: Grid, number: int) -> None:
        self.starts: list[float] = []
        self.pieces: list[tuple[float, float, list[float]]] = []
        total, so_far = grid.mass[number], 0.0
        powers, weights = rule().powers, rule().weights
        for panel in grid.panels:
            if number in panel.values:
                values, scale = panel.values[number], panel.half / total
                coefficients = [scale * sum(map(mul, row, values)) for row in powers]
                coefficients[0] += so_far
                so_far += scale * sum(map(mul, weights, values))
                self.starts.append(panel.middle - panel.half)
                self.pieces.append((panel.middle, panel.half, coefficients))
        middle, half, _ = self.pieces[-1]
        self.end = middle + half

    def at(self, t: float) -> float:
        if t >= self.end:
            return 1.0
        index = bisect_right(self.starts, t) - 1
        if index < 0:
            return 0.0
        middle, half, (c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12) = self.pieces[index]
        x = (t - middle) / half
        low = c0 + x * (c1 + x * (c2 + x * (c3 + x * (c4 + x * (c5 + x * c6)))))
        return low + x**7 * (c7 + x * (c8 + x * (c9 + x * (c10 + x * (c11 + x * c12)))))


def probit_root(distribution: Callable[[float], float], z: float, guess: float, scale: float) -> float:
    """t with distribution(t) = Φ(z). On the probit scale a distribution is nearly a straight line of slope 1/scale,
    so two or three evaluations do; where they do not, the bracketing search takes over.

    >>> f"{probit_root(normal.cdf, 1.5, guess=1.4, scale=1.0):.6f}"
    '1.500000'
    """

    def short(t: float) -> float:
        return z - normal.quantile(min(max(distribution(t), 1e-300), 1 - 1e-16))

    t, missing, slope = guess, short(guess), scale
    for _ in range(6):
        step = missing * slope
        previous, before = t, missing
        t += step
        if abs(step) < 1e-6 * scale:
            return t
        missing = short(t)
        slope = (t - previous) / (before - missing) if before != missing else scale
        if not 0.2 * scale < slope < 5 * scale:
            break
    return falling_root(short, guess, scale)

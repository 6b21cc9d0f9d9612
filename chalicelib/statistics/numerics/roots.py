"""Where a monotone function crosses zero."""

from __future__ import annotations

import math
from collections.abc import Callable

_RELATIVE, _ABSOLUTE = 1e-14, 1e-17  # finer than that is rounding


def falling_root(f: Callable[[float], float], start: float, step: float) -> float:
    """The zero of a decreasing function, searched from `start` outward in steps that double.

    >>> f"{falling_root(lambda x: 2 - x, 1000.0, 1.0):.9f}"
    '2.000000000'
    """
    positive = f(start) > 0
    step = step if positive else -step
    inside, outside = start, start + step
    for _ in range(1100):
        if (f(outside) > 0) != positive:
            return root(f, inside, outside)
        step *= 2
        inside, outside = outside, outside + step
    raise ArithmeticError(f"no zero between {start:g} and {outside:g}")


def root(f: Callable[[float], float], low: float, high: float) -> float:
    """The zero of f between low and high, at which f has different signs.

    Inverse quadratic interpolation where the last three points promise that it converges, halving elsewhere. The
    bracket itself gets narrow, so a function that is nearly a step ends as exactly as a line does.
    Source: Chandrupatla (1997), Advances in Engineering Software 28:145-149.

    >>> f"{root(lambda x: 2 - x * x, 0, 2):.12f}"
    '1.414213562373'
    """
    a, b = high, low  # a: the newest point; b: the other end of the bracket; c: the point that left it
    f_a, f_b, share = f(a), f(b), 0.5
    for _ in range(2000):
        nearest, f_nearest = (a, f_a) if abs(f_a) < abs(f_b) else (b, f_b)
        tolerance = 2 * _RELATIVE * abs(nearest) + _ABSOLUTE
        least = tolerance / abs(b - a)
        if f_nearest == 0 or least > 0.5:
            return nearest
        middle = a + min(1 - least, max(least, share)) * (b - a)
        f_middle = f(middle)
        if (f_middle > 0) == (f_a > 0):
            c, f_c = a, f_a
        else:
            c, f_c, b, f_b = b, f_b, a, f_a
        a, f_a = middle, f_middle
        share = _interpolated(a, f_a, b, f_b, c, f_c)
    raise ArithmeticError(f"no zero between {low:g} and {high:g}")


def _interpolated(a: float, f_a: float, b: float, f_b: float, c: float, f_c: float) -> float:
    """How far from a towards b the zero lies (0 to 1): by the parabola through the points, or half."""
    if math.isinf(f_b) or math.isinf(f_c) or f_b == f_c:
        return 0.5
    place, value = (a - b) / (c - b), (f_a - f_b) / (f_c - f_b)
    if not (value * value < place and (1 - value) ** 2 < 1 - place):
        return 0.5
    return f_a / (f_b - f_a) * f_c / (f_b - f_c) + (c - a) / (b - a) * f_a / (f_c - f_a) * f_b / (f_c - f_b)

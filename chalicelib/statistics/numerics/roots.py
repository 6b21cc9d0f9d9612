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

    Regula falsi with the Anderson-Björck correction: superlinear, and never leaves the bracket.
    Source: Anderson & Björck (1973), BIT 13:253-264.

    >>> f"{root(lambda x: 2 - x * x, 0, 2):.12f}"
    '1.414213562373'
    """
    f_low, f_high = f(low), f(high)
    if f_low == 0:
        return low
    for _ in range(200):
        if f_high == 0:
            return high
        steep = math.isinf(f_low) or math.isinf(f_high)
        middle = (low + high) / 2 if steep else high - f_high * (high - low) / (f_high - f_low)
        if abs(middle - high) <= _RELATIVE * abs(middle) + _ABSOLUTE:
            return middle
        f_middle = f(middle)
        if (f_middle > 0) == (f_high > 0):
            shrink = 0.5 if steep else 1 - f_middle / f_high
            f_low *= shrink if shrink > 0 else 0.5
        else:
            low, f_low = high, f_high
        high, f_high = middle, f_middle
    return high

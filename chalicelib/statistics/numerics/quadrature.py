"""Gauss-Legendre panels: integrals, running integrals, and running integrals as polynomials."""

from __future__ import annotations

import math
from functools import cache
from operator import mul
from typing import NamedTuple

ORDER = 12


class Rule(NamedTuple):
    """On [−1, 1]: nodes and weights; running: rows that turn values at the nodes into the integral from −1 to each
    node; powers: rows that turn them into that integral's coefficients, by rising power of x."""

    nodes: tuple[float, ...]
    weights: tuple[float, ...]
    running: tuple[tuple[float, ...], ...]
    powers: tuple[tuple[float, ...], ...]


def _legendre(x: float) -> list[float]:
    """P₀(x) … P₁₂(x) by Bonnet's recursion."""
    values = [1.0, x]
    for k in range(1, ORDER):
        values.append(((2 * k + 1) * x * values[k] - k * values[k - 1]) / (k + 1))
    return values


def _coefficients() -> list[list[float]]:
    """The same as coefficients of rising powers."""
    rows = [[1.0], [0.0, 1.0]]
    for k in range(1, ORDER):
        row = [0.0, *((2 * k + 1) / (k + 1) * c for c in rows[k])]
        for power, c in enumerate(rows[k - 1]):
            row[power] -= k / (k + 1) * c
        rows.append(row)
    return [row + [0.0] * (ORDER + 1 - len(row)) for row in rows]


def _node(number: int) -> tuple[float, float]:
    """The zero of P₁₂ with that number, from −1 up, and its weight 2 / ((1 − x²) P₁₂'(x)²), by Newton's method."""
    x = -math.cos(math.pi * (number + 0.75) / (ORDER + 0.5))
    for _ in range(4):
        values = _legendre(x)
        slope = ORDER * (values[ORDER - 1] - x * values[ORDER]) / (1 - x * x)
        x -= values[ORDER] / slope
    return x, 2 / ((1 - x * x) * slope * slope)


@cache
def rule() -> Rule:
    """Made at first use, in well under a millisecond: cheaper than importing anything that has it.

        a function through its values at the nodes is Σ aₖ Pₖ,  aₖ = (2k+1)/2 Σ wⱼ Pₖ(xⱼ) fⱼ
        ∫₋₁ˣ Pₖ = (Pₖ₊₁(x) − Pₖ₋₁(x)) / (2k+1);  ∫₋₁ˣ P₀ = x + 1

    Source: Golub & Welsch (1969) for the rule; Greengard (1991), SIAM J Numer Anal 28:1071 for the integration matrix.

    >>> abs(sum(w * x**6 for x, w in zip(rule().nodes, rule().weights)) - 2 / 7) < 1e-14
    True
    """
    half = [_node(i) for i in range(ORDER // 2)]
    nodes = [x for x, _ in half] + [-x for x, _ in reversed(half)]
    weights = [w for _, w in half] + [w for _, w in reversed(half)]
    at = [_legendre(x) for x in nodes]

    def integral(p: list[float], k: int) -> float:
        """∫ Pₖ times (2k+1), where `p` holds the values, or one coefficient, of all Pₖ."""
        return p[k + 1] - p[k - 1] if k else p[1] + p[0]

    coefficients = _coefficients()
    columns = [[row[power] for row in coefficients] for power in range(ORDER + 1)]
    return Rule(
        tuple(nodes),
        tuple(weights),
        tuple(_row(at, weights, [integral(at[i], k) for k in range(ORDER)]) for i in range(ORDER)),
        tuple(_row(at, weights, [integral(column, k) for k in range(ORDER)]) for column in columns),
    )


def _row(at: list[list[float]], weights: list[float], integrals: list[float]) -> tuple[float, ...]:
    return tuple(w / 2 * sum(map(mul, p, integrals)) for p, w in zip(at, weights, strict=True))

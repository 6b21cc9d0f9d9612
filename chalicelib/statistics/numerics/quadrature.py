"""Gauss-Legendre quadrature with eight nodes on [−1, 1]: exact for polynomials up to degree 15."""

from __future__ import annotations

_HALF = (
    (0.1834346424956498, 0.3626837833783620),
    (0.5255324099163290, 0.3137066458778873),
    (0.7966664774136267, 0.2223810344533745),
    (0.9602898564975363, 0.1012285362903763),
)
# Abramowitz & Stegun, table 25.4.
NODES = (*(-x for x, _ in reversed(_HALF)), *(x for x, _ in _HALF))
WEIGHTS = (*(w for _, w in reversed(_HALF)), *(w for _, w in _HALF))

"""A second opinion, exact in small samples: do those who clicked come from the variants as assigned?"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

from chalicelib.statistics import TAU
from chalicelib.statistics.numerics.dirichlet import ln_evidence


class Clickers(NamedTuple):
    """Unique visitors who clicked in each variant, and the variants' configured weights, in one phase."""

    a: int
    b: int
    weight_a: float
    weight_b: float


class ExactEvidence(NamedTuple):
    ln_e: float
    p: float


def exact_evidence(phases: Iterable[Clickers], tau: float = TAU) -> ExactEvidence:
    """If the variants convert alike, each clicker is one of b's with chance θ = w_b / (w_a + w_b).

        κ = 1 / (τ² θ(1−θ));  ln E = Σ over phases of the Beta-binomial mixture around θ;  p = min(1, 1/E)

    Exact at any time and under any course of the click rate, for it uses no variance; but it believes the
    weights, so it is worth nothing once the sample ratio is off. About as strong as `anytime` at rates up to
    5 %, a quarter slower at 20 %.
    Source: Lindon & Malek (2022), arXiv:2011.03567.

    >>> f"{exact_evidence([Clickers(200, 260, 0.5, 0.5)]).p:.4f}"
    '0.1801'
    """
    ln_e = 0.0
    for a, b, weight_a, weight_b in phases:
        theta = weight_b / (weight_a + weight_b)
        ln_e += ln_evidence((b, a), (weight_b, weight_a), 1 / (tau * tau * theta * (1 - theta)))
    return ExactEvidence(ln_e, math.exp(min(0.0, -ln_e)))

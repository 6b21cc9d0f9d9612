"""Sample ratio mismatch: did the visitors come in the configured proportions? If not, believe nothing else."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from chalicelib.statistics.numerics import chi2
from chalicelib.statistics.numerics.dirichlet import ln_evidence

CONCENTRATION = 1000.0


class SplitTest(NamedTuple):
    """Pearson's χ² with its degrees of freedom and p-value; ln p, which does not underflow."""

    chi2: float
    df: int
    p: float
    ln_p: float


class SplitEvidence(NamedTuple):
    """ln of the e-value, and the p-value that holds at every look."""

    ln_e: float
    p: float


def split_test(visitors: Sequence[int], weights: Sequence[float]) -> SplitTest:
    """Pearson's χ² of the visitors against the weights, for a single look.

        χ² = Σ (nᵢ − N wᵢ)² / (N wᵢ),  k − 1 degrees of freedom

    A variant of weight 0 is left out while it has no visitors; a single visitor in it is certain proof.
    Source: Fabijan et al. (2019), KDD, doi:10.1145/3292500.3330722.

    >>> f"{split_test([5000, 5200], [0.5, 0.5]).p:.6f}"
    '0.047670'
    """
    n, total = sum(visitors), math.fsum(weights)
    pairs = [(count, weight) for count, weight in zip(visitors, weights, strict=True) if count or weight]
    df = max(0, sum(weight > 0 for _, weight in pairs) - 1)
    if any(weight <= 0 for _, weight in pairs):
        return SplitTest(math.inf, df, 0.0, -math.inf)
    if n <= 0:
        return SplitTest(0.0, df, 1.0, 0.0)
    statistic = math.fsum((count * total - n * weight) ** 2 / (total * n * weight) for count, weight in pairs)
    ln_p = chi2.ln_survival(statistic, df)
    return SplitTest(statistic, df, math.exp(ln_p), ln_p)


def split_evidence(
    phases: Iterable[tuple[Sequence[int], Sequence[float]]], concentration: float = CONCENTRATION
) -> SplitEvidence:
    """The same question for any number of looks: E ≥ 1000 happens by chance once in 1000 experiments.

    Phases, each (visitors, weights), add up. See dirichlet.ln_evidence.

    >>> f"{split_evidence([([10508, 9988], [1, 1])]).p:.6f}"
    '0.008598'
    """
    ln_e = 0.0
    for visitors, weights in phases:
        pairs = [(count, weight) for count, weight in zip(visitors, weights, strict=True) if count or weight]
        if any(weight <= 0 for _, weight in pairs):
            return SplitEvidence(math.inf, 0.0)
        if pairs:
            ln_e += ln_evidence([c for c, _ in pairs], [w for _, w in pairs], concentration)
    return SplitEvidence(ln_e, math.exp(min(0.0, -ln_e)))

"""Several comparisons at once: p-values adjusted for the number of chances to be wrong."""

from __future__ import annotations

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down: below α, at most α chance of any wrong call among them.

        sorted p₁ ≤ … ≤ p_m:  max over j ≤ i of min(1, (m − j + 1) p_j)

    Valid on anytime p-values at any stopping time. Source: Holm (1979), Scand J Stat 6:65-70.

    >>> holm([0.01, 0.04])
    [0.02, 0.04]
    """
    m, largest = len(p_values), 0.0
    adjusted = [0.0] * m
    for rank, index in enumerate(sorted(range(m), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (m - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Below α, at most the share α of the calls made is wrong, on average.

        sorted p₁ ≤ … ≤ p_m:  min over j ≥ i of min(1, m/j · p_j)

    Source: Benjamini & Hochberg (1995), JRSS B 57:289-300.

    >>> benjamini_hochberg([0.01, 0.04])
    [0.02, 0.04]
    """
    m, smallest = len(p_values), 1.0
    adjusted = [1.0] * m
    for rank, index in reversed(list(enumerate(sorted(range(m), key=p_values.__getitem__), start=1))):
        smallest = min(smallest, m * p_values[index] / rank)
        adjusted[index] = smallest
    return adjusted

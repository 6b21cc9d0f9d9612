"""Several comparisons at once: p-values adjusted for the number of chances to be wrong."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from chalicelib.statistics import ALPHA, Counts
from chalicelib.statistics.numerics import chi2


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


def e_bh(ln_e: Sequence[float], alpha: float = ALPHA) -> list[bool]:
    """e-Benjamini-Hochberg: which of several e-values are discoveries, at a false discovery rate of α.

        sorted E₁ ≥ … ≥ E_m: reject the k largest, k the last with E_k ≥ m/(k α)

    Valid under any dependence and at any stopping time. Source: Wang & Ramdas (2022), JRSS B 84:822-852.

    >>> e_bh([math.log(60), math.log(10), math.log(25)])
    [True, False, False]
    """
    m = len(ln_e)
    order = sorted(range(m), key=ln_e.__getitem__, reverse=True)
    rejected = max((k for k, i in enumerate(order, 1) if ln_e[i] >= math.log(m / (k * alpha))), default=0)
    return [i in order[:rejected] for i in range(m)]


def gatekeeping(primary: float, secondary: Sequence[float], alpha: float = ALPHA) -> list[float] | None:
    """Holm-adjusted p-values of the secondary hypotheses; None while the primary one is not rejected at α.

    The primary hypothesis is tested at the full α, so that further goals cost it nothing.
    Source: Dmitrienko & Tamhane (2007), Pharmaceutical Statistics 6:171-180.

    >>> gatekeeping(0.01, [0.01, 0.04]), gatekeeping(0.2, [0.01, 0.04])
    ([0.02, 0.04], None)
    """
    return holm(secondary) if primary <= alpha else None


class GTest(NamedTuple):
    """The G statistic, degrees of freedom, p-value and ln p, which does not underflow; Pearson's χ² and its p-value."""

    g: float
    df: int
    p: float
    ln_p: float
    pearson: float
    pearson_p: float


def g_test(variants: Sequence[Counts]) -> GTest:
    """Likelihood ratio test that all rates are the same, for one look.

        G = 2 Σ O ln(O/E) over converted and not converted of each variant, k − 1 degrees of freedom

    As log1p((O−E)/E) with O−E in whole numbers: the plain form loses 1e-7 at 10⁸ visitors.
    Source: Wilks (1938); Sokal & Rohlf, Biometry, ch. 17. Pearson's χ² beside it.

    >>> f"{g_test([Counts(20, 1000), Counts(25, 1000)]).p:.6f}"
    '0.450461'
    """
    variants = [v for v in variants if v.visitors > 0]
    n, converted = sum(v.visitors for v in variants), sum(v.converted for v in variants)
    df = max(0, len(variants) - 1)
    if converted in (0, n) or df == 0:
        return GTest(0.0, df, 1.0, 0.0, 0.0, 1.0)
    g: list[float] = []
    pearson: list[float] = []
    for x, visitors in variants:
        excess = (x * n - visitors * converted) / n
        for observed, expected, off in (
            (x, visitors * converted / n, excess),
            (visitors - x, visitors * (n - converted) / n, -excess),
        ):
            if observed:
                g.append(observed * math.log1p(off / expected))
            pearson.append(off * off / expected)
    statistic, square = max(0.0, 2 * math.fsum(g)), math.fsum(pearson)
    ln_p = chi2.ln_survival(statistic, df)
    return GTest(statistic, df, math.exp(ln_p), ln_p, square, chi2.survival(square, df))

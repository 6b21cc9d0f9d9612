"""Several variants at once: is there any difference at all?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from chalicelib.statistics import Counts
from chalicelib.statistics.numerics import chi2


class GTest(NamedTuple):
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

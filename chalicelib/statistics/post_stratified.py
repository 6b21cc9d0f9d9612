"""A difference of means averaged over strata that were fixed before the exposure, such as devices.

The strata take out of the error what they explain of the values. Every visitor counts the same, so the estimate is of
the same difference as without strata.
Source: Miratrix, Sekhon, Yu (2013), Journal of the Royal Statistical Society B 75:369-396.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from chalicelib.statistics.sequential.means import MeanLogRatio, ValueSums


class StratumPair(NamedTuple):
    """The control and a variant in one stratum."""

    a: ValueSums
    b: ValueSums

    @property
    def visitors(self) -> int:
        """Of both arms."""
        return self.a.n + self.b.n


class PostStratified(NamedTuple):
    """difference: m_b − m_a, in the unit of the values. control_mean: of all strata, weighted alike. ratio: ln of the
    weighted means' ratio with its variance; None while a mean is not positive. variance_ratio: V / V without strata, of
    the difference: 0.9 is 10 % less variance."""

    difference: float
    se: float
    control_mean: float
    ratio: MeanLogRatio | None
    variance_ratio: float | None


def merged(strata: Iterable[StratumPair], least: int = 2) -> list[StratumPair]:
    """The strata with at least `least` visitors in both arms. The smaller ones become one, which joins the smallest
    other where it is still too small.

    >>> small, large = StratumPair(ValueSums(1, 0, 0), ValueSums(9, 1, 1)), StratumPair(*[ValueSums(50, 5, 5)] * 2)
    >>> merged([small, large])
    [StratumPair(a=ValueSums(n=51, total=5, squares=5), b=ValueSums(n=59, total=6, squares=6))]
    """
    enough: list[StratumPair] = []
    rest = StratumPair(ValueSums(0, 0, 0), ValueSums(0, 0, 0))
    for stratum in strata:
        if min(stratum.a.n, stratum.b.n) >= least:
            enough.append(stratum)
        else:
            rest = _sum(rest, stratum)
    if min(rest.a.n, rest.b.n) < least and enough and rest.visitors:
        enough.sort(key=lambda stratum: stratum.visitors)
        rest = _sum(rest, enough.pop(0))
    return [*enough, rest] if rest.visitors else enough


def post_stratified(strata: Sequence[StratumPair]) -> PostStratified | None:
    """The difference d = Σ w_k (m_bk − m_ak), w_k = (n_ak + n_bk)/N, and V = Σ w_k² (s_ak²/n_ak + s_bk²/n_bk).

    strata: each with two visitors in both arms, see `merged`. None without any, or with a smaller one.

    >>> found = post_stratified([StratumPair(ValueSums(100, 10, 10), ValueSums(100, 20, 20))])
    >>> f"{found.difference:.3f} {found.variance_ratio:.3f}"
    '0.100 1.000'
    """
    if not strata or any(min(stratum.a.n, stratum.b.n) < 2 for stratum in strata):
        return None
    everyone = sum(stratum.visitors for stratum in strata)
    weights = [stratum.visitors / everyone for stratum in strata]
    means = [math.fsum(w * s[arm].mean for w, s in zip(weights, strata, strict=True)) for arm in (0, 1)]
    parts = [
        math.fsum(w * w * s[arm].variance / s[arm].n for w, s in zip(weights, strata, strict=True)) for arm in (0, 1)
    ]
    total = strata[0]
    for stratum in strata[1:]:
        total = _sum(total, stratum)
    plain = total.a.variance / total.a.n + total.b.variance / total.b.n
    ratio = None
    if min(means) > 0 and sum(parts) > 0:
        variance = parts[0] / means[0] ** 2 + parts[1] / means[1] ** 2
        ratio = MeanLogRatio(math.log(means[1] / means[0]), variance)
    gain = sum(parts) / plain if plain > 0 else None
    return PostStratified(means[1] - means[0], math.sqrt(sum(parts)), means[0], ratio, gain)


def _sum(one: StratumPair, other: StratumPair) -> StratumPair:
    a, b = (ValueSums(*map(sum, zip(x, y, strict=True))) for x, y in zip(one, other, strict=True))
    return StratumPair(a, b)

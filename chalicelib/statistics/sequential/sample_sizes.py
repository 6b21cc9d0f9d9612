"""Sample sizes for means and for guardrails, by the delta method on the log ratio.

Units: lifts and margins as fractions; `variation`: the standard deviation of one visitor's value over the mean, taken
to be the same in every variant, √((1 − p)/p) of a rate; visitors in the control, the variant having `ratio` times as
many.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from chalicelib.statistics import ALPHA, TAUS
from chalicelib.statistics.numerics import normal
from chalicelib.statistics.power import POWER, anytime_information, smallest_information
from chalicelib.statistics.sequential.guardrails import one_sided_critical
from chalicelib.statistics.sequential.lift_evidence import critical


def _visitors(bar: Callable[[float], float], gap: float, variation: float, ratio: float) -> float:
    """Control visitors for the smallest I with gap √I ≥ bar(I); I = n r/((1 + r) variation²), 1/variance of the log
    ratio."""
    return smallest_information(bar, gap) * variation**2 * (1 + 1 / ratio)


def mean_sample_size(
    variation: float, lift: float, *, ratio: float = 1.0, alpha: float = ALPHA, power: float = POWER
) -> float:
    """Control visitors for a single look at the end to find the lift of a mean.

        n = variation² (1 + 1/r) ((z_{α/2} + z_β)/ln(1 + lift))²

    variation: standard deviation of one visitor's value over the mean, in every variant. Source: the delta method on
    the log ratio; Deng, Knoblich, Lu (2018).

    >>> f"{mean_sample_size(5.0, 0.1):.0f}"
    '43202'
    """
    bar = normal.critical(alpha) + normal.quantile(power)
    return variation**2 * (1 + 1 / ratio) * (bar / math.log1p(lift)) ** 2


def mean_anytime_sample_size(
    variation: float,
    lift: float,
    *,
    ratio: float = 1.0,
    alpha: float = ALPHA,
    power: float = POWER,
    taus: Sequence[float] = TAUS,
) -> float:
    """Control visitors for the sequential test to find the lift of a mean at a single look; an upper bound if you look
    all along. See anytime_information.

    >>> round(mean_anytime_sample_size(5.0, 0.1) / mean_sample_size(5.0, 0.1), 2)
    2.17
    """
    info = anytime_information(abs(math.log1p(lift)), alpha=alpha, power=power, taus=taus)
    return info * variation**2 * (1 + 1 / ratio)


def mean_detectable_lift(
    variation: float,
    visitors: float,
    *,
    ratio: float = 1.0,
    alpha: float = ALPHA,
    power: float = POWER,
    taus: Sequence[float] = TAUS,
) -> float | None:
    """The smallest positive lift of a mean that the sequential test finds at this size; the inverse of
    mean_anytime_sample_size. None where it is more than tenfold.

    >>> f"{mean_detectable_lift(5.0, mean_anytime_sample_size(5.0, 0.1)):.4f}"
    '0.1000'
    """
    if visitors <= 0 or variation <= 0:
        return None
    info = visitors * ratio / (1 + ratio) / variation**2
    gap = (critical(info, alpha, taus) + normal.quantile(power)) / math.sqrt(info)
    return math.expm1(gap) if gap < math.log(11) else None


def mean_equivalence_sample_size(
    variation: float,
    margin: float,
    *,
    ratio: float = 1.0,
    alpha: float = ALPHA,
    power: float = POWER,
    taus: Sequence[float] = TAUS,
) -> float:
    """Control visitors for the confidence sequence of a mean's lift to lie within ±margin, with probability `power`, if
    nothing differs.

        smallest n with ln(1 + margin) √I ≥ c(I) + z_{β/2}

    Source: two one-sided tests (Schuirmann 1987) with the sequential critical value.

    >>> mean_equivalence_sample_size(2.0, 0.05) < mean_equivalence_sample_size(2.0, 0.02)
    True
    """
    z = normal.quantile(1 - (1 - power) / 2)
    return _visitors(lambda info: critical(info, alpha, taus) + z, math.log1p(margin), variation, ratio)


def guardrail_sample_size(
    variation: float,
    gap: float,
    *,
    ratio: float = 1.0,
    alpha: float = ALPHA,
    power: float = POWER,
    taus: Sequence[float] = TAUS,
) -> float:
    """Control visitors until a guardrail is ok with probability `power` at a single look, if nothing differs.

        smallest n with gap √I ≥ c₁(I) + z_β,  c₁ = guardrails.one_sided_critical

    gap: −ln(1 − margin), or ln(1 + margin) of a metric that should be low. Source: Schultzberg, Ankargren, Frånberg
    (2024), arXiv:2402.11609.

    >>> round(guardrail_sample_size(3.0, 0.05) / guardrail_sample_size(3.0, 0.1), 1)
    4.0
    """
    z = normal.quantile(power)
    return _visitors(lambda info: one_sided_critical(info, alpha, taus) + z, gap, variation, ratio)

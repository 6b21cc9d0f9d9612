"""GrowthBook's sequential test, by its published formula: a second tool to compare the time to a decision with."""

from __future__ import annotations

import math

from chalicelib.statistics import ALPHA, Counts

TUNING = 5000  # visitors; GrowthBook's default
LEAST = 150  # conversions in the larger arm before GrowthBook shows a result


def growthbook_decides(a: Counts, b: Counts, alpha: float = ALPHA) -> bool:
    """Whether GrowthBook's sequential interval of the relative lift excludes 0.

        ρ² = (−2 ln α + ln(1 − 2 ln α))/5000;  reach = se √N √(2(Nρ² + 1)/(N²ρ²) · ln(√(Nρ² + 1)/α))

    se: delta method, of the lift. Source: GrowthBook's documentation; Waudby-Smith et al. (2024), arXiv:2103.06476.

    >>> growthbook_decides(Counts(200, 1000), Counts(330, 1000))
    True
    >>> growthbook_decides(Counts(200, 1000), Counts(230, 1000))
    False
    """
    if max(a.converted, b.converted) < LEAST or a.converted == 0:
        return False
    n, p_a, p_b = a.visitors + b.visitors, a.converted / a.visitors, b.converted / b.visitors
    se = math.sqrt(p_b * (1 - p_b) / b.visitors + p_b**2 / p_a**2 * p_a * (1 - p_a) / a.visitors) / p_a
    rho2 = (-2 * math.log(alpha) + math.log(1 - 2 * math.log(alpha))) / TUNING
    reach = (
        se * math.sqrt(n) * math.sqrt(2 * (n * rho2 + 1) / (n * n * rho2) * math.log(math.sqrt(n * rho2 + 1) / alpha))
    )
    return abs(p_b / p_a - 1) > reach

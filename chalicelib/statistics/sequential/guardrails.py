"""Non-inferiority at every look: has a variant not become worse than the control by more than a margin?

H₀: lift ≤ −margin. The one-sided normal mixture gives an e-value that may be looked at as often as you like.
Sources: Howard, Ramdas, McAuliffe, Sekhon (2021), Annals of Statistics 49:1055-1080, Proposition 6;
Schultzberg, Ankargren, Frånberg (2024), arXiv:2402.11609: guardrails need no correction of α, only of the power.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

from chalicelib.statistics import ALPHA, TAUS, Counts, Interval
from chalicelib.statistics.numerics import normal
from chalicelib.statistics.numerics.roots import root
from chalicelib.statistics.sequential.means import MeanLogRatio, rate_estimate, ratio_of

GuardrailState = Literal["ok", "broken", "open"]


class GuardrailTest(NamedTuple):
    """p_ok: against "worse than the margin"; p_broken: against "not worse than the margin". bounds: one-sided
    confidence sequences of the lift, each at α."""

    state: GuardrailState
    p_ok: float
    p_broken: float
    bounds: Interval


def rate_log_ratio(a: Counts, b: Counts) -> MeanLogRatio | None:
    """ln(p_b/p_a), variance 1/x_a − 1/n_a + 1/x_b − 1/n_b; None while an arm has no conversion or no other visitor.

    >>> f"{rate_log_ratio(Counts(200, 1000), Counts(230, 1000)).value:.4f}"
    '0.1398'
    """
    of_a, of_b = rate_estimate(a), rate_estimate(b)
    return ratio_of(of_a, of_b) if of_a and of_b else None


def ln_one_sided(z: float, info: float, taus: Sequence[float] = TAUS) -> float:
    """ln of the e-value for a positive drift, averaged over τ; r = τ² info.

        ln E₊ = ln 2 − ln(1 + r)/2 + z² r/(2(1 + r)) + ln Φ(z √(r/(1 + r)))

    >>> f"{ln_one_sided(0.9005574114643711, 6.55592546802992, [0.1]):.6f}"
    '0.155962'
    """
    return _ln_one_sided(z, _mixture(info, taus))


def _mixture(info: float, taus: Sequence[float]) -> list[tuple[float, float, float]]:
    """Of each τ what does not depend on z: r/(1 + r), its root, and ln 2 − ln(1 + r)/2."""
    ratios = [tau * tau * info for tau in taus]
    return [(r / (1 + r), math.sqrt(r / (1 + r)), math.log(2) - math.log1p(r) / 2) for r in ratios]


def _ln_one_sided(z: float, parts: Sequence[tuple[float, float, float]]) -> float:
    terms = [start + z * z * share / 2 + normal.ln_cdf(z * root_share) for share, root_share, start in parts]
    largest = max(terms)
    return largest + math.log(math.fsum(math.exp(term - largest) for term in terms) / len(terms))


def one_sided_critical(info: float, alpha: float = ALPHA, taus: Sequence[float] = TAUS) -> float:
    """The z at which E₊ reaches 1/α; infinite without information.

    >>> f"{one_sided_critical(6.55592546802992, 0.05, [0.1]):.6f}"
    '8.739330'
    """
    if info <= 0:
        return math.inf
    bar, high, parts = math.log(1 / alpha), 4.0, _mixture(info, taus)
    while _ln_one_sided(high, parts) < bar:
        high *= 2
        if high > 1e6:
            return math.inf
    return root(lambda z: _ln_one_sided(z, parts) - bar, 0.0, high)


def guardrail_test(
    ratio: MeanLogRatio,
    margin: float,
    *,
    lower_is_better: bool = False,
    alpha: float = ALPHA,
    taus: Sequence[float] = TAUS,
) -> GuardrailTest:
    """Whether the metric is worse than the control's by at most `margin` (0.05 is 5 %).

    ok: E₊ ≥ 1/α for z = (L − ln(1 − margin))/√V. broken: the same for −z. For a metric that should be low, L and the
    margin change sides: z = (ln(1 + margin) − L)/√V.

    >>> guardrail_test(MeanLogRatio(0.0, 0.0001), 0.05).state, guardrail_test(MeanLogRatio(-0.2, 0.0001), 0.05).state
    ('ok', 'broken')
    """
    se, info = math.sqrt(ratio.variance), 1 / ratio.variance
    limit = math.log1p(margin) if lower_is_better else math.log1p(-margin)
    z = (limit - ratio.value) / se if lower_is_better else (ratio.value - limit) / se
    ln_ok, ln_broken = ln_one_sided(z, info, taus), ln_one_sided(-z, info, taus)
    bar = math.log(1 / alpha)
    state: GuardrailState = "ok" if ln_ok >= bar else "broken" if ln_broken >= bar else "open"
    reach = one_sided_critical(info, alpha, taus) * se
    low, high = ratio.value - reach, ratio.value + reach
    bounds = Interval(math.expm1(low), math.expm1(high) if high < 700 else math.inf)
    return GuardrailTest(state, math.exp(min(0.0, -ln_ok)), math.exp(min(0.0, -ln_broken)), bounds)

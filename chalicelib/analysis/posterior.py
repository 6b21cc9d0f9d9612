"""The posterior of every variant: expected lift, chance to be best, expected loss. All from one prior, so that they
agree with each other."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from chalicelib.analysis.comparison import Pair
from chalicelib.analysis.standardisation import Standardisation
from chalicelib.statistics.shrinkage import Best, LogRatio, Shrunk, agreeing, best, log_ratio, prior_weights, shrink
from chalicelib.statistics.standardisation import StandardisedRate


@dataclass(frozen=True)
class Posterior:
    """shrunk: the lift of each variant to the control; best: of the control and each of these variants. Both empty
    before a variant can be compared."""

    shrunk: dict[str, Shrunk] = field(default_factory=dict)
    best: dict[str, Best] = field(default_factory=dict)


def posterior(standardisation: Standardisation, pairs: list[Pair]) -> Posterior:
    """Over the control and every variant that shares a phase with it."""
    ratios: dict[str, LogRatio] = {}
    for pair in pairs:
        rates = standardisation.shared_rates(pair.variant)
        if rates is not None:
            a, b = rates
            ratio = log_ratio((a.converted, a.visitors), (b.converted, b.visitors))
            ratios[pair.variant] = agreeing(ratio, pair.evidence.z)
    if not ratios:
        return Posterior()
    control = standardisation.sample.experiment.control
    rate = standardisation.rate(control)
    weights = prior_weights(list(ratios.values()))
    return Posterior(
        {v: shrink(ratio.mean, math.sqrt(ratio.variance), weights=weights) for v, ratio in ratios.items()},
        dict(
            zip(
                [control, *ratios],
                best(_level(rate), list(ratios.values()), lowest=standardisation.sample.lower_is_better),
                strict=True,
            )
        ),
    )


def _level(rate: StandardisedRate | None) -> float:
    """The control's rate, to express losses in; half a conversion before the first one."""
    return rate.rate or 0.5 / rate.visitors if rate else 0.0

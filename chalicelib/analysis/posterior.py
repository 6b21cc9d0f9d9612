"""The posterior of every variant: expected lift, chance to be best, expected loss (of a mean: in units per visitor).
All from one prior, so that they agree with each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from chalicelib.analysis.comparison import Pair
from chalicelib.analysis.metrics.means import MeanPair, mean_of
from chalicelib.analysis.standardisation import Standardisation
from chalicelib.statistics.shrinkage import Best, LogRatio, Shrunk, agreeing, best, log_ratio, prior_weights, shrink
from chalicelib.statistics.standardisation import StandardisedRate


@dataclass(frozen=True)
class Posterior:
    """shrunk: the lift of each variant to the control; best: of the control and each of these variants. Both empty
    before a variant can be compared."""

    shrunk: dict[str, Shrunk] = field(default_factory=dict)
    best: dict[str, Best] = field(default_factory=dict)


def posterior(standardisation: Standardisation, pairs: Sequence[Pair]) -> Posterior:
    """Over the control and every variant that can be compared with it, by the sample's metric."""
    ratios = {pair.variant: ratio for pair in pairs if (ratio := _log_ratio(standardisation, pair)) is not None}
    if not ratios:
        return Posterior()
    sample, weights = standardisation.sample, prior_weights(list(ratios.values()))
    control = sample.experiment.control
    level = _level(standardisation.rate(control)) if sample.kind == "rate" else mean_of(sample, control) or 0.0
    return Posterior(
        {v: shrink(ratio.mean, math.sqrt(ratio.variance), weights=weights) for v, ratio in ratios.items()},
        dict(
            zip(
                [control, *ratios],
                best(
                    level,
                    list(ratios.values()),
                    lowest=sample.lower_is_better,
                    limit=1.0 if sample.kind == "rate" else math.inf,
                ),
                strict=True,
            )
        ),
    )


def _log_ratio(standardisation: Standardisation, pair: Pair) -> LogRatio | None:
    if isinstance(pair, MeanPair):
        return LogRatio(*pair.ratio) if pair.ready and pair.ratio else None
    rates = standardisation.shared_rates(pair.variant)
    if rates is None:
        return None
    a, b = rates
    return agreeing(log_ratio((a.converted, a.visitors), (b.converted, b.visitors)), pair.evidence.z)


def _level(rate: StandardisedRate | None) -> float:
    """The control's rate, to express losses in; half a conversion before the first one."""
    return rate.rate or 0.5 / rate.visitors if rate else 0.0

"""The Bayesian reading: how likely is each variant the best, and what would choosing it cost?"""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.analysis.standardisation import Comparable
from chalicelib.statistics.bayesian.decision import Best, CredibleLift, best, credible_lift, grid
from chalicelib.statistics.bayesian.posterior import Grid


@dataclass(frozen=True)
class Beliefs:
    """Over the variants that were seen; Jeffreys' prior for each."""

    best: dict[str, Best]
    order: list[str]
    posteriors: Grid | None

    def lift(self, control: str, variant: str) -> CredibleLift | None:
        if self.posteriors is None or control not in self.best or variant not in self.best:
            return None
        return credible_lift(self.posteriors, self.order.index(control), self.order.index(variant))


def believe(comparable: Comparable) -> Beliefs:
    """Nothing to believe before two variants were seen, and of variants that were never seen in one phase."""
    if not comparable.phases:
        return Beliefs({}, [], None)
    worth = {v: comparable.rate(v) for v in comparable.sample.experiment.variant_keys}
    arms = {variant: (w.converted, w.visitors) for variant, w in worth.items() if w is not None}
    if len(arms) < 2:
        return Beliefs({}, [], None)
    posteriors = grid(list(arms.values()))
    return Beliefs(dict(zip(arms, best(posteriors), strict=True)), list(arms), posteriors)

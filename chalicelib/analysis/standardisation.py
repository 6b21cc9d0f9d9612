"""Rates that can be compared although the split changed: averages over phases with the same weights for all
variants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chalicelib.analysis.sample import Arm, Sample, possible
from chalicelib.statistics.ratio import Ratio, RatioTest, Sums, ratio
from chalicelib.statistics.standardisation import (
    StandardisedRate,
    standardised,
    standardised_ratio,
    standardised_ratio_test,
)
from chalicelib.statistics.stratified import Stratum
from chalicelib.storage.tally import Tally


@dataclass(frozen=True)
class Standardisation:
    """A sample's rates and ratios, averaged over phases. The rates shown agree with the lifts: rate of a variant =
    rate of the control × (1 + lift), whatever happened to the split.

    A variant whose comparison has weights of its own (Sample.phase_weights) has the control's rate times the ratio
    within the phases that they share.
    """

    sample: Sample

    @property
    def weights(self) -> Mapping[str, Mapping[int, float]]:
        """Of each variant, the weights of the phases in which it is compared with the control."""
        return self.sample.phase_weights

    def strata(self, variant: str) -> list[tuple[Stratum, float]]:
        """The control and a variant in each phase that they share, with its weight. Without impossible counts."""
        control = self.sample.experiment.control
        pairs = []
        for phase, weight in self.weights[variant].items():
            a, b = (self.sample.counted(self._tally(phase, v)) for v in (control, variant))
            if possible(a) and possible(b):
                pairs.append((Stratum(a, b), weight))
        return pairs

    def rate(self, variant: str) -> StandardisedRate | None:
        """The rate to show. None before the first visitor, and of impossible counts."""
        own, control = self._rate(variant, self.weights[variant]), self.sample.experiment.control
        if own is None or not self.weights[variant] or self.weights[variant] == self.weights[control]:
            return own
        among_shared, overall = (self._rate(control, self.weights[v]) for v in (variant, control))
        if among_shared is None or overall is None or among_shared.rate == 0 or overall.rate == 0:
            return own
        return StandardisedRate(min(1.0, overall.rate * own.rate / among_shared.rate), own.visitors)

    def shared_rates(self, variant: str) -> tuple[StandardisedRate, StandardisedRate] | None:
        """The control's and a variant's rate over the phases that they share."""
        weights = self.weights[variant]
        a, b = self._rate(self.sample.experiment.control, weights), self._rate(variant, weights)
        return (a, b) if weights and a is not None and b is not None else None

    def ctr(self, variant: str) -> Ratio:
        """Clicks per impression, with at most 100 impressions and clicks of each visitor."""
        return self._ratio(variant, self.weights[variant])

    def ctr_lift(self, variant: str) -> float | None:
        """The relative difference of a variant's CTR to the control's, over the phases that they share."""
        a, b = (self._ratio(v, self.weights[variant]).ctr for v in (self.sample.experiment.control, variant))
        return b / a - 1 if a and b is not None else None

    def ctr_test(self, variant: str) -> RatioTest | None:
        """A variant's CTR against the control's, over the phases that they share."""
        weights = self.weights[variant]
        control = self._tallies(self.sample.experiment.control, weights)
        pairs = [(sums(a), sums(b)) for a, b in zip(control, self._tallies(variant, weights), strict=True)]
        return standardised_ratio_test(pairs, _values(weights))

    def _ratio(self, variant: str, weights: Mapping[int, float]) -> Ratio:
        return standardised_ratio([ratio(sums(t)) for t in self._tallies(variant, weights)], _values(weights))

    def _rate(self, variant: str, weights: Mapping[int, float]) -> StandardisedRate | None:
        counts = [self.sample.counted(tally) for tally in self._tallies(variant, weights)]
        if any(c.visitors <= 0 or not possible(c) for c in counts):
            return None
        return standardised(counts, _values(weights))

    def _tallies(self, variant: str, weights: Mapping[int, float]) -> list[Tally]:
        """Its tallies in these phases; without any, all added up."""
        return [self._tally(phase, variant) for phase in weights] or [self.sample.totals[variant]]

    def _tally(self, phase: int, variant: str) -> Tally:
        return self.sample.arms.get(Arm(phase, variant)) or Tally()


def _values(weights: Mapping[int, float]) -> list[float]:
    return list(weights.values()) or [1.0]


def sums(tally: Tally) -> Sums:
    """The sums over visitors that the error of CTR comes from."""
    return Sums(tally.visitors, tally.sx, tally.sy, tally.sxx, tally.syy, tally.sxy)

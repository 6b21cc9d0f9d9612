"""Rates that may be compared although the split changed: averages over phases, weighted alike for all variants."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from chalicelib.analysis.sample import Arm, Sample, possible
from chalicelib.statistics.ratio import Ratio, Sums, ratio
from chalicelib.statistics.stratified import standardised, standardised_ratio
from chalicelib.storage.tally import Tally


@dataclass(frozen=True)
class Worth:
    """A rate, and the number of visitors whose plain rate would be known as well. Within one phase: the visitors."""

    rate: float
    visitors: float

    @property
    def converted(self) -> float:
        return self.rate * self.visitors


@dataclass(frozen=True)
class Comparable:
    sample: Sample

    @cached_property
    def phases(self) -> list[int]:
        """Those in which every variant that was ever seen was seen; with none, phases are added up."""
        seen = [variant for variant, tally in self.sample.totals.items() if tally.visitors > 0]
        return [p for p in self.sample.phases if all(self._tally(p, variant).visitors > 0 for variant in seen)]

    def _tally(self, phase: int, variant: str) -> Tally:
        return self.sample.arms.get(Arm(phase, variant)) or Tally()

    @cached_property
    def sizes(self) -> list[float]:
        """The weight of each phase: all its visitors."""
        if not self.phases:
            return [1.0]
        return [float(sum(t.visitors for arm, t in self.sample.arms.items() if arm.phase == p)) for p in self.phases]

    def _tallies(self, variant: str) -> list[Tally]:
        return [self._tally(p, variant) for p in self.phases] or [self.sample.totals[variant]]

    def rate(self, variant: str) -> Worth | None:
        """None before the first visitor, and of impossible counts."""
        counts = [self.sample.counted(tally) for tally in self._tallies(variant)]
        if any(c.visitors <= 0 or not possible(c) for c in counts):
            return None
        return Worth(*standardised(counts, self.sizes))

    def ctr(self, variant: str) -> Ratio:
        """Over at most 100 impressions and clicks of each visitor."""
        sums = [Sums(t.visitors, t.sx, t.sy, t.sxx, t.syy, t.sxy) for t in self._tallies(variant)]
        return standardised_ratio([ratio(s) for s in sums], self.sizes)

"""Sample ratio mismatch (SRM): visitors against the configured split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chalicelib.analysis.sample import Arm, Arms, Sample
from chalicelib.analysis.wording import percent, split
from chalicelib.statistics import srm
from chalicelib.statistics.numerics import chi2

Splits = list[tuple[list[int], tuple[float, ...]]]  # of each phase: visitors and weights, by variant
# The e-value that proves a mismatch: reached by at most 1 % of healthy experiments, however often you look. The χ² test
# at every look voids 3 to 5 % of them (docs/statistics.md).
PROOF = 100.0


@dataclass(frozen=True)
class Imbalance:
    """p: χ² over the phases, valid for one look; evidence: valid at every look. visitors, expected: by variant.
    weights: of all phases; None where they differ."""

    p: float
    chi2: float
    df: int
    evidence: srm.SplitEvidence
    visitors: dict[str, int]
    expected: dict[str, float]
    weights: tuple[float, ...] | None

    @property
    def excess(self) -> dict[str, float]:
        """Visitors more than expected, by variant."""
        return {variant: n - self.expected[variant] for variant, n in self.visitors.items()}

    @property
    def proven(self) -> bool:
        """Whether the split is off, however often you have looked."""
        return self.evidence.p <= 1 / PROOF

    def description(self) -> str:
        """The largest deviation, as shares: "51.9 % of visitors saw green in a 50/50 split"."""
        total = sum(self.visitors.values())
        excess = self.excess
        variant = max(excess, key=lambda v: excess[v])
        share = percent(self.visitors[variant] / total, 3)
        if self.weights is None:
            return f"{share} of visitors saw {variant} where {percent(self.expected[variant] / total, 3)} should"
        return f"{share} of visitors saw {variant} in a {split(self.weights)} split"

    def figures(self) -> dict[str, Any]:
        """The numbers of the check."""
        return {
            "p": self.p,
            "chi2": self.chi2,
            "df": self.df,
            "p_anytime": self.evidence.p,
            "ln_e": self.evidence.ln_e,
            "visitors": self.visitors,
            "expected": self.expected,
        }


def measure(sample: Sample, arms: Arms | None = None) -> Imbalance:
    """Visitors against weights, each phase against its own."""
    arms = sample.arms if arms is None else arms
    keys = sample.experiment.variant_keys
    splits: Splits = []
    expected = dict.fromkeys(keys, 0.0)
    visitors = dict.fromkeys(keys, 0)
    for phase in sorted({arm.phase for arm in arms}):
        weights = sample.weights(phase)
        counts = [max(0, arms[Arm(phase, key)].visitors) if Arm(phase, key) in arms else 0 for key in keys]
        if weights is None or len(weights) != len(keys) or not any(counts) or not any(weights):
            continue
        splits.append((counts, weights))
        for key, n, weight in zip(keys, counts, weights, strict=True):
            visitors[key] += n
            expected[key] += sum(counts) * weight / sum(weights)
    tests = [srm.split_test(*split) for split in splits]
    statistic, df = sum(t.chi2 for t in tests), sum(t.df for t in tests)
    unchanged = len({weights for _, weights in splits}) == 1
    p = 0.0 if statistic == float("inf") else chi2.survival(statistic, df)
    return Imbalance(
        p, statistic, df, srm.split_evidence(splits), visitors, expected, splits[0][1] if unchanged else None
    )

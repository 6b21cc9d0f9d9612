"""Sample ratio mismatch, and where it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chalicelib.analysis.sample import Arm, Arms, Sample
from chalicelib.analysis.wording import count, listed, percent, split
from chalicelib.statistics import srm
from chalicelib.statistics.numerics import chi2
from chalicelib.storage.tally import Tally

Splits = list[tuple[list[int], tuple[float, ...]]]
EVIDENCE = 1000.0  # how much of it is enough to be certain, whenever one looks


@dataclass(frozen=True)
class Imbalance:
    """p: χ² over the phases, for one look; evidence: for any number of looks. excess: visitors more than expected,
    by variant; share, expected: of all visitors."""

    p: float
    chi2: float
    df: int
    evidence: srm.SplitEvidence
    visitors: dict[str, int]
    expected: dict[str, float]
    weights: tuple[float, ...] | None  # None: they changed from phase to phase

    @property
    def excess(self) -> dict[str, float]:
        return {variant: n - self.expected[variant] for variant, n in self.visitors.items()}

    @property
    def proven(self) -> bool:
        """However often one has looked."""
        return self.evidence.p <= 1 / EVIDENCE

    def headline(self) -> str:
        """The largest deviation, as shares: "51.9 % of visitors saw green in a 50/50 split"."""
        total = sum(self.visitors.values())
        excess = self.excess
        variant = max(excess, key=lambda v: excess[v])
        share = percent(self.visitors[variant] / total, 3)
        if self.weights is None:
            return f"{share} of visitors saw {variant} where {percent(self.expected[variant] / total, 3)} should"
        return f"{share} of visitors saw {variant} in a {split(self.weights)} split"

    def figures(self) -> dict[str, Any]:
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
    tests = [srm.split_test(*one) for one in splits]
    statistic, df = sum(t.chi2 for t in tests), sum(t.df for t in tests)
    one = len({weights for _, weights in splits}) == 1
    p = 0.0 if statistic == float("inf") else chi2.survival(statistic, df)
    return Imbalance(p, statistic, df, srm.split_evidence(splits), visitors, expected, splits[0][1] if one else None)


def explain(sample: Sample, found: Imbalance) -> str:
    """How far off the split is, and the likely cause, from the most telling to the least: a variant that should be
    empty or is, an exclusion, one phase, one day, else the variant that is short of visitors."""
    if stray := _stray(found):
        return stray
    cause = (
        _never_seen(found)
        or _exclusion(sample)
        or _one_phase(sample)
        or _one_day(sample)
        or _one_hour(sample)
        or _short_variant(sample, found)
    )
    return f"{found.headline()}; most likely {cause}"


def _balanced(found: Imbalance) -> bool:
    return found.p > 0.05


def _stray(found: Imbalance) -> str | None:
    stray = [v for v, n in found.visitors.items() if n > 0 and found.expected[v] == 0]
    if not stray:
        return None
    visitors = count(sum(found.visitors[v] for v in stray), "visitor")
    return f"{visitors} saw {listed(stray)}, whose weight is 0; most likely a stale manifest or a forced variant"


def _never_seen(found: Imbalance) -> str | None:
    unseen = [v for v, n in found.visitors.items() if n == 0 and found.expected[v] > 0]
    return f"{listed(unseen)} is never shown, or its impressions are never sent" if unseen else None


def _exclusion(sample: Sample) -> str | None:
    """Would the split be right with those who were left out?"""
    words = {
        "bot": "bots are left out",
        "no-impression": "impressions go missing",
    }
    for reason, what in words.items():
        arms: Arms = {}
        left_out = dict.fromkeys(sample.experiment.variant_keys, 0)
        for arm, tally in sample.arms.items():
            arms[arm] = Tally(visitors=tally.visitors + max(0, tally.excluded[reason]))
            left_out[arm.variant] += max(0, tally.excluded[reason])
        if any(left_out.values()) and _balanced(measure(sample, arms)):
            most = max(left_out, key=lambda v: left_out[v])
            return f"because {what} more often in {most} ({count(left_out[most], 'visitor')})"
    return None


def _one_phase(sample: Sample) -> str | None:
    if len(sample.phases) < 2:
        return None
    for phase in sample.phases:
        rest = {arm: tally for arm, tally in sample.arms.items() if arm.phase != phase}
        if _balanced(measure(sample, rest)):
            return f"something in phase {phase}, which alone is off: see what changed with its weights"
    return None


def _one_day(sample: Sample) -> str | None:
    """One day whose visitors explain it all; with hours at hand, the hour in which it was worst."""
    worst, rest = _worst(sample, sample.days)
    if worst is None or not _balanced(rest):
        return None
    hour, _ = _worst(sample, _impressions({h: arms for h, arms in sample.hours.items() if h.startswith(worst)}))
    when = f"{worst} around {hour[-2:]}:00 UTC" if hour else worst
    return f"something on {when}, which alone is off: see what was released then"


def _one_hour(sample: Sample) -> str | None:
    """Hours hold impressions, several to a visitor: no test, but good enough to point at a clock."""
    hours = _impressions(sample.hours)
    worst, rest = _worst(sample, hours)
    if worst is None or rest.chi2 > _all(sample, hours).chi2 / 5:
        return None
    return f"something on {worst[:10]} around {worst[-2:]}:00 UTC, where most of it is: see what was released then"


def _impressions(hours: dict[str, Arms]) -> dict[str, Arms]:
    return {
        hour: {arm: Tally(visitors=tally.impressions) for arm, tally in arms.items()} for hour, arms in hours.items()
    }


def _all(sample: Sample, parts: dict[str, Arms], but: str | None = None) -> Imbalance:
    whole: Arms = {}
    for name, arms in parts.items():
        for arm, tally in arms.items() if name != but else ():
            whole.setdefault(arm, Tally()).add(tally)
    return measure(sample, whole)


def _worst(sample: Sample, parts: dict[str, Arms]) -> tuple[str | None, Imbalance]:
    """The part that is most off, and how the others are without it; None where there is nothing to choose from."""
    if len(parts) < 2:
        return None, _all(sample, parts)
    worst = max(parts, key=lambda name: measure(sample, parts[name]).chi2)
    return worst, _all(sample, parts, but=worst)


def _short_variant(sample: Sample, found: Imbalance) -> str:
    """The variant that is furthest below what the others lead to expect."""
    short = min(found.visitors, key=lambda v: found.visitors[v] / found.expected[v] if found.expected[v] else 1.0)
    total = sum(found.visitors.values())
    others, share = total - found.visitors[short], found.expected[short] / total
    missing = count(round(others * share / (1 - share) - found.visitors[short]), "visitor")
    when = "on every day alike" if len(sample.days) > 1 else "throughout"
    return (
        f"{short} loses visitors before its impression is sent (about {missing}, {when}): "
        "a slower page, a redirect or an error there"
    )

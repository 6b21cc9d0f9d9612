"""All metrics of an experiment at once: the primary one at the full α, the others behind it.

Ten goals, each tested at 5 %, name a winner in 23 % of experiments without any difference. So the primary metric alone
decides the verdict; the others are adjusted by Holm over all of them and all variants, and confirm something only
once the primary metric is decided (gatekeeping).
"""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.analysis.comparison import Comparison, Pair, decisions, pairs_of
from chalicelib.analysis.sample import Sample
from chalicelib.domain.manifest import CLICK
from chalicelib.statistics import ALPHA, multiple_testing


@dataclass(frozen=True)
class MetricResult:
    """One metric's comparisons. confirmatory: whether they may support a decision, which those of a secondary metric
    may once the primary one is decided. discoveries: variants that stay discoveries at a false discovery rate of α
    over all metrics (e-BH)."""

    sample: Sample
    primary: bool
    comparisons: list[Comparison]
    confirmatory: bool
    discoveries: frozenset[str]

    @property
    def goal(self) -> str:
        """The goal whose rate it is."""
        return self.sample.goal


PRIMARY = CLICK  # the goal whose rate decides the verdict


def compare_goal(sample: Sample, alpha: float = ALPHA) -> list[Comparison]:
    """The comparisons of the sample's goal, adjusted as a part of all goals: compare_goals without the others."""
    return compare_goals(sample, [sample.goal], alpha)[sample.goal].comparisons


def compare_goals(sample: Sample, wanted: list[str] | None = None, alpha: float = ALPHA) -> dict[str, MetricResult]:
    """Every goal of the experiment, the primary one first, or those `wanted`. Adjusted for all of them either way."""
    secondary = [goal for goal in (CLICK, *sample.experiment.goals) if goal != PRIMARY]
    samples = {goal: sample.for_goal(goal) for goal in (PRIMARY, *secondary)}
    pairs = {goal: pairs_of(samples[goal]) for goal in samples}
    ln_e = [pair.evidence.ln_e for goal in samples for pair in pairs[goal]]
    found = iter(multiple_testing.e_bh(ln_e, alpha) if ln_e else [])
    discoveries = {goal: frozenset(p.variant for p in pairs[goal] if next(found)) for goal in samples}
    main = multiple_testing.holm([pair.evidence.p for pair in pairs[PRIMARY]])
    decided = bool(main) and min(main) <= alpha
    adjusted = {PRIMARY: main} | _secondary(pairs, secondary)
    family = sum(len(pairs[goal]) for goal in secondary)
    return {
        goal: MetricResult(
            sample=samples[goal],
            primary=goal == PRIMARY,
            comparisons=decisions(
                samples[goal],
                pairs[goal],
                adjusted[goal],
                comparisons=len(pairs[goal]) if goal == PRIMARY else family,
                alpha=alpha,
            ),
            confirmatory=goal == PRIMARY or decided,
            discoveries=discoveries[goal],
        )
        for goal in (wanted or samples)
    }


def _secondary(pairs: dict[str, list[Pair]], goals: list[str]) -> dict[str, list[float]]:
    """Holm over all secondary goals and variants."""
    adjusted = iter(multiple_testing.holm([pair.evidence.p for goal in goals for pair in pairs[goal]]))
    return {goal: [next(adjusted) for _ in pairs[goal]] for goal in goals}

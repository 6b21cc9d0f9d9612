"""All metrics of an experiment at once: the primary one at the full α, the others behind it.

Ten goals, each tested at 5 %, name a winner in 23 % of experiments without any difference. So the primary metric alone
decides the verdict; the others are adjusted by Holm over all of them and all variants, and confirm something only
once the primary metric is decided (gatekeeping).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from chalicelib.analysis.comparison import Comparison, Decision, Pair, decisions, pairs_of
from chalicelib.analysis.sample import Sample
from chalicelib.domain.manifest import CLICK, Experiment
from chalicelib.domain.metrics import parse_metric
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


def primary_goal(experiment: Experiment) -> str:
    """The goal whose rate decides the verdict."""
    return parse_metric(experiment.primary).goal


def compare_goal(sample: Sample, alpha: float = ALPHA) -> list[Comparison]:
    """The comparisons of the sample's goal, adjusted as a part of all goals: compare_goals without the others."""
    return compare_goals(sample, [sample.goal], alpha)[sample.goal].comparisons


def compare_goals(sample: Sample, wanted: list[str] | None = None, alpha: float = ALPHA) -> dict[str, MetricResult]:
    """Every goal of the experiment, the primary one first, or those `wanted`. Adjusted for all of them either way."""
    primary = primary_goal(sample.experiment)
    secondary = [goal for goal in (CLICK, *sample.experiment.goals) if goal != primary]
    samples = {goal: sample.for_goal(goal) for goal in (primary, *secondary)}
    pairs = {goal: pairs_of(samples[goal]) for goal in samples}
    ln_e = [pair.evidence.ln_e for goal in samples for pair in pairs[goal]]
    found = iter(multiple_testing.e_bh(ln_e, alpha) if ln_e else [])
    discoveries = {goal: frozenset(p.variant for p in pairs[goal] if next(found)) for goal in samples}
    main = multiple_testing.holm([pair.evidence.p for pair in pairs[primary]])
    decided = bool(main) and min(main) <= alpha
    adjusted = {primary: main} | _secondary(pairs, secondary)
    family = sum(len(pairs[goal]) for goal in secondary)
    return {
        goal: MetricResult(
            sample=samples[goal],
            primary=goal == primary,
            comparisons=_turned(
                samples[goal],
                decisions(
                    samples[goal],
                    pairs[goal],
                    adjusted[goal],
                    comparisons=len(pairs[goal]) if goal == primary else family,
                    alpha=alpha,
                ),
            ),
            confirmatory=goal == primary or decided,
            discoveries=discoveries[goal],
        )
        for goal in (wanted or samples)
    }


def _turned(sample: Sample, comparisons: list[Comparison]) -> list[Comparison]:
    """Of a goal that should be low, the variant with the lower rate wins."""
    if not sample.lower_is_better:
        return comparisons
    opposite: dict[Decision, Decision] = {"winner": "loser", "loser": "winner"}
    return [replace(c, decision=opposite.get(c.decision, c.decision)) for c in comparisons]


def _secondary(pairs: dict[str, list[Pair]], goals: list[str]) -> dict[str, list[float]]:
    """Holm over all secondary goals and variants."""
    adjusted = iter(multiple_testing.holm([pair.evidence.p for goal in goals for pair in pairs[goal]]))
    return {goal: [next(adjusted) for _ in pairs[goal]] for goal in goals}

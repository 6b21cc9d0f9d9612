"""All metrics of an experiment at once: the primary one at the full α, the others behind it.

Ten goals, each tested at 5 %, name a winner in 23 % of experiments without any difference. So the primary metric alone
decides the verdict; the others, rates and means, are adjusted by Holm over all of them and all variants, and confirm
something only once the primary metric is decided (gatekeeping).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from chalicelib.analysis.comparison import Comparison, Decision, Pair, decisions, pairs_of
from chalicelib.analysis.metrics.means import mean_metrics
from chalicelib.analysis.sample import Sample
from chalicelib.domain.manifest import CLICK, Experiment
from chalicelib.domain.metrics import MetricName, parse_metric
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
    def metric(self) -> MetricName:
        """What it compares by."""
        return self.sample.metric


def primary_metric(experiment: Experiment) -> MetricName:
    """The metric that decides the verdict."""
    return parse_metric(experiment.primary)


def metrics_of(experiment: Experiment) -> list[MetricName]:
    """Every metric of the experiment, the primary one first: the rate of each goal, and the means."""
    primary = primary_metric(experiment)
    others = [*(MetricName(goal) for goal in (CLICK, *experiment.goals)), *mean_metrics(experiment)]
    return [primary, *(metric for metric in dict.fromkeys(others) if metric != primary)]


def compare_metric(sample: Sample, alpha: float = ALPHA) -> list[Comparison]:
    """The comparisons of the sample's metric, adjusted as a part of all: compare_metrics without the others."""
    return compare_metrics(sample, [sample.metric], alpha)[sample.metric].comparisons


def compare_metrics(
    sample: Sample, wanted: Sequence[MetricName] | None = None, alpha: float = ALPHA
) -> dict[MetricName, MetricResult]:
    """Every metric of the experiment, the primary one first, or those `wanted`. Adjusted for all of them either way."""
    primary, *secondary = metrics_of(sample.experiment)
    samples = {metric: sample.for_metric(metric) for metric in (primary, *secondary)}
    pairs = {metric: pairs_of(samples[metric]) for metric in samples}
    ln_e = [pair.evidence.ln_e for metric in samples for pair in pairs[metric]]
    discovered = iter(multiple_testing.e_bh(ln_e, alpha) if ln_e else [])
    discoveries = {metric: frozenset(p.variant for p in pairs[metric] if next(discovered)) for metric in samples}
    main = multiple_testing.holm([pair.evidence.p for pair in pairs[primary]])
    decided = bool(main) and min(main) <= alpha
    adjusted = {primary: main} | _secondary(pairs, secondary)
    family = sum(len(pairs[metric]) for metric in secondary)
    return {
        metric: MetricResult(
            sample=samples[metric],
            primary=metric == primary,
            comparisons=_turned(
                samples[metric],
                decisions(
                    samples[metric],
                    pairs[metric],
                    adjusted[metric],
                    comparisons=len(pairs[metric]) if metric == primary else family,
                    alpha=alpha,
                ),
            ),
            confirmatory=metric == primary or decided,
            discoveries=discoveries[metric],
        )
        for metric in (wanted or samples)
    }


def _turned(sample: Sample, comparisons: list[Comparison]) -> list[Comparison]:
    """Of a goal that should be low, the variant with the lower rate wins."""
    if not sample.lower_is_better:
        return comparisons
    opposite: dict[Decision, Decision] = {"winner": "loser", "loser": "winner"}
    return [replace(c, decision=opposite.get(c.decision, c.decision)) for c in comparisons]


def _secondary(
    pairs: Mapping[MetricName, Sequence[Pair]], metrics: Sequence[MetricName]
) -> dict[MetricName, list[float]]:
    """Holm over all secondary metrics and variants."""
    adjusted = iter(multiple_testing.holm([pair.evidence.p for metric in metrics for pair in pairs[metric]]))
    return {metric: [next(adjusted) for _ in pairs[metric]] for metric in metrics}

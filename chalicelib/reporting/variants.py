"""The rows of the variants: counts, and rates that can be compared."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.analysis.posterior import Posterior
from chalicelib.analysis.standardisation import Standardisation
from chalicelib.domain.manifest import CLICK
from chalicelib.statistics import Interval
from chalicelib.statistics.rates import wilson


@dataclass(frozen=True)
class VariantRow:
    """Counts are sums over phases. Over several phases rate and ctr are weighted averages that can be compared
    (analysis/standardisation.py). ctr and its interval count at most 100 impressions and clicks of each visitor."""

    variant: str
    control: bool
    weight: float
    impressions: int
    clicks: int
    ctr: float | None
    ctr_interval: Interval | None
    visitors: int
    converted: int
    rate: float | None
    rate_interval: Interval | None
    goal_events: int
    p_best: float | None
    expected_loss: float | None
    excluded: dict[str, int]


def variant_rows(standardisation: Standardisation, beliefs: Posterior | None = None) -> list[VariantRow]:
    """One for every variant, in the manifest's order; p_best and expected_loss only with a posterior."""
    sample = standardisation.sample
    experiment = sample.experiment
    weights = experiment.phases[experiment.current_phase].weights
    rows = []
    for variant, weight in zip(experiment.variant_keys, weights, strict=True):
        tally, rate, ctr = sample.totals[variant], standardisation.rate(variant), standardisation.ctr(variant)
        best = beliefs.best.get(variant) if beliefs else None
        rows.append(
            VariantRow(
                variant=variant,
                control=variant == experiment.control,
                weight=weight,
                impressions=tally.impressions,
                clicks=tally.clicks,
                ctr=ctr.ctr,
                ctr_interval=ctr.interval,
                visitors=tally.visitors,
                converted=tally.converted[sample.goal],
                rate=rate.rate if rate else None,
                rate_interval=wilson(rate.converted, rate.visitors) if rate else None,
                goal_events=tally.clicks if sample.goal == CLICK else tally.goal_events[sample.goal],
                p_best=best.p_best if best else None,
                expected_loss=best.expected_loss if best else None,
                excluded={reason: n for reason, n in sorted(tally.excluded.items()) if n},
            )
        )
    return rows

"""What happened in each variant: counts, and the rates that may be compared."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.analysis.bayesian import Beliefs
from chalicelib.analysis.standardisation import Comparable
from chalicelib.domain.manifest import CLICK
from chalicelib.statistics import Interval
from chalicelib.statistics.rates import wilson


@dataclass(frozen=True)
class VariantRow:
    """Counts are sums over phases. While there is one phase, so are rate and ctr; over several they are comparable
    averages (analysis/standardisation.py). The interval of ctr counts at most 100 impressions of each visitor."""

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


def variant_rows(comparable: Comparable, beliefs: Beliefs | None = None) -> list[VariantRow]:
    """One for every variant, in the manifest's order; p_best and expected_loss only with beliefs."""
    sample = comparable.sample
    experiment = sample.experiment
    weights = experiment.phases[experiment.current_phase].weights
    found = []
    for variant, weight in zip(experiment.variant_keys, weights, strict=True):
        tally, rate, ctr = sample.totals[variant], comparable.rate(variant), comparable.ctr(variant)
        best = beliefs.best.get(variant) if beliefs else None
        raw = tally.clicks / tally.impressions if tally.impressions > 0 else None
        found.append(
            VariantRow(
                variant=variant,
                control=variant == experiment.control,
                weight=weight,
                impressions=tally.impressions,
                clicks=tally.clicks,
                ctr=raw if len(comparable.phases) < 2 else ctr.ctr,
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
    return found

"""The rows of the variants: counts, and rates that can be compared."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.analysis.metrics.means import decimals_of, mean_rows
from chalicelib.analysis.posterior import Posterior
from chalicelib.analysis.standardisation import Standardisation
from chalicelib.domain.manifest import CLICK
from chalicelib.statistics import Interval
from chalicelib.statistics.rates import wilson


@dataclass(frozen=True)
class VariantRow:
    """Counts are sums over phases. Over several phases rate, mean and ctr are weighted averages that can be compared
    (analysis/standardisation.py). ctr and its interval count at most 100 impressions and clicks of each visitor. mean,
    mean_interval: units per visitor, only by a mean; expected_loss then is in units too."""

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
    mean: float | None
    mean_interval: Interval | None
    p_best: float | None
    expected_loss: float | None
    excluded: dict[str, int]


def variant_rows(standardisation: Standardisation, beliefs: Posterior | None = None) -> list[VariantRow]:
    """One for every variant, in the manifest's order; p_best and expected_loss only with a posterior."""
    sample = standardisation.sample
    experiment = sample.experiment
    weights = experiment.phases[experiment.current_phase].weights
    means = {row.variant: row for row in mean_rows(sample)} if sample.kind != "rate" else {}
    minor = 10 ** decimals_of(experiment, sample.metric)
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
                mean=_units(means[variant].mean, minor) if means else None,
                mean_interval=_interval(means[variant].interval, minor) if means else None,
                p_best=best.p_best if best else None,
                expected_loss=best.expected_loss if best else None,
                excluded={reason: n for reason, n in sorted(tally.excluded.items()) if n},
            )
        )
    return rows


def _units(value: float | None, minor: int) -> float | None:
    return None if value is None else value / minor


def _interval(interval: Interval | None, minor: int) -> Interval | None:
    return None if interval is None else Interval(interval.low / minor, interval.high / minor)

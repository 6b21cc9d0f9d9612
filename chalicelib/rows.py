"""What happened in each variant: counts, and the rates that may be compared."""

from __future__ import annotations

from dataclasses import dataclass, field

from .sample import Arm, Sample, possible
from .statistics import Counts, Interval
from .statistics.rates import wilson
from .statistics.ratio import Ratio, Sums, ratio
from .statistics.stratified import standardised, standardised_ratio
from .tally import Tally


@dataclass(frozen=True)
class Row:
    """Counts are sums over phases. rate and ctr are too while there is one phase; over several they are averages
    of the phases' rates, weighted alike for all variants, so that they can be compared."""

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
    goal_events: int | None
    excluded: dict[str, int] = field(default_factory=dict)


def rows(sample: Sample) -> list[Row]:
    experiment = sample.experiment
    weights = experiment.phases[experiment.current_phase].weights
    shared = common_phases(sample)
    return [
        _row(sample, variant, weight, shared) for variant, weight in zip(experiment.variant_keys, weights, strict=True)
    ]


def common_phases(sample: Sample) -> list[int]:
    """Phases in which every variant that was ever seen was seen."""
    seen = [v for v, tally in sample.totals.items() if tally.visitors > 0]
    return [
        phase
        for phase in sample.phases
        if all((t := sample.arms.get(Arm(phase, v))) is not None and t.visitors > 0 for v in seen)
    ]


def _row(sample: Sample, variant: str, weight: float, shared: list[int]) -> Row:
    tally = sample.totals[variant]
    rate, interval = _rate(sample, variant, shared)
    ctr = _ctr(sample, variant, shared)
    several = len(sample.phases) > 1 and bool(shared)
    raw = tally.clicks / tally.impressions if tally.impressions > 0 else None
    return Row(
        variant,
        variant == sample.experiment.control,
        weight,
        tally.impressions,
        tally.clicks,
        ctr.ctr if several else raw,
        ctr.interval,
        tally.visitors,
        tally.converted[sample.goal],
        rate,
        interval,
        None if sample.goal == "click" else tally.goal_events[sample.goal],
        {reason: n for reason, n in sorted(tally.excluded.items()) if n},
    )


def _arms(sample: Sample, variant: str, shared: list[int]) -> list[tuple[int, Tally]]:
    """(visitors of all variants, tally) in each shared phase; over no shared phase, everything at once."""
    if not shared:
        return [(1, sample.totals[variant])]
    return [
        (
            sum(t.visitors for arm, t in sample.arms.items() if arm.phase == phase),
            sample.arms.get(Arm(phase, variant), Tally()),
        )
        for phase in shared
    ]


def _rate(sample: Sample, variant: str, shared: list[int]) -> tuple[float | None, Interval | None]:
    arms = [(size, sample.counted(tally)) for size, tally in _arms(sample, variant, shared)]
    if any(counts.visitors <= 0 or not possible(counts) for _, counts in arms):
        return None, None
    rate, visitors = standardised([counts for _, counts in arms], [size for size, _ in arms])
    return rate, wilson(rate * visitors, visitors)


def _ctr(sample: Sample, variant: str, shared: list[int]) -> Ratio:
    arms = _arms(sample, variant, shared)
    ratios = [ratio(sums(tally)) for _, tally in arms]
    return standardised_ratio(ratios, [size for size, _ in arms])


def sums(tally: Tally) -> Sums:
    return Sums(tally.visitors, tally.sx, tally.sy, tally.sxx, tally.syy, tally.sxy)


def counts_of(sample: Sample, variant: str, shared: list[int]) -> list[Counts]:
    return [sample.counted(tally) for _, tally in _arms(sample, variant, shared)]

"""How long to run: visitors needed, days at the current traffic, and the lift that the sample so far can detect."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from chalicelib.analysis.comparison import EQUIVALENCE_MARGIN
from chalicelib.analysis.duration.needed import (
    Needed,
    needed,
    needed_for_equivalence,
    needed_for_guardrail,
    needed_for_mean,
    needed_for_mean_equivalence,
    variation_of,
    whole_weeks,
)
from chalicelib.analysis.metrics.means import decimals_of, sums_of
from chalicelib.analysis.sample import Sample
from chalicelib.statistics import ALPHA, power
from chalicelib.statistics.sequential import sample_sizes

LIFT = 0.05  # the lift to plan for where the experiment declares none
RECENT = 7  # days of traffic to plan with
LONGEST = 90  # days; a test that needs longer is not worth running


@dataclass(frozen=True)
class DurationPlan:
    """missing: visitors still needed; days_left at the traffic of the last days; days: the same in whole weeks, at
    least one. mde_reached: the lift that the present sample would detect. margin: within which a lift counts as none;
    equivalence_visitors, equivalence_days_left: what it takes to show that nothing differs by more."""

    needed: Needed | None = None
    visitors_per_variant: int | None = None
    visitors_per_variant_fixed: int | None = None
    visitors_per_day: float | None = None
    missing: int | None = None
    days_left: int | None = None
    days: int | None = None
    mde_reached: float | None = None
    margin: float = EQUIVALENCE_MARGIN
    equivalence_visitors: int | None = None
    equivalence_days_left: int | None = None

    @property
    def hopeless(self) -> bool:
        """Whether this traffic cannot detect the lift in a reasonable time."""
        return self.days_left is not None and self.days_left > LONGEST


def traffic(sample: Sample, today: date) -> float | None:
    """New visitors per day: the mean of the last 7 complete days. Before the first complete day, those of today so far.

    Without days, all visitors over all days since the first."""
    if not sample.days:
        seen = sum(tally.visitors for tally in sample.totals.values())
        return seen / ((today - sample.began).days + 1) if sample.began and seen else None
    visitors = {day: sum(t.visitors for t in arms.values()) for day, arms in sample.days.items()}
    first = date.fromisoformat(min(visitors))
    last = min(today - timedelta(days=1), date.fromisoformat(max(visitors)))
    length = min(RECENT, (last - first).days + 1)
    if length < 1:
        return float(sum(visitors.values()))
    since = (last - timedelta(days=length - 1)).isoformat()
    return sum(n for day, n in visitors.items() if since <= day <= last.isoformat()) / length


@dataclass(frozen=True)
class Baseline:
    """What the control has had so far: a rate, or a mean with the standard deviation of one visitor's value, in
    units."""

    rate: float | None
    mean: float | None = None
    spread: float | None = None

    @property
    def variation(self) -> float:
        """The standard deviation of one visitor's value over the mean; 0 if it is not known."""
        if self.rate is not None:
            return variation_of(self.rate)
        return self.spread / self.mean if self.spread and self.mean and self.mean > 0 else 0.0

    def needed(self, lift: float, weights: Sequence[float]) -> Needed | None:
        """Visitors to detect the lift."""
        if self.rate is not None:
            return needed(self.rate, lift, weights)
        return needed_for_mean(self.mean or 0.0, self.spread or 0.0, lift, weights)

    def equivalent(self, margin: float, weights: Sequence[float]) -> tuple[int, ...] | None:
        """Visitors in each variant to show that it is within ±margin of the control, if nothing differs."""
        if self.rate is not None:
            return needed_for_equivalence(self.rate, margin, weights)
        return needed_for_mean_equivalence(self.variation, margin, weights)

    def detectable(self, visitors: float, ratio: float, alpha: float) -> float | None:
        """The lift that so many visitors of the control would detect."""
        if self.rate is not None:
            return power.anytime_detectable_lift(self.rate, visitors, ratio=ratio, alpha=alpha)
        return sample_sizes.mean_detectable_lift(self.variation, visitors, ratio=ratio, alpha=alpha)


def baseline(sample: Sample) -> Baseline:
    """The control's, by the sample's metric."""
    control = sample.totals[sample.experiment.control]
    sums = sums_of(control, sample.metric)
    if sample.kind == "rate":
        return Baseline(sums.total / sums.n if sums.n > 0 else 0.0)
    minor = 10 ** decimals_of(sample.experiment, sample.metric)
    if sums.n < 2:
        return Baseline(None)
    return Baseline(None, sums.mean / minor, math.sqrt(sums.variance) / minor)


def plan(sample: Sample, today: date) -> DurationPlan:
    """The plan for what the control has had so far. `today`: a UTC day."""
    experiment = sample.experiment
    weights = experiment.phases[experiment.current_phase].weights
    margin = experiment.equivalence_margin or EQUIVALENCE_MARGIN
    control, per_day = baseline(sample), traffic(sample, today)
    wanted = control.needed(abs(experiment.minimum_detectable_effect or LIFT), weights)
    if wanted is None:
        return DurationPlan(visitors_per_day=per_day, margin=margin)
    have = [sample.counts(variant).visitors for variant in experiment.variant_keys]
    missing = missing_visitors(wanted.visitors, have, weights)
    days_left = math.ceil(missing / per_day) if per_day else None
    live = [(h, w) for h, w in zip(have[1:], weights[1:], strict=True) if w > 0]
    smallest = min(h for h, _ in live)
    reached = None
    if smallest > 0:
        reached = control.detectable(have[0], smallest / have[0], ALPHA / len(live))
    k = sum(w > 0 for w in weights)
    equivalent = control.equivalent(margin, weights)
    equivalence_days = (
        math.ceil(missing_visitors(equivalent, have, weights) / per_day) if equivalent and per_day else None
    )
    return DurationPlan(
        needed=wanted,
        visitors_per_variant=math.ceil(sum(wanted.visitors) / k),
        visitors_per_variant_fixed=math.ceil(sum(wanted.fixed) / k),
        visitors_per_day=per_day,
        missing=missing,
        days_left=days_left,
        days=None if days_left is None else whole_weeks(days_left),
        mde_reached=reached,
        margin=margin,
        equivalence_visitors=math.ceil(sum(equivalent) / k) if equivalent else None,
        equivalence_days_left=equivalence_days,
    )


@dataclass(frozen=True)
class GuardrailPlan:
    """Visitors in each variant until a guardrail is ok, if nothing differs, and the days left; None: not known."""

    visitors_per_variant: int | None
    days_left: int | None


def plan_guardrail(sample: Sample, margin: float, today: date) -> GuardrailPlan:
    """The plan of a guardrail on the sample's metric. `today`: a UTC day."""
    experiment = sample.experiment
    weights = experiment.phases[experiment.current_phase].weights
    each = needed_for_guardrail(
        baseline(sample).variation,
        margin,
        weights,
        guardrails=len(experiment.guardrails),
        lower_is_better=sample.lower_is_better,
    )
    if each is None:
        return GuardrailPlan(None, None)
    have, per_day = [sample.counts(variant).visitors for variant in experiment.variant_keys], traffic(sample, today)
    days = math.ceil(missing_visitors(each, have, weights) / per_day) if per_day else None
    return GuardrailPlan(math.ceil(sum(each) / sum(w > 0 for w in weights)), days)


def missing_visitors(wanted: Sequence[int], have: Sequence[int], weights: Sequence[float]) -> int:
    """Visitors of the experiment until the variant that is furthest behind has as many as wanted."""
    share = sum(weights)
    return max(0, math.ceil(max((n - h) / w * share for n, h, w in zip(wanted, have, weights, strict=True) if w > 0)))

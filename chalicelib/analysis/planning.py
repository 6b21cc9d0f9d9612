"""How long to run: visitors needed, days at the current traffic, and the lift that the sample so far can detect."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from chalicelib.analysis.comparison import EQUIVALENCE_MARGIN
from chalicelib.analysis.sample import Sample
from chalicelib.domain.clock import DAY_MS, day_start_ms, utc_day
from chalicelib.domain.manifest import Experiment
from chalicelib.statistics import ALPHA, power

LIFT = 0.05  # the lift to plan for where the experiment declares none
RECENT = 7  # days of traffic to plan with
LONGEST = 90  # days; a test that needs longer is not worth running


@dataclass(frozen=True)
class Needed:
    """Visitors in each variant, in the manifest's order, to detect `lift` with probability `power`: by the sequential
    test, and by a fixed-horizon test (fixed: a single look at the end)."""

    rate: float
    lift: float
    power: float
    visitors: tuple[int, ...]
    fixed: tuple[int, ...]


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


def attainable(rate: float, lift: float) -> bool:
    """Whether a rate changed by this lift is still a rate.

    >>> attainable(0.6, 0.5), attainable(0.6, 0.9)
    (True, False)
    """
    return lift != 0 and 0 < rate < 1 and 0 < rate * (1 + lift) < 1


def needed(rate: float, lift: float, weights: Sequence[float], *, alpha: float = ALPHA) -> Needed | None:
    """Visitors to detect a lift, for a variant that is better by it or worse by it, whichever takes more; a negative
    lift plans for a fall alone. `weights`: the split, the control first.

    None where no such lift exists: a rate of 0 or 1, or one that the lift would carry past 1. With several variants
    each comparison gets its share of alpha, and the smallest variant sets the pace.
    """
    live = [w for w in weights[1:] if w > 0]
    lifts = [x for x in {lift, -abs(lift)} if attainable(rate, x)]
    if not lifts or not live or weights[0] <= 0:
        return None
    ratio, share = min(live) / weights[0], alpha / len(live)
    anytime = max(power.anytime_sample_size(rate, x, ratio=ratio, alpha=share) for x in lifts)
    fixed = max(power.sample_size(rate, x, ratio=ratio, alpha=share) for x in lifts)
    each = [tuple(math.ceil(n * w / weights[0]) for w in weights) for n in (anytime, fixed)]
    return Needed(rate, lift, power.POWER, each[0], each[1])


def needed_for_equivalence(
    rate: float, margin: float, weights: Sequence[float], *, alpha: float = ALPHA
) -> tuple[int, ...] | None:
    """Visitors in each variant to show that it is within ±margin of the control, if nothing differs."""
    live = [w for w in weights[1:] if w > 0]
    if not 0 < rate < 1 or not 0 < margin < 1 or not live or weights[0] <= 0:
        return None
    ratio, share = min(live) / weights[0], alpha / len(live)
    n = power.equivalence_sample_size(rate, margin, ratio=ratio, alpha=share)
    return tuple(math.ceil(n * w / weights[0]) for w in weights)


def whole_weeks(days: float) -> int:
    """Rounded up, at least one: weekdays differ.

    >>> whole_weeks(0), whole_weeks(9)
    (7, 14)
    """
    return max(1, math.ceil(days / 7)) * 7


def traffic(sample: Sample, today: date) -> float | None:
    """New visitors per day over the last 7 complete days since the first; today's so far if there is no other.

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


def plan(sample: Sample, today: date) -> DurationPlan:
    """The plan for the rate that the control has had so far. `today`: a UTC day."""
    experiment = sample.experiment
    weights = experiment.phases[experiment.current_phase].weights
    margin = experiment.equivalence_margin or EQUIVALENCE_MARGIN
    control = sample.counts(experiment.control)
    rate = control.converted / control.visitors if control.visitors > 0 else 0.0
    per_day = traffic(sample, today)
    wanted = needed(rate, abs(experiment.minimum_detectable_effect or LIFT), weights)
    if wanted is None:
        return DurationPlan(visitors_per_day=per_day, margin=margin)
    have = [sample.counts(variant).visitors for variant in experiment.variant_keys]
    missing = _missing(wanted.visitors, have, weights)
    days_left = math.ceil(missing / per_day) if per_day else None
    live = [(h, w) for h, w in zip(have[1:], weights[1:], strict=True) if w > 0]
    smallest = min(h for h, _ in live)
    reached = None
    if smallest > 0:
        ratio = smallest / have[0]
        reached = power.anytime_detectable_lift(rate, have[0], ratio=ratio, alpha=ALPHA / len(live))
    k = sum(w > 0 for w in weights)
    equivalent = needed_for_equivalence(rate, margin, weights)
    equivalence_days = math.ceil(_missing(equivalent, have, weights) / per_day) if equivalent and per_day else None
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


def _missing(wanted: Sequence[int], have: Sequence[int], weights: Sequence[float]) -> int:
    """Visitors of the experiment until the variant that is furthest behind has as many as wanted."""
    share = sum(weights)
    return max(0, math.ceil(max((n - h) / w * share for n, h, w in zip(wanted, have, weights, strict=True) if w > 0)))


WEEK = 7
BUSY = 0.1  # a day counts from this share of the mean day on


@dataclass(frozen=True)
class Age:
    """How long an experiment has run.

    first: the first UTC day that counts. days: days that are over and count: the experiment ran and a reasonable share
    of visitors came. week: every weekday is among them, or has passed twice without a reasonable share.
    """

    first: date | None
    days: int
    week: bool

    @property
    def full_week(self) -> bool:
        """Whether at least seven days count, and every weekday among them."""
        return self.week and self.days >= WEEK


def age(sample: Sample, now_ms: int) -> Age:
    """The age of an experiment at `now_ms`, epoch milliseconds.

    Without the cohorts by day, every day counts from the first cohort on, or from the start in the manifest. Days
    before the experiment began come from signed senders alone, who are trusted with older events."""
    experiment, end = sample.experiment, utc_day(now_ms)
    if sample.window.end is not None:
        end = min(end, sample.window.end + timedelta(days=1))
    starts = [p.start for p in experiment.periods if p.start is not None]
    busy = busy_days({day: sum(t.visitors for t in arms.values()) for day, arms in sample.days.items()})
    if busy:
        first = min(busy)
    elif sample.first_day is not None:
        first = sample.first_day
    elif starts and sample.phases:
        first = utc_day(min(starts))
    else:
        return Age(None, 0, False)
    passed = [first + timedelta(days=n) for n in range((end - first).days)]
    days = [day for day in passed if (not busy or day in busy) and _ran_on(experiment, day)]
    weekdays = {day.weekday() for day in days}
    quiet = Counter(day.weekday() for day in passed if busy and _ran_on(experiment, day))
    return Age(first, len(days), all(day in weekdays or quiet[day] >= 2 for day in range(WEEK)))


def busy_days(visitors: Mapping[str, int]) -> set[date]:
    """The days on which a reasonable share of visitors came: at least a tenth of the mean day.

    visitors: new visitors by UTC day.

    >>> sorted(busy_days({"2026-11-15": 1, "2026-11-21": 1500}))
    [datetime.date(2026, 11, 21)]
    """
    seen = {day: n for day, n in visitors.items() if n > 0}
    least = BUSY * sum(seen.values()) / max(1, len(seen))
    return {date.fromisoformat(day) for day, n in seen.items() if n >= least}


def _ran_on(experiment: Experiment, day: date) -> bool:
    start = day_start_ms(day)
    return any(
        (p.start is None or p.start < start + DAY_MS) and (p.end is None or p.end > start) for p in experiment.periods
    )

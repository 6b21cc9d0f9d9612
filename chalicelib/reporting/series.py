"""How the numbers developed: by day (cohorts, with the evidence so far) or by hour (raw activity)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, timedelta
from typing import NamedTuple

from chalicelib.analysis.metrics.family import compare_metric
from chalicelib.analysis.metrics.means import decimals_of, mean_rows
from chalicelib.analysis.sample import Arms, Sample, possible
from chalicelib.analysis.standardisation import Standardisation
from chalicelib.domain.clock import utc_day
from chalicelib.domain.manifest import CLICK, Experiment
from chalicelib.reporting.answers import (
    CumulativeAnswer,
    DayAnswer,
    DayComparisonAnswer,
    DayVariantAnswer,
    HourAnswer,
    HourVariantAnswer,
    OutcomesAnswer,
    RecentDay,
)
from chalicelib.statistics import Interval
from chalicelib.statistics.rates import wilson
from chalicelib.statistics.sequential.rate_sequence import rate_sequence
from chalicelib.storage.tally import Tallies, Tally

LIST_DAYS = 28  # in the list of experiments: two read units for two variants; all 90 would be five


class DayMean(NamedTuple):
    """A mean in units per visitor, and its confidence sequence."""

    mean: float | None
    sequence: Interval | None


def by_day(sample: Sample) -> tuple[DayAnswer, ...]:
    """Each UTC day's new visitors, and all visitors up to it.

    Cohorts as they stand now: a click made today counts on the day of the visitor's first impression."""
    points = []
    so_far: Arms = {}
    for day in sorted(sample.days):
        for arm, tally in sample.days[day].items():
            so_far.setdefault(arm, Tally()).add(tally)
        cohort, cumulative = _with_arms(sample, sample.days[day]), _with_arms(sample, so_far)
        standardisation, expected = Standardisation(cumulative), _expected(cohort)
        means = (_means(cohort), _means(cumulative))
        points.append(
            DayAnswer(
                at=day,
                variants=tuple(
                    _day_variant(cohort, standardisation, variant, expected.get(variant), means)
                    for variant in sample.experiment.variant_keys
                ),
                comparisons=tuple(
                    DayComparisonAnswer(variant=c.variant, lift=c.lift, lift_interval=c.lift_interval, p=c.p)
                    for c in compare_metric(cumulative)
                    if c.ready
                ),
            )
        )
    return tuple(points)


def _with_arms(sample: Sample, arms: Arms) -> Sample:
    return Sample(sample.experiment, sample.goal, arms, {}, {}, kind=sample.kind)


def _expected(cohort: Sample) -> dict[str, float]:
    """Visitors that the configured split would give each variant; empty where the sender assigns."""
    expected: dict[str, float] = {}
    for phase in cohort.phases if cohort.experiment.assignment == "hash" else ():
        weights = cohort.weights(phase) or ()
        if not any(weights):
            continue
        visitors = sum(max(0, tally.visitors) for arm, tally in cohort.arms.items() if arm.phase == phase)
        for variant, weight in zip(cohort.experiment.variant_keys, weights, strict=False):
            expected[variant] = expected.get(variant, 0.0) + visitors * weight / sum(weights)
    return expected


Means = dict[str, DayMean]


def _means(sample: Sample) -> Means:
    """Of each variant, in units per visitor; empty where the report is by a rate."""
    if sample.kind == "rate":
        return {}
    minor = 10 ** decimals_of(sample.experiment, sample.metric)
    return {
        row.variant: DayMean(
            None if row.mean is None else row.mean / minor,
            Interval(sequence.low / minor, sequence.high / minor) if (sequence := row.sequence) else None,
        )
        for row in mean_rows(sample)
    }


def _day_variant(
    cohort: Sample, cumulative: Standardisation, variant: str, expected: float | None, means: tuple[Means, Means]
) -> DayVariantAnswer:
    of_day, so_far = (means_of_variants.get(variant, DayMean(None, None)) for means_of_variants in means)
    tally, counts = cohort.totals[variant], cohort.counts(variant)
    converted, visitors = counts
    total = cumulative.sample.counts(variant)
    rate = cumulative.rate(variant)
    return DayVariantAnswer(
        variant=variant,
        impressions=tally.impressions,
        clicks=tally.clicks,
        visitors=visitors,
        expected=expected,
        converted=converted,
        rate=converted / visitors if visitors > 0 else None,
        rate_sequence=rate_sequence(converted, visitors) if visitors > 0 and possible(counts) else None,
        mean=of_day.mean,
        mean_sequence=of_day.sequence,
        cumulative=CumulativeAnswer(
            visitors=total.visitors,
            converted=total.converted,
            rate=rate.rate if rate else None,
            rate_interval=wilson(rate.converted, rate.visitors) if rate else None,
            rate_sequence=rate_sequence(rate.converted, rate.visitors) if rate else None,
            mean=so_far.mean,
            mean_sequence=so_far.sequence,
        ),
    )


def by_hour(sample: Sample) -> tuple[HourAnswer, ...]:
    """Impressions and clicks by their own time, of all visitors, nothing excluded: whether tracking works."""
    points = []
    for hour in sorted(sample.hours):
        totals = {variant: Tally() for variant in sample.experiment.variant_keys}
        for arm, tally in sample.hours[hour].items():
            totals[arm.variant].add(tally)
        points.append(HourAnswer(at=f"{hour}:00Z", variants=tuple(_hour_variant(v, t) for v, t in totals.items())))
    return tuple(points)


def _hour_variant(variant: str, tally: Tally) -> HourVariantAnswer:
    ctr = tally.clicks / tally.impressions if tally.impressions > 0 else None
    return HourVariantAnswer(variant=variant, impressions=tally.impressions, clicks=tally.clicks, ctr=ctr)


class Span(NamedTuple):
    """UTC days, both included."""

    first: date
    last: date


def span(experiment: Experiment, now_ms: int) -> Span:
    """The last days to read for the list: up to today, or up to the last day on which the experiment took events."""
    last = utc_day(now_ms)
    ends = [period.end for period in experiment.periods]
    if ends and None not in ends:
        last = min(last, utc_day(max(end for end in ends if end is not None)))
    return Span(last - timedelta(days=LIST_DAYS - 1), last)


class Recent(NamedTuple):
    """Visitors of today, and of each day on which any came."""

    visitors_today: int
    series: tuple[RecentDay, ...]


def recent(tallies: Tallies, now_ms: int) -> Recent:
    """The last days of an experiment, for its line in the list. `now_ms`: epoch milliseconds."""
    days = _by_cohort(tallies)
    series = tuple(
        RecentDay(at=at, visitors=tally.visitors, converted=tally.converted[CLICK])
        for at, tally in sorted(days.items())
    )
    today = days.get(utc_day(now_ms).isoformat(), Tally())
    return Recent(today.visitors, series)


def outcomes_by_day(tallies: Tallies, refused: Mapping[str, Mapping[str, int]]) -> tuple[OutcomesAnswer, ...]:
    """UTC days on which anything happened, oldest first. `refused`: day → outcome → events, approximate."""
    days = _by_cohort(tallies)
    return tuple(_outcomes(at, days[at], refused.get(at, {})) for at in sorted(days.keys() | refused.keys()))


def _by_cohort(tallies: Tallies) -> defaultdict[str, Tally]:
    days: defaultdict[str, Tally] = defaultdict(Tally)
    for cell, tally in tallies.items():
        if cell.span == "day":
            days[cell.when].add(tally)
    return days


def _outcomes(at: str, tally: Tally, refused: Mapping[str, int]) -> OutcomesAnswer:
    return OutcomesAnswer(
        at=at,
        visitors=tally.visitors,
        accepted=tally.events,
        repeated=tally.received - tally.events,
        excluded={reason: n for reason, n in sorted(tally.excluded.items()) if n},
        refused=dict(sorted(refused.items())),
    )

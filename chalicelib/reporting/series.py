"""How it went, day by day (cohorts, with the evidence so far) or hour by hour (raw activity)."""

from __future__ import annotations

from typing import Any

from chalicelib.analysis.comparison import compare
from chalicelib.analysis.sample import Arms, Sample, possible
from chalicelib.analysis.standardisation import Comparable
from chalicelib.statistics.rates import wilson
from chalicelib.statistics.sequential.rate_sequence import rate_sequence
from chalicelib.storage.tally import Tally


def by_day(sample: Sample) -> list[dict[str, Any]]:
    """Each UTC day's newcomers, and all newcomers up to it: rates settling, the lift's interval narrowing.

    Cohorts as they stand now: a click made today counts on the day its visitor first came."""
    points = []
    so_far: Arms = {}
    for day in sorted(sample.days):
        for arm, tally in sample.days[day].items():
            so_far.setdefault(arm, Tally()).add(tally)
        own = _only(sample, sample.days[day])
        until = _only(sample, so_far)
        comparable = Comparable(until)
        lifts = [
            {"variant": c.variant, "lift": c.lift, "lift_interval": c.lift_interval, "p": c.p} for c in compare(until)
        ]
        due = _expected(own)
        variants = [_day(own, comparable, variant, due.get(variant)) for variant in sample.experiment.variant_keys]
        points.append({"at": day, "variants": variants, "comparisons": lifts})
    return points


def _only(sample: Sample, arms: Arms) -> Sample:
    return Sample(sample.experiment, sample.goal, arms, {}, {})


def _expected(own: Sample) -> dict[str, float]:
    """How many of the day's visitors the split would give each variant; nothing where nobody promised one."""
    due: dict[str, float] = {}
    for phase in own.phases if own.experiment.assignment == "hash" else ():
        weights = own.weights(phase) or ()
        visitors = sum(max(0, tally.visitors) for arm, tally in own.arms.items() if arm.phase == phase)
        for variant, weight in zip(own.experiment.variant_keys, weights, strict=False):
            due[variant] = due.get(variant, 0.0) + visitors * weight / sum(weights)
    return due


def _day(own: Sample, until: Comparable, variant: str, expected: float | None) -> dict[str, Any]:
    tally, counts = own.totals[variant], own.counts(variant)
    converted, visitors = counts
    all_converted, all_visitors = until.sample.counts(variant)
    rate = until.rate(variant)
    return {
        "variant": variant,
        "impressions": tally.impressions,
        "clicks": tally.clicks,
        "visitors": visitors,
        "expected": expected,
        "converted": converted,
        "rate": converted / visitors if visitors > 0 else None,
        "rate_sequence": rate_sequence(converted, visitors) if visitors > 0 and possible(counts) else None,
        "cumulative": {
            "visitors": all_visitors,
            "converted": all_converted,
            "rate": rate.rate if rate else None,
            "rate_interval": wilson(rate.converted, rate.visitors) if rate else None,
            "rate_sequence": rate_sequence(rate.converted, rate.visitors) if rate else None,
        },
    }


def by_hour(sample: Sample) -> list[dict[str, Any]]:
    """Impressions and clicks by their own time, all visitors, nothing excluded: is tracking alive?"""
    points = []
    for hour in sorted(sample.hours):
        totals = {variant: Tally() for variant in sample.experiment.variant_keys}
        for arm, tally in sample.hours[hour].items():
            totals[arm.variant].add(tally)
        variants = [
            {"variant": v, "impressions": t.impressions, "clicks": t.clicks}
            | {"ctr": t.clicks / t.impressions if t.impressions > 0 else None}
            for v, t in totals.items()
        ]
        points.append({"at": f"{hour}:00Z", "variants": variants})
    return points

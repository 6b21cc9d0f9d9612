"""How it went, day by day (cohorts, with the evidence so far) or hour by hour (raw activity)."""

from __future__ import annotations

from typing import Any

from .comparison import compare
from .rows import rows
from .sample import Arms, Sample
from .tally import Tally


def by_day(sample: Sample) -> list[dict[str, Any]]:
    """Each UTC day's newcomers, and all newcomers up to it: rates and the lift's interval narrowing.

    Cohorts as they stand now: a click made today counts on the day its visitor first came."""
    points = []
    so_far: Arms = {}
    for day in sorted(sample.days):
        arms = sample.days[day]
        for arm, tally in arms.items():
            so_far.setdefault(arm, Tally()).add(tally)
        until = Sample(sample.experiment, sample.goal, so_far, {}, {})
        of_day = Sample(sample.experiment, sample.goal, arms, {}, {})
        variants = [
            {
                "variant": own.variant,
                "impressions": own.impressions,
                "clicks": own.clicks,
                "visitors": own.visitors,
                "converted": own.converted,
                "rate": own.rate,
                "cumulative": {
                    "visitors": all_.visitors,
                    "converted": all_.converted,
                    "rate": all_.rate,
                    "rate_interval": all_.rate_interval,
                },
            }
            for own, all_ in zip(rows(of_day), rows(until), strict=True)
        ]
        comparisons = [
            {"variant": c.variant, "lift": c.lift, "lift_interval": c.lift_interval, "p": c.p} for c in compare(until)
        ]
        points.append({"at": day, "variants": variants, "comparisons": comparisons})
    return points


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

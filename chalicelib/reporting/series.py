"""How it went, day by day (cohorts, with the evidence so far) or hour by hour (raw activity)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from chalicelib.analysis.comparison import compare
from chalicelib.analysis.sample import Arms, Sample, possible
from chalicelib.analysis.standardisation import Comparable
from chalicelib.domain.manifest import CLICK, Experiment
from chalicelib.statistics.rates import wilson
from chalicelib.statistics.sequential.rate_sequence import rate_sequence
from chalicelib.storage.tally import Tallies, Tally


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


DAYS = 28  # some two read units for two variants; all 90 would be five


class Span(NamedTuple):
    first: date
    last: date


def span(experiment: Experiment, now: datetime) -> Span:
    """The UTC days to read: up to today, or up to the last day on which the experiment took events."""
    last = now.astimezone(UTC).date()
    ends = [period.end for period in experiment.periods]
    if ends and None not in ends:
        latest = datetime.fromtimestamp(max(end for end in ends if end is not None) / 1000, UTC).date()
        last = min(last, latest)
    return Span(last - timedelta(days=DAYS - 1), last)


def recent(tallies: Tallies, now: datetime) -> dict[str, Any]:
    """visitors_today, and a series of the days on which anybody came first: {"at", "visitors", "converted"}."""
    days: dict[str, Tally] = defaultdict(Tally)
    for cell, tally in tallies.items():
        if cell.span == "day":
            days[cell.when].add(tally)
    series = [{"at": at, "visitors": t.visitors, "converted": t.converted[CLICK]} for at, t in sorted(days.items())]
    today = days.get(now.astimezone(UTC).date().isoformat(), Tally())
    return {"visitors_today": today.visitors, "series": series}


Refused = Mapping[str, Mapping[str, int]]  # day → outcome → events


def outcomes_by_day(tallies: Tallies, refused: Refused) -> list[dict[str, Any]]:
    """Days (UTC) on which anything happened, oldest first.

    accepted, repeated: events of the visitors first seen on that day, whenever they came; excluded: those of these
    visitors that do not count, by reason; refused: events that came on that day, about."""
    days: dict[str, Tally] = defaultdict(Tally)
    for cell, tally in tallies.items():
        if cell.span == "day":
            days[cell.when].add(tally)
    return [_outcome_day(at, days[at], refused.get(at, {})) for at in sorted(days.keys() | refused.keys())]


def _outcome_day(at: str, tally: Tally, refused: Mapping[str, int]) -> dict[str, Any]:
    return {
        "at": at,
        "visitors": tally.visitors,
        "accepted": tally.events,
        "repeated": tally.received - tally.events,
        "excluded": {reason: n for reason, n in sorted(tally.excluded.items()) if n},
        "refused": dict(sorted(refused.items())),
    }


def refused_by_day(cells: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    """From the items of one experiment; see refusals.py, which writes them.

    >>> refused_by_day({"daily#2026-11-21#too-old": {"n": 3, "expires_at": 1}, "refused#too-old#0": {"n": 3}})
    {'2026-11-21': {'too-old': 3}}
    """
    days: dict[str, Counter[str]] = defaultdict(Counter)
    for name, numbers in cells.items():
        kind, _, rest = name.partition("#")
        if kind == "daily":
            day, _, outcome = rest.partition("#")
            days[day][outcome] += numbers.get("n", 0)
    return {day: dict(outcomes) for day, outcomes in days.items()}

"""Checks on the result itself: Simpson's paradox, novelty effects, Twyman's law."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from chalicelib.analysis.checks.check import ALARM, WARNING, Check
from chalicelib.analysis.comparison import Comparison
from chalicelib.analysis.metrics.means import sums_of
from chalicelib.analysis.sample import Sample, possible
from chalicelib.analysis.wording import count, percent, sentence
from chalicelib.statistics import stratified
from chalicelib.statistics.sequential import means
from chalicelib.statistics.sequential.means import ValueSums
from chalicelib.statistics.stratified import Stratum
from chalicelib.storage.tally import Tally


def simpson(comparisons: Sequence[Comparison]) -> Check:
    """Simpson's paradox: does adding up the phases give another result than comparing within them?"""
    differing = []
    figures: dict[str, Any] = {}
    for c in comparisons:
        pooled, se = c.pair.pooled, c.pair.se
        if c.pair.phases < 2 or c.lift is None or pooled is None or se is None or c.lift <= -1:
            continue
        figures[c.variant] = {"within_phases": c.lift, "added_up": pooled}
        apart = abs(pooled - c.lift) > 2 * se * (1 + c.lift)
        if pooled * c.lift < 0 or apart:
            differing.append(f"{c.variant} {percent(c.lift)} within phases, {percent(pooled)} when added up")
    if not differing:
        return Check("simpson", "ok", "Phases agree with their sum.", figures)
    text = f"Simpson's paradox: {'; '.join(differing)}. The comparison is made within phases, so it stands."
    return Check("simpson", "warning", text, figures)


def novelty(sample: Sample) -> Check:
    """Novelty effect: does the lift shrink (or grow) from one day's new visitors to the next?"""
    figures: dict[str, Any] = {}
    lowest, finding = 1.0, ""
    variants = sample.experiment.variant_keys[1:]
    for variant in variants:
        days_tested = _over_days(sample, variant)
        figures[variant] = {
            "days": days_tested.df + 1,
            "trend_per_day": days_tested.trend,
            "p": days_tested.trend_p,
            "q_p": days_tested.p,
            "i2": days_tested.i2,
        }
        if days_tested.trend is not None and days_tested.trend_p is not None and days_tested.trend_p < lowest:
            lowest = days_tested.trend_p
            drift = "shrinks" if days_tested.trend < 0 else "grows"
            finding = f"{variant}'s lift {drift} by about {percent(abs(days_tested.trend))} a day"
    p = min(1.0, lowest * max(1, len(variants)))
    if p >= WARNING:
        return Check("novelty", "ok", "The lift does not drift from day to day.", figures)
    text = sentence(f"{finding}: judge by the latest weeks, or run longer.")
    return Check("novelty", "alarm" if p < ALARM else "warning", text, figures)


MIN_A_DAY = 30  # visitors with a value in each variant, below which a day's mean says nothing


def _over_days(sample: Sample, variant: str) -> stratified.Heterogeneity:
    """The log ratios to the control of the visitors first seen on each day. Phases are added up: a new one rarely
    begins within a day."""
    control = sample.experiment.control
    days = [(_of_day(sample, control, day), _of_day(sample, variant, day)) for day in sample.days]
    if sample.kind != "rate":
        return _means_over_days(sample, days)
    strata = [Stratum(sample.counted(a), sample.counted(b)) for a, b in days]
    return stratified.heterogeneity([s for s in strata if possible(s.a) and possible(s.b)])


def _means_over_days(sample: Sample, days: Sequence[tuple[Tally, Tally]]) -> stratified.Heterogeneity:
    """The error of a day's mean comes from its count, and from the dispersion of the values over all days: with a
    heavy tail the values of one day do not tell it."""
    goal = sample.metric.goal
    sums = [[sums_of(tally, sample.metric) for tally in day] for day in days]
    counts = [[tally.converted[goal] for tally in day] for day in days]
    tested = [i for i in range(len(days)) if min(counts[i]) >= MIN_A_DAY and min(s.total for s in sums[i]) > 0]
    kappas = [
        means.dispersion(ValueSums(*map(sum, zip(*(sums[i][arm] for i in tested), strict=True))), added)
        for arm in (0, 1)
        if (added := sum(counts[i][arm] for i in tested)) > 0
    ]
    points = []
    for i in tested:
        variance = sum(map(means.shared_variance, sums[i], counts[i], kappas))
        if variance > 0:
            a, b = sums[i]
            points.append((float(i), math.log(b.mean / a.mean), 1 / variance))
    return stratified.scatter(points)


def _of_day(sample: Sample, variant: str, day: str) -> Tally:
    total = Tally()
    for arm, tally in sample.days[day].items():
        if arm.variant == variant:
            total.add(tally)
    return total


def twyman(sample: Sample, comparisons: Sequence[Comparison]) -> Check:
    """Twyman's law: any figure that looks interesting or different is usually wrong."""
    odd = [
        f"{c.variant} differs by {percent(c.lift)}"
        for c in comparisons
        if c.lift is not None and abs(c.lift) > 0.5 and c.pair.evidence.p < 1e-4
    ]
    odd += [
        f"{variant} has a CTR of {percent(t.clicks / t.impressions)}"
        for variant, t in sample.totals.items()
        if t.impressions > 0 and t.clicks / t.impressions > 0.5 and t.visitors >= 10
    ]
    counts = {variant: sample.counts(variant) for variant in sample.totals}
    if any(c.converted > 0 for c in counts.values()):
        odd += [
            f"none of {count(c.visitors, 'visitor')} to {variant} converted"
            for variant, c in counts.items()
            if c.visitors > 1000 and c.converted == 0
        ]
    if not odd:
        return Check("twyman", "ok", "Nothing looks too good to be true.", {"found": odd})
    text = sentence(f"{'; '.join(odd)}: too striking to believe at once. Verify the instrumentation first.")
    return Check("twyman", "warning", text, {"found": odd})

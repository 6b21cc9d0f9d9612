"""Checks on the result itself: Simpson's paradox, novelty effects, Twyman's law."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chalicelib.analysis.checks.check import ALARM, WARNING, Check
from chalicelib.analysis.comparison import Comparison
from chalicelib.analysis.sample import Sample, possible
from chalicelib.analysis.wording import count, percent, sentence
from chalicelib.statistics import stratified
from chalicelib.statistics.stratified import Stratum
from chalicelib.storage.tally import Tally


def simpson(comparisons: Sequence[Comparison]) -> Check:
    """Simpson's paradox: does adding up the phases give another result than comparing within them?"""
    differing = []
    figures: dict[str, Any] = {}
    for c in comparisons:
        combined = c.pair.combined
        pooled = _pooled(c.strata)
        if len(c.strata) < 2 or c.lift is None or pooled is None or combined.se is None or not combined.ratio:
            continue
        figures[c.variant] = {"within_phases": c.lift, "added_up": pooled}
        apart = abs(pooled - c.lift) > 2 * combined.se * combined.ratio
        if pooled * c.lift < 0 or apart:
            differing.append(f"{c.variant} {percent(c.lift)} within phases, {percent(pooled)} when added up")
    if not differing:
        return Check("simpson", "ok", "Phases agree with their sum.", figures)
    text = f"Simpson's paradox: {'; '.join(differing)}. The comparison is made within phases, so it stands."
    return Check("simpson", "warning", text, figures)


def _pooled(strata: tuple[Stratum, ...]) -> float | None:
    xa, na = sum(s.a.converted for s in strata), sum(s.a.visitors for s in strata)
    xb, nb = sum(s.b.converted for s in strata), sum(s.b.visitors for s in strata)
    return xb * na / (xa * nb) - 1 if xa and nb else None


def novelty(sample: Sample) -> Check:
    """Novelty effect: does the lift shrink (or grow) from one day's new visitors to the next?"""
    figures: dict[str, Any] = {}
    lowest, finding = 1.0, ""
    variants = sample.experiment.variant_keys[1:]
    for variant in variants:
        days = [_pair(sample, variant, day) for day in sample.days]
        days_tested = stratified.heterogeneity([d for d in days if possible(d.a) and possible(d.b)])
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


def _pair(sample: Sample, variant: str, day: str) -> Stratum:
    """The visitors first seen on one day. Phases are added up: a new one rarely begins within a day."""
    both = []
    for key in (sample.experiment.control, variant):
        total = Tally()
        for arm, tally in sample.days[day].items():
            if arm.variant == key:
                total.add(tally)
        both.append(sample.counted(total))
    return Stratum(*both)


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

"""Results that look like one thing and are another: phases that disagree, novelty wearing off, too good to be true."""

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
    """Does adding up the phases tell another story than comparing within them?"""
    told = []
    figures: dict[str, Any] = {}
    for c in comparisons:
        combined = stratified.combine(c.strata)
        pooled = _pooled(c.strata)
        if len(c.strata) < 2 or c.lift is None or pooled is None or combined.se is None or not combined.ratio:
            continue
        figures[c.variant] = {"within_phases": c.lift, "added_up": pooled}
        apart = abs(pooled - c.lift) > 2 * combined.se * combined.ratio
        if pooled * c.lift < 0 or apart:
            told.append(f"{c.variant} {percent(c.lift)} within phases, {percent(pooled)} when added up")
    if not told:
        return Check("simpson", "ok", "Phases agree with their sum.", figures)
    text = f"Simpson's paradox: {'; '.join(told)}. The comparison is made within phases, so it stands."
    return Check("simpson", "warning", text, figures)


def _pooled(strata: tuple[Stratum, ...]) -> float | None:
    xa, na = sum(s.a.converted for s in strata), sum(s.a.visitors for s in strata)
    xb, nb = sum(s.b.converted for s in strata), sum(s.b.visitors for s in strata)
    return xb * na / (xa * nb) - 1 if xa and nb else None


def novelty(sample: Sample) -> Check:
    """Does the lift wear off (or grow) from one day's newcomers to the next?"""
    figures: dict[str, Any] = {}
    lowest, told = 1.0, ""
    variants = sample.experiment.variant_keys[1:]
    for variant in variants:
        days = [_pair(sample, variant, day) for day in sample.days]
        found = stratified.heterogeneity([d for d in days if possible(d.a) and possible(d.b)])
        figures[variant] = {
            "days": found.df + 1,
            "trend_per_day": found.trend,
            "p": found.trend_p,
            "q_p": found.p,
            "i2": found.i2,
        }
        if found.trend is not None and found.trend_p is not None and found.trend_p < lowest:
            lowest = found.trend_p
            drift = "shrinks" if found.trend < 0 else "grows"
            told = f"{variant}'s lift {drift} by about {percent(abs(found.trend))} a day"
    p = min(1.0, lowest * max(1, len(variants)))
    if p >= WARNING:
        return Check("novelty", "ok", "The lift does not drift from day to day.", figures)
    text = sentence(f"{told}: judge by the latest weeks, or run longer.")
    return Check("novelty", "alarm" if p < ALARM else "warning", text, figures)


def _pair(sample: Sample, variant: str, day: str) -> Stratum:
    """One day's newcomers, phases added up: a phase begins between days, but for its first."""
    both = []
    for key in (sample.experiment.control, variant):
        total = Tally()
        for arm, tally in sample.days[day].items():
            if arm.variant == key:
                total.add(tally)
        both.append(sample.counted(total))
    return Stratum(*both)


def twyman(sample: Sample, comparisons: Sequence[Comparison]) -> Check:
    """Any figure that looks interesting or different is usually wrong."""
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
            f"nobody of {count(c.visitors, 'visitor')} to {variant} converted"
            for variant, c in counts.items()
            if c.visitors > 1000 and c.converted == 0
        ]
    if not odd:
        return Check("twyman", "ok", "Nothing looks too good to be true.", {"found": odd})
    text = sentence(f"{'; '.join(odd)}: too striking to believe at once. Verify the instrumentation first.")
    return Check("twyman", "warning", text, {"found": odd})

"""Where a sample ratio mismatch comes from, so that the check can name the likely cause."""

from __future__ import annotations

import math

from chalicelib.analysis.checks.sample_ratio import Imbalance, measure
from chalicelib.analysis.sample import Arm, Arms, Sample
from chalicelib.analysis.wording import count, listed
from chalicelib.statistics.stratified import scatter
from chalicelib.storage.tally import Tally

BALANCED = 0.05  # χ² p above which what remains is taken for balanced
UNEVEN = 0.01  # p of Cochran's Q below which the days differ
SOME = 1 / 3  # of the days, at most, are "some days"


def explain(sample: Sample, imbalance: Imbalance) -> str:
    """How far off the split is, and the likely cause, from the most specific to the least: a variant that should be
    empty or is, an exclusion, one phase, some days, an hour, else the variant that is short of visitors."""
    if stray := _stray(imbalance):
        return stray
    cause = (
        _never_seen(imbalance)
        or _exclusion(sample)
        or _one_phase(sample)
        or _some_days(sample, imbalance)
        or _one_hour(sample)
        or _short_variant(sample, imbalance)
    )
    return f"{imbalance.description()}; most likely {cause}"


def _balanced(imbalance: Imbalance) -> bool:
    return imbalance.p > BALANCED


def _stray(imbalance: Imbalance) -> str | None:
    stray = [v for v, n in imbalance.visitors.items() if n > 0 and imbalance.expected[v] == 0]
    if not stray:
        return None
    visitors = count(sum(imbalance.visitors[v] for v in stray), "visitor")
    return f"{visitors} saw {listed(stray)}, whose weight is 0; most likely a stale manifest or a forced variant"


def _never_seen(imbalance: Imbalance) -> str | None:
    unseen = [v for v, n in imbalance.visitors.items() if n == 0 and imbalance.expected[v] > 0]
    return f"{listed(unseen)} is never shown, or its impressions are never sent" if unseen else None


def _exclusion(sample: Sample) -> str | None:
    """Would the split be right with the visitors that are excluded?"""
    causes = {"bot": "bots are excluded", "no-impression": "impressions go missing"}
    for reason, cause in causes.items():
        arms: Arms = {}
        excluded = dict.fromkeys(sample.experiment.variant_keys, 0)
        for arm, tally in sample.arms.items():
            arms[arm] = Tally(visitors=tally.visitors + max(0, tally.excluded[reason]))
            excluded[arm.variant] += max(0, tally.excluded[reason])
        if any(excluded.values()) and _balanced(measure(sample, arms)):
            most = max(excluded, key=lambda v: excluded[v])
            return f"because {cause} more often in {most} ({count(excluded[most], 'visitor')})"
    return None


def _one_phase(sample: Sample) -> str | None:
    if len(sample.phases) < 2:
        return None
    for phase in sample.phases:
        rest = {arm: tally for arm, tally in sample.arms.items() if arm.phase != phase}
        if _balanced(measure(sample, rest)):
            return f"something in phase {phase}, which alone is off: see what changed with its weights"
    return None


def _some_days(sample: Sample, imbalance: Imbalance) -> str | None:
    """A few days that explain all of it; with hours available, the hour in which it was worst. Only if the days
    differ."""
    if not _days_differ(sample, _short(imbalance)):
        return None
    order = sorted(sample.days, key=lambda day: measure(sample, sample.days[day]).chi2, reverse=True)
    for number in range(1, max(1, math.floor(SOME * len(order))) + 1):
        worst = sorted(order[:number])
        if _balanced(_added_up(sample, {day: sample.days[day] for day in order[number:]})):
            moment = listed(worst)
            if number == 1 and (hour := _worst_hour(sample, worst[0])):
                moment = f"{worst[0]} around {hour[-2:]}:00 UTC"
            return (
                f"something on {moment}, which alone {'is' if number == 1 else 'are'} off: see what was released then"
            )
    return None


def _days_differ(sample: Sample, variant: str) -> bool:
    """Cochran's Q over the log odds with which a day's visitors came to `variant`, against the configured ones."""
    points = []
    for number, day in enumerate(sorted(sample.days)):
        of_day = measure(sample, sample.days[day])
        own, expected = of_day.visitors[variant], of_day.expected[variant]
        other_visitors = sum(of_day.visitors.values()) - own
        others_expected = sum(of_day.expected.values()) - expected
        if expected > 0 and others_expected > 0:
            log_odds = math.log((own + 0.5) / (other_visitors + 0.5)) - math.log(expected / others_expected)
            points.append((float(number), log_odds, 1 / (1 / (own + 0.5) + 1 / (other_visitors + 0.5))))
    return scatter(points).p < UNEVEN


def _worst_hour(sample: Sample, day: str) -> str | None:
    hours = _impressions({hour: arms for hour, arms in sample.hours.items() if hour.startswith(day)})
    return max(hours, key=lambda hour: measure(sample, hours[hour]).chi2) if len(hours) > 1 else None


def _one_hour(sample: Sample) -> str | None:
    """Hours hold impressions, several to a visitor: no test, but good enough to point at a time."""
    hours = _impressions(sample.hours)
    if len(hours) < 2:
        return None
    worst = max(hours, key=lambda hour: measure(sample, hours[hour]).chi2)
    rest = _added_up(sample, {hour: arms for hour, arms in hours.items() if hour != worst})
    if rest.chi2 > _added_up(sample, hours).chi2 / 5:
        return None
    return f"something on {worst[:10]} around {worst[-2:]}:00 UTC, where most of it is: see what was released then"


def _impressions(hours: dict[str, Arms]) -> dict[str, Arms]:
    return {
        hour: {arm: Tally(visitors=tally.impressions) for arm, tally in arms.items()} for hour, arms in hours.items()
    }


def _added_up(sample: Sample, parts: dict[str, Arms]) -> Imbalance:
    visitors: dict[Arm, int] = {}
    for arms in parts.values():
        for arm, tally in arms.items():
            visitors[arm] = visitors.get(arm, 0) + tally.visitors
    return measure(sample, {arm: Tally(visitors=n) for arm, n in visitors.items()})


def _short(imbalance: Imbalance) -> str:
    """The variant that is furthest below what it should have."""
    visitors, expected = imbalance.visitors, imbalance.expected
    return min(visitors, key=lambda v: visitors[v] / expected[v] if expected[v] else 1.0)


def _short_variant(sample: Sample, imbalance: Imbalance) -> str:
    short = _short(imbalance)
    total = sum(imbalance.visitors.values())
    other_visitors, share = total - imbalance.visitors[short], imbalance.expected[short] / total
    missing = count(round(other_visitors * share / (1 - share) - imbalance.visitors[short]), "visitor")
    pattern = ""
    if len(sample.days) > 1:
        pattern = ", on some days more than on others" if _days_differ(sample, short) else ", no day unlike the others"
    return (
        f"{short} loses visitors before its impression is sent (about {missing}{pattern}): "
        "a slower page, a redirect or an error there"
    )

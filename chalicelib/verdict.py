"""What to do, in one word and one sentence.

invalid > collecting > winner, loser > equivalent > inconclusive: the first that applies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from .comparison import ROPE, Comparison
from .health import Check
from .manifest import Experiment
from .phrases import count, listed, percent, sentence
from .plan import Plan
from .sample import Sample

Verdict = Literal["invalid", "collecting", "winner", "loser", "equivalent", "inconclusive"]
WEEK = 7


@dataclass(frozen=True)
class Judgement:
    """variant: whom the verdict is about, where it is about one. next: ship, keep, stop, wait or fix."""

    state: Verdict
    text: str
    variant: str | None
    next: Literal["ship", "keep", "stop", "wait", "fix"]


@dataclass(frozen=True)
class Age:
    """days: UTC days begun and over since the first visitor, while running; week: have they seen all weekdays?"""

    first: date | None
    days: int
    week: bool


def age(sample: Sample, now: datetime) -> Age:
    """From the first cohort, or where no days are given from the start of the experiment."""
    experiment, today = sample.experiment, now.astimezone(UTC).date()
    starts = [p.start for p in experiment.periods if p.start is not None]
    if sample.first_day is not None:
        first = sample.first_day
    elif starts and sample.phases:
        first = datetime.fromtimestamp(min(starts) / 1000, UTC).date()
    else:
        return Age(None, 0, False)
    days = [first + timedelta(days=n) for n in range(max(0, (today - first).days))]
    over = [day for day in days if _ran_on(experiment, day)]
    return Age(first, len(over), len({day.weekday() for day in over}) == WEEK)


def _ran_on(experiment: Experiment, day: date) -> bool:
    start = datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000
    end = start + 86_400_000
    return any((p.start is None or p.start < end) and (p.end is None or p.end > start) for p in experiment.periods)


def judge(
    sample: Sample, comparisons: Sequence[Comparison], checks: Sequence[Check], plan: Plan, now: datetime
) -> Judgement:
    stopped = sample.experiment.status == "stopped"
    lived = age(sample, now)
    return (
        _invalid(checks)
        or (None if stopped else _collecting(sample, comparisons, lived))
        or _decided(sample, comparisons, lived, stopped)
        or _equivalent(comparisons, stopped)
        or _open(sample, comparisons, plan, stopped)
    )


def _invalid(checks: Sequence[Check]) -> Judgement | None:
    for check in checks:
        if check.state == "alarm" and check.name in ("impossible-counts", "srm"):
            text = check.text[:1].lower() + check.text[1:] if check.text[:1].isalpha() else check.text
            return Judgement("invalid", f"Stop: {text}", None, "fix")
    return None


def _collecting(sample: Sample, comparisons: Sequence[Comparison], lived: Age) -> Judgement | None:
    if lived.days >= WEEK and lived.week:
        return None
    if lived.first is None or not comparisons:
        text = "No visitors yet in both variants. Is the experiment published, and the snippet on the page?"
        return Judgement("collecting", text, None, "wait")
    left = max(1, WEEK - lived.days)
    look = _leading(comparisons)
    text = f"Too early: {count(left, 'more day')} to see a full week, for weekdays differ.{look} Keep running."
    return Judgement("collecting", text, None, "wait")


def _leading(comparisons: Sequence[Comparison]) -> str:
    decided = [c for c in comparisons if c.decision in ("winner", "loser") and c.lift is not None]
    if not decided:
        return ""
    best = max(decided, key=lambda c: c.lift or 0.0)
    return f" So far {best.variant} is {_by(best.lift)} {'ahead' if best.decision == 'winner' else 'behind'}."


def _by(lift: float | None) -> str:
    return "infinitely" if lift is None else percent(abs(lift))


def _at_least(c: Comparison) -> str:
    bound = c.lift_interval.low if c.decision == "winner" else -c.lift_interval.high
    return f"at least {percent(bound)}" if bound > 0 else "how much is open"


def _decided(sample: Sample, comparisons: Sequence[Comparison], lived: Age, stopped: bool) -> Judgement | None:
    winners = [c for c in comparisons if c.decision == "winner"]
    losers = [c for c in comparisons if c.decision == "loser"]
    short = stopped and not lived.week
    caution = " It ran for less than a full week, so weekdays may matter." if short else ""
    if winners:
        best = max(winners, key=lambda c: c.lift or 0.0)
        also = [c.variant for c in winners if c is not best]
        beaten = f"{best.variant} beats {best.control} by {_by(best.lift)} ({_at_least(best)})"
        others = f", and so {'does' if len(also) == 1 else 'do'} {listed(also)} by less" if also else ""
        return Judgement("winner", sentence(f"{beaten}{others}.{caution} Ship it."), best.variant, "ship")
    if losers:
        worst = min(losers, key=lambda c: c.lift or 0.0)
        lost = listed([f"{c.variant} loses to {c.control} by {_by(c.lift)} ({_at_least(c)})" for c in losers])
        rest = [c.variant for c in comparisons if c.decision == "open"]
        if rest and not stopped:
            return Judgement(
                "loser",
                sentence(f"{lost}. Drop it; {listed(rest)} not decided yet, keep running."),
                worst.variant,
                "wait",
            )
        return Judgement("loser", sentence(f"{lost}.{caution} Keep {worst.control}."), worst.variant, "keep")
    return None


def _equivalent(comparisons: Sequence[Comparison], stopped: bool) -> Judgement | None:
    if not comparisons or any(c.decision != "equivalent" for c in comparisons):
        return None
    names = listed([c.variant for c in comparisons])
    verb = "is" if len(comparisons) == 1 else "are"
    text = f"{names} {verb} within {percent(ROPE)} of {comparisons[0].control}. Take whichever you like."
    return Judgement("equivalent", sentence(text), None, "stop")


def _open(sample: Sample, comparisons: Sequence[Comparison], plan: Plan, stopped: bool) -> Judgement:
    between = _between(comparisons)
    if stopped:
        return Judgement(
            "inconclusive", sentence(f"{between} when it stopped. Keep {sample.experiment.control}."), None, "keep"
        )
    if plan.needed is None or plan.days_left is None:
        return Judgement("inconclusive", sentence(f"{between}. Keep running."), None, "wait")
    aim = percent(plan.needed.lift)
    if plan.days_left > 0:
        text = f"Keep running: about {count(plan.days_left, 'day')} to detect {aim}. So far {between}."
        return Judgement("inconclusive", text, None, "wait")
    text = f"{between}: a difference of {aim} would very likely have shown by now. Stop, or look for a bolder variant."
    return Judgement("inconclusive", sentence(text), None, "stop")


def _between(comparisons: Sequence[Comparison]) -> str:
    told = []
    for c in comparisons:
        if c.decision == "open" and c.lift is not None:
            low, high = c.lift_interval
            upper = percent(high) if high < 10 else "many times"
            told.append(f"{c.variant} is between {percent(low)} and {upper} of {c.control}'s rate apart")
    return listed(told) if told else "no difference can be told"

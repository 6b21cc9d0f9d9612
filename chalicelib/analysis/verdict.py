"""What to do, in one word and a plain sentence or two.

invalid > collecting > winner, loser > equivalent > inconclusive: the first that applies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from chalicelib.analysis.checks.check import Check
from chalicelib.analysis.comparison import ROPE, Comparison
from chalicelib.analysis.planning import WEEK, Age, Plan, age
from chalicelib.analysis.sample import Sample
from chalicelib.analysis.wording import count, listed, percent, sentence

State = Literal["invalid", "collecting", "winner", "loser", "equivalent", "inconclusive"]
FATAL = ("impossible-counts", "srm")


@dataclass(frozen=True)
class Verdict:
    """variant: whom it is about, where it is about one. next: what to do about it."""

    state: State
    text: str
    variant: str | None
    next: Literal["ship", "keep", "stop", "wait", "fix"]


@dataclass(frozen=True)
class Case:
    """All there is to judge by."""

    sample: Sample
    comparisons: Sequence[Comparison]
    checks: Sequence[Check]
    plan: Plan
    age: Age

    @property
    def control(self) -> str:
        return self.sample.experiment.control

    @property
    def stopped(self) -> bool:
        return self.sample.experiment.status == "stopped"

    @property
    def go_on(self) -> str:
        return "Resume it" if self.sample.experiment.status == "paused" else "Keep running"


def judge(
    sample: Sample, comparisons: Sequence[Comparison], checks: Sequence[Check], plan: Plan, now: datetime
) -> Verdict:
    case = Case(sample, comparisons, checks, plan, age(sample, now))
    return _invalid(case) or _collecting(case) or _winner(case) or _loser(case) or _equivalent(case) or _open(case)


def _invalid(case: Case) -> Verdict | None:
    for check in case.checks:
        if check.state == "alarm" and check.name in FATAL:
            return Verdict("invalid", f"Stop: {check.text[:1].lower()}{check.text[1:]}", None, "fix")
    return None


def _collecting(case: Case) -> Verdict | None:
    """A stopped experiment keeps the result that it has."""
    if case.stopped:
        return None
    if not case.comparisons or case.age.first is None:
        text = "Not every variant has had visitors yet. Is the experiment published, and the snippet on the page?"
        return Verdict("collecting", text, None, "wait")
    if case.age.days >= WEEK and case.age.week:
        return None
    left = max(1, WEEK - case.age.days)
    ahead = [_beats(c) for c in case.comparisons if c.decision in ("winner", "loser")]
    so_far = sentence(f"{listed(ahead)} so far, but weekdays differ. ") if ahead else ""
    days = count(left, "more day")
    text = f"{so_far}{case.go_on} for {days}: too early to judge before a full week."
    return Verdict("collecting", text, None, "wait")


def _winner(case: Case) -> Verdict | None:
    winners = [c for c in case.comparisons if c.decision == "winner"]
    if not winners:
        return None
    best = max(winners, key=lambda c: c.lift if c.lift is not None else float("inf"))
    also = [c.variant for c in winners if c is not best]
    others = f"; {listed(also)} {'beats' if len(also) == 1 else 'beat'} it too" if also else ""
    advice = f"Check first: {listed(_doubts(case))}. Then ship it." if _doubts(case) else "Ship it."
    text = sentence(f"{_beats(best)}{others}.{_short(case)} {advice}")
    return Verdict("winner", text, best.variant, "ship")


def _loser(case: Case) -> Verdict | None:
    losers = [c for c in case.comparisons if c.decision == "loser"]
    if not losers:
        return None
    worst = min(losers, key=lambda c: c.lift or 0.0).variant
    lost, undecided = listed([_beats(c) for c in losers]), [c.variant for c in case.comparisons if c.decision == "open"]
    if undecided and not case.stopped:
        text = sentence(f"{lost}. Drop it. {case.go_on} for {listed(undecided)}, not decided yet.")
        return Verdict("loser", text, worst, "wait")
    return Verdict("loser", sentence(f"{lost}.{_short(case)} Keep {case.control}."), worst, "keep")


def _equivalent(case: Case) -> Verdict | None:
    if not case.comparisons or any(c.decision != "equivalent" for c in case.comparisons):
        return None
    names, verb = listed([c.variant for c in case.comparisons]), "is" if len(case.comparisons) == 1 else "are"
    text = f"{names} {verb} within {percent(ROPE)} of {case.control}. Stop, and take whichever you like."
    return Verdict("equivalent", sentence(text), None, "stop")


def _open(case: Case) -> Verdict:
    ranges = [_range(c) for c in case.comparisons if c.decision == "open" and c.lift is not None]
    told = listed(ranges) if ranges else "too few converted to compare"
    if case.stopped:
        return Verdict("inconclusive", f"Stopped undecided: {told}. Keep {case.control}.", None, "keep")
    if case.plan.needed is None or case.plan.days_left is None:
        return Verdict("inconclusive", f"{case.go_on}: so far {told}.", None, "wait")
    aim = percent(case.plan.needed.lift)
    if case.plan.days_left > 0:
        days = count(case.plan.days_left, "day")
        return Verdict("inconclusive", f"{case.go_on}: about {days} to detect {aim}. So far {told}.", None, "wait")
    text = f"{told}. A difference of {aim} would very likely have shown by now. Stop, and try something bolder."
    return Verdict("inconclusive", sentence(text), None, "stop")


def _beats(c: Comparison) -> str:
    """ "green beats blue by 12 % (at least 4 %)" """
    verb = "beats" if c.decision == "winner" else "loses to"
    bound = c.lift_interval.low if c.decision == "winner" else -c.lift_interval.high
    by = f" by {percent(abs(c.lift))}" if c.lift is not None else ""
    at_least = f" (at least {percent(bound)})" if bound > 0 else ""
    return f"{c.variant} {verb} {c.control}{by}{at_least}"


def _range(c: Comparison) -> str:
    """ "green is between 8 % worse and 15 % better than blue" """
    ends = [
        f"{percent(abs(end))} {'worse' if end < 0 else 'better'}" if abs(end) < 10 else "many times better"
        for end in c.lift_interval
    ]
    return f"{c.variant} is between {ends[0]} and {ends[1]} than {c.control}"


def _doubts(case: Case) -> list[str]:
    """Checks that do not void the result, but that a winner should survive."""
    return [
        check.name
        for check in case.checks
        if check.state == "alarm" or (check.state == "warning" and check.name in ("srm", "twyman", "novelty"))
    ]


def _short(case: Case) -> str:
    if case.age.week and case.age.days >= WEEK:
        return ""
    return " It ran for less than a full week, so weekdays may matter."

"""What to do, in one word and a plain sentence or two.

invalid > collecting > winner, loser > equivalent > inconclusive: the first that applies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from chalicelib.analysis.checks.check import Check
from chalicelib.analysis.comparison import ROPE, Comparison
from chalicelib.analysis.planning import WEEK, Age, DurationPlan
from chalicelib.analysis.sample import Sample
from chalicelib.analysis.wording import count, listed, percent, sentence

State = Literal["invalid", "collecting", "winner", "loser", "equivalent", "inconclusive"]
Next = Literal["ship", "keep", "stop", "wait", "fix"]
FATAL = ("impossible-counts", "srm")


@dataclass(frozen=True)
class Verdict:
    """What the numbers say and what to do about it.

    headline: the advice, in a few words. reason: the evidence, without the advice. doubts: names of the checks that
    void the result (`invalid`) or that a winner should survive first. text: evidence and advice in one paragraph.
    variant: the variant it is about, where it is about one. next: the advice as one word.
    """

    state: State
    headline: str
    reason: str
    text: str
    next: Next
    variant: str | None = None
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Findings:
    """Everything that the verdict rests on."""

    sample: Sample
    comparisons: Sequence[Comparison]
    checks: Sequence[Check]
    duration: DurationPlan
    age: Age

    @property
    def control(self) -> str:
        """The variant that the others are compared with."""
        return self.sample.experiment.control

    @property
    def stopped(self) -> bool:
        """Whether the experiment is over."""
        return self.sample.experiment.status == "stopped"

    @property
    def go_on(self) -> str:
        """How a sentence begins that advises to collect more."""
        return "Resume it" if self.sample.experiment.status == "paused" else "Keep running"

    @property
    def wait(self) -> str:
        """The headline while nothing is decided."""
        if not any(tally.visitors > 0 for tally in self.sample.totals.values()):
            return "Waiting for visitors"
        return "Paused: nothing decided yet" if self.sample.experiment.status == "paused" else "Keep running"


def decide(
    sample: Sample, comparisons: Sequence[Comparison], checks: Sequence[Check], duration: DurationPlan, age: Age
) -> Verdict:
    """The first state that applies: invalid, collecting, winner, loser, equivalent, inconclusive."""
    findings = Findings(sample, comparisons, checks, duration, age)
    rules = (_invalid, _collecting, _winner, _loser, _equivalent)
    return next((verdict for rule in rules if (verdict := rule(findings))), None) or _inconclusive(findings)


def _invalid(findings: Findings) -> Verdict | None:
    for check in findings.checks:
        if check.state == "alarm" and check.name in FATAL:
            text = f"Stop: {check.text[:1].lower()}{check.text[1:]}"
            return Verdict("invalid", "Fix the tracking first", check.text, text, "fix", doubts=(check.name,))
    return None


def _collecting(findings: Findings) -> Verdict | None:
    """A stopped experiment keeps the result that it has."""
    if findings.stopped:
        return None
    if not findings.comparisons or findings.age.first is None:
        text = "Not every variant has had visitors yet. Is the experiment published, and the snippet on the page?"
        return Verdict("collecting", findings.wait, text, text, "wait")
    if findings.age.days >= WEEK and findings.age.week:
        return None
    ahead = [_beats(c) for c in findings.comparisons if c.decision in ("winner", "loser")]
    so_far = sentence(f"{listed(ahead)} so far, but weekdays differ. ") if ahead else ""
    days = count(max(1, WEEK - findings.age.days), "more day")
    reason = f"{so_far}Too early to judge before a full week: {days} to go."
    text = f"{so_far}{findings.go_on} for {days}: too early to judge before a full week."
    return Verdict("collecting", findings.wait, reason, text, "wait")


def _winner(findings: Findings) -> Verdict | None:
    winners = [c for c in findings.comparisons if c.decision == "winner"]
    if not winners:
        return None
    best = max(winners, key=lambda c: c.lift if c.lift is not None else float("inf"))
    others = [c.variant for c in winners if c is not best]
    too = f"; {listed(others)} {'beats' if len(others) == 1 else 'beat'} it too" if others else ""
    doubts = _doubts(findings)
    reason = sentence(f"{_beats(best)}{too}.{_short(findings)}")
    text = f"{reason} Check first: {listed(doubts)}. Then ship it." if doubts else f"{reason} Ship it."
    if findings.sample.experiment.winner == best.variant:
        headline = f"{best.variant} is live for everybody"
    else:
        headline = f"Check, then ship {best.variant}" if doubts else f"Ship {best.variant}"
    return Verdict("winner", headline, reason, text, "ship", best.variant, tuple(doubts))


def _loser(findings: Findings) -> Verdict | None:
    losers = [c for c in findings.comparisons if c.decision == "loser"]
    if not losers:
        return None
    worst = min(losers, key=lambda c: c.lift or 0.0).variant
    lost = listed([_beats(c) for c in losers])
    undecided = [c.variant for c in findings.comparisons if c.decision == "open"]
    if undecided and not findings.stopped:
        reason = sentence(f"{lost}. Drop it; {listed(undecided)} {_is(undecided)} not decided yet.")
        text = sentence(f"{lost}. Drop it. {findings.go_on} for {listed(undecided)}, not decided yet.")
        return Verdict("loser", findings.wait, reason, text, "wait", worst)
    reason = sentence(f"{lost}.{_short(findings)}")
    keep = f"Keep {findings.control}"
    return Verdict("loser", keep, reason, f"{reason} {keep}.", "keep", worst)


def _equivalent(findings: Findings) -> Verdict | None:
    if not findings.comparisons or any(c.decision != "equivalent" for c in findings.comparisons):
        return None
    variants = [c.variant for c in findings.comparisons]
    reason = sentence(f"{listed(variants)} {_is(variants)} within {percent(ROPE)} of {findings.control}.")
    text = f"{reason} Stop, and take whichever you like."
    return Verdict("equivalent", "Stop, and take either one", reason, text, "stop")


def _inconclusive(findings: Findings) -> Verdict:
    ranges = [_range(c) for c in findings.comparisons if c.decision == "open" and c.lift is not None]
    told = listed(ranges) if ranges else "too few converted to compare"
    if findings.stopped:
        keep = f"Keep {findings.control}"
        text = f"Stopped undecided: {told}. {keep}."
        return Verdict("inconclusive", keep, f"Stopped undecided: {told}.", text, "keep")
    duration = findings.duration
    if duration.needed is None or duration.days_left is None:
        text = f"{findings.go_on}: so far {told}."
        return Verdict("inconclusive", findings.wait, f"So far {told}.", text, "wait")
    aim = percent(duration.needed.lift)
    if duration.days_left > 0:
        days = count(duration.days_left, "day")
        reason = f"About {days} to detect {aim}. So far {told}."
        text = f"{findings.go_on}: about {days} to detect {aim}. So far {told}."
        return Verdict("inconclusive", findings.wait, reason, text, "wait")
    reason = sentence(f"{told}. A difference of {aim} would very likely have shown by now.")
    text = f"{reason} Stop, and try something bolder."
    return Verdict("inconclusive", "Stop, or try something bolder", reason, text, "stop")


def _is(words: Sequence[str]) -> str:
    return "is" if len(words) == 1 else "are"


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


def _doubts(findings: Findings) -> list[str]:
    """Checks that do not void the result, but that a winner should survive."""
    return [
        check.name
        for check in findings.checks
        if check.state == "alarm" or (check.state == "warning" and check.name in ("srm", "twyman", "novelty"))
    ]


def _short(findings: Findings) -> str:
    if findings.age.week and findings.age.days >= WEEK:
        return ""
    return " It ran for less than a full week, so weekdays may matter."

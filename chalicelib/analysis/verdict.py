"""What to do: the first rule that applies gives the state of the verdict.

invalid        the data are wrong
collecting     it is too early
inconclusive   a secondary metric is decided, and the primary one is not
winner         a variant beats the control
loser          a variant loses to it
equivalent     no variant differs by an amount that matters
inconclusive   none of these

A guardrail may hold a winner back (metrics/guardrails.py). A stopped experiment keeps the state; its headline says what
every visitor sees.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from chalicelib.analysis.checks.check import Check
from chalicelib.analysis.comparison import Comparison, inseparable
from chalicelib.analysis.duration.age import WEEK
from chalicelib.analysis.duration.planning import LONGEST
from chalicelib.analysis.findings import Findings
from chalicelib.analysis.wording import among, be, count, expected, listed, outcome, percent, sentence, uncertainty
from chalicelib.statistics.sequential.means import MIN_WITH_VALUE

State = Literal["invalid", "collecting", "winner", "loser", "equivalent", "inconclusive"]
Next = Literal["ship", "keep", "stop", "wait", "fix"]
FATAL = ("impossible-counts", "srm")
RANGES = 3  # of variants that are not decided; a sentence of twenty is not read


@dataclass(frozen=True)
class Verdict:
    """What the numbers say and what to do about it.

    headline: the advice, in a few words. reason: the findings, without the advice. doubts: names of the checks that
    void the result (`invalid`) or that a decision should survive first. text: evidence and advice in one paragraph.
    variant: the variant it is about, if it is about one; of several winners, the one that is most probably the best.
    candidates: winners that cannot be told apart. guardrails: metrics that hold it up. next: the advice as one word.
    """

    state: State
    headline: str
    reason: str
    text: str
    next: Next
    variant: str | None = None
    candidates: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    guardrails: tuple[str, ...] = ()


def decide(findings: Findings) -> Verdict:
    """The verdict of the first rule that applies, in the order at the top of this module."""
    rules = (_invalid, _collecting, _decided_by_another_metric, _winner, _loser, _equivalent)
    verdict = next((verdict for rule in rules if (verdict := rule(findings))), None) or _inconclusive(findings)
    return _stopped(findings, verdict) if findings.shipped else verdict


def _stopped(findings: Findings, verdict: Verdict) -> Verdict:
    """The verdict on an experiment that is over: first what every visitor gets now."""
    live = findings.shipped
    if findings.sample.experiment.winner:
        headline = f"{live} is live for everyone"
        text = f"Stopped: {headline}. "
    else:
        headline = f"Nothing was shipped: everyone sees {live}"
        text = f"Stopped. {headline}. "
    if verdict.state == "invalid":
        return replace(verdict, headline=headline, text=f"{text}Do not trust the result: {verdict.text}")
    agrees = live in verdict.candidates or live == verdict.variant
    if verdict.state == "winner" and not agrees:
        return replace(verdict, headline=headline, text=f"{text}{verdict.text}")
    advice = f" Replace {live}." if verdict.state == "loser" and agrees else ""
    return replace(
        verdict, headline=headline, text=f"{text}{verdict.reason}{advice}", next="stop" if advice else "keep"
    )


def _invalid(findings: Findings) -> Verdict | None:
    for check in findings.checks:
        if check.state == "alarm" and check.name in FATAL:
            text = check.text if findings.shipped else f"Stop: {check.text[:1].lower()}{check.text[1:]}"
            return Verdict("invalid", "Fix the tracking first", check.text, text, "fix", doubts=(check.name,))
    return None


def _collecting(findings: Findings) -> Verdict | None:
    """Too early for a result. A stopped experiment keeps the result that it has."""
    if findings.shipped:
        return None
    if not findings.comparisons or findings.age.first is None:
        text = "Not every variant has had visitors yet. Is the experiment published, and the snippet on the page?"
        return Verdict("collecting", findings.wait, text, text, "wait")
    if findings.age.full_week:
        return _too_few_values(findings)
    so_far = sentence(f"{listed(findings.decided)} so far, but weekdays differ. ") if findings.decided else ""
    days = count(max(1, WEEK - findings.age.days), "more day")
    reason = f"{so_far}Too early to decide before a full week: {days} to go."
    text = f"{so_far}{findings.continuation} for {days}: too early to decide before a full week."
    return Verdict("collecting", findings.wait, reason, text, "wait")


def _too_few_values(findings: Findings) -> Verdict | None:
    """Of a mean that no variant can be compared by yet."""
    if any(c.ready for c in findings.comparisons):
        return None
    goal, totals = findings.sample.goal, findings.sample.totals
    have = listed([f"{totals[variant].converted[goal]:,} of {variant}" for variant in totals])
    reason = (
        f"{sentence(str(findings.sample.metric))} is compared from {MIN_WITH_VALUE} visitors with a {goal} in each "
        f"variant on; so far there are {have}."
    )
    return Verdict("collecting", findings.wait, reason, f"{findings.continuation}: {reason}", "wait")


def _decided_by_another_metric(findings: Findings) -> Verdict | None:
    """A secondary metric decides nothing before the primary one is decided."""
    decided = findings.decided
    if not findings.gate or not decided:
        return None
    reason = sentence(
        f"exploratory: {listed(decided)} by {findings.sample.metric}, "
        f"but {findings.gate}, the primary metric, is not decided."
    )
    return Verdict("inconclusive", findings.wait, reason, f"{reason} Decide by {findings.gate}.", "wait")


def _winner(findings: Findings) -> Verdict | None:
    winners = [c for c in findings.comparisons if c.decision == "winner"]
    if not winners:
        return None
    chances = findings.beliefs.best
    best = max(winners, key=lambda c: chances[c.variant].p_best if c.variant in chances else 0.0)
    others = [c.variant for c in winners if c is not best]
    alike = inseparable(findings.sample, best.variant, others) if others else []
    candidates = [key for key in findings.sample.experiment.variant_keys if key in {best.variant, *alike}]
    doubts = findings.doubts
    reason = sentence(f"{outcome(best, findings.beliefs)}{_others(findings, others, alike)}.{_rivals(findings, best)}")
    reason += findings.caveat
    ship = f"ship {among(candidates)}" if alike else f"ship {best.variant}"
    text = f"{reason}{_check_first(doubts)} Then {ship}." if doubts else f"{reason} {sentence(ship)}."
    headline = f"Check, then {ship}" if doubts else sentence(ship)
    if alike:
        return Verdict("winner", headline, reason, text, "ship", best.variant, tuple(candidates), _names(doubts))
    headline = f"{headline}: {expected(best, findings.beliefs)}"
    return Verdict("winner", headline, reason, text, "ship", best.variant, doubts=_names(doubts))


def _check_first(doubts: Sequence[Check]) -> str:
    """The sentence that names the checks to look at before acting on a result; "" where there are none."""
    return f" Check first: {listed([f'“{check.title}”' for check in doubts])}." if doubts else ""


def _names(doubts: Sequence[Check]) -> tuple[str, ...]:
    return tuple(check.name for check in doubts)


def _others(findings: Findings, others: Sequence[str], alike: Sequence[str]) -> str:
    """The other winners, behind the best one."""
    if not others:
        return ""
    beat = f"; {listed(list(others))} {'beats' if len(others) == 1 else 'beat'} {findings.control} too"
    return f"{beat}, and {listed(list(alike))} cannot be told apart from the best" if alike else beat


def _rivals(findings: Findings, best: Comparison) -> str:
    """Variants that are more probably the best than the winner, although they have not beaten the control yet."""
    chances = findings.beliefs.best
    rivals = [
        c.variant
        for c in findings.comparisons
        if c.decision == "open"
        and best.variant in chances
        and c.variant in chances
        and chances[c.variant].p_best > chances[best.variant].p_best
    ]
    if not rivals:
        return ""
    return " " + sentence(f"{listed(rivals)} may be better still, but {be(rivals)} not decided yet.")


def _loser(findings: Findings) -> Verdict | None:
    losers = [c for c in findings.comparisons if c.decision == "loser"]
    if not losers:
        return None
    better = -1 if findings.sample.lower_is_better else 1
    worst = min(losers, key=lambda c: better * (c.lift or 0.0)).variant
    lost = listed([outcome(c, findings.beliefs) for c in losers])
    undecided = [c.variant for c in findings.comparisons if c.decision == "open"]
    doubts = findings.doubts
    check = _check_first(doubts)
    drop = f"Drop {listed([c.variant for c in losers])}"
    if undecided and not findings.shipped:
        reason = sentence(f"{lost}. {drop}; {listed(undecided)} {be(undecided)} not decided yet.")
        text = f"{sentence(lost)}.{check} {drop}. {findings.continuation} for {listed(undecided)}, not decided yet."
        return Verdict("loser", findings.wait, reason, text, "wait", worst, doubts=_names(doubts))
    reason = f"{sentence(lost)}.{findings.caveat}"
    keep = f"keep {findings.control}"
    text = f"{reason}{check} Then {keep}." if doubts else f"{reason} {sentence(keep)}."
    headline = f"Check, then {keep}" if doubts else sentence(keep)
    return Verdict("loser", headline, reason, text, "keep", worst, doubts=_names(doubts))


def _equivalent(findings: Findings) -> Verdict | None:
    if not findings.comparisons or any(c.decision != "equivalent" for c in findings.comparisons):
        return None
    variants = [c.variant for c in findings.comparisons]
    margin = f"within {percent(findings.duration.margin)} of {findings.control}"
    reason = sentence(f"{listed(variants)} {be(variants)} {margin}: no difference that matters.")
    doubts = findings.doubts
    text = f"{reason}{_check_first(doubts)} Stop, and keep the variant that you prefer."
    return Verdict("equivalent", "Stop: no difference that matters", reason, text, "stop", doubts=_names(doubts))


def _ranges(findings: Findings) -> str:
    """Between which lifts the variants lie that are not decided; of many, those with the largest lifts."""
    lifts = {c.variant: c.lift for c in findings.comparisons if c.decision == "open" and c.lift is not None}
    if not lifts:
        return "too few visitors converted to compare"
    shown = sorted(lifts, key=lambda variant: lifts[variant], reverse=True)[:RANGES]
    ranges = [uncertainty(c) for c in findings.comparisons if c.variant in shown]
    more = len(lifts) - len(shown)
    return listed([*ranges, f"{more} more {'is' if more == 1 else 'are'} not decided"] if more else ranges)


def _inconclusive(findings: Findings) -> Verdict:
    so_far = _ranges(findings)
    duration = findings.duration
    if findings.shipped:
        return Verdict("inconclusive", "", f"Not decided: {so_far}.", "", "keep")
    if duration.needed is None or duration.days_left is None:
        text = f"{findings.continuation}: so far {so_far}."
        return Verdict("inconclusive", findings.wait, f"So far {so_far}.", text, "wait")
    aim, bolder = percent(duration.needed.lift), "Stop, or test something bolder"
    if duration.hopeless:
        reason = f"This traffic cannot find a difference of {aim} within {LONGEST} days. So far {so_far}."
        return Verdict("inconclusive", bolder, reason, f"{reason} {bolder}.", "stop")
    if duration.days_left > 0:
        estimate = f"about {count(duration.days_left, 'day')} to detect {aim}. So far {so_far}."
        advice = f"{findings.continuation}: {estimate}"
        return Verdict("inconclusive", findings.wait, sentence(estimate), advice, "wait")
    reason = sentence(f"{so_far}. A difference of {aim} would very likely have shown by now.")
    return Verdict("inconclusive", bolder, reason, f"{reason} {bolder}.", "stop")

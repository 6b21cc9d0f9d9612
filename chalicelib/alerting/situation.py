"""From a report to the conditions that are told: verdict, guardrails, checks, traffic, end."""

from __future__ import annotations

from chalicelib.alerting.messages import Condition, Kind, Situation
from chalicelib.alerting.traffic import Quiet
from chalicelib.analysis.wording import percent
from chalicelib.reporting.answers import Report
from chalicelib.reporting.models import VerdictAnswer

# Verdicts that say that there is something to do. `inconclusive` is one only where it advises to stop.
DECISIVE: dict[str, Kind] = {"winner": "winner", "loser": "loser", "equivalent": "no-difference"}


def situation_of(report: Report, quiet: Quiet | None) -> Situation:
    """Every condition of an experiment, those with nothing to tell included.

    Args:
        report: of the primary goal, all cohorts.
        quiet: the silence of a running experiment, see `stopped_traffic`.

    Returns: conditions by topic. Of a stopped experiment, only its end."""
    if report.status == "stopped":
        return {"ended": Condition("ended", "ended", report.verdict.text)}
    situation: Situation = {"ended": Condition("ended", "", ""), "verdict": _verdict(report.verdict)}
    for guardrail in report.guardrails:
        broken = guardrail.state == "broken"
        limit = f"at most {percent(guardrail.margin)} is acceptable"
        worse = "" if guardrail.lift is None else f" by {percent(abs(guardrail.lift))}"
        text = f"{guardrail.metric} of {guardrail.variant} got worse{worse}, and {limit}."
        over = f"{guardrail.metric} of {guardrail.variant} is not proven to be worse any more; {limit}."
        situation[f"guardrail:{guardrail.metric}:{guardrail.variant}"] = Condition(
            "guardrail", "broken" if broken else "", text if broken else over
        )
    for check in report.health.checks:
        kind: Kind = "split" if check.name == "srm" else "check"
        situation[f"check:{check.name}"] = Condition(kind, "alarm" if check.state == "alarm" else "", check.text)
    if report.status == "running":
        situation["traffic"] = (
            Condition("traffic", "stopped", quiet.text) if quiet else Condition("traffic", "", "Events come again.")
        )
    return situation


def _verdict(verdict: VerdictAnswer) -> Condition:
    """What can be decided. The advice is a part of the state: from "wait for a guardrail" to "ship it" is a change."""
    if verdict.state in DECISIVE:
        state = ":".join((verdict.state, verdict.variant or "", verdict.next))
        return Condition(DECISIVE[verdict.state], state, f"{verdict.headline}. {verdict.reason}")
    if verdict.state == "inconclusive" and verdict.next == "stop":
        return Condition("undecided", "undecided", verdict.text)
    return Condition("undecided", "", verdict.text)

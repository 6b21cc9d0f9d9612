"""Guardrails: metrics that must not get worse, and what they say about shipping a winner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from chalicelib.analysis.duration.planning import GuardrailPlan, plan_guardrail
from chalicelib.analysis.metrics.means import compare_phases
from chalicelib.analysis.sample import Sample
from chalicelib.analysis.verdict import Next, Verdict
from chalicelib.analysis.wording import count, listed, percent, sentence
from chalicelib.domain.metrics import MetricName, parse_metric
from chalicelib.statistics import Interval
from chalicelib.statistics.sequential import means
from chalicelib.statistics.sequential.guardrails import GuardrailState, guardrail_test
from chalicelib.statistics.sequential.means import MIN_WITH_VALUE


@dataclass(frozen=True)
class GuardrailResult:
    """One guardrail of one variant.

    state: ok, the metric is certain to be worse by at most the margin; broken, by more; open, neither. bounds:
    one-sided confidence sequences of the lift, valid at every look. visitors_per_variant, days_left: what it takes
    until an open one is ok, if nothing differs; None where that is not known."""

    metric: str
    variant: str
    margin: float
    lower_is_better: bool
    state: GuardrailState
    lift: float | None
    bounds: Interval
    p_ok: float | None
    p_broken: float | None
    visitors_per_variant: int | None = None
    days_left: int | None = None

    @property
    def worst(self) -> float:
        """The largest relative loss that is still possible: 0.1 is 10 % worse."""
        return self.bounds.high if self.lower_is_better else -self.bounds.low

    @property
    def least(self) -> float:
        """The smallest relative loss that is still possible."""
        return self.bounds.low if self.lower_is_better else -self.bounds.high


def check_guardrails(sample: Sample, today: date | None = None) -> tuple[GuardrailResult, ...]:
    """Every guardrail of every variant but the control. No correction of α: each one can only hold a decision up.

    today: a UTC day, to plan open ones from; None: no plan."""
    results = []
    for guardrail in sample.experiment.guardrails:
        own = [
            _check(sample, guardrail.metric, guardrail.margin, variant)
            for variant in sample.experiment.variant_keys[1:]
        ]
        if today is not None and any(result.state == "open" for result in own):
            plan = plan_guardrail(sample.for_metric(parse_metric(guardrail.metric)), guardrail.margin, today)
            own = [_planned(result, plan) for result in own]
        results += own
    return tuple(results)


def _planned(result: GuardrailResult, plan: GuardrailPlan) -> GuardrailResult:
    if result.state != "open":
        return result
    return replace(result, visitors_per_variant=plan.visitors_per_variant, days_left=plan.days_left)


def _check(sample: Sample, text: str, margin: float, variant: str) -> GuardrailResult:
    metric = parse_metric(text)
    lower = metric.goal in sample.experiment.lower_is_better
    weights = sample.phase_weights[variant]
    compared = compare_phases(sample, metric, sample.experiment.control, variant, weights)
    ratio = compared.ratio if compared and _enough(sample, metric, variant) else None
    if ratio is None:
        nothing = Interval(-1.0, float("inf"))
        return GuardrailResult(text, variant, margin, lower, "open", None, nothing, None, None)
    test = guardrail_test(ratio, margin, lower_is_better=lower)
    lift = means.interval(ratio, 0.0).low
    return GuardrailResult(text, variant, margin, lower, test.state, lift, test.bounds, test.p_ok, test.p_broken)


def _enough(sample: Sample, metric: MetricName, variant: str) -> bool:
    """Whether the test is valid: a mean needs a hundred visitors with a value in each."""
    arms = (sample.totals[sample.experiment.control], sample.totals[variant])
    return metric.kind == "rate" or min(tally.converted[metric.goal] for tally in arms) >= MIN_WITH_VALUE


def hold_to_guardrails(verdict: Verdict, guardrails: Sequence[GuardrailResult], continuation: str) -> Verdict:
    """The verdict on a winner, delayed by a guardrail that is broken or not decided. Other verdicts stay.

    Where several winners cannot be told apart, the guardrails of all of them count. continuation: how a sentence begins
    that advises to collect more, such as "Keep running"."""
    if verdict.state != "winner" or verdict.next != "ship" or verdict.variant is None:
        return verdict
    shipped = verdict.candidates or (verdict.variant,)
    own = [guardrail for guardrail in guardrails if guardrail.variant in shipped]
    if broken := [guardrail for guardrail in own if guardrail.state == "broken"]:
        headline = f"Do not ship {listed(_variants(broken))}: {listed(_metrics(broken))} got worse"
        return _delayed(verdict, broken, [_broken(g) for g in broken], headline, "keep")
    if undecided := [guardrail for guardrail in own if guardrail.state == "open"]:
        headline = f"{continuation}: {listed(_metrics(undecided))} may still be worse"
        return _delayed(verdict, undecided, [_open(g) for g in undecided], headline, "wait")
    return verdict


def _delayed(
    verdict: Verdict, causes: Sequence[GuardrailResult], facts: list[str], headline: str, next_: Next
) -> Verdict:
    reason = f"{verdict.reason} {sentence(listed(facts))}."
    names = tuple(_metrics(causes))
    return replace(
        verdict, headline=headline, reason=reason, text=f"{reason} {headline}.", next=next_, guardrails=names
    )


def _metrics(guardrails: Sequence[GuardrailResult]) -> list[str]:
    return list(dict.fromkeys(guardrail.metric for guardrail in guardrails))


def _variants(guardrails: Sequence[GuardrailResult]) -> list[str]:
    return list(dict.fromkeys(guardrail.variant for guardrail in guardrails))


def _broken(guardrail: GuardrailResult) -> str:
    loss = abs(guardrail.lift) if guardrail.lift is not None else 0.0
    worse = f"{percent(loss)} worse (at least {percent(guardrail.least)})"
    return (
        f"{guardrail.metric} of {guardrail.variant} is {worse}, and at most {percent(guardrail.margin)} is acceptable"
    )


def _open(guardrail: GuardrailResult) -> str:
    margin, subject = f"at most {percent(guardrail.margin)} is acceptable", f"{guardrail.metric} of {guardrail.variant}"
    if guardrail.lift is None or guardrail.worst > 10:
        return f"{subject} has too few conversions to tell, and {margin}"
    days = f" (about {count(guardrail.days_left, 'day')} to go)" if guardrail.days_left else ""
    return f"{subject} may be up to {percent(max(0.0, guardrail.worst))} worse, and {margin}{days}"

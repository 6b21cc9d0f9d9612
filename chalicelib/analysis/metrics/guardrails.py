"""Guardrails: metrics that must not get worse, and what they say about shipping a winner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from chalicelib.analysis.metrics.means import log_ratio_of
from chalicelib.analysis.sample import Arm, Sample
from chalicelib.analysis.verdict import Verdict
from chalicelib.analysis.wording import listed, percent, sentence
from chalicelib.domain.metrics import MetricName, parse_metric
from chalicelib.statistics import Interval
from chalicelib.statistics.sequential import means
from chalicelib.statistics.sequential.guardrails import GuardrailState, guardrail_test, rate_log_ratio
from chalicelib.statistics.sequential.means import MeanLogRatio


@dataclass(frozen=True)
class GuardrailResult:
    """One guardrail of one variant.

    state: ok, the metric is certain to be worse by at most the margin; broken, by more; open, neither. bounds:
    one-sided confidence sequences of the lift, valid at every look."""

    metric: str
    variant: str
    margin: float
    lower_is_better: bool
    state: GuardrailState
    lift: float | None
    bounds: Interval
    p_ok: float | None
    p_broken: float | None

    @property
    def worst(self) -> float:
        """The largest relative loss that is still possible: 0.1 is 10 % worse."""
        return self.bounds.high if self.lower_is_better else -self.bounds.low


def check_guardrails(sample: Sample) -> tuple[GuardrailResult, ...]:
    """Every guardrail of every variant but the control. No correction of α: each one can only hold a decision up."""
    return tuple(
        _check(sample, guardrail.metric, guardrail.margin, variant)
        for guardrail in sample.experiment.guardrails
        for variant in sample.experiment.variant_keys[1:]
    )


def _check(sample: Sample, text: str, margin: float, variant: str) -> GuardrailResult:
    metric = parse_metric(text)
    lower = metric.goal in sample.experiment.lower_is_better
    ratio = _rate_ratio(sample, metric, variant) if metric.kind == "rate" else log_ratio_of(sample, metric, variant)
    if ratio is None:
        nothing = Interval(-1.0, float("inf"))
        return GuardrailResult(text, variant, margin, lower, "open", None, nothing, None, None)
    test = guardrail_test(ratio, margin, lower_is_better=lower)
    lift = means.interval(ratio, 0.0).low
    return GuardrailResult(text, variant, margin, lower, test.state, lift, test.bounds, test.p_ok, test.p_broken)


def _rate_ratio(sample: Sample, metric: MetricName, variant: str) -> MeanLogRatio | None:
    by_goal, control = sample.for_goal(metric.goal), sample.experiment.control
    ratios = (
        rate_log_ratio(
            by_goal.counted(sample.arms.get(Arm(phase, control))), by_goal.counted(sample.arms.get(Arm(phase, variant)))
        )
        for phase in sample.phases
    )
    return means.combine([ratio for ratio in ratios if ratio is not None])


def hold_to_guardrails(verdict: Verdict, guardrails: Sequence[GuardrailResult], continuation: str) -> Verdict:
    """The verdict on a winner, held up by a guardrail that is broken or not decided. Other verdicts stay.

    continuation: how a sentence begins that advises to collect more, such as "Keep running"."""
    if verdict.state != "winner" or verdict.next != "ship" or verdict.variant is None:
        return verdict
    own = [guardrail for guardrail in guardrails if guardrail.variant == verdict.variant]
    broken = [guardrail for guardrail in own if guardrail.state == "broken"]
    undecided = [guardrail for guardrail in own if guardrail.state == "open"]
    if broken:
        facts = sentence(f"{listed([_broken(g) for g in broken])}.")
        headline = f"Do not ship {verdict.variant}: {listed([g.metric for g in broken])} got worse"
        names = tuple(g.metric for g in broken)
        reason = f"{verdict.reason} {facts}"
        return replace(
            verdict, headline=headline, reason=reason, text=f"{reason} {headline}.", next="keep", guardrails=names
        )
    if undecided:
        facts = sentence(f"{listed([_open(g) for g in undecided])}.")
        names = tuple(g.metric for g in undecided)
        headline = f"{continuation}: {listed(list(names))} may still be worse"
        reason = f"{verdict.reason} {facts}"
        return replace(
            verdict, headline=headline, reason=reason, text=f"{reason} {headline}.", next="wait", guardrails=names
        )
    return verdict


def _broken(guardrail: GuardrailResult) -> str:
    loss = abs(guardrail.lift) if guardrail.lift is not None else 0.0
    return f"{guardrail.metric} is {percent(loss)} worse, and at most {percent(guardrail.margin)} is acceptable"


def _open(guardrail: GuardrailResult) -> str:
    margin = f"at most {percent(guardrail.margin)} is acceptable"
    if guardrail.lift is None or guardrail.worst > 10:
        return f"{guardrail.metric} has too few conversions to tell, and {margin}"
    return f"{guardrail.metric} may be up to {percent(max(0.0, guardrail.worst))} worse, and {margin}"

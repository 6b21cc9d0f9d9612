"""One experiment's tallies as the answers of GET /stats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from chalicelib.analysis import comparison_details
from chalicelib.analysis.checks import health
from chalicelib.analysis.checks.health import Health
from chalicelib.analysis.checks.ledger import Ledger
from chalicelib.analysis.comparison import is_stratified
from chalicelib.analysis.duration.age import Age, age
from chalicelib.analysis.duration.planning import DurationPlan, plan
from chalicelib.analysis.findings import Findings
from chalicelib.analysis.metrics.family import MetricResult, compare_metrics, primary_metric
from chalicelib.analysis.metrics.guardrails import GuardrailResult, check_guardrails, hold_to_guardrails
from chalicelib.analysis.posterior import Posterior, posterior
from chalicelib.analysis.sample import Sample, Window, possible, select
from chalicelib.analysis.standardisation import Standardisation
from chalicelib.analysis.verdict import Verdict, decide
from chalicelib.domain.clock import iso, utc_day
from chalicelib.domain.manifest import CLICK, Experiment
from chalicelib.domain.metrics import MetricName, parse_metric
from chalicelib.reporting.answers import DayAnswer, HourAnswer, Report, Summary
from chalicelib.reporting.history import live, phases
from chalicelib.reporting.metrics import mean_answers, metric_answer, metric_answers
from chalicelib.reporting.series import by_day, by_hour
from chalicelib.reporting.variants import variant_rows
from chalicelib.statistics import ALPHA, TAUS, multiple_testing
from chalicelib.storage.tally import EXCLUSIONS, FLAGS, Tallies

Series = Literal["none", "day", "hour"]


@dataclass(frozen=True)
class Question:
    """What GET /stats/{experiment} asks.

    goal: a metric by name, such as signup or purchase.value; None is the primary one. start, end: UTC days of the
    first impression, both included; with either of them, the numbers are those of these cohorts: visitors first seen
    then, and what they have done until now. baseline: what the variants are compared with; None: the control."""

    goal: str | None = None
    series: Series = "day"
    start: date | None = None
    end: date | None = None
    baseline: str | None = None


@dataclass(frozen=True)
class ReportContext:
    """What is known besides the tallies. `now_ms`: epoch milliseconds; `began`: the day of the first cohort, where the
    tallies have no days; `entries`: the ledger, None where it was not read; `refused`: events by outcome."""

    now_ms: int
    began: date | None = None
    entries: Ledger | None = None
    refused: Mapping[str, int] | None = None


@dataclass(frozen=True)
class Analysis:
    """Everything that both answers are made of, so that the list and the report agree."""

    sample: Sample
    metrics: dict[MetricName, MetricResult]
    standardisation: Standardisation
    beliefs: Posterior
    checks: Health
    duration: DurationPlan
    age: Age
    verdict: Verdict
    guardrails: tuple[GuardrailResult, ...]


def analyse(experiment: Experiment, tallies: Tallies, question: Question, context: ReportContext) -> Analysis:
    """Compare, check, plan and decide, by one metric."""
    name = parse_metric(question.goal or experiment.primary)
    window = Window(question.start, question.end)
    sample = select(experiment, tallies, name.goal, window, context.began).for_metric(name)
    metrics = compare_metrics(sample)
    metric = metrics[name]
    standardisation = Standardisation(sample)
    beliefs = posterior(standardisation, [c.pair for c in metric.comparisons])
    checks = health.assess(sample, metric.comparisons, entries=context.entries, refused=context.refused or {})
    findings = Findings(
        sample=sample,
        comparisons=metric.comparisons,
        checks=checks.checks,
        duration=plan(sample, utc_day(context.now_ms)),
        age=age(sample, context.now_ms),
        beliefs=beliefs,
        gate=None if metric.confirmatory else str(primary_metric(experiment)),
    )
    guardrails = check_guardrails(sample, utc_day(context.now_ms))
    verdict = hold_to_guardrails(decide(findings), guardrails, findings.continuation)
    return Analysis(
        sample, metrics, standardisation, beliefs, checks, findings.duration, findings.age, verdict, guardrails
    )


def summary(experiment: Experiment, tallies: Tallies, context: ReportContext) -> Summary:
    """One entry in the list of GET /stats, by the primary metric."""
    analysis = analyse(experiment, tallies, Question(), context)
    sample = analysis.sample
    variants = variant_rows(analysis.standardisation)
    return Summary.model_validate(
        {
            "experiment": experiment.key,
            "description": experiment.description,
            "status": experiment.status,
            "shipped": experiment.winner,
            "live": live(experiment),
            "goal": sample.goal,
            "metric": metric_answer(sample),
            "verdict": analysis.verdict,
            "health": analysis.checks.state,
            "impressions": sum(row.impressions for row in variants),
            "clicks": sum(row.clicks for row in variants),
            "visitors": sum(row.visitors for row in variants),
            "converted": sum(row.converted for row in variants),
            "variants": [
                {"variant": row.variant, "control": row.control, "visitors": row.visitors}
                | {"converted": row.converted, "rate": row.rate, "rate_interval": row.rate_interval}
                | {"mean": row.mean, "mean_interval": row.mean_interval}
                for row in variants
            ],
            "comparisons": [
                {"variant": c.variant, "control": c.control, "decision": c.decision, "lift": c.lift}
                | {"lift_interval": c.lift_interval if c.ready else None, "p": c.p if c.ready else None}
                for c in analysis.metrics[sample.metric].comparisons
            ],
        }
    )


def report(experiment: Experiment, tallies: Tallies, question: Question, context: ReportContext) -> Report:
    """GET /stats/{experiment}, from the experiment's tallies."""
    analysis = analyse(experiment, tallies, question, context)
    # Another baseline changes the comparisons, and nothing that the verdict rests on.
    baseline = question.baseline or experiment.control
    is_control = baseline == experiment.control
    compared = analysis if is_control else analyse(_against(experiment, baseline), tallies, question, context)
    sample, checks, totals = compared.sample, analysis.checks, analysis.sample.totals.values()
    comparisons = compared.metrics[sample.metric].comparisons
    # The exact test conditions on the configured split, so it needs the split to be right.
    exact = checks.split.state != "alarm" and experiment.assignment == "hash"
    return Report.model_validate(
        {
            "experiment": experiment.key,
            "description": experiment.description,
            "hypothesis": experiment.hypothesis,
            "status": experiment.status,
            "assignment": experiment.assignment,
            "shipped": experiment.winner,
            "live": live(experiment),
            "goal": sample.goal,
            "metric": metric_answer(sample),
            "goals": [CLICK, *experiment.goals],
            "as_of": iso(context.now_ms),
            "window": {"from": question.start, "to": question.end},
            "phase": experiment.current_phase,
            "baseline": baseline,
            "phases": phases(analysis.sample),
            "alpha": ALPHA,
            "taus": TAUS,
            "stratified": is_stratified(comparisons),
            "age": analysis.age,
            "variants": variant_rows(analysis.standardisation, analysis.beliefs),
            "comparisons": comparison_details.comparisons(
                compared.standardisation, comparisons, compared.beliefs, exact=exact
            ),
            "primary": experiment.primary,
            "metrics": metric_answers(compared.metrics),
            "means": mean_answers(compared.metrics),
            "guardrails": analysis.guardrails,
            "omnibus": _omnibus(analysis.sample),
            "segments": [segment.name for segment in experiment.segments],
            "health": {
                "state": checks.state,
                "checks": checks.checks,
                "srm": checks.split.figures,
                "conservation": context.entries,
                "multiple_variants": sum(tally.flagged["multiple-variants"] for tally in totals),
            },
            "excluded": {reason: sum(tally.excluded[reason] for tally in totals) for reason in EXCLUSIONS},
            "flagged": {flag: sum(tally.flagged[flag] for tally in totals) for flag in FLAGS},
            "refused": context.refused or {},
            "plan": _plan(analysis.duration),
            "verdict": analysis.verdict,
            "series": _series(sample, question.series),
        }
    )


def _against(experiment: Experiment, baseline: str) -> Experiment:
    """The same experiment with `baseline` in the control's place. For comparisons only: the order of the variants is
    also that of the hash's ranges, so no visitor may be assigned by it."""
    order = sorted(range(len(experiment.variants)), key=lambda i: experiment.variants[i].key != baseline)
    fields = {name: getattr(experiment, name) for name in Experiment.model_fields}
    fields["variants"] = tuple(experiment.variants[i] for i in order)
    fields["phases"] = tuple(
        phase.model_copy(update={"weights": tuple(phase.weights[i] for i in order)}) for phase in experiment.phases
    )
    return Experiment(**fields)


def _series(sample: Sample, series: Series) -> tuple[DayAnswer, ...] | tuple[HourAnswer, ...]:
    if series == "none":
        return ()
    return by_day(sample) if series == "day" else by_hour(sample)


def _omnibus(sample: Sample) -> multiple_testing.GTest | None:
    """Several variants at once. Only within a single phase: adding phases up would compare their mixtures."""
    counts = [sample.counts(variant) for variant in sample.experiment.variant_keys]
    if len(sample.phases) != 1 or len(counts) < 3 or not all(possible(c) for c in counts):
        return None
    return multiple_testing.g_test(counts)


def _plan(duration: DurationPlan) -> dict[str, float | int | None]:
    needed = duration.needed
    return {
        "rate": needed.rate if needed else None,
        "mean": needed.mean if needed else None,
        "spread": needed.spread if needed else None,
        "lift": needed.lift if needed else None,
        "power": needed.power if needed else None,
        "visitors_per_variant": duration.visitors_per_variant,
        "visitors_per_variant_fixed": duration.visitors_per_variant_fixed,
        "visitors_per_day": duration.visitors_per_day,
        "missing": duration.missing,
        "days_left": duration.days_left,
        "days": duration.days,
        "mde_reached": duration.mde_reached,
        "margin": duration.margin,
        "equivalence_visitors_per_variant": duration.equivalence_visitors,
        "equivalence_days_left": duration.equivalence_days_left,
    }

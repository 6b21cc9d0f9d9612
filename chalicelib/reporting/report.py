"""One experiment's tallies as the answers of GET /stats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from chalicelib.analysis import secondary
from chalicelib.analysis.checks import health
from chalicelib.analysis.checks.health import Health
from chalicelib.analysis.checks.ledger import Ledger
from chalicelib.analysis.comparison import is_stratified
from chalicelib.analysis.metrics.goals import MetricResult, compare_goals, primary_goal
from chalicelib.analysis.metrics.guardrails import GuardrailResult, check_guardrails, hold_to_guardrails
from chalicelib.analysis.metrics.means import compare_means
from chalicelib.analysis.planning import Age, DurationPlan, age, plan
from chalicelib.analysis.posterior import Posterior, posterior
from chalicelib.analysis.sample import Sample, Window, possible, select
from chalicelib.analysis.standardisation import Standardisation
from chalicelib.analysis.verdict import Findings, Verdict, decide
from chalicelib.domain.clock import iso, utc_day
from chalicelib.domain.manifest import CLICK, Experiment
from chalicelib.reporting.answers import DayAnswer, HourAnswer, Report, Summary
from chalicelib.reporting.history import live, phases
from chalicelib.reporting.metrics import mean_answers, metric_answers
from chalicelib.reporting.series import by_day, by_hour
from chalicelib.reporting.variants import variant_rows
from chalicelib.statistics import ALPHA, TAUS, multiple_testing
from chalicelib.storage.tally import EXCLUSIONS, FLAGS, Tallies

Series = Literal["none", "day", "hour"]


@dataclass(frozen=True)
class Question:
    """What GET /stats/{experiment} asks.

    goal: None is the primary one. start, end: UTC days of the first impression, both included; with either of them, the
    numbers are those of these cohorts: visitors first seen then, and what they have done until now."""

    goal: str | None = None
    series: Series = "day"
    start: date | None = None
    end: date | None = None


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
    metrics: dict[str, MetricResult]
    standardisation: Standardisation
    beliefs: Posterior
    checks: Health
    duration: DurationPlan
    age: Age
    verdict: Verdict
    guardrails: tuple[GuardrailResult, ...]


def analyse(experiment: Experiment, tallies: Tallies, question: Question, context: ReportContext) -> Analysis:
    """Compare, check, plan and decide, for one goal."""
    goal = question.goal or primary_goal(experiment)
    sample = select(experiment, tallies, goal, Window(question.start, question.end), context.began)
    metrics = compare_goals(sample)
    metric = metrics[goal]
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
        gate=None if metric.confirmatory else primary_goal(experiment),
    )
    guardrails = check_guardrails(sample)
    verdict = hold_to_guardrails(decide(findings), guardrails, findings.continuation)
    return Analysis(
        sample, metrics, standardisation, beliefs, checks, findings.duration, findings.age, verdict, guardrails
    )


def summary(experiment: Experiment, tallies: Tallies, context: ReportContext) -> Summary:
    """One entry in the list of GET /stats, for the primary goal."""
    analysis = analyse(experiment, tallies, Question(), context)
    variants = variant_rows(analysis.standardisation)
    return Summary.model_validate(
        {
            "experiment": experiment.key,
            "description": experiment.description,
            "status": experiment.status,
            "shipped": experiment.winner,
            "live": live(experiment),
            "goal": analysis.sample.goal,
            "verdict": analysis.verdict,
            "health": analysis.checks.state,
            "impressions": sum(row.impressions for row in variants),
            "clicks": sum(row.clicks for row in variants),
            "visitors": sum(row.visitors for row in variants),
            "converted": sum(row.converted for row in variants),
            "variants": [
                {"variant": row.variant, "control": row.control, "visitors": row.visitors}
                | {"converted": row.converted, "rate": row.rate, "rate_interval": row.rate_interval}
                for row in variants
            ],
            "comparisons": [
                {"variant": c.variant, "control": c.control, "decision": c.decision}
                | {"lift": c.lift, "lift_interval": c.lift_interval, "p": c.p}
                for c in analysis.metrics[analysis.sample.goal].comparisons
            ],
        }
    )


def report(experiment: Experiment, tallies: Tallies, question: Question, context: ReportContext) -> Report:
    """GET /stats/{experiment}, from the experiment's tallies."""
    analysis = analyse(experiment, tallies, question, context)
    sample, checks, totals = analysis.sample, analysis.checks, analysis.sample.totals.values()
    comparisons = analysis.metrics[sample.goal].comparisons
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
            "goals": [CLICK, *experiment.goals],
            "as_of": iso(context.now_ms),
            "window": {"from": question.start, "to": question.end},
            "phase": experiment.current_phase,
            "phases": phases(sample),
            "alpha": ALPHA,
            "taus": TAUS,
            "stratified": is_stratified(comparisons),
            "age": analysis.age,
            "variants": variant_rows(analysis.standardisation, analysis.beliefs),
            "comparisons": secondary.comparisons(analysis.standardisation, comparisons, analysis.beliefs, exact=exact),
            "primary": experiment.primary,
            "metrics": metric_answers(analysis.metrics),
            "means": mean_answers(compare_means(sample)),
            "guardrails": analysis.guardrails,
            "omnibus": _omnibus(sample),
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

"""One experiment's tallies as the answers of GET /stats: what happened, how sure it is, what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from chalicelib.analysis import secondary
from chalicelib.analysis.bayesian import believe
from chalicelib.analysis.checks import health
from chalicelib.analysis.checks.ledger import Ledger
from chalicelib.analysis.comparison import compare, is_stratified, tau_of
from chalicelib.analysis.planning import DurationPlan, age, plan
from chalicelib.analysis.sample import Sample, Window, possible, select
from chalicelib.analysis.standardisation import Comparable
from chalicelib.analysis.verdict import decide
from chalicelib.domain.clock import iso, utc_day
from chalicelib.domain.manifest import CLICK, Experiment
from chalicelib.reporting.answers import Report, Summary
from chalicelib.reporting.history import live, phases
from chalicelib.reporting.series import by_day, by_hour
from chalicelib.reporting.variants import variant_rows
from chalicelib.statistics import ALPHA, multiple_testing
from chalicelib.storage.tally import EXCLUSIONS, FLAGS, Tallies

Series = Literal["none", "day", "hour"]


@dataclass(frozen=True)
class Question:
    """What GET /stats/{experiment} asks. `start`, `end`: UTC days of the first impression, both included; with either
    of them, the numbers are those of these cohorts: visitors first seen then, and what they have done until now."""

    goal: str = CLICK
    series: Series = "day"
    start: date | None = None
    end: date | None = None


@dataclass(frozen=True)
class ReportContext:
    """What is known beside the tallies. `now_ms`: epoch milliseconds; `began`: the day of the first cohort, where the
    tallies have no days; `entries`: the ledger, None where it was not read; `refused`: events by outcome."""

    now_ms: int
    began: date | None = None
    entries: Ledger | None = None
    refused: Mapping[str, int] | None = None


def summary(experiment: Experiment, totals: Tallies, context: ReportContext) -> Summary:
    """One entry in the list of GET /stats, for the goal that every experiment has."""
    sample = select(experiment, totals, CLICK, Window(), context.began)
    comparisons = compare(sample)
    checks = health.assess(sample, comparisons, entries=None, refused={})
    duration = plan(sample, utc_day(context.now_ms))
    variants = variant_rows(Comparable(sample))
    return Summary.model_validate(
        {
            "experiment": experiment.key,
            "description": experiment.description,
            "status": experiment.status,
            "shipped": experiment.winner,
            "live": live(experiment),
            "goal": CLICK,
            "verdict": decide(sample, comparisons, checks.checks, duration, age(sample, context.now_ms)),
            "health": checks.state,
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
                for c in comparisons
            ],
        }
    )


def report(experiment: Experiment, tallies: Tallies, question: Question, context: ReportContext) -> Report:
    """GET /stats/{experiment}, from the experiment's tallies."""
    sample = select(experiment, tallies, question.goal, Window(question.start, question.end), context.began)
    refused = context.refused or {}
    comparisons = compare(sample)
    checks = health.assess(sample, comparisons, entries=context.entries, refused=refused)
    duration = plan(sample, utc_day(context.now_ms))
    experiment_age = age(sample, context.now_ms)
    comparable = Comparable(sample)
    beliefs = believe(comparable)
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
            "goal": question.goal,
            "goals": [CLICK, *experiment.goals],
            "as_of": iso(context.now_ms),
            "window": {"from": question.start, "to": question.end},
            "phase": experiment.current_phase,
            "phases": phases(sample),
            "alpha": ALPHA,
            "tau": tau_of(sample),
            "stratified": is_stratified(comparisons),
            "age": experiment_age,
            "variants": variant_rows(comparable, beliefs),
            "comparisons": secondary.comparisons(comparable, comparisons, beliefs, exact=exact),
            "omnibus": _omnibus(sample),
            "health": {
                "state": checks.state,
                "checks": checks.checks,
                "srm": checks.split.figures,
                "conservation": context.entries,
                "multiple_variants": sum(t.flagged["multiple-variants"] for t in sample.totals.values()),
            },
            "excluded": {
                reason: sum(tally.excluded[reason] for tally in sample.totals.values()) for reason in EXCLUSIONS
            },
            "flagged": {flag: sum(tally.flagged[flag] for tally in sample.totals.values()) for flag in FLAGS},
            "refused": refused,
            "plan": _plan(duration),
            "verdict": decide(sample, comparisons, checks.checks, duration, experiment_age),
            "series": by_day(sample)
            if question.series == "day"
            else by_hour(sample)
            if question.series == "hour"
            else (),
        }
    )


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
    }

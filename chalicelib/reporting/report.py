"""The answer of GET /stats: what happened, how sure we are, what to do next. As JSON would have it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Literal

from chalicelib.analysis import secondary
from chalicelib.analysis.bayesian import believe
from chalicelib.analysis.checks import health
from chalicelib.analysis.checks.check import worst
from chalicelib.analysis.comparison import compare, is_stratified, tau_of
from chalicelib.analysis.planning import Plan, age, plan
from chalicelib.analysis.sample import Sample, Window, possible, select
from chalicelib.analysis.standardisation import Comparable
from chalicelib.analysis.verdict import judge
from chalicelib.domain.manifest import CLICK, Experiment
from chalicelib.reporting.history import phases
from chalicelib.reporting.serialization import wire
from chalicelib.reporting.series import by_day, by_hour
from chalicelib.reporting.variants import rows
from chalicelib.statistics import ALPHA, multiple_testing
from chalicelib.storage.tally import EXCLUSIONS, Tallies

Series = Literal["none", "day", "hour"]


def summary(experiment: Experiment, totals: Tallies, *, began: date | None = None, now: datetime) -> dict[str, Any]:
    """One entry of GET /stats' list, for the goal that every experiment has. `began`: day of the first cohort."""
    sample = select(experiment, totals, CLICK, Window(), began)
    comparisons = compare(sample)
    checks = health.checks(sample, comparisons, conservation={}, refused={})
    verdict = judge(sample, comparisons, checks, plan(sample, now.astimezone(UTC).date()), now)
    variants = rows(Comparable(sample))
    answer: dict[str, Any] = wire(
        {
            "experiment": experiment.key,
            "description": experiment.description,
            "status": experiment.status,
            "shipped": experiment.winner,
            "goal": CLICK,
            "verdict": verdict,
            "health": worst(checks),
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
    return answer


def report(
    experiment: Experiment,
    tallies: Tallies,
    *,
    goal: str = CLICK,
    series: Series = "day",
    start: date | None = None,
    end: date | None = None,
    began: date | None = None,
    now: datetime,
    conservation: Mapping[str, Any],
    refused: Mapping[str, int],
) -> dict[str, Any]:
    """GET /stats/{experiment}. With start or end, the numbers are those of the cohorts of these UTC days, both
    included: visitors first seen then, and what they have done until now. `began`: the first cohort's day, where
    `tallies` have no days."""
    sample = select(experiment, tallies, goal, Window(start, end), began)
    comparisons = compare(sample)
    checks = health.checks(sample, comparisons, conservation=conservation, refused=refused)
    outlook = plan(sample, now.astimezone(UTC).date())
    comparable = Comparable(sample)
    beliefs = believe(comparable)
    split = next(check for check in checks if check.name == "srm")
    # The clickers' test believes the split.
    exact = split.state != "alarm" and experiment.assignment == "hash"
    answer: dict[str, Any] = wire(
        {
            "experiment": experiment.key,
            "description": experiment.description,
            "hypothesis": experiment.hypothesis,
            "status": experiment.status,
            "assignment": experiment.assignment,
            "shipped": experiment.winner,
            "goal": goal,
            "goals": [CLICK, *experiment.goals],
            "as_of": now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "window": {"from": start, "to": end, "by": "UTC day of the visitor's first impression"},
            "phase": experiment.current_phase,
            "phases": phases(sample),
            "alpha": ALPHA,
            "tau": tau_of(sample),
            "stratified": is_stratified(comparisons),
            "age": age(sample, now),
            "variants": rows(comparable, beliefs),
            "comparisons": secondary.comparisons(comparable, comparisons, beliefs, exact=exact),
            "omnibus": _omnibus(sample),
            "health": {
                "state": worst(checks),
                "checks": checks,
                "srm": split.figures,
                "conservation": conservation,
                "multiple_variants": sum(t.excluded["multiple-variants"] for t in sample.totals.values()),
            },
            "excluded": {
                reason: sum(tally.excluded[reason] for tally in sample.totals.values()) for reason in EXCLUSIONS
            },
            "refused": refused,
            "plan": _plan(outlook),
            "verdict": judge(sample, comparisons, checks, outlook, now),
            "series": by_day(sample) if series == "day" else by_hour(sample) if series == "hour" else [],
        }
    )
    return answer


def _omnibus(sample: Sample) -> multiple_testing.GTest | None:
    """Several variants at once. Only within a single phase: adding phases up would compare their mixtures."""
    counts = [sample.counts(variant) for variant in sample.experiment.variant_keys]
    if len(sample.phases) != 1 or len(counts) < 3 or not all(possible(c) for c in counts):
        return None
    return multiple_testing.g_test(counts)


def _plan(outlook: Plan) -> dict[str, Any]:
    needed = outlook.needed
    return {
        "rate": needed.rate if needed else None,
        "lift": needed.lift if needed else None,
        "power": needed.power if needed else None,
        "visitors_per_variant": outlook.visitors_per_variant,
        "visitors_per_variant_fixed": outlook.visitors_per_variant_fixed,
        "visitors_per_day": outlook.visitors_per_day,
        "missing": outlook.missing,
        "days_left": outlook.days_left,
        "days": outlook.days,
        "mde_reached": outlook.mde_reached,
    }

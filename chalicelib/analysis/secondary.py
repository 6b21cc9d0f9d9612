"""What stands beside the decision: the fixed-horizon reading, the exact one, the Bayesian one, CTR, and what a
winner's lift is worth. For the reader; the verdict uses none of it."""

from __future__ import annotations

import math
from typing import Any

from chalicelib.analysis.bayesian import Beliefs
from chalicelib.analysis.comparison import Comparison, Pair
from chalicelib.analysis.sample import Arm, Sample, possible
from chalicelib.analysis.standardisation import Comparable
from chalicelib.statistics import ALPHA, Interval, multiple_testing
from chalicelib.statistics.effects import Shrunk, difference_interval, shrink
from chalicelib.statistics.numerics import normal
from chalicelib.statistics.ratio import ratio_test
from chalicelib.statistics.sequential import conditional
from chalicelib.statistics.stratified import walter

_NOTHING: dict[str, Any] = dict.fromkeys(
    ("lift", "lift_interval", "lift_shrunk", "p", "p_unadjusted", "evidence", "exact_p", "fixed")
)


def comparisons(
    comparable: Comparable, found: list[Comparison], beliefs: Beliefs, *, exact: bool
) -> list[dict[str, Any]]:
    """One for every variant but the control, with nulls for one that cannot be compared yet. exact: whether the
    split may be believed, as the clickers' test does."""
    sample, by_variant = comparable.sample, {c.variant: c for c in found}
    control = sample.experiment.control
    p_values = [normal.two_sided(c.pair.evidence.z) for c in found]
    adjusted = zip(multiple_testing.holm(p_values), multiple_testing.benjamini_hochberg(p_values), strict=True)
    fixed = {c.variant: _fixed(c.pair, *pair, len(found)) for c, pair in zip(found, adjusted, strict=True)}
    answer = []
    for variant in sample.experiment.variant_keys[1:]:
        one: dict[str, Any] = {"variant": variant, "control": control, "decision": "open", "phases": 0} | _NOTHING
        if c := by_variant.get(variant):
            one |= {
                "decision": c.decision,
                "phases": len(c.strata),
                "lift": c.lift,
                "lift_interval": c.lift_interval,
                "lift_shrunk": _shrunk(c.pair),
                "p": c.p,
                "p_unadjusted": c.pair.evidence.p,
                "evidence": c.pair.evidence,
                "exact_p": _exact(sample, c.pair) if exact else None,
                "fixed": fixed[variant],
            }
        one |= {"bayes": _bayes(beliefs, control, variant), "ctr": _ctr(comparable, variant)}
        answer.append(one)
    return answer


def _fixed(pair: Pair, holm: float, bh: float, comparisons: int) -> dict[str, Any]:
    """For one look at a moment chosen beforehand. Intervals hold for all comparisons at once."""
    z, bar = pair.evidence.z, normal.critical(ALPHA / comparisons)
    difference, interval = None, None
    if len(pair.strata) == 1:
        a, b = pair.strata[0]
        difference = b.converted / b.visitors - a.converted / a.visitors
        interval = difference_interval(a, b, bar)
    return {
        "z": z,
        "p": normal.two_sided(z),
        "ln_p": normal.ln_two_sided(z),
        "p_holm": holm,
        "p_bh": bh,
        "lift_interval": pair.interval(bar),
        "difference": difference,
        "difference_interval": interval,
    }


def _shrunk(pair: Pair) -> Shrunk:
    """From the log ratio with half a conversion added, averaged over phases by precision."""
    points = [walter(*stratum) for stratum in pair.strata]
    precision = math.fsum(1 / variance for _, variance in points)
    mean = math.fsum(y / variance for y, variance in points) / precision
    return shrink(mean, 1 / math.sqrt(precision), pair.tau)


def _exact(sample: Sample, pair: Pair) -> float | None:
    """By the configured weights, in the phases in which both arms have one."""
    keys = sample.experiment.variant_keys
    own, phases = keys.index(pair.variant), []
    for phase in sample.phases:
        weights = sample.weights(phase)
        if weights and weights[0] > 0 and weights[own] > 0:
            a, b = (sample.counted(sample.arms.get(Arm(phase, keys[i]))) for i in (0, own))
            if possible(a) and possible(b):
                phases.append(conditional.Clickers(a.converted, b.converted, weights[0], weights[own]))
    return conditional.exact_evidence(phases, pair.tau).p if phases else None


def _bayes(beliefs: Beliefs, control: str, variant: str) -> dict[str, Any]:
    found = beliefs.lift(control, variant)
    if found is None:
        return {"p_better": None, "lift": None, "lift_interval": None}
    return {"p_better": found.p_better, "lift": found.median, "lift_interval": Interval(found.low, found.high)}


def _ctr(comparable: Comparable, variant: str) -> dict[str, Any] | None:
    """CTR beside the control's, for one look; errors by visitor."""
    a, b = comparable.ctr(comparable.sample.experiment.control), comparable.ctr(variant)
    test = ratio_test(a, b)
    if test is None or test.se == 0:
        return None
    reach = normal.critical(ALPHA) * test.se
    interval = Interval(test.difference - reach, test.difference + reach)
    lift = test.difference / a.ctr if a.ctr else None
    return {"lift": lift, "difference": test.difference, "difference_interval": interval, "z": test.z, "p": test.p}

"""Measurements of what stands next to the decision: chances to be best, the split alarm, time to a decision, visitors
who saw two variants. Each is one experiment, so that `abacus prove` can spread them over processes."""

from __future__ import annotations

import math
from random import Random
from typing import NamedTuple

from abacus.simulation.pitfalls import growthbook_decides
from abacus.simulation.random_counts import binomial, multinomial
from chalicelib.statistics import Counts, srm
from chalicelib.statistics.power import sample_size
from chalicelib.statistics.sequential import lift_evidence
from chalicelib.statistics.shrinkage import log_ratio, shrink
from chalicelib.statistics.stratified import Stratum, combine

LOOKS = 200


class Claim(NamedTuple):
    """The chance to be best that is claimed for the leading variant, with a flat prior too, and whether it is."""

    claimed: float
    flat: float
    true: bool


def chance_to_be_best(spread: float, rate: float, visitors: int, rng: Random) -> Claim:
    """One experiment whose true log ratio is N(0, spread²), `visitors` in each arm."""
    lift = math.exp(rng.gauss(0.0, spread))
    a, b = (binomial(rng, visitors, r) for r in (rate, min(1.0, rate * lift)))
    ratio = log_ratio((a, visitors), (b, visitors))
    se = math.sqrt(ratio.variance)
    claimed, flat = (shrink(ratio.mean, se, *prior).p_positive for prior in ((), ([100.0],)))
    return Claim(max(claimed, 1 - claimed), max(flat, 1 - flat), (lift > 1) == (ratio.mean > 0))


class Alarm(NamedTuple):
    """The visitors at which an alarm was first raised, by the e-value of 100 and by χ² with p < 0.001; None: never."""

    evidence: int | None
    chi2: int | None


def split_alarm(share: float, visitors: int, rng: Random) -> Alarm:
    """One experiment with a 50/50 split in which `share` of the visitors reach b."""
    counts, evidence, chi2 = [0, 0], None, None
    for look in range(1, LOOKS + 1):
        total = round(10 * (visitors / 10) ** (look / LOOKS))
        new = multinomial(rng, total - sum(counts), (1 - share, share))
        counts = [n + more for n, more in zip(counts, new, strict=True)]
        if evidence is None and srm.split_evidence([(counts, (0.5, 0.5))]).p <= 0.01:
            evidence = total
        if chi2 is None and srm.split_test(counts, (0.5, 0.5)).p < 0.001:
            chi2 = total
    return Alarm(evidence, chi2)


class DecisionTime(NamedTuple):
    """When a real lift was decided, as a share of the visitors of a single look with 80 % power; infinity: not by 4."""

    abacus: float
    growthbook: float


def time_to_decision(rate: float, lift: float, rng: Random) -> DecisionTime:
    """One experiment with an even split and a real lift, looked at 100 times until four times these visitors."""
    n = sample_size(rate, lift)
    counts, abacus, growthbook = [0, 0, 0], math.inf, math.inf
    for look in range(1, 101):
        each = round(4 * n * look / 100)
        counts[0] += binomial(rng, each - counts[2], rate)
        counts[1] += binomial(rng, each - counts[2], rate * (1 + lift))
        counts[2] = each
        a, b = Counts(counts[0], each), Counts(counts[1], each)
        if abacus == math.inf and lift_evidence.evidence(a, b).p <= 0.05:
            abacus = each / n
        if growthbook == math.inf and growthbook_decides(a, b):
            growthbook = each / n
        if abacus < math.inf and growthbook < math.inf:
            break
    return DecisionTime(abacus, growthbook)


class Bias(NamedTuple):
    """The measured log ratio without any difference: visitors who saw both variants by their first, or excluded."""

    first: float
    excluded: float


def change_of_weights(visitors: int, rng: Random) -> Bias:
    """A split of 90/10, then 50/50, and clients that store nothing: a visitor whose bucket changes sides sees both.

    Each visitor comes once or more in each phase (geometric, mean 2) and converts at each visit with 3 %: frequent
    visitors convert more, and see both variants more often.
    """
    first = [[[0, 0], [0, 0]], [[0, 0], [0, 0]]]  # phase → variant → [visitors, converted]
    excluded = [[[0, 0], [0, 0]], [[0, 0], [0, 0]]]
    for _ in range(visitors):
        bucket = rng.random()
        mean = 1 / (1 - rng.random())  # visits differ a lot between visitors
        visits = [min(20, int(-math.log(1 - rng.random()) * min(mean, 10.0) / 2)) for _ in range(2)]
        if not any(visits):
            continue
        variants = [int(bucket >= 0.9), int(bucket >= 0.5)]
        phase = 0 if visits[0] else 1
        converted = int(rng.random() > 0.97 ** sum(visits))
        for table in (first, excluded):
            if table is excluded and all(visits) and variants[0] != variants[1]:
                continue
            table[phase][variants[phase]][0] += 1
            table[phase][variants[phase]][1] += converted
    return Bias(*(_log_ratio(table) for table in (first, excluded)))


def _log_ratio(table: list[list[list[int]]]) -> float:
    strata = [Stratum(Counts(a[1], a[0]), Counts(b[1], b[0])) for a, b in table]
    return math.log(combine(strata).ratio or 1.0)

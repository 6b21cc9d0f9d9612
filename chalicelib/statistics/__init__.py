"""Statistical routines: pure functions over counts, standard library only.

rates             one variant's rate (Wilson), two variants' pooled z
effects           relative lift and difference by score intervals (Koopman, Mee), fixed horizon
ratio             CTR, a ratio of sums: its error comes from visitors, not from impressions
stratified        phases or days compared within each, then combined (Mantel-Haenszel)
srm               sample ratio mismatch: did the split come out as configured?
shrinkage         posterior of the lift, chance to be best, expected loss
multiple_testing  Holm, Benjamini-Hochberg, e-BH, gatekeeping, G-test
power             sample sizes, detectable lifts
standardisation   rates of phases with different splits, made comparable
sequential/       tests valid at every look: rates, means, guardrails
numerics/         normal and χ² distributions, root finding, quadrature

Import a module, not this package: loading everything costs milliseconds that a cold start does not have.
"""

from __future__ import annotations

from typing import NamedTuple

ALPHA = 0.05  # the share of wrong decisions that we accept

# Standard deviations of the true log odds ratio over which the sequential test averages: lifts of 2 % to 60 %.
TAUS = (0.02, 0.06, 0.2, 0.6)


class Counts(NamedTuple):
    """Of `visitors` unique visitors, `converted` reached the goal at least once."""

    converted: int
    visitors: int


class Interval(NamedTuple):
    """Both ends belong to the interval; an end may be infinite."""

    low: float
    high: float

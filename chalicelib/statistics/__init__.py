"""What the numbers say: pure functions over counts, standard library only.

rates       one variant's rate, two variants' pooled z          (Wilson)
band        one variant's rate, for every look at once
lift        the relative lift and the difference, fixed horizon (Koopman, Mee)
anytime     evidence that may be looked at as often as you like (score mixture)
clickers    a second opinion, exact in small samples
posterior   Beta posteriors on one grid; bayes: P(best), loss, credible lift
stratified  phases and days side by side, never pooled
ratio       CTR, whose error comes from visitors and not from impressions
srm         did the split come out as configured?
omnibus     several variants at once; multiple: Holm and Benjamini-Hochberg
power       how many visitors; shrinkage: what a winner's lift is worth; bandit: next weights
normal, chi2, roots, dirichlet: the mathematics underneath

Import a module, not this package: loading everything costs milliseconds that a cold start does not have.
"""

from __future__ import annotations

from typing import NamedTuple

ALPHA = 0.05  # the share of wrong calls that we accept
TAU = 0.1  # the lift that we expect to see, as a standard deviation of the log odds ratio


class Counts(NamedTuple):
    """Of `visitors` unique visitors, `converted` reached the goal at least once."""

    converted: int
    visitors: int


class Interval(NamedTuple):
    """Both ends belong to it; an end may be infinite."""

    low: float
    high: float

"""How many visitors it takes: to detect a lift, to show that nothing differs, until a guardrail is ok."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chalicelib.statistics import ALPHA, power
from chalicelib.statistics.sequential import sample_sizes


@dataclass(frozen=True)
class Needed:
    """Visitors in each variant, in the manifest's order, to detect `lift` with probability `power`: by the sequential
    test, and by a fixed-horizon test (fixed: a single look at the end). Over a `rate`, or over a `mean` with the
    standard deviation `spread` of one visitor's value."""

    rate: float | None
    lift: float
    power: float
    visitors: tuple[int, ...]
    fixed: tuple[int, ...]
    mean: float | None = None
    spread: float | None = None


def attainable(rate: float, lift: float) -> bool:
    """Whether a rate changed by this lift is still a rate.

    >>> attainable(0.6, 0.5), attainable(0.6, 0.9)
    (True, False)
    """
    return lift != 0 and 0 < rate < 1 and 0 < rate * (1 + lift) < 1


def needed(rate: float, lift: float, weights: Sequence[float], *, alpha: float = ALPHA) -> Needed | None:
    """Visitors to detect a lift, for a variant that is better by it or worse by it, whichever takes more; a negative
    lift plans for a fall alone. `weights`: the split, the control first.

    None where no such lift exists: a rate of 0 or 1, or one that the lift would carry past 1. With several variants
    each comparison gets its share of alpha, and the smallest variant sets the pace.
    """
    lifts = [x for x in {lift, -abs(lift)} if attainable(rate, x)]
    if not lifts:
        return None

    def anytime(ratio: float, share: float) -> float:
        return max(power.anytime_sample_size(rate, x, ratio=ratio, alpha=share) for x in lifts)

    def fixed(ratio: float, share: float) -> float:
        return max(power.sample_size(rate, x, ratio=ratio, alpha=share) for x in lifts)

    each = (_each(weights, alpha, anytime), _each(weights, alpha, fixed))
    return Needed(rate, lift, power.POWER, each[0], each[1]) if each[0] and each[1] else None


def needed_for_mean(
    mean: float, spread: float, lift: float, weights: Sequence[float], *, alpha: float = ALPHA
) -> Needed | None:
    """The same for a mean; mean, spread: of one visitor's value, in the same unit. None for a mean or spread that is
    not positive, and for a fall by everything."""
    lifts = [x for x in {lift, -abs(lift)} if x > -1]
    if mean <= 0 or spread <= 0 or lift == 0 or not lifts:
        return None
    variation = spread / mean

    def anytime(ratio: float, share: float) -> float:
        return max(sample_sizes.mean_anytime_sample_size(variation, x, ratio=ratio, alpha=share) for x in lifts)

    def fixed(ratio: float, share: float) -> float:
        return max(sample_sizes.mean_sample_size(variation, x, ratio=ratio, alpha=share) for x in lifts)

    each = (_each(weights, alpha, anytime), _each(weights, alpha, fixed))
    return Needed(None, lift, power.POWER, each[0], each[1], mean, spread) if each[0] and each[1] else None


def needed_for_equivalence(
    rate: float, margin: float, weights: Sequence[float], *, alpha: float = ALPHA
) -> tuple[int, ...] | None:
    """Visitors in each variant to show that it is within ±margin of the control, if nothing differs."""
    if not 0 < rate < 1 or not 0 < margin < 1:
        return None
    return _each(weights, alpha, lambda r, share: power.equivalence_sample_size(rate, margin, ratio=r, alpha=share))


def needed_for_mean_equivalence(
    variation: float, margin: float, weights: Sequence[float], *, alpha: float = ALPHA
) -> tuple[int, ...] | None:
    """The same for a mean. `variation`: standard deviation of one visitor's value over the mean."""
    if variation <= 0 or not 0 < margin < 1:
        return None
    size = sample_sizes.mean_equivalence_sample_size
    return _each(weights, alpha, lambda r, share: size(variation, margin, ratio=r, alpha=share))


def needed_for_guardrail(
    variation: float,
    margin: float,
    weights: Sequence[float],
    *,
    guardrails: int = 1,
    lower_is_better: bool = False,
    alpha: float = ALPHA,
) -> tuple[int, ...] | None:
    """Visitors in each variant until a guardrail is ok with the planned power, if nothing differs.

    `guardrails`: how many the experiment has. Each must be ok for a winner to ship, so the chance to miss is divided by
    one more than their number (the primary metric counts too); alpha is not divided. Source: Schultzberg, Ankargren,
    Frånberg (2024), arXiv:2402.11609."""
    if variation <= 0:
        return None
    chance = 1 - (1 - power.POWER) / (guardrails + 1)
    gap = math.log1p(margin) if lower_is_better else -math.log1p(-margin)
    size = sample_sizes.guardrail_sample_size
    return _each(weights, alpha, lambda r, _: size(variation, gap, ratio=r, alpha=alpha, power=chance))


def _each(weights: Sequence[float], alpha: float, control: Callable[[float, float], float]) -> tuple[int, ...] | None:
    """Visitors in each variant. `control(ratio, alpha)`: those of the control, for a variant with `ratio` times as many
    and a share of alpha. None where nothing is compared."""
    live = [w for w in weights[1:] if w > 0]
    if not live or weights[0] <= 0:
        return None
    n = control(min(live) / weights[0], alpha / len(live))
    return tuple(math.ceil(n * w / weights[0]) for w in weights)


def variation_of(rate: float) -> float:
    """The standard deviation of a visitor's 0 or 1 over the rate, √((1 − p)/p); 0 for a rate of 0 or 1.

    >>> variation_of(0.2)
    2.0
    """
    return math.sqrt((1 - rate) / rate) if 0 < rate < 1 else 0.0


def whole_weeks(days: float) -> int:
    """Rounded up, at least one: weekdays differ.

    >>> whole_weeks(0), whole_weeks(9)
    (7, 14)
    """
    return max(1, math.ceil(days / 7)) * 7

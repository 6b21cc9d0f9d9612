"""How many visitors each variant should get, from the chance of each to be the best."""

from __future__ import annotations

from collections.abc import Sequence

FLOOR = 0.05  # the least share of a variant
MOST = 0.2  # the largest change of a share at once


def top_two(p_best: Sequence[float]) -> list[float]:
    """The shares of top-two Thompson sampling: half of the visitors go to a variant drawn by its chance to be the best,
    the other half to the best of the others in another draw.

        ψᵢ = Pᵢ (½ + ½ Σ_{j≠i} Pⱼ/(1 − Pⱼ))

    Two variants always get half each. Source: Russo (2020), Operations Research 68:1625-1647.

    >>> [round(share, 3) for share in top_two([0.6, 0.3, 0.1])]
    [0.462, 0.392, 0.146]
    """
    total = sum(p_best)
    chances = [p / total for p in p_best]
    leader = max(range(len(chances)), key=lambda i: chances[i])
    if chances[leader] > 1 - 1e-9:  # as good as certain: the others share the second half evenly
        return [0.5 if i == leader else 0.5 / (len(chances) - 1) for i in range(len(chances))]
    odds = [p / (1 - p) for p in chances]
    return [p * (0.5 + 0.5 * (sum(odds) - own)) for p, own in zip(chances, odds, strict=True)]


def with_control(shares: Sequence[float]) -> list[float]:
    """The control, the first, gets as much as the largest share, because every variant is compared with it.

    >>> [round(share, 3) for share in with_control([0.1, 0.5, 0.4])]
    [0.357, 0.357, 0.286]
    """
    raised = [max(shares), *shares[1:]]
    return [share / sum(raised) for share in raised]


def with_floor(shares: Sequence[float], floor: float) -> list[float]:
    """f + (1 − k f) share: no variant, the control least of all, gets less than `floor`.

    >>> [round(share, 3) for share in with_floor([0.8, 0.15, 0.05], 0.1)]
    [0.66, 0.205, 0.135]
    """
    return [floor + (1 - len(shares) * floor) * share for share in shares]


def towards(old: Sequence[float], wanted: Sequence[float], most: float = MOST) -> list[float]:
    """From `old` in the direction of `wanted`, so far that no share changes by more than `most`.

    >>> [round(share, 3) for share in towards([0.5, 0.5], [0.9, 0.1])]
    [0.7, 0.3]
    """
    largest = max(abs(new - now) for now, new in zip(old, wanted, strict=True))
    step = min(1.0, most / largest) if largest else 1.0
    return [now + step * (new - now) for now, new in zip(old, wanted, strict=True)]


def whole_percents(shares: Sequence[float]) -> list[int]:
    """Shares as whole per cents that add up to 100, by the largest remainders.

    >>> whole_percents([1 / 3, 1 / 3, 1 / 3])
    [34, 33, 33]
    """
    percents = [int(share * 100 + 1e-9) for share in shares]
    remainders = sorted(range(len(shares)), key=lambda i: percents[i] - shares[i] * 100)
    for i in remainders[: 100 - sum(percents)]:
        percents[i] += 1
    return percents

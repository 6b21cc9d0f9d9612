"""Weights for a next phase that sends more visitors to what looks best."""

from __future__ import annotations

from collections.abc import Sequence

FLOOR = 0.05


def _floored(shares: Sequence[float], floor: float) -> list[float]:
    return [floor + (1 - len(shares) * floor) * share for share in shares]


def thompson(p_best: Sequence[float], floor: float = FLOOR) -> list[float]:
    """Each variant gets its chance of being the best, and never less than `floor`.

        weightᵢ = f + (1 − k f) P(i is best)

    Source: Thompson (1933), Biometrika 25:285-294; Scott (2010).

    >>> thompson([0.25, 0.75], floor=0.125)
    [0.3125, 0.6875]
    """
    return _floored(p_best, floor)


def top_two(p_best: Sequence[float], floor: float = FLOOR) -> list[float]:
    """Half to the best, half to its best challenger: finds the winner faster, earns less meanwhile.

        ψᵢ = Pᵢ (½ + ½ Σ_{j≠i} P_j/(1 − P_j)), then the floor

    Once one variant is certain, the challengers share the other half equally.
    Source: Russo (2020), Operations Research 68:1625-1647.

    >>> [round(weight, 6) for weight in top_two([0.2, 0.8])]
    [0.5, 0.5]
    """
    k = len(p_best)
    certain = next((i for i, p in enumerate(p_best) if p >= 1 - 1e-14), None)
    if certain is not None:
        shares = [0.5 if i == certain else 0.5 / (k - 1) for i in range(k)]
    else:
        odds = [p / (1 - p) for p in p_best]
        total = sum(odds)
        shares = [p * (1 + total - own) / 2 for p, own in zip(p_best, odds, strict=True)]
    return _floored(shares, floor)

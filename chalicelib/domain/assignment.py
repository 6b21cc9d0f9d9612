"""Who gets which variant: GrowthBook's hash version 2 and bucket ranges, from the visitor id alone.

Every client (snippet, edge, any GrowthBook SDK) computes the same; tests/fixtures/assignment pins it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

Range = tuple[float, float]


def fnv1a32(text: str) -> int:
    """FNV-1a, 32 bit, over UTF-16 code units as JavaScript's charCodeAt sees them.

    Code units, not bytes: that is what the browser has at hand, and what GrowthBook's SDKs agree on for text
    outside ASCII. Source: http://www.isthe.com/chongo/tech/comp/fnv/, GrowthBook SDK specification.

    >>> fnv1a32("")
    2166136261
    """
    units = text.encode("utf-16-le", "surrogatepass")
    state = 0x811C9DC5
    for low, high in zip(units[::2], units[1::2], strict=True):
        state = ((state ^ (low | high << 8)) * 0x01000193) & 0xFFFFFFFF
    return state


@lru_cache(maxsize=1024)  # all events of a request are one visitor's, mostly in one experiment
def bucket(seed: str, visitor: str) -> float:
    """The visitor's place in [0, 1), in steps of 1/10,000: fnv(str(fnv(seed + visitor))) % 10000 / 10000.

    Hashed twice because one round leaves neighbouring ids correlated (GrowthBook hash version 2).

    >>> bucket("seed", "a"), bucket("foo", "ab")
    (0.0505, 0.2575)
    """
    return fnv1a32(str(fnv1a32(seed + visitor))) % 10000 / 10000


def bucket_ranges(weights: Sequence[float], coverage: float) -> list[Range]:
    """Where each variant's buckets lie: [c, c + coverage·w) with c the sum of the weights before it.

    Coverage shrinks each range in place, so raising it later only adds visitors and moves none.

    >>> bucket_ranges([0.5, 0.5], 0.4)
    [(0.0, 0.2), (0.5, 0.7)]
    """
    ranges, start = [], 0.0
    for weight in weights:
        ranges.append((start, start + coverage * weight))
        start += weight
    return ranges


def choose(place: float, ranges: Sequence[Range]) -> int | None:
    """The index of the first range that holds `place`, or None: not enrolled."""
    for index, (start, end) in enumerate(ranges):
        if start <= place < end:
            return index
    return None


def namespace_place(namespace: str, visitor: str) -> float:
    """The visitor's place in a namespace, by which experiments exclude each other.

    GrowthBook's modern `filters` form: hash version 2, seeded by the namespace's name.
    """
    return bucket(namespace, visitor)

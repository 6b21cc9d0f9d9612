"""The public manifest as the snippet carries it: arrays without names, places in whole ten-thousandths.

    [key, [[variant, from, to, payload], ...], phase, first phase dealt with the same seed, seed, goals, fixed, more]

What is 0 or follows from the rest is 0, and zeros at the end are left out. `fixed` is 1 + the index of the
variant that everybody sees uncounted (paused: the control; stopped: the winner). `more` holds what only some
experiments need, by name; static/snippet/features.js reads it.
"""

from __future__ import annotations

import math
from typing import Any

from chalicelib.assign import bucket_ranges

PLACES = 10_000  # GrowthBook's hash version 2 knows this many


def compact(public: dict[str, Any]) -> list[Any]:
    """The experiments of a public manifest (abacus.public), for the snippet."""
    return [_experiment(e) for e in public["experiments"]]


def _experiment(e: dict[str, Any]) -> list[Any]:
    phases = e["phases"]
    ranges = bucket_ranges(phases[-1]["weights"], phases[-1]["coverage"])
    variants = [
        [v["key"], first_place(start), first_place(end), *([v["payload"]] if "payload" in v else [])]
        for v, (start, end) in zip(e["variants"], ranges, strict=True)
    ]
    seeds = [phase.get("seed", e["seed"]) for phase in phases]
    keep = next(i for i in range(len(seeds)) if len(set(seeds[i:])) == 1)
    seed = 0 if seeds[-1] == e["key"] else seeds[-1]
    row = [e["key"], variants, len(phases) - 1, keep, seed, e.get("goals") or 0, _fixed(e), _more(e)]
    while not row[-1]:
        row.pop()
    return row


def first_place(share: float) -> int:
    """The least place n with n / 10,000 >= share, compared as the hash compares: in floating point.

    >>> first_place(0.5), first_place(0.1 + 0.2), first_place(1.0)
    (5000, 3001, 10000)
    """
    place = math.floor(share * PLACES)
    while place / PLACES < share:
        place += 1
    return place


def _fixed(e: dict[str, Any]) -> int:
    keys = [v["key"] for v in e["variants"]]
    if e["status"] == "stopped":
        return keys.index(e["winner"]) + 1
    return int(e["status"] == "paused")


def _more(e: dict[str, Any]) -> dict[str, Any] | int:
    more: dict[str, Any] = {}
    return more or 0

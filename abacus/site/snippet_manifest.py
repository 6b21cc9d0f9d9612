"""The public manifest as the snippet contains it: arrays without names, places in whole ten-thousandths.

    [key, [[variant, to, payload], ...], phase, first, seed, more]

- `to`: visitors whose place is below it, and not below the one before, get this variant. Variant "": not enrolled.
- `first`: the first phase with the current seed. A choice of an earlier phase is assigned again.
- `seed`: "" if every visitor sees one variant, uncounted (paused: the control; stopped: the winner).
- `more`: what only some experiments need. n: [[namespace, from, to], ...]; u: [include, exclude], each
  [[regex, flags], ...]; c: condition; r: {variant: url}; t: [start, end], epoch milliseconds.

Values at the end that follow from the others are left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from chalicelib.domain.assignment import bucket_ranges
from chalicelib.domain.manifest import HOLDOUT, UrlPattern
from chalicelib.targeting.url_patterns import simple

PLACES = 10_000  # GrowthBook's hash version 2 knows this many
Row = list[Any]
NEVER = 8.64e15  # the last millisecond that JavaScript knows


def compact(public: dict[str, Any]) -> list[Row]:
    """The experiments of a public manifest (abacus/site/public_manifest.py), for the snippet."""
    return [_row(e) for e in public["experiments"]]


def goals(public: dict[str, Any]) -> dict[str, list[str]]:
    """Goal → the experiments that count it."""
    experiments_of: dict[str, list[str]] = {}
    for experiment in public["experiments"]:
        if experiment["status"] == "running":
            for goal in experiment.get("goals", ()):
                experiments_of.setdefault(goal, []).append(experiment["key"])
    return experiments_of


def valued(public: dict[str, Any]) -> list[str]:
    """`experiment:goal` of each goal whose events carry a value."""
    running = [experiment for experiment in public["experiments"] if experiment["status"] == "running"]
    return [f"{experiment['key']}:{goal}" for experiment in running for goal in experiment.get("valued", ())]


def segmented(public: dict[str, Any]) -> dict[str, list[str]]:
    """Experiment → the segments that the page says, where it has some."""
    running = [experiment for experiment in public["experiments"] if experiment["status"] == "running"]
    return {experiment["key"]: experiment["segments"] for experiment in running if "segments" in experiment}


def _row(e: dict[str, Any]) -> Row:
    key, phases = e["key"], e["phases"]
    if e["status"] != "running":
        return _same_for_all(e)
    seeds = [phase.get("seed", e["seed"]) for phase in phases]
    first = next(i for i in range(len(seeds)) if len(set(seeds[i:])) == 1)
    row = [key, _variants(e), len(phases) - 1, first, seeds[-1], _more(e)]
    default: Any
    for default in ({}, key, 0, 0):
        if row[-1] != default:
            break
        row.pop()
    return row


def _same_for_all(e: dict[str, Any]) -> Row:
    """A paused or stopped experiment: every visitor sees one variant, and nothing counts."""
    control = e["variants"][0]
    winner = e["winner"] if e["status"] == "stopped" else control["key"]
    shown = next(variant for variant in e["variants"] if variant["key"] == winner)
    # A winner stays on the pages and with the audience it won on; of namespaces only the holdout is left.
    # A paused experiment shows its control to the holdout too.
    unneeded = ("namespace",) if e["status"] == "stopped" else ("namespace", "holdout")
    bound = {name: value for name, value in e.items() if name not in unneeded}
    more = {name: value for name, value in _more(bound).items() if name in "ucrn"}
    rows = [[winner, PLACES, *_payload(shown)]]
    if more and winner != control["key"]:
        rows.insert(0, [control["key"], 0, *_payload(control)])
    # A first phase that never was: no choice of an earlier phase stays.
    return [e["key"], rows, 0, len(e["phases"]), "", *([more] if more else [])]


def _variants(e: dict[str, Any]) -> list[list[Any]]:
    """The variants with the gaps between them: coverage shrinks each range in place."""
    phase = e["phases"][-1]
    rows: list[list[Any]] = []
    before = 0
    for variant, share in zip(e["variants"], bucket_ranges(phase["weights"], phase["coverage"]), strict=True):
        start, end = map(first_place, share)
        if start > before and rows:
            rows.append(["", start])
        rows.append([variant["key"], end, *_payload(variant)])
        before = end
    return rows if before == PLACES else [*rows, ["", PLACES]]


def _payload(variant: dict[str, Any]) -> list[Any]:
    return [variant["payload"]] if "payload" in variant else []


def first_place(share: float) -> int:
    """The least place n with n / 10,000 >= share, compared as the hash compares: in floating point.

    >>> first_place(0.5), first_place(0.1 + 0.2), first_place(1.0)
    (5000, 3001, 10000)
    """
    place = math.floor(share * PLACES)
    while place / PLACES < share:
        place += 1
    return min(place, PLACES)


def _more(e: dict[str, Any]) -> dict[str, Any]:
    more: dict[str, Any] = {}
    if "namespace" in e:
        slot = e["namespace"]
        more["n"] = [[slot["name"], first_place(slot["start"]), first_place(slot["end"])]]
    if "holdout" in e:
        more["n"] = [*more.get("n", []), [HOLDOUT, first_place(e["holdout"]), PLACES]]
    if "urls" in e:
        more["u"] = [[_regex(pattern) for pattern in e["urls"][kind]] for kind in ("include", "exclude")]
    if "condition" in e:
        more["c"] = e["condition"]
    if "redirect" in e:
        more["r"] = e["redirect"]
    if "start" in e or "end" in e:
        more["t"] = [e.get("start", 0), e.get("end", NEVER)]
    return more


def _regex(pattern: dict[str, Any]) -> list[str]:
    read = UrlPattern.model_validate(pattern)
    return [simple(read.pattern), "i"] if read.type == "simple" else [read.pattern]


def used(condition: dict[str, Any]) -> Iterator[str]:
    """What static/snippet/targeting/conditions.js needs for `condition`: operators, kinds of values, and the attributes
    that are always known."""
    for key, wanted in condition.items():
        yield key
        yield from ["paths"] if "." in key else []
        if key in ("$or", "$nor", "$and"):
            for each in wanted:
                yield from used(each)
        elif isinstance(wanted, dict) and any(inner.startswith("$") for inner in wanted):
            yield from used(wanted)
        elif key in ("$all", "$alli"):
            yield from (kind for each in wanted for kind in _kinds(each))
        elif not key.startswith("$") or key in ("$not", "$size", "$elemMatch"):
            yield from _kinds(wanted)


def _kinds(wanted: Any) -> Iterator[str]:
    match wanted:
        case bool():
            yield "boolean"
        case str():
            yield "text"
        case int() | float():
            yield "number"
        case None:
            yield "null"
        case dict():
            yield "whole"
            yield from used(wanted)
        case _:
            yield "whole"

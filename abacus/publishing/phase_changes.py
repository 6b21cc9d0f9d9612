"""What a new phase does to the visitors of the phases before it, and why an old phase may not be rewritten."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Literal

from abacus.authoring.problems import listed
from abacus.authoring.rules import percent
from chalicelib.domain.assignment import choose
from chalicelib.domain.manifest import Experiment, Phase

Kind = Literal["change", "warning", "refusal"]
Said = Iterator[tuple[Kind, str]]


def phase_changes(before: Experiment, after: Experiment) -> Said:
    if after.variant_keys != before.variant_keys:
        return
    known = len(before.phases)
    if after.phases[:known] != before.phases:
        yield "refusal", _rewritten(before, after)
        return
    for number in range(known, len(after.phases)):
        yield from _opened(after, number)


def _rewritten(before: Experiment, after: Experiment) -> str:
    if len(after.phases) < len(before.phases):
        return (
            f"phase {len(before.phases) - 1} is gone, and visitors were counted in it. Put it back; "
            "to return to an earlier split, add it as a new phase"
        )
    number = next(i for i, phase in enumerate(before.phases) if after.phases[i] != phase)
    differs = listed(list(_difference(before, before.phases[number], after.phases[number])))
    lines = [_written(before, phase) for phase in before.phases]
    lines.append(_written(after, after.phases[number]))
    return (
        f"{differs}: would rewrite phase {number}, in which visitors were counted. "
        "Keep it and add a phase instead:\n" + "\n".join(["    phases:", *(f"      - {line}" for line in lines)])
    )


def _written(experiment: Experiment, phase: Phase) -> str:
    """The phase as it would stand in YAML, to the last digit."""
    pairs = zip(experiment.variant_keys, phase.weights, strict=True)
    weights = ", ".join(f"{key}: {_exact(weight)}" for key, weight in pairs)
    parts = [f"weights: {{{weights}}}", f"coverage: {_exact(phase.coverage)}"]
    if phase.seed:
        parts.append(f"seed: {json.dumps(phase.seed)}")
    return "{ " + ", ".join(parts) + " }"


def _exact(share: float) -> str:
    """A third is no percentage that could be read back."""
    text = percent(share)
    return text if float(Decimal(text.rstrip(" %")) / 100) == share else repr(share)


def _difference(experiment: Experiment, one: Phase, two: Phase) -> Iterator[str]:
    for key, old, new in zip(experiment.variant_keys, one.weights, two.weights, strict=True):
        if old != new:
            yield f"{key} {percent(old)} → {percent(new)}"
    if one.coverage != two.coverage:
        yield f"coverage {percent(one.coverage)} → {percent(two.coverage)}"
    if one.seed != two.seed:
        yield f"seed {one.seed or experiment.seed} → {two.seed or experiment.seed}"


def _opened(after: Experiment, number: int) -> Said:
    one, two = after.phases[number - 1 : number + 1]
    differs = listed(list(_difference(after, one, two))) if one != two else "the same again"
    if after.seed_of(number - 1) != after.seed_of(number):
        yield "change", f"{differs}: opens phase {number}; everybody is assigned anew"
        return
    yield "change", f"{differs}: opens phase {number}; visitors keep their variant"
    share = moved(one, two)
    if share and after.assignment == "hash":
        yield (
            "warning",
            f"clients that do not store the variant (GrowthBook's SDKs without a sticky bucket service, back ends) "
            f"deal {percent(share)} of their visitors something else. To start everybody anew instead, "
            f'give phase {number} a seed: "{after.key}-{number}"',
        )


def moved(one: Phase, two: Phase) -> float:
    """The share of those enrolled in phase `one` who, hashed again in `two`, get something else.

    Counted over all 10,000 buckets there are.

    >>> moved(Phase(weights=(0.5, 0.5)), Phase(weights=(0.1, 0.9)))
    0.4
    """
    pairs = [(choose(n / 10000, one.ranges), choose(n / 10000, two.ranges)) for n in range(10000)]
    enrolled = [(old, new) for old, new in pairs if old is not None]
    return sum(old != new for old, new in enrolled) / len(enrolled) if enrolled else 0.0

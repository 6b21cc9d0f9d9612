"""What a new phase does to the visitors of earlier phases, and why an old phase must not be rewritten."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from abacus.authoring.problems import listed
from abacus.publishing.yaml_lines import phases_lines
from abacus.shares import percent
from chalicelib.domain.assignment import choose
from chalicelib.domain.manifest import Experiment, Phase

Kind = Literal["change", "warning", "refusal"]
Findings = Iterator[tuple[Kind, str]]


def phase_changes(before: Experiment, after: Experiment) -> Findings:
    """What differs between the phases of the live experiment and those of the wanted one."""
    if after.variant_keys != before.variant_keys:
        return
    known = len(before.phases)
    if after.phases[:known] != before.phases:
        yield "refusal", _rewritten(before, after)
        return
    for number in range(known, len(after.phases)):
        yield from _opened(after, number)


def _rewritten(before: Experiment, after: Experiment) -> str:
    shared = list(zip(before.phases, after.phases, strict=False))
    number = next((i for i, (old, new) in enumerate(shared) if old != new), len(shared))
    if number == len(shared):
        text = (
            f"phase {number} is live and not in your file (a rollback adds phases). Write this "
            "instead of weight, coverage and phases"
        )
        phases = before.phases
    else:
        differences = listed(list(_difference(before, *shared[number])))
        text = (
            f"{differences}: would rewrite phase {number}, which is live already. "
            "Write this instead of weight, coverage and phases; its last line is your change"
        )
        wanted = after.phases[-1]
        phases = before.phases if wanted == before.phases[-1] else (*before.phases, wanted)
        if phases == before.phases:
            text = text.replace("; its last line is your change", "")
    return "\n".join([f"{text}:", *(f"    {line}" for line in phases_lines(before, phases))])


def _difference(experiment: Experiment, old: Phase, new: Phase) -> Iterator[str]:
    for key, before, after in zip(experiment.variant_keys, old.weights, new.weights, strict=True):
        if before != after:
            yield f"{key} {percent(before)} → {percent(after)}"
    if old.coverage != new.coverage:
        yield f"coverage {percent(old.coverage)} → {percent(new.coverage)}"
    if old.seed != new.seed:
        yield f"seed {old.seed or experiment.seed} → {new.seed or experiment.seed}"


def _opened(after: Experiment, number: int) -> Findings:
    old, new = after.phases[number - 1 : number + 1]
    differences = listed(list(_difference(after, old, new))) if old != new else "unchanged"
    if after.seed_of(number - 1) != after.seed_of(number):
        yield "change", f"{differences}: opens phase {number}; every visitor is assigned again"
        return
    yield "change", f"{differences}: opens phase {number}; visitors keep their variant"
    share = moved(old, new)
    if share and after.assignment == "hash":
        yield (
            "warning",
            f"clients that do not store the variant (GrowthBook's SDKs without a sticky bucket service, back ends) "
            f"will give {percent(share)} of their visitors another variant. To assign every visitor again instead, "
            f'give phase {number} a seed: "{after.key}-{number}"',
        )


def moved(before: Phase, after: Phase) -> float:
    """The share of the participants of phase `one` who get another variant when phase `two` hashes them again.

    Counted over all 10,000 buckets.

    >>> moved(Phase(weights=(0.5, 0.5)), Phase(weights=(0.1, 0.9)))
    0.4
    """
    pairs = [(choose(n / 10000, before.ranges), choose(n / 10000, after.ranges)) for n in range(10000)]
    enrolled = [(old, new) for old, new in pairs if old is not None]
    return sum(old != new for old, new in enrolled) / len(enrolled) if enrolled else 0.0

"""What publishing would change, in words; what of it would spoil a running experiment, and what to do instead.

Rules hold for whatever visitors have taken part in, so for everything but drafts. docs/manifest.md lists them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from chalicelib.assign import choose
from chalicelib.manifest import Experiment, Manifest, Phase

from .checks import percent
from .problems import listed


class Change(NamedTuple):
    """kind: change (it will be done), warning (it will be done, and there is a catch), refusal (it will not)."""

    kind: Literal["change", "warning", "refusal"]
    experiment: str
    text: str

    def __str__(self) -> str:
        subject = f"{self.experiment}: " if self.experiment else ""
        return f"{'' if self.kind == 'change' else self.kind + ': '}{subject}{self.text}"


Said = Iterator[tuple[Literal["change", "warning", "refusal"], str]]


def changes(live: Manifest | None, wanted: Manifest) -> list[Change]:
    """Everything that differs between what is live and what is wanted."""
    before = {e.key: e for e in live.experiments} if live else {}
    after = {e.key: e for e in wanted.experiments}
    found = []
    if live and live.client_key != wanted.client_key:
        text = f"client key {live.client_key} → {wanted.client_key}"
        found.append(Change("change", "", text))
        catch = f"GrowthBook clients that ask for {live.client_key!r} keep what they last got, for ever"
        found.append(Change("warning", "", catch))
    for key in sorted(before | after):
        said = _said(before.get(key), after.get(key))
        found += (Change(kind, key, text) for kind, text in said)
    return found


def _said(before: Experiment | None, after: Experiment | None) -> Said:
    if before is None and after is not None:
        yield "change", f"new, {_summary(after)}"
    elif before is not None and after is None:
        yield from _removed(before)
    elif before is not None and after is not None and before != after:
        if before.status == "draft":
            yield from _draft(before, after)
        else:
            yield from _kept(before, after)
            yield from _status(before, after)
            yield from _phases(before, after)
            yield from _rest(before, after)


def _summary(experiment: Experiment) -> str:
    phase = experiment.phases[-1]
    return f"{_state(experiment)}: {_split(experiment, phase)}, coverage {percent(phase.coverage)}"


def _split(experiment: Experiment, phase: Phase) -> str:
    pairs = zip(experiment.variant_keys, phase.weights, strict=True)
    return listed([f"{key} {percent(weight)}" for key, weight in pairs])


def _state(experiment: Experiment) -> str:
    return experiment.status + (f", winner {experiment.winner}" if experiment.winner else "")


def _removed(before: Experiment) -> Said:
    if before.status in ("running", "paused"):
        yield "refusal", f"is {before.status} and gone from your files: set status: stopped first, remove it later"
    else:
        yield "change", f"removed (was {_state(before)})"
        if before.status == "stopped":
            yield "warning", "its last events may still be on their way, for 7 days; they would be refused"


def _draft(before: Experiment, after: Experiment) -> Said:
    if after.status == "draft":
        yield "change", "draft changed"
    else:
        yield "change", f"draft → {_summary(after)}"


def _kept(before: Experiment, after: Experiment) -> Said:
    """What must never change once visitors took part."""
    old, new = listed(before.variant_keys), listed(after.variant_keys)
    if set(before.variant_keys) != set(after.variant_keys):
        yield (
            "refusal",
            f"variants {old} → {new}: what was counted belongs to the old ones. "
            "Stop it, and start a new experiment under another key",
        )
    elif old != new:
        yield "refusal", f"variants reordered, {old} → {new}: visitors would swap. Put them back in the old order"
    if before.seed != after.seed:
        yield (
            "refusal",
            f"seed {before.seed} → {after.seed}: everybody would be assigned anew, without a trace. "
            "Put it back, and give the new seed to a new phase",
        )
    if before.namespace != after.namespace:
        yield (
            "refusal",
            "namespace changed: visitors who take part would be refused, or others let in. "
            "Stop it, and start a new experiment under another key",
        )
    if before.assignment != after.assignment:
        yield (
            "refusal",
            f"assignment {before.assignment} → {after.assignment}: the numbers before and after would not compare. "
            "Start a new experiment under another key",
        )


def _status(before: Experiment, after: Experiment) -> Said:
    if after.status == "draft":
        yield "refusal", f"{before.status} → draft: visitors have taken part. Use status: paused"
        return
    if before.status == "stopped" and after.status != "stopped" and before.winner:
        yield (
            "refusal",
            f"stopped → {after.status}: everybody has had {before.winner} since. "
            "Start a new experiment under another key",
        )
        return
    if (before.status, before.winner) == (after.status, after.winner):
        return
    effect = {
        "running": "visitors take part again",
        "paused": f"everybody sees {after.control} until it runs again",
        "stopped": f"everybody sees {after.winner or after.control}",
    }
    yield "change", f"{_state(before)} → {_state(after)}: {effect[after.status]}"


def _phases(before: Experiment, after: Experiment) -> Said:
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
    """The phase as it would stand in YAML."""
    weights = ", ".join(
        f"{key}: {percent(weight)}" for key, weight in zip(experiment.variant_keys, phase.weights, strict=True)
    )
    parts = [f"weights: {{{weights}}}", f"coverage: {percent(phase.coverage)}"]
    if phase.seed:
        parts.append(f'seed: "{phase.seed}"')
    return "{ " + ", ".join(parts) + " }"


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
            f"move {percent(share)} of their visitors to another one. To start everybody anew instead, "
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


def _rest(before: Experiment, after: Experiment) -> Said:
    for goal in sorted(set(after.goals) - set(before.goals)):
        yield "change", f"goal {goal} added"
    for goal in sorted(set(before.goals) - set(after.goals)):
        yield "change", f"goal {goal} removed"
        yield "warning", f"events of goal {goal} will be refused from now on"
    for field in ("description", "hypothesis", "minimum_detectable_effect", "start", "end"):
        if getattr(before, field) != getattr(after, field):
            yield "change", f"{field} changed"
    for field in ("urls", "condition"):
        if getattr(before, field) != getattr(after, field):
            yield "change", f"{field} changed"
            yield "warning", "others take part than before; the numbers mix both audiences"
    changed = [
        v.key
        for v, w in zip(before.variants, after.variants, strict=False)
        if v.key == w.key and v.payload != w.payload
    ]
    if changed:
        yield "change", f"payload of {listed(changed)} changed"
    if before.redirect != after.redirect:
        yield "change", "redirect changed"
    if (changed or before.redirect != after.redirect) and after.status != "stopped":
        yield "warning", "visitors will see something else under the same name; the numbers mix both"

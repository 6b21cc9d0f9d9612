"""What publishing would change, in words; what of it would spoil a running experiment, and what to do instead.

Rules hold for whatever visitors have taken part in, so for everything but drafts. docs/manifest.md lists them.
"""

from __future__ import annotations

from typing import NamedTuple

from abacus.authoring.problems import listed
from abacus.authoring.rules import percent
from abacus.publishing.phase_changes import Kind, Said, phase_changes
from chalicelib.domain.manifest import Experiment, Manifest, Phase


class Change(NamedTuple):
    """kind: change (it will be done), warning (it will be done, and there is a catch), refusal (it will not)."""

    kind: Kind
    experiment: str
    text: str

    def __str__(self) -> str:
        subject = f"{self.experiment}: " if self.experiment else ""
        return f"{'' if self.kind == 'change' else self.kind + ': '}{subject}{self.text}"


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
            yield from phase_changes(before, after)
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

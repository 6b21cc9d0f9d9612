"""What publishing would change, in words; which changes would spoil a running experiment, and what to write instead.

The rules protect every experiment that visitors may have taken part in: all but drafts. docs/manifest.md lists them.
"""

from __future__ import annotations

from typing import NamedTuple

from abacus.authoring.problems import listed
from abacus.publishing.metric_changes import metric_changes
from abacus.publishing.phase_changes import Findings, Kind, phase_changes
from abacus.publishing.yaml_lines import Lines, experiment_lines, field_lines, namespace_line, with_lines
from abacus.shares import percent
from chalicelib.domain.manifest import HOLDOUT, Experiment, Manifest, Phase


class Change(NamedTuple):
    """One difference. kind: `change` will be done; `warning` will be done and has a drawback; `refusal` will not be
    done. experiment: its key, or "" for the site."""

    kind: Kind
    experiment: str
    text: str

    def __str__(self) -> str:
        subject = f"{self.experiment}: " if self.experiment else ""
        return f"{'' if self.kind == 'change' else self.kind + ': '}{subject}{self.text}"


def changes(live: Manifest | None, wanted: Manifest) -> list[Change]:
    """Every difference between the live manifest and the wanted one."""
    before = {e.key: e for e in live.experiments} if live else {}
    after = {e.key: e for e in wanted.experiments}
    result = []
    if live and live.client_key != wanted.client_key:
        result.append(Change("change", "", f"client key {live.client_key} → {wanted.client_key}"))
        drawback = f"GrowthBook clients that use the key {live.client_key!r} get no more updates"
        result.append(Change("warning", "", drawback))
    for key in sorted(before | after):
        result += (Change(kind, key, text) for kind, text in _findings(before.get(key), after.get(key)))
        if live and key in live.retired and key not in before and after[key].status != "stopped":
            result.append(Change("refusal", key, used_before(key)))
    return result


def used_before(key: str) -> str:
    """Why a removed key cannot be used again."""
    return (
        f"was used before and removed. Its old visitors and results are still stored under this key. "
        f"Use another key, such as {key[:60]}-2"
    )


def _findings(before: Experiment | None, after: Experiment | None) -> Findings:
    if before is not None and before.key == HOLDOUT and before.status == "running":
        refusal = _holdout_refusal(before, after)
        if refusal:
            yield "refusal", refusal
            return
    if before is None and after is not None:
        yield "change", f"new, {_summary(after)}"
    elif before is not None and after is None:
        yield from _removed(before)
    elif before is not None and after is not None and before != after:
        if before.status == "draft":
            yield from _draft(before, after)
        else:
            yield from _frozen(before, after)
            yield from _status(before, after)
            yield from phase_changes(before, after)
            yield from metric_changes(before, after)
            yield from _other_changes(before, after)


def _holdout_refusal(before: Experiment, after: Experiment | None) -> str:
    """Why the site's holdout may not change as it would; empty: it may."""
    share = percent(before.phases[0].weights[0])
    if after is None:
        return f"holdout: {share} is gone from your files. Write `holdout: 0 %` first, and remove the line later"
    if after.status == "running" and after.phases != before.phases:
        wanted = percent(after.phases[0].weights[0])
        return (
            f"holdout: {share} → {wanted}: visitors would move between the holdout and the experiments they take part "
            f"in. Write `holdout: {share}`, or stop it with `holdout: 0 %`"
        )
    return ""


def _summary(experiment: Experiment) -> str:
    phase = experiment.phases[-1]
    return f"{_state(experiment)}: {_split(experiment, phase)}, coverage {percent(phase.coverage)}"


def _split(experiment: Experiment, phase: Phase) -> str:
    pairs = zip(experiment.variant_keys, phase.weights, strict=True)
    return listed([f"{key} {percent(weight)}" for key, weight in pairs])


def _state(experiment: Experiment) -> str:
    return experiment.status + (f", winner {experiment.winner}" if experiment.winner else "")


def _removed(before: Experiment) -> Findings:
    if before.status in ("running", "paused"):
        stopped = before.model_copy(update={"status": "stopped"})
        yield (
            "refusal",
            with_lines(
                f"is {before.status}, but is not in your files. Stop it first and remove it later; "
                "to stop it, put it back with status: stopped",
                experiment_lines(stopped),
            ),
        )
    else:
        yield "change", f"removed (was {_state(before)})"
        if before.status == "stopped":
            yield "warning", "events that arrive late, within 7 days after the stop, will be refused"


def _draft(before: Experiment, after: Experiment) -> Findings:
    if after.status == "draft":
        yield "change", "draft changed"
    else:
        yield "change", f"draft → {_summary(after)}"


def _margin(margin: float | None) -> str:
    return "1 % (the default)" if margin is None else percent(margin)


def _frozen(before: Experiment, after: Experiment) -> Findings:
    """The fields that must not change once visitors have taken part."""
    old, new = listed(before.variant_keys), listed(after.variant_keys)
    if set(before.variant_keys) != set(after.variant_keys):
        yield (
            "refusal",
            with_lines(
                f"variants {old} → {new}: the counts belong to the old variants. To test the new ones, start an "
                "experiment with another key. Put the old variants back",
                _split_lines(before),
            ),
        )
    elif old != new:
        text = f"variants reordered, {old} → {new}: visitors would swap variants. Put them back in the old order"
        yield "refusal", with_lines(text, _split_lines(before))
    if before.seed != after.seed:
        lines = field_lines(before).get("seed", ["# remove the field seed"])
        text = (
            f"seed {before.seed} → {after.seed}: every visitor would be assigned again, and no count would show it. "
            "Give the new seed to a new phase, and put the old one back"
        )
        yield "refusal", with_lines(text, lines)
    if before.namespace != after.namespace:
        text = (
            "namespace changed: participants would be refused, or other visitors would take part. To use another "
            "namespace, start an experiment with another key. Put the old one back"
        )
        lines = [namespace_line(before)] if before.namespace else ["# remove the field namespace"]
        yield "refusal", with_lines(text, lines)
    if before.equivalence_margin != after.equivalence_margin:
        old_margin = before.equivalence_margin
        text = (
            f"equivalence_margin {_margin(old_margin)} → {_margin(after.equivalence_margin)}: a margin chosen after "
            'the first results can turn any of them into "no difference". Put the old one back'
        )
        line = "# remove the field equivalence_margin" if old_margin is None else f"equivalence_margin: {old_margin}"
        yield "refusal", with_lines(text, [line])
    if before.assignment != after.assignment:
        text = (
            f"assignment {before.assignment} → {after.assignment}: the counts before and after would not be "
            "comparable. Start an experiment with another key, and put the old assignment back"
        )
        yield "refusal", with_lines(text, [f"assignment: {before.assignment}"])


def _split_lines(experiment: Experiment) -> Lines:
    fields = field_lines(experiment)
    return fields["variants"] + fields.get("phases", [])


def _status(before: Experiment, after: Experiment) -> Findings:
    if after.status == "draft":
        text = f"{before.status} → draft: visitors have taken part. Pause it instead"
        yield "refusal", with_lines(text, ["status: paused"])
        return
    if before.status == "stopped" and after.status != "stopped" and before.winner:
        text = (
            f"stopped → {after.status}: all visitors have seen {before.winner} since the stop. Start an experiment "
            "with another key, and leave this one stopped"
        )
        yield "refusal", with_lines(text, ["status: stopped", f"winner: {before.winner}"])
        return
    if (before.status, before.winner) == (after.status, after.winner):
        return
    effect = {
        "running": "visitors take part again",
        "paused": f"all visitors see {after.control} until it runs again",
        "stopped": f"all visitors see {after.winner or after.control}",
    }
    yield "change", f"{_state(before)} → {_state(after)}: {effect[after.status]}"


def _other_changes(before: Experiment, after: Experiment) -> Findings:
    for field in (
        "description",
        "hypothesis",
        "minimum_detectable_effect",
        "start",
        "end",
        "edge",
        "notes",
        "decision",
    ):
        if getattr(before, field) != getattr(after, field):
            yield "change", f"{field} changed"
    for field in ("urls", "condition"):
        if getattr(before, field) != getattr(after, field):
            yield "change", f"{field} changed"
            yield "warning", "other visitors take part than before; the counts mix both audiences"
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
        yield "warning", "visitors will see something else under the same variant; the counts mix both"

"""A published experiment as the YAML lines that an author would write for it, ready to paste."""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal

from abacus.authoring.syntax.writer import flow, scalar
from abacus.shares import percent
from chalicelib.domain import clock
from chalicelib.domain.manifest import CLICK, Experiment, Note, Phase, Segment, UrlPattern
from chalicelib.domain.segments import VALUES

Lines = list[str]


def with_lines(text: str, lines: Iterable[str]) -> str:
    """A message with the YAML lines to paste below it."""
    return "\n".join([f"{text}:", *(f"    {line}" for line in lines)])


def experiment_lines(experiment: Experiment) -> Lines:
    """All lines of one experiment's file."""
    return [line for lines in field_lines(experiment).values() for line in lines]


def differing_lines(before: Experiment, after: Experiment) -> Lines:
    """The fields of `after` that `before` does not have like that; a comment names each field to remove."""
    old, new = field_lines(before), field_lines(after)
    lines = [line for name, lines in new.items() if old.get(name) != lines for line in lines]
    return lines + [f"# remove the field {name}" for name in old if name not in new]


def field_lines(experiment: Experiment) -> dict[str, Lines]:
    """Field → its lines, without the fields that only repeat a default."""
    even = (Phase(weights=tuple(1 / len(experiment.variants) for _ in experiment.variants)),)
    scalars = {
        "key": experiment.key,
        "description": experiment.description,
        "hypothesis": experiment.hypothesis,
        "status": experiment.status,
        "winner": experiment.winner,
    }
    fields = {name: [f"{name}: {scalar(value)}"] for name, value in scalars.items() if value}
    fields["variants"] = [
        "variants:",
        *(
            f"  - {{ key: {scalar(v.key)}{'' if v.payload is None else f', payload: {flow(v.payload)}'} }}"
            for v in experiment.variants
        ),
    ]
    if experiment.phases != even:
        fields["phases"] = phases_lines(experiment, experiment.phases)
    if experiment.seed != experiment.key:
        fields["seed"] = [f"seed: {scalar(experiment.seed)}"]
    if experiment.namespace is not None:
        fields["namespace"] = [namespace_line(experiment)]
    if experiment.urls is not None:
        sides = (("include", experiment.urls.include), ("exclude", experiment.urls.exclude))
        given = [f"  {side}: [{', '.join(map(_pattern, patterns))}]" for side, patterns in sides if patterns]
        fields["urls"] = ["urls:", *given] if given else ["urls: {}"]
    for name in ("condition", "redirect"):
        value = getattr(experiment, name)
        if value is not None:
            fields[name] = [f"{name}: {flow(value)}"]
    fields |= _metric_lines(experiment)
    if not experiment.edge:
        fields["edge"] = ["edge: false"]
    if experiment.assignment != "hash":
        fields["assignment"] = [f"assignment: {experiment.assignment}"]
    if experiment.minimum_detectable_effect is not None:
        fields["minimum_detectable_effect"] = [
            f"minimum_detectable_effect: {exact_share(experiment.minimum_detectable_effect)}"
        ]
    for name in ("start", "end"):
        at_ms = getattr(experiment, name)
        if at_ms is not None:
            fields[name] = [f"{name}: {_moment(at_ms)}"]
    if experiment.notes:
        fields["notes"] = ["notes:", *(f"  - {_note(note)}" for note in experiment.notes)]
    if experiment.decision is not None:
        fields["decision"] = [f"decision: {_note(experiment.decision)}"]
    return fields


def _metric_lines(experiment: Experiment) -> dict[str, Lines]:
    fields: dict[str, Lines] = {}
    plain = not experiment.goal_values and not experiment.lower_is_better
    if plain and experiment.goals:
        fields["goals"] = [f"goals: {flow(list(experiment.goals))}"]
    elif not plain:
        names = [*experiment.goals, *(goal for goal in experiment.lower_is_better if goal not in experiment.goals)]
        fields["goals"] = ["goals:", *(f"  {scalar(name)}: {_goal(experiment, name)}" for name in names)]
    if experiment.primary != CLICK:
        fields["primary"] = [f"primary: {scalar(experiment.primary)}"]
    if experiment.guardrails:
        fields["guardrails"] = [
            "guardrails:",
            *(
                f"  - {{ metric: {scalar(g.metric)}, worse_by_at_most: {exact_share(g.margin)} }}"
                for g in experiment.guardrails
            ),
        ]
    if experiment.conversion_window_ms is not None:
        fields["conversion_window"] = [f"conversion_window: {_duration(experiment.conversion_window_ms)}"]
    if experiment.segments:
        fields["segments"] = [f"segments: [{', '.join(map(_segment, experiment.segments))}]"]
    return fields


def _segment(segment: Segment) -> str:
    values = f"[{', '.join(map(scalar, segment.values))}]"
    if segment.attribute:
        return f"{{ attribute: {segment.name}, values: {values} }}"
    is_default = (segment.name, segment.values) in VALUES.items()
    return segment.name if is_default else f"{{ {segment.name}: {values} }}"


def _goal(experiment: Experiment, name: str) -> str:
    settings = []
    if value := experiment.goal_values.get(name):
        cap = Decimal(value.cap).scaleb(-value.decimals).normalize()
        settings.append(f"value: {{ unit: {scalar(value.unit)}, decimals: {value.decimals}, cap: {cap:f} }}")
    if name in experiment.lower_is_better:
        settings.append("better: lower")
    return f"{{ {', '.join(settings)} }}" if settings else "{}"


def _duration(length_ms: int) -> str:
    """The longest unit that divides it: 7 days, 12 hours, 90 minutes."""
    units = ((clock.DAY_MS, "day"), (clock.HOUR_MS, "hour"), (clock.MINUTE_MS, "minute"))
    unit_ms, unit = next(pair for pair in units if length_ms % pair[0] == 0)
    count = length_ms // unit_ms
    return f"{count} {unit}{'' if count == 1 else 's'}"


def _moment(at_ms: int) -> str:
    return clock.iso(at_ms, "milliseconds" if at_ms % 1000 else "seconds")


def _note(note: Note) -> str:
    by = f"by: {scalar(note.by)}, " if note.by else ""
    return f"{{ at: {_moment(note.at)}, {by}text: {json.dumps(note.text, ensure_ascii=False)} }}"


def phases_lines(experiment: Experiment, phases: Iterable[Phase]) -> Lines:
    """The field `phases`, to the last digit."""
    return ["phases:", *(f"  - {_phase(experiment, phase)}" for phase in phases)]


def namespace_line(experiment: Experiment) -> str:
    """The field `namespace`."""
    namespace = experiment.namespace
    assert namespace is not None
    start, end = exact_share(namespace.start), exact_share(namespace.end)
    return f"namespace: {{ name: {scalar(namespace.name)}, start: {start}, end: {end} }}"


def first_phase(experiment: Experiment) -> str:
    """The first phase on one line, without the weights where they are even."""
    phase, even = experiment.phases[0], 1 / len(experiment.variants)
    if all(weight == even for weight in phase.weights):
        return f"{{ coverage: {exact_share(phase.coverage)} }}"
    return _phase(experiment, phase)


def weights_phase(experiment: Experiment, weights: Iterable[float]) -> str:
    """A phase on one line that changes nothing but the weights."""
    return f"{{ {_weights(experiment, weights)} }}"


def _weights(experiment: Experiment, weights: Iterable[float]) -> str:
    pairs = zip(experiment.variant_keys, weights, strict=True)
    shares = ", ".join(f"{scalar(key)}: {exact_share(weight)}" for key, weight in pairs)
    return f"weights: {{{shares}}}"


def _phase(experiment: Experiment, phase: Phase) -> str:
    parts = [_weights(experiment, phase.weights), f"coverage: {exact_share(phase.coverage)}"]
    if phase.seed:
        parts.append(f"seed: {json.dumps(phase.seed)}")
    return "{ " + ", ".join(parts) + " }"


def _pattern(pattern: UrlPattern) -> str:
    text = json.dumps(pattern.pattern, ensure_ascii=False)
    return text if pattern.type == "simple" else f"{{ type: {pattern.type}, pattern: {text} }}"


def exact_share(share: float) -> str:
    """A share that reads back as the same number: percent where that is exact, else the number.

    >>> exact_share(0.125), exact_share(1 / 3)
    ('12.5 %', '0.3333333333333333')
    """
    text = percent(share)
    return text if float(Decimal(text.rstrip(" %")) / 100) == share else repr(share)

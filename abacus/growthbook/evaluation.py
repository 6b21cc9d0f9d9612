"""One experiment, one visitor, step by step, as every GrowthBook SDK takes them: `abacus assign` shows the steps,
and GrowthBook's public vectors prove them.

An SDK gets a mapping as in the payload (abacus/growthbook/payload.py); names here are GrowthBook's where it has one.
Left out, because nothing that ABacus publishes has it: sticky buckets (the caller stores choices), overrides
and the fields that GrowthBook itself calls old (groups, include, url).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chalicelib.domain.assignment import Range, bucket, bucket_ranges, choose, fnv1a32
from chalicelib.domain.manifest import UrlPattern, Urls
from chalicelib.targeting.conditions import satisfied
from chalicelib.targeting.javascript import text, truthy
from chalicelib.targeting.url_patterns import matches

Rule = Mapping[str, Any]


@dataclass(frozen=True)
class Context:
    """Who is asking, and where."""

    attributes: Mapping[str, Any]
    url: str = ""
    forced: Mapping[str, int] = field(default_factory=dict)  # experiment → index
    features: Mapping[str, Rule] = field(default_factory=dict)  # for prerequisites
    groups: Mapping[str, Any] = field(default_factory=dict)
    enabled: bool = True
    qa: bool = False


@dataclass(frozen=True)
class Result:
    """index: of the variant that is shown. enrolled: takes part. counted: chosen by the hash, so it is tracked."""

    index: int
    enrolled: bool
    counted: bool
    steps: tuple[str, ...]


def place(seed: str, value: str, version: int) -> float | None:
    """GrowthBook's hash, by version: 2 is ours; 1 is biased, and older experiments use it. Others are unknown."""
    if version == 2:
        return bucket(seed, value)
    return fnv1a32(value + seed) % 1000 / 1000 if version == 1 else None


def ranges(variants: int, coverage: float, weights: Sequence[float] | None) -> list[Range]:
    """As chalicelib's, but an invalid value is repaired, not refused: an SDK has no one to report it to."""
    if not weights or len(weights) != variants or not 0.99 <= sum(weights) <= 1.01:
        weights = [1 / variants] * variants
    return bucket_ranges(weights, min(max(coverage, 0), 1))


def in_namespace(value: str, namespace: Sequence[Any]) -> bool:
    """The older form, [name, start, end). ABacus publishes filters instead, which hash by version 2."""
    name, start, end = namespace
    at = place(f"__{name}", value, 1)
    return at is not None and start <= at < end


def forced_by_url(key: str, url: str, variants: int) -> int | None:
    """The index that `?key=index` asks for, if there is such a variant."""
    query = re.sub("#.*", "", ([*url.split("?"), ""])[1])
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        if name == key:
            digits = re.match(r"\s*([+-]?\d+)", value.partition("=")[0])
            return int(digits[1]) if digits and 0 <= int(digits[1]) < variants else None
    return None


class _Out(Exception):
    """Not enrolled, and why."""


def run(experiment: Rule, context: Context) -> Result:
    """Which variant, whether it counts, and the steps that led there."""
    steps: list[str] = []
    variants = len(experiment["variations"])
    try:
        if variants < 2:
            raise _Out("an experiment needs two variants")
        if not context.enabled:
            raise _Out("switched off")
        steps += _pages(experiment, context)
        forced = _forced_variant(experiment, context)
        if forced is not None:
            steps.append(f"forced to variant {forced}; never counted")
            if not 0 <= forced < variants:
                raise _Out("there is no such variant")
            return Result(forced, True, False, tuple(steps))
        if experiment.get("status") == "draft" or experiment.get("active") is False:
            raise _Out("is not active")
        steps += _admitted(experiment, context)
        index, step = _chosen(experiment, context)
        steps.append(step)
        if index is None:
            raise _Out("no range holds that place: outside coverage")
        counted = "force" not in experiment
        index = index if counted else experiment["force"]
        if not 0 <= index < variants:
            raise _Out("forced to a variant that there is not")
        if counted and (context.qa or experiment.get("status") == "stopped"):
            raise _Out("only forced variants are shown: stopped, or checked by QA")
    except _Out as out:
        return Result(0, False, False, (*steps, str(out)))
    return Result(index, True, counted, tuple(steps))


def _pages(experiment: Rule, context: Context) -> Iterator[str]:
    targets = experiment.get("urlPatterns")
    if targets is None:
        return
    sides: dict[bool, list[UrlPattern]] = {True: [], False: []}
    for target in targets:
        pattern = UrlPattern(type=target["type"], pattern=target["pattern"])
        sides[target.get("include") is not False].append(pattern)
    if not targets or not matches(Urls(include=tuple(sides[True]), exclude=tuple(sides[False])), context.url):
        raise _Out(f"does not run on {context.url or 'an unknown page (no url was given)'}")
    yield f"runs on {context.url}"


def _forced_variant(experiment: Rule, context: Context) -> int | None:
    by_url = forced_by_url(experiment["key"], context.url, len(experiment["variations"]))
    return context.forced.get(experiment["key"]) if by_url is None else by_url


def _unit(attributes: Mapping[str, Any], name: str | None) -> str:
    value = attributes.get(name or "id")
    return text(value) if truthy(value) else ""


def _admitted(experiment: Rule, context: Context) -> Iterator[str]:
    """The steps that let the visitor take part at all; raises _Out at the first that does not."""
    unit = _unit(context.attributes, experiment.get("hashAttribute"))
    if not unit:
        raise _Out("there is no visitor id")
    if "filters" in experiment:
        yield from _filtered(experiment["filters"], context)
    elif "namespace" in experiment:
        if not in_namespace(unit, experiment["namespace"]):
            raise _Out(f"namespace {experiment['namespace'][0]}: not in its slice")
        yield f"namespace {experiment['namespace'][0]}: in its slice"
    if experiment.get("condition"):
        if not satisfied(experiment["condition"], context.attributes, context.groups):
            raise _Out("the condition does not hold for these attributes")
        yield "the condition holds"
    for parent in experiment.get("parentConditions", ()):
        if not _prerequisite(parent, context, frozenset()):
            raise _Out(f"prerequisite {parent['id']} does not hold")
        yield f"prerequisite {parent['id']} holds"


def _filtered(filters: Sequence[Rule], context: Context) -> Iterator[str]:
    for rule in filters:
        unit = _unit(context.attributes, rule.get("attribute"))
        at = place(rule["seed"], unit, rule.get("hashVersion") or 2) if unit else None
        if at is None or choose(at, [(start, end) for start, end in rule["ranges"]]) is None:
            raise _Out(f"namespace {rule['seed']}: place {at} is in none of {_shown(rule['ranges'])}")
        yield f"namespace {rule['seed']}: place {at} is in {_shown(rule['ranges'])}"


def _chosen(experiment: Rule, context: Context) -> tuple[int | None, str]:
    seed = experiment.get("seed") or experiment["key"]
    unit = _unit(context.attributes, experiment.get("hashAttribute"))
    at = place(seed, unit, experiment.get("hashVersion") or 1)
    if at is None:
        raise _Out(f"hash version {experiment['hashVersion']} is unknown")
    coverage = experiment.get("coverage", 1)
    slots = experiment.get("ranges") or ranges(len(experiment["variations"]), coverage, experiment.get("weights"))
    index = choose(at, [(start, end) for start, end in slots])
    return index, f"seed {seed}: hash of {unit!r} is {at}; ranges {_shown(slots)}"


def _shown(slots: Sequence[Sequence[float]]) -> str:
    return " ".join(f"[{start:g}, {end:g})" for start, end in slots)


def _prerequisite(parent: Rule, context: Context, seen: frozenset[str]) -> bool:
    if parent["id"] in seen:
        return False  # it waits for itself
    value = _value(parent["id"], context, seen | {parent["id"]})
    return satisfied(parent.get("condition") or {}, {"value": value}, context.groups)


def _value(name: str, context: Context, seen: frozenset[str]) -> Any:
    """The value of a feature, for prerequisites: the first rule that yields one, or the default."""
    feature = context.features.get(name, {})
    for rule in feature.get("rules", ()):
        failed = [p for p in rule.get("parentConditions", ()) if not _prerequisite(p, context, seen)]
        if any(p.get("gate") for p in failed):
            return None
        if failed:
            continue
        if "variations" in rule:
            result = run({"key": name} | dict(rule), context)
            if result.enrolled:
                return rule["variations"][result.index]
        elif "force" in rule and satisfied(rule.get("condition") or {}, context.attributes, context.groups):
            return rule["force"]
    return feature.get("defaultValue")

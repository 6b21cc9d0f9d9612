"""A features payload of GrowthBook → our experiments, so that every visitor keeps the variant.

Whatever would give one visitor another variant is left out, with the reason. A rule of a feature is one experiment; so
is an auto experiment that redirects.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from abacus.authoring.condition_rules import check_condition
from abacus.authoring.problems import field_name, listed
from abacus.growthbook.evaluation import Context, ranges, run
from abacus.shares import percent
from chalicelib.domain.assignment import Range, bucket_ranges, choose
from chalicelib.domain.errors import AbacusError
from chalicelib.domain.manifest import Experiment, Namespace, Phase, UrlPattern, Urls, Variant

PROBES = 2_000  # visitors who must keep their variant, besides every bucket
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_NO_MEANING = ("parentConditions", "fallbackAttribute")
Rule = Mapping[str, Any]


class NotAPayload(AbacusError):
    """The file is no features payload; the message says what it has instead."""


class _LeftOut(Exception):
    """Why an experiment cannot be taken."""


@dataclass(frozen=True)
class Imported:
    """What came out of a payload. left_out: name → reason; notes: key of one that was taken → what to know."""

    experiments: list[Experiment]
    left_out: dict[str, str]
    notes: dict[str, list[str]]


def import_payload(payload: Any, visitor_attribute: str = "id") -> Imported:
    """The experiments of `payload`, the JSON that an SDK gets. `visitor_attribute`: the attribute that is the visitor's
    id on your site. Raises NotAPayload."""
    if not isinstance(payload, dict) or not isinstance(payload.get("features", {}), dict):
        raise NotAPayload('is no features payload: it has the form {"features": {...}, "experiments": [...]}')
    if "encryptedFeatures" in payload:
        raise NotAPayload("is encrypted: fetch the payload of an SDK connection without encryption")
    result = Imported([], {}, {})
    groups = payload.get("savedGroups") or {}
    for name, rule, before in _experiments(payload):
        try:
            experiment, notes = _experiment(name, rule, before, groups, visitor_attribute)
            if any(experiment.key == other.key for other in result.experiments):
                raise _LeftOut(f"another experiment has the key {experiment.key} already")
        except _LeftOut as reason:
            result.left_out[name] = str(reason)
            continue
        result.experiments.append(experiment)
        result.notes[experiment.key] = notes
    return result


def _experiments(payload: Rule) -> Iterator[tuple[str, Rule, list[Rule]]]:
    """(name, rule, the rules that decide before it) of everything that has variations."""
    for name, feature in payload.get("features", {}).items():
        rules = feature.get("rules") or []
        if not any("variations" in rule for rule in rules) and rules:
            yield name, {}, []
        for number, rule in enumerate(rules):
            if "variations" in rule:
                default = {"default": feature.get("defaultValue")}
                yield rule.get("key") or name, {"key": name} | dict(rule) | default, rules[:number]
    for rule in payload.get("experiments") or []:
        yield rule["key"], rule, []


def _experiment(
    name: str, rule: Rule, before: list[Rule], groups: Rule, visitor_attribute: str
) -> tuple[Experiment, list[str]]:
    if not rule:
        raise _LeftOut("the feature has no experiment, only forced values or rollouts")
    _refuse(rule, before, visitor_attribute)
    notes: list[str] = []
    keys = _variant_keys(rule)
    values, redirect = _shown(rule, keys)
    condition = _condition(rule, groups)
    key = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:64]
    if key != name:
        notes.append(f"its key was {name}: events of GrowthBook's SDKs must name {key} from now on")
    if "default" in rule and rule["default"] != rule["variations"][0]:
        notes.append(f"visitors who take no part saw {rule['default']!r}; now they see the control, {keys[0]}")
    if rule.get("phase") not in (None, "0", 0):
        notes.append(f"it was in phase {rule['phase']}; the payload knows no earlier one, so it starts with phase 0")
    stopped = rule.get("status") == "stopped"
    experiment = Experiment(
        key=key,
        status="stopped" if stopped else "draft" if rule.get("status") == "draft" else "running",
        variants=tuple(Variant(key=k, payload=v) for k, v in zip(keys, values, strict=True)),
        phases=(_phase(rule),),
        seed=rule.get("seed") or rule["key"],
        description="Imported from GrowthBook.",
        namespace=_namespace(rule, visitor_attribute),
        urls=_urls(rule),
        condition=condition,
        redirect=redirect or None,
        winner=keys[rule["force"]] if stopped and "force" in rule else None,
    )
    if not stopped:
        _prove(experiment, rule)
    return experiment, notes


def _refuse(rule: Rule, before: list[Rule], visitor_attribute: str) -> None:
    """What no experiment of ours can do."""
    version = rule.get("hashVersion") or 1
    if version != 2:
        raise _LeftOut(f"hashVersion {version}: it places visitors by another hash; only version 2 can be continued")
    attribute = rule.get("hashAttribute") or "id"
    if attribute != visitor_attribute:
        raise _LeftOut(f"it assigns by {attribute}, not by {visitor_attribute}: see --visitor-attribute")
    if before:
        raise _LeftOut("another rule of the feature decides before it")
    if names := [field for field in _NO_MEANING if rule.get(field)]:
        raise _LeftOut(f"{listed(names)}: there is no such thing here")
    if "force" in rule and rule.get("status") != "stopped":
        raise _LeftOut("it is forced to one variant")
    if rule.get("active") is False:
        raise _LeftOut("it is not active")


def _variant_keys(rule: Rule) -> list[str]:
    count = len(rule["variations"])
    if not 2 <= count <= 20:
        raise _LeftOut(f"it has {count} variations; from two to twenty can be taken")
    meta = [*(rule.get("meta") or []), *({} for _ in range(count))][:count]
    keys = [str(entry.get("key") or index) for index, entry in enumerate(meta)]
    if any(entry.get("passthrough") for entry in meta):
        raise _LeftOut("it is a holdout, which lets visitors through to the next rule")
    if len(set(keys)) < count or not all(_KEY.fullmatch(key) for key in keys):
        raise _LeftOut(f"the variation keys {listed(keys)} must differ, with A-Z a-z 0-9 _ - alone")
    return keys


def _shown(rule: Rule, keys: list[str]) -> tuple[list[Any], dict[str, str]]:
    """Each variant's payload, and the url it is sent to."""
    values = list(rule["variations"])
    if "urlPatterns" in rule and all(isinstance(value, dict) for value in values):
        if any(value.get(field) for value in values for field in ("domMutations", "css", "js")):
            raise _LeftOut("it changes the page by the visual editor; write data-ab-set or a style sheet instead")
        redirect = {k: v["urlRedirect"] for k, v in zip(keys, values, strict=True) if v.get("urlRedirect")}
        if redirect:
            return [None] * len(keys), redirect
    if values == keys:
        return [None] * len(keys), {}
    if None in values:
        raise _LeftOut("a variation has the value null, which is no payload here")
    return values, {}


def _phase(rule: Rule) -> Phase:
    """Weights and coverage that give every bucket the same variant."""
    count, coverage = len(rule["variations"]), min(max(rule.get("coverage", 1), 0), 1)
    slots: list[Range] = [(start, end) for start, end in rule.get("ranges") or []]
    slots = slots or ranges(count, coverage, rule.get("weights"))
    starts = [*(start for start, _ in slots[1:]), 1.0]
    weights = [round(end - start, 12) for (start, _), end in zip(slots, starts, strict=True)]
    if rule.get("ranges"):
        wide = next(((e - s) / w for (s, e), w in zip(slots, weights, strict=True) if w > 0), 1.0)
        coverage = round(min(wide, 1.0), 12)
    given = rule.get("weights")
    if not rule.get("ranges") and given and abs(sum(given) - 1) < 1e-6 and len(given) == count:
        weights = list(given)
    elif not rule.get("ranges") and slots == ranges(count, coverage, None):
        weights = [1 / count] * count
    ours = bucket_ranges(weights, coverage) if min(weights) >= 0 else []
    moved = sum(choose(n / 10_000, slots) != choose(n / 10_000, ours) for n in range(10_000))
    if moved:
        raise _LeftOut(
            f"its ranges are no weights and coverage: {percent(moved / 10_000)} of all visitors would change"
        )
    return Phase(weights=tuple(weights), coverage=coverage)


def _namespace(rule: Rule, visitor_attribute: str) -> Namespace | None:
    if "filters" not in rule:
        if "namespace" in rule and tuple(rule["namespace"][1:]) != (0, 1):
            raise _LeftOut(f"the namespace {rule['namespace'][0]} places visitors by an older hash")
        return None
    filters = rule["filters"]
    if len(filters) != 1 or len(filters[0]["ranges"]) != 1:
        raise _LeftOut("it has several filters or ranges; an experiment has one namespace and one slice of it")
    (only,) = filters
    if (only.get("attribute") or "id") != visitor_attribute or (only.get("hashVersion") or 2) != 2:
        raise _LeftOut(f"its namespace {only['seed']} places visitors by another attribute or hash")
    (start, end) = only["ranges"][0]
    return Namespace(name=only["seed"], start=start, end=end)


def _condition(rule: Rule, groups: Rule) -> dict[str, Any] | None:
    condition = _without_groups(rule.get("condition") or None, groups)
    if condition is None:
        return None
    if problem := next(check_condition(condition, ("condition",)), None):
        raise _LeftOut(f"{field_name(problem[0])}: {problem[1]}")
    assert isinstance(condition, dict)
    return condition


def _without_groups(value: Any, groups: Rule) -> Any:
    """A condition with the members of saved groups written out."""
    if isinstance(value, list):
        return [_without_groups(item, groups) for item in value]
    if not isinstance(value, dict):
        return value
    names = {"$inGroup": "$in", "$notInGroup": "$nin"}
    return {
        names.get(key, key): groups.get(item, []) if key in names else _without_groups(item, groups)
        for key, item in value.items()
    }


def _urls(rule: Rule) -> Urls | None:
    patterns = rule.get("urlPatterns")
    if not patterns:
        return None
    sides: dict[bool, list[UrlPattern]] = {True: [], False: []}
    for each in patterns:
        sides[each.get("include") is not False].append(UrlPattern(type=each["type"], pattern=each["pattern"]))
    return Urls(include=tuple(sides[True]), exclude=tuple(sides[False]))


def _prove(experiment: Experiment, rule: Rule) -> None:
    """Visitor by visitor: the hash, the namespace and the ranges say the same before and after."""
    attribute = rule.get("hashAttribute") or "id"
    fields = ("key", "variations", "hashAttribute", "hashVersion", "seed", "weights", "coverage", "ranges", "filters")
    placed = {name: rule[name] for name in fields if name in rule}
    for number in range(PROBES):
        visitor = f"{number * 2654435761 % 2**32:08x}"
        before = run(placed, Context({attribute: visitor, "id": visitor}))
        index = before.index if before.enrolled else None
        if experiment.assign(visitor, 0) != (None if index is None else experiment.variant_keys[index]):
            raise _LeftOut(f"the visitor {visitor} would get another variant")

"""The manifest as GrowthBook's SDKs want it: features, each with one rule, and redirects as auto experiments.

A rule's key is the experiment's key and meta[].key the variant's, so that an exposure says both by name.
Facts: docs/growthbook.md. No dateUpdated: an SDK throws away a body whose date has not changed, and accepts any
without one.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from chalicelib.domain.manifest import HOLDOUT, Experiment, Manifest, Urls
from chalicelib.targeting.url_patterns import condition_on_url

Json = dict[str, Any]


def payload(manifest: Manifest, now: int) -> Json:
    """What GET /api/features/{client_key} answers, at `now` (epoch ms): the SDKs know no start and end."""
    shown = [e for e in manifest.experiments if e.status != "draft"]
    return {
        "status": 200,
        "features": {e.key: _feature(e, now) for e in shown if e.redirect is None},
        "experiments": [_auto(e) for e in shown if e.redirect is not None and acts(e, now)],
    }


def acts(experiment: Experiment, now: int) -> bool:
    """Whether visitors see anything of the experiment at `now`, epoch milliseconds: it runs, or its winner is live."""
    if experiment.status == "stopped":
        return experiment.winner is not None
    begun = experiment.start is None or experiment.start <= now
    ended = experiment.end is not None and experiment.end <= now
    return experiment.status == "running" and begun and not ended


def _feature(experiment: Experiment, now: int) -> Json:
    """The value is the variant's payload, or its key where there are no payloads."""
    values = [v.key if v.payload is None else v.payload for v in experiment.variants]
    feature: Json = {"defaultValue": values[0]}
    if not acts(experiment, now):
        return feature
    condition = audience(experiment)
    if experiment.winner is not None:
        rule: Json = {"force": values[experiment.variant_keys.index(experiment.winner)]}
        if experiment.holdout:
            rule["filters"] = [_holdout(experiment)]
    else:
        rule = split(experiment) | {"variations": values}
    return feature | {"rules": [rule | ({"condition": condition} if condition else {})]}


def audience(experiment: Experiment) -> Json | None:
    """The audience, and the pages: feature rules know no url patterns, so clients must give a `url` attribute."""
    parts = [experiment.condition] if experiment.condition else []
    if experiment.urls is not None:
        parts.append(condition_on_url(experiment.urls))
    return {"$and": parts} if len(parts) > 1 else dict(parts[0]) if parts else None


def split(experiment: Experiment) -> Json:
    """The part of a GrowthBook rule that assigns visitors: seed, weights, coverage, filters."""
    number = experiment.current_phase
    phase = experiment.phases[number]
    seeds = [experiment.seed_of(i) for i in range(number + 1)]
    rule: Json = {
        "key": experiment.key,
        "seed": seeds[-1],
        "phase": str(number),
        "hashVersion": 2,
        "hashAttribute": "id",
        "weights": list(phase.weights),
        "coverage": phase.coverage,
        "meta": [{"key": key} for key in experiment.variant_keys],
        # A sticky choice outlives a change of weights; a new seed assigns all visitors again and forgets it.
        "bucketVersion": sum(old != new for old, new in pairwise(seeds)),
    }
    filters = [_holdout(experiment)] if experiment.holdout else []
    if experiment.namespace is not None:
        space = experiment.namespace
        filters.append(_filter(space.name, space.start, space.end))
    return rule | ({"filters": filters} if filters else {})


def _holdout(experiment: Experiment) -> Json:
    """Lets all visitors through but those of the site's holdout."""
    return _filter(HOLDOUT, experiment.holdout, 1)


def _filter(namespace: str, start: float, end: float) -> Json:
    return {"attribute": "id", "seed": namespace, "hashVersion": 2, "ranges": [[start, end]]}


def _auto(experiment: Experiment) -> Json:
    """A redirect. SDKs apply `force` after the hash, so a winner takes the whole range."""
    urls, redirect = experiment.urls, experiment.redirect
    assert urls is not None
    assert redirect is not None
    auto = split(experiment)
    if experiment.winner is not None:
        index = experiment.variant_keys.index(experiment.winner)
        auto |= {"force": index, "coverage": 1, "weights": [float(i == index) for i in range(len(experiment.variants))]}
        auto.pop("filters", None)
        auto |= {"filters": [_holdout(experiment)]} if experiment.holdout else {}
    if experiment.condition:
        auto["condition"] = experiment.condition
    return auto | {
        "status": experiment.status,
        "changeId": f"{experiment.key}-{experiment.current_phase}",
        "persistQueryString": True,
        "variations": [{"urlRedirect": redirect[k]} if k in redirect else {} for k in experiment.variant_keys],
        "urlPatterns": targets(urls),
    }


def targets(urls: Urls) -> list[Json]:
    """Url targeting as GrowthBook writes it."""
    return [
        {"include": include, "type": pattern.type, "pattern": pattern.pattern}
        for include, patterns in ((True, urls.include), (False, urls.exclude))
        for pattern in patterns
    ]

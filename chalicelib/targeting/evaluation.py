"""What one visitor gets of one experiment when a server decides: status, times, page, stored choice, audience, hash.

The order is the snippet's (static/snippet/assign.js), so that a page rendered by a server and the snippet in it agree.
`abacus assign` explains the same decision step by step; tests hold the two together.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal
from urllib.parse import urlsplit

from chalicelib.domain.manifest import Experiment
from chalicelib.targeting.conditions import satisfied
from chalicelib.targeting.url_patterns import matches

# OpenFeature's resolution reasons: https://openfeature.dev/specification/types#resolution-reason
Reason = Literal["STATIC", "SPLIT", "DISABLED", "DEFAULT"]


@dataclass(frozen=True)
class Choice:
    """The variant that a visitor was shown earlier, and the phase in which the hash chose it."""

    variant: str
    phase: int


@dataclass(frozen=True)
class EvaluationContext:
    """Who is asking: the visitor's id, attributes for conditions (`url` among them), and stored choices."""

    visitor: str
    attributes: Mapping[str, Any] = field(default_factory=dict)
    choices: Mapping[str, Choice] = field(default_factory=dict)  # by experiment


@dataclass(frozen=True)
class Evaluation:
    """`enrolled`: the visitor takes part, so an impression of this variant counts. `phase`: the one that chose it."""

    variant: str
    reason: Reason
    enrolled: bool
    phase: int


def evaluate(experiment: Experiment, context: EvaluationContext, now_ms: int) -> Evaluation:
    """The variant that `context` gets at `now_ms`. A draft is not published: do not ask for one.

    SPLIT: the hash, or an earlier choice by it. STATIC: the winner, or what everybody gets. DISABLED: not running now.
    DEFAULT: the control, because the page, the audience, the namespace or the coverage leave the visitor out.
    """
    current = experiment.current_phase
    control = experiment.control

    def fixed(variant: str, reason: Reason) -> Evaluation:
        return Evaluation(variant, reason, enrolled=False, phase=current)

    won = experiment.status == "stopped" and experiment.winner is not None
    if not won and not _is_running(experiment, now_ms):
        return fixed(control, "DISABLED")
    if not _on_page(experiment, context):
        return fixed(control, "DEFAULT")
    if won:
        assert experiment.winner is not None
        eligible = _in_audience(experiment, context) and not experiment.holds_out(context.visitor)
        return fixed(experiment.winner, "STATIC") if eligible else fixed(control, "DEFAULT")
    choice = context.choices.get(experiment.key)
    if choice and choice.variant in experiment.variant_keys and first_phase(experiment) <= choice.phase <= current:
        return Evaluation(choice.variant, "SPLIT", enrolled=True, phase=choice.phase)
    variant = experiment.assign(context.visitor, current) if _in_audience(experiment, context) else None
    if variant is None:
        return fixed(control, "DEFAULT")
    return Evaluation(variant, "SPLIT", enrolled=True, phase=current)


def first_phase(experiment: Experiment) -> int:
    """The first phase with today's seed: a choice made before it is not valid any more."""
    seeds = [experiment.seed_of(phase) for phase in range(len(experiment.phases))]
    return max((i for i, (before, after) in enumerate(pairwise(seeds), start=1) if before != after), default=0)


def _is_running(experiment: Experiment, now_ms: int) -> bool:
    begun = experiment.start is None or experiment.start <= now_ms
    ended = experiment.end is not None and experiment.end <= now_ms
    return experiment.status == "running" and begun and not ended


def _on_page(experiment: Experiment, context: EvaluationContext) -> bool:
    """Without a url no experiment with page targeting runs."""
    url = context.attributes.get("url")
    return experiment.urls is None or (isinstance(url, str) and matches(experiment.urls, url))


def _in_audience(experiment: Experiment, context: EvaluationContext) -> bool:
    return not experiment.condition or satisfied(experiment.condition, known_attributes(context))


def known_attributes(context: EvaluationContext) -> dict[str, Any]:
    """The attributes of a context, with those that the snippet adds by itself: id, path, host and query of the url.

    >>> known_attributes(EvaluationContext("v1", {"url": "https://example.com/tea?x=1"}))["path"]
    '/tea'
    """
    attributes = dict(context.attributes)
    url = attributes.get("url")
    if isinstance(url, str):
        try:
            parts = urlsplit(url)
        except ValueError:  # an unclosed [ in the host
            parts = urlsplit("")
        query = f"?{parts.query}" if parts.query else ""
        attributes = {"path": parts.path or "/", "host": parts.netloc, "query": query} | attributes
    return attributes | {"id": context.visitor}


_STORED = re.compile(r"([a-z0-9-]{1,64})\.([A-Za-z0-9_-]{1,64})\.([0-9]{1,4})")


def stored_choices(cookie: str, visitor: str) -> dict[str, Choice]:
    """The choices in the value of the snippet's cookie, `<visitor>~<experiment>.<variant>.<phase>~…`.

    Another visitor's cookie holds none. The first entry of an experiment is the newest.

    >>> stored_choices("v1~hero.bold.1~hero.plain.0~", "v1")
    {'hero': Choice(variant='bold', phase=1)}
    """
    owner, *entries = cookie.split("~")
    choices: dict[str, Choice] = {}
    for entry in entries if owner == visitor else []:
        match = _STORED.fullmatch(entry)
        if match:
            choices.setdefault(match[1], Choice(match[2], int(match[3])))
    return choices

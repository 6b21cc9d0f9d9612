"""The outcomes: every event ends in exactly one, by name. And the refusals that manifest, clock and sender decide; what
needs the whole request or the row is decided in pipeline.py and rows/writer.py.

docs/outcomes.md explains each to a sender; a test keeps that table and this enum equal.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from chalicelib.domain.clock import DAY_MS, HOUR_MS, MINUTE_MS
from chalicelib.domain.errors import names_in_message
from chalicelib.domain.event import Event
from chalicelib.domain.manifest import Experiment, Manifest
from chalicelib.storage.manifest_cache import FreshManifest

WINDOW_BACK_MS = 7 * DAY_MS  # for anonymous senders; signed senders have the retention
WINDOW_AHEAD_MS = 10 * MINUTE_MS
CLOCK_ERROR_MS = 10 * MINUTE_MS  # by which an anonymous event may precede the begin: two clocks are involved
LATE_MS = HOUR_MS  # an anonymous event that arrives later than this is marked as late


class Outcome(StrEnum):
    """What becomes of an event. ACCEPTED, REPEATED and QUEUED are no refusals."""

    ACCEPTED = "accepted"
    REPEATED = "repeated"
    QUEUED = "queued"
    UNKNOWN_EXPERIMENT = "unknown-experiment"
    UNKNOWN_VARIANT = "unknown-variant"
    UNKNOWN_GOAL = "unknown-goal"
    NOT_RUNNING = "not-running"
    BEFORE_START = "before-start"
    WRONG_VARIANT = "wrong-variant"
    WRONG_VALUE = "wrong-value"
    TOO_OLD = "too-old"
    IN_THE_FUTURE = "in-the-future"
    TOO_MANY_EXPERIMENTS = "too-many-experiments"
    CAPPED = "capped"
    MALFORMED = "malformed"


# A manifest published a moment ago may change these, so they are decided again by a fresh one.
DEPENDS_ON_MANIFEST = {
    Outcome.UNKNOWN_EXPERIMENT,
    Outcome.UNKNOWN_VARIANT,
    Outcome.UNKNOWN_GOAL,
    Outcome.NOT_RUNNING,
    Outcome.BEFORE_START,
    Outcome.WRONG_VARIANT,
    Outcome.WRONG_VALUE,
}


class Refusal(NamedTuple):
    """Why an event is not written: the outcome, and a sentence for its sender. `reason`: what others may read of it,
    where the message may name the visitor."""

    outcome: Outcome
    message: str
    reason: str = ""


def validate_event(
    event: Event,
    visitor: str,
    manifest: Manifest,
    *,
    now_ms: int,
    window_back_ms: int = WINDOW_BACK_MS,
    signed: bool = False,
) -> Refusal | None:
    """Why `event` of `visitor` is refused, or None: it may be written.

    now_ms: epoch milliseconds. window_back_ms: how old an event may be. signed: a back end signed the request; it may
    report events from before the experiment began. The event's own time decides: an event made before a stop counts
    after it."""
    experiment = manifest.experiment(event.experiment)
    if experiment is None:
        known = names_in_message(manifest.published_keys)
        return Refusal(Outcome.UNKNOWN_EXPERIMENT, f"No experiment {event.experiment!r}; the manifest has {known}.")
    if event.variant not in experiment.variant_keys:
        known = names_in_message(experiment.variant_keys)
        return Refusal(Outcome.UNKNOWN_VARIANT, f"{experiment.key} has no variant {event.variant!r}; it has {known}.")
    if event.goal is not None and event.goal not in experiment.goals:
        known = names_in_message(experiment.goals) if experiment.goals else "none besides clicks"
        return Refusal(Outcome.UNKNOWN_GOAL, f"{experiment.key} declares no goal {event.goal!r}; it has {known}.")
    if problem := value_problem(experiment, event):
        return Refusal(Outcome.WRONG_VALUE, problem)
    if event.at < now_ms - window_back_ms:
        return Refusal(Outcome.TOO_OLD, f"at: {event.at} is more than {window_back_ms // DAY_MS} days ago.")
    if event.at > now_ms + WINDOW_AHEAD_MS:
        return Refusal(Outcome.IN_THE_FUTURE, f"at: {event.at} is more than 10 minutes ahead of {now_ms}.")
    if not experiment.accepts(event.at):
        return Refusal(
            Outcome.NOT_RUNNING, f"{experiment.key} is {experiment.status}; it was not running at {event.at}."
        )
    if experiment.began is not None and event.at < experiment.began - CLOCK_ERROR_MS and not signed:
        return Refusal(Outcome.BEFORE_START, f"at: {event.at} is before {experiment.key} began, at {experiment.began}.")
    if not _is_assigned(experiment, visitor, event):
        return Refusal(Outcome.WRONG_VARIANT, _wrong_variant(experiment, visitor, event))
    return None


def validate_events(
    events: Iterable[Event],
    visitor: str,
    manifest: FreshManifest,
    *,
    now_ms: int,
    window_back_ms: int = WINDOW_BACK_MS,
    signed: bool = False,
) -> list[Refusal | None]:
    """For each event why it is refused, or None. Arguments as for `validate_event`.

    Before an event is refused as unknown, not running or wrong, the manifest is read again, once: a publish may be
    seconds old, and the visitor's page newer than this process."""

    def decide(event: Event, manifest: Manifest) -> Refusal | None:
        return validate_event(event, visitor, manifest, now_ms=now_ms, window_back_ms=window_back_ms, signed=signed)

    events = list(events)
    first = manifest.manifest
    refusals = [decide(event, first) for event in events]
    if any(refusal is not None and refusal.outcome in DEPENDS_ON_MANIFEST for refusal in refusals):
        fresh = manifest.refresh()
        if fresh is not first:
            refusals = [decide(event, fresh) for event in events]
    return refusals


def value_problem(experiment: Experiment, event: Event) -> str | None:
    """Why the value of `event` does not fit its goal, as a sentence; None: it fits, or there is none to fit."""
    declared = experiment.goal_values.get(event.goal or "")
    if declared is None:
        return None if event.value is None else f"value: {event.goal!r} of {experiment.key} carries no values."
    if event.value is None:
        return f"value: is missing; each {event.goal!r} of {experiment.key} carries one, in {declared.unit}."
    minor = event.value.scaleb(declared.decimals)
    if minor != minor.to_integral_value():
        return f"value: {event.value} has more than {declared.decimals} decimals."
    return None


def _phase(experiment: Experiment, event: Event) -> int:
    return experiment.current_phase if event.phase is None else event.phase


def _is_assigned(experiment: Experiment, visitor: str, event: Event) -> bool:
    phase = _phase(experiment, event)
    if phase > experiment.current_phase:  # also where the sender assigns: each phase has tallies of its own
        return False
    return experiment.assignment == "client" or experiment.assign(visitor, phase) == event.variant


def _wrong_variant(experiment: Experiment, visitor: str, event: Event) -> str:
    phase = _phase(experiment, event)
    if phase > experiment.current_phase:
        return f"{experiment.key} has no phase {phase}; its last one is {experiment.current_phase}."
    expected = experiment.assign(visitor, phase)
    assignment = f"belongs to {expected}" if expected else "is not enrolled"
    return f"{experiment.key}: this visitor {assignment} in phase {phase}, not {event.variant}."

"""Every event ends in exactly one outcome, by name. Which of the refusals, if any, is decided here.

docs/outcomes.md explains each to a sender; a test keeps that table and this enum equal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import NamedTuple

from chalicelib.domain.clock import DAY_MS, MINUTE_MS
from chalicelib.domain.event import Event
from chalicelib.domain.manifest import Experiment, Manifest

WINDOW_BACK_MS = 7 * DAY_MS  # for anybody; signed senders: the retention
WINDOW_AHEAD_MS = 10 * MINUTE_MS


class Outcome(StrEnum):
    ACCEPTED = "accepted"
    REPEATED = "repeated"
    QUEUED = "queued"
    UNKNOWN_EXPERIMENT = "unknown-experiment"
    UNKNOWN_VARIANT = "unknown-variant"
    UNKNOWN_GOAL = "unknown-goal"
    NOT_RUNNING = "not-running"
    WRONG_VARIANT = "wrong-variant"
    TOO_OLD = "too-old"
    IN_THE_FUTURE = "in-the-future"
    CAPPED = "capped"
    MALFORMED = "malformed"


# A manifest published a moment ago may change these, so they are judged again by a fresh one.
DEPENDS_ON_MANIFEST = {
    Outcome.UNKNOWN_EXPERIMENT,
    Outcome.UNKNOWN_VARIANT,
    Outcome.UNKNOWN_GOAL,
    Outcome.NOT_RUNNING,
    Outcome.WRONG_VARIANT,
}


class Refusal(NamedTuple):
    outcome: Outcome
    message: str


def validate_event(
    event: Event, visitor: str, manifest: Manifest, *, now_ms: int, window_back_ms: int = WINDOW_BACK_MS
) -> Refusal | None:
    """Why `event` of `visitor` is refused, or None: it is to be written. Times in epoch milliseconds.

    Judged by the event's own time: made before a stop, it counts after it."""
    experiment = manifest.experiment(event.experiment)
    if experiment is None:
        known = ", ".join(e.key for e in manifest.experiments if e.status != "draft") or "none"
        return Refusal(Outcome.UNKNOWN_EXPERIMENT, f"No experiment {event.experiment!r}; the manifest has {known}.")
    if event.variant not in experiment.variant_keys:
        known = ", ".join(experiment.variant_keys)
        return Refusal(Outcome.UNKNOWN_VARIANT, f"{experiment.key} has no variant {event.variant!r}; it has {known}.")
    if event.goal is not None and event.goal not in experiment.goals:
        known = ", ".join(experiment.goals) or "none besides clicks"
        return Refusal(Outcome.UNKNOWN_GOAL, f"{experiment.key} declares no goal {event.goal!r}; it has {known}.")
    if event.at < now_ms - window_back_ms:
        return Refusal(Outcome.TOO_OLD, f"at: {event.at} is more than {window_back_ms // DAY_MS} days ago.")
    if event.at > now_ms + WINDOW_AHEAD_MS:
        return Refusal(Outcome.IN_THE_FUTURE, f"at: {event.at} is more than 10 minutes ahead of {now_ms}.")
    if not experiment.accepts(event.at):
        return Refusal(
            Outcome.NOT_RUNNING, f"{experiment.key} is {experiment.status}; it was not running at {event.at}."
        )
    if not _explained(experiment, visitor, event):
        return Refusal(Outcome.WRONG_VARIANT, _wrong(experiment, visitor, event))
    return None


def validate_events(
    events: Iterable[Event],
    visitor: str,
    manifest: Manifest,
    refresh: Callable[[], Manifest],
    *,
    now_ms: int,
    window_back_ms: int = WINDOW_BACK_MS,
) -> tuple[Manifest, list[Refusal | None]]:
    """The verdict on each event, and the manifest that they were judged by.

    Before anything is refused as unknown, not running or wrong, the manifest is read anew, once: a publish may
    be seconds old, and the visitor's page newer than we are."""
    events = list(events)
    verdicts = [validate_event(e, visitor, manifest, now_ms=now_ms, window_back_ms=window_back_ms) for e in events]
    if any(v is not None and v.outcome in DEPENDS_ON_MANIFEST for v in verdicts):
        fresh = refresh()
        if fresh is not manifest:
            manifest = fresh
            verdicts = [
                validate_event(e, visitor, manifest, now_ms=now_ms, window_back_ms=window_back_ms) for e in events
            ]
    return manifest, verdicts


def _phase(experiment: Experiment, event: Event) -> int:
    return experiment.current_phase if event.phase is None else event.phase


def _explained(experiment: Experiment, visitor: str, event: Event) -> bool:
    phase = _phase(experiment, event)
    if phase > experiment.current_phase:  # also where the sender chooses: each phase is tallies of its own
        return False
    return experiment.assignment == "client" or experiment.assign(visitor, phase) == event.variant


def _wrong(experiment: Experiment, visitor: str, event: Event) -> str:
    phase = _phase(experiment, event)
    if phase > experiment.current_phase:
        return f"{experiment.key} has no phase {phase}; its last one is {experiment.current_phase}."
    due = experiment.assign(visitor, phase)
    said = f"is due {due}" if due else "is not enrolled"
    return f"{experiment.key}: this visitor {said} in phase {phase}, not {event.variant}."

"""POST /track: what GrowthBook's event plugin sends, as events of ours.

The plugin gives neither event id nor time. An exposure gets an id made from what it says, so that a visitor's
counts once, however many pages repeat it. A custom event cannot be told from its retry; the plugin never retries.
Of what comes along (url, attributes, session, campaign) only the value of a goal that carries values is kept, and of
attributes what an experiment declares as a segment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from chalicelib.domain.errors import InvalidInput, TooLarge
from chalicelib.domain.manifest import CLICK, Experiment, Manifest
from chalicelib.ingestion.request import MAX_EVENTS

VIEWED = "Experiment Viewed"
MAX_BODY = 256 * 1024  # bytes; the plugin sends the attributes with every event
MAX_VISITORS = 10  # each is a write of its own
MAX_TEXT = 100  # characters of an attribute, as in POST /events
MAX_ENTRIES = 1_000  # of any kind; all but 100 of them must be entries that are left out
Events = list[dict[str, Any]]


class _Logged(BaseModel):
    """What we read of one entry."""

    model_config = ConfigDict(frozen=True, extra="allow")

    event_name: str
    properties_json: dict[str, Any] = {}
    device_id: str | None = None
    context_json: Any = None

    def text_of(self, name: str) -> str:
        """A property as text, "" where there is none; ids may be numbers."""
        value = self.properties_json.get(name)
        return "" if isinstance(value, bool) else _text(value)

    def attribute(self, name: str) -> str | None:
        """An attribute of the visitor as text. The plugin sends some outside `context_json`, and renames them:
        `utmSource` becomes `utm_source`."""
        attributes = self.context_json if isinstance(self.context_json, dict) else {}
        others = self.model_extra or {}
        snake_case = re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", name)
        known = (attributes.get(name), others.get(name), others.get(snake_case))
        return next((_text(value)[:MAX_TEXT] for value in known if value is not None), None)

    @property
    def visitor(self) -> str:
        return self.text_of("hashValue") or self.device_id or ""


def _text(value: Any) -> str:
    """As JavaScript writes it; "" for what is no text, number or boolean."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(value).removesuffix(".0")
    return str(value) if isinstance(value, str | int) else ""


_BODY = TypeAdapter(list[Any])


def events_from_plugin(body: bytes, received_at_ms: int, manifest: Manifest | None = None) -> list[tuple[str, Events]]:
    """(visitor, events as in POST /events).

    "Experiment Viewed" is an impression. `click` with properties.experimentId is a click. Any other name is a goal: of
    properties.experimentId, or with a `manifest` of every experiment that declares it. The visitor's variant is
    properties.variationId or what the manifest assigns; one that only an earlier phase explains is said to be of that
    phase. An impression has the attributes that its experiment declares as segments, and a goal with values has
    properties.value. Entries that name nothing of ours ("Feature Evaluated") are left out; ids, keys and values are not
    checked here. `received_at_ms` becomes the time of the events.

    Raises InvalidInput where the body is no JSON array, TooLarge above 256 KiB, 1,000 entries,
    100 events of ours, or 10 visitors.
    """
    if len(body) > MAX_BODY:
        raise TooLarge(f"body: {len(body)} bytes; at most {MAX_BODY} are taken.")
    try:
        entries = _BODY.validate_json(body)
    except ValidationError:
        raise InvalidInput("the body is not a JSON array of events, as GrowthBook's event plugin sends it") from None
    if len(entries) > MAX_ENTRIES:
        raise TooLarge(f"body: {len(entries)} entries; at most {MAX_ENTRIES} are taken at once.")
    by_visitor: dict[str, Events] = {}
    digest = sha256(body).digest()
    events = 0
    for index, entry in enumerate(entries):
        try:
            logged = _Logged.model_validate(entry)
        except ValidationError:
            continue
        unique = f"{received_at_ms}\0{index}\0".encode() + digest
        for event in _events(logged, manifest, unique):
            phase = _phase(event, logged.visitor, manifest)
            by_visitor.setdefault(logged.visitor, []).append(event | phase | {"at": received_at_ms})
            events += 1
            if events > MAX_EVENTS:
                raise TooLarge(f"body: more than {MAX_EVENTS} events; the plugin sends them in smaller batches.")
    if len(by_visitor) > MAX_VISITORS:
        raise TooLarge(f"body: {len(by_visitor)} visitors; a browser has one, at most {MAX_VISITORS} are taken.")
    return list(by_visitor.items())


def _events(logged: _Logged, manifest: Manifest | None, unique: bytes) -> Iterator[dict[str, Any]]:
    key, variant = logged.text_of("experimentId"), logged.text_of("variationId")
    if logged.event_name == VIEWED:
        if key and variant:
            identity = f"{key}\0{variant}\0{logged.visitor}".encode()
            event = {"id": _id(identity), "type": "impression", "experiment": key, "variant": variant}
            yield event | _segments(logged, manifest.experiment(key) if manifest else None)
        return
    goal = "-".join(logged.event_name.lower().replace("_", " ").split())  # "Sign Up" is the goal sign-up
    kind = {"type": "click"} if goal == CLICK else {"type": "goal", "goal": goal}
    if key and variant:
        declared = manifest.experiment(key) if manifest else None
        yield {"id": _id(unique), "experiment": key, "variant": variant} | kind | _value(logged, declared, goal)
        return
    for experiment in manifest.experiments if manifest else ():
        matches = experiment.key == key if key else goal in experiment.goals
        if matches and (assigned := _assigned(experiment, logged.visitor)):
            event = {"id": _id(unique), "experiment": experiment.key, "variant": assigned} | kind
            yield event | _value(logged, experiment, goal)


def _segments(logged: _Logged, experiment: Experiment | None) -> dict[str, Any]:
    """Device, browser and country come from the request, as always; see ingestion/visitor_segments."""
    names = [segment.name for segment in experiment.segments] if experiment else []
    sent = {name: text for name in names if (text := logged.attribute(name)) is not None}
    return {"segments": sent} if sent else {}


def _value(logged: _Logged, experiment: Experiment | None, goal: str) -> dict[str, Any]:
    """As it was sent, so that one which is no number is refused by name. Other goals leave a `value` that the site
    sends for other receivers where it is."""
    value = logged.properties_json.get("value")
    return {"value": value} if value is not None and experiment and goal in experiment.goal_values else {}


def _phase(event: dict[str, Any], visitor: str, manifest: Manifest | None) -> dict[str, Any]:
    """The phase in which the visitor got this variant: the plugin does not say, and an SDK with a sticky store keeps
    its choice through a change of weights. The latest that explains it; none: let the judge refuse it."""
    experiment = manifest.experiment(event["experiment"]) if manifest else None
    if experiment is None or experiment.status == "draft":
        return {}
    current = experiment.current_phase
    for phase in range(current, -1, -1):
        if experiment.assign(visitor, phase) == event["variant"]:
            return {} if phase == current else {"phase": phase}
    return {}


def _assigned(experiment: Experiment, visitor: str) -> str | None:
    if experiment.status == "draft" or experiment.assignment == "client":
        return None
    return experiment.assign(visitor, experiment.current_phase)


def _id(identity: bytes) -> str:
    return "gb-" + sha256(identity).hexdigest()[:32]

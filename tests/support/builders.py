"""Events, rows and experiments with the boring defaults filled in, so that a test names only what it is about."""

from __future__ import annotations

from typing import Any

from chalicelib.domain.assignment import bucket
from chalicelib.domain.event import Event
from chalicelib.domain.manifest import Experiment, Manifest, Phase, Variant
from chalicelib.storage import event_encoding
from chalicelib.storage.event_encoding import Marks

NOON = 1_795_262_400_000  # 2026-11-21T12:00:00Z, epoch milliseconds
MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def an_experiment(key: str = "cta-color", variants: tuple[str, ...] = ("blue", "green"), **fields: Any) -> Experiment:
    share = 1 / len(variants)
    defaults: dict[str, Any] = {
        "status": "running",
        "variants": tuple(Variant(key=name) for name in variants),
        "phases": (Phase(weights=(share,) * len(variants)),),
        "seed": key,
    }
    return Experiment(key=key, **(defaults | fields))


def a_manifest(*experiments: Experiment) -> Manifest:
    return Manifest(experiments=experiments or (an_experiment(),))


def an_event(**fields: Any) -> Event:
    defaults: dict[str, Any] = {
        "id": "e1",
        "type": "impression",
        "experiment": "cta-color",
        "variant": "green",
        "at": NOON,
    }
    return Event(**(defaults | fields))


def an_element(*, bot: bool = False, client: bool = False, **fields: Any) -> str:
    return event_encoding.encode(an_event(**fields), phase=0, client=client, marks=Marks(bot=bot))


def a_visitor(variant: str = "green", seed: str = "cta-color", nth: int = 0) -> str:
    """An id that the hash puts into `variant` of a 50/50 blue/green experiment."""
    low, high = (0.0, 0.5) if variant == "blue" else (0.5, 1.0)
    ids = (f"visitor-{i}" for i in range(100_000))
    return [v for v, _ in zip((v for v in ids if low <= bucket(seed, v) < high), range(nth + 1), strict=False)][nth]

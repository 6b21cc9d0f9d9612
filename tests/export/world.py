"""Rows of every kind, counted by the fold, and an export of them."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from abacus.export.command import write_events, write_tables
from abacus.export.folder import ExportFolder, ExportRecord
from chalicelib.counting.fold import Fold
from chalicelib.domain.event import Event
from chalicelib.domain.manifest import Experiment, Manifest
from chalicelib.storage.event_encoding import Amount, Marks, encode
from chalicelib.storage.retry import Patience
from chalicelib.storage.store import RowKey, RowLimit
from tests.support.builders import DAY, HOUR, NOON, a_manifest, an_experiment
from tests.support.memory_store import MemoryStore

MANIFEST = a_manifest(
    an_experiment(goals=("signup",), conversion_window_ms=HOUR),
    an_experiment("hero", ("plain", "bold", "brash"), goals=("signup", "buy")),
    an_experiment("legacy", ("A", "B"), assignment="client"),
)
LIMIT = RowLimit(100, 100)


def a_counted_store(seed: int, visitors: int = 150) -> MemoryStore:
    """Visitors with events before the impression, after the window, in several variants, of bots, with repeated ids."""
    rng = random.Random(seed)
    store = MemoryStore()
    for n, experiment in itertools.product(range(visitors), MANIFEST.experiments):
        key = RowKey(f"visitor-{n}", experiment.key)
        elements = list(_elements(rng, experiment))
        if elements:
            store.add(key, elements, len(elements), version="v", expires_at=0, limit=LIMIT)
    versions = (f"v{n}" for n in itertools.count())
    fold = Fold(store, 2, rng.randrange, lambda: next(versions), Patience(budget=1.0))
    fold(list(store.rows), now_ms=NOON)
    return store


def _elements(rng: random.Random, experiment: Experiment) -> Iterator[str]:
    home = rng.choice(experiment.variant_keys)
    window = None if experiment.conversion_window_ms is None else experiment.conversion_window_ms // 1000
    at = NOON - rng.randrange(3 * DAY)
    for n in range(rng.randrange(7)):
        kind: Any = rng.choices(["impression", "click", "goal"], [4, 2, 2 if experiment.goals else 0])[0]
        variant = home if rng.random() < 0.9 else rng.choice(experiment.variant_keys)
        event = Event(
            id=f"e{n}" if rng.random() < 0.95 else "e0",
            type=kind,
            experiment=experiment.key,
            variant=variant,
            goal=rng.choice(experiment.goals) if kind == "goal" else None,
            at=at + rng.choice([0, 0, 1000, HOUR, HOUR + 1, 2 * HOUR]),
        )
        yield encode(
            event,
            phase=0,
            client=experiment.assignment == "client",
            marks=Marks(bot=rng.random() < 0.08),
            amount=Amount(window_s=window) if kind == "impression" and window else Amount(),
            segments=(f"device={rng.choice(['mobile', 'desktop'])}",) if kind == "impression" else (),
        )


def a_record(**fields: Any) -> ExportRecord:
    defaults: dict[str, Any] = {"format": "parquet", "ids": False, "experiments": [], "source": "table"}
    return ExportRecord(**(defaults | {"began_at": "2026-11-21T12:00:00Z"} | fields))


def exported(store: MemoryStore, path: Path, *, manifest: Manifest = MANIFEST, parts: int = 3, **fields: Any) -> Path:
    """A complete export of `store` in `path`."""
    folder = ExportFolder(path, a_record(**fields))
    folder.update(parts=parts)
    write_events(folder, lambda number: store.scan(number, parts), len(store.rows))
    write_tables(folder, store, manifest)
    folder.update(finished_at="2026-11-21T13:00:00Z", salt=None)
    return path

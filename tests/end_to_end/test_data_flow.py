"""Start here: one visitor's events, step by step, from the request to the report. Everything in memory."""

from __future__ import annotations

import json
from collections import Counter

from chalicelib.counting.fold import Fold
from chalicelib.domain.manifest import Manifest
from chalicelib.ingestion import request
from chalicelib.ingestion.pipeline import Ingest
from chalicelib.ingestion.request import EventsResponse
from chalicelib.ingestion.validation import validate_event
from chalicelib.reporting import queries
from chalicelib.reporting.report import Question
from chalicelib.storage.retry import Patience
from chalicelib.storage.store import FIRST, LAST, ParticipantRow, RowKey, tallies_in
from chalicelib.storage.tally import Cell, Tally
from tests.support.builders import NOON, a_manifest, a_visitor
from tests.support.memory_store import MemoryStore

GREEN = a_visitor("green")
BODY = json.dumps(
    {
        "visitor": GREEN,
        "events": [
            {"id": "e1", "type": "impression", "experiment": "cta-color", "variant": "green", "phase": 0, "at": NOON},
            {"id": "e2", "type": "click", "experiment": "cta-color", "variant": "green", "phase": 0, "at": NOON + 4444},
        ],
    }
).encode()
IMPRESSION, CLICK = f"i|green|0|{NOON}|e1", f"c|green|0|{NOON + 4444}|e2"
KEY = RowKey(GREEN, "cta-color")


class FixedCatalog:
    """The manifest of every test."""

    def current(self, now_ms: int) -> Manifest:
        return a_manifest()

    refresh = current


def test_one_visitors_events_go_from_the_request_to_the_report() -> None:
    store, numbers = MemoryStore(), iter(range(100))
    version = lambda: f"version {next(numbers)}"  # noqa: E731

    # 1. Bytes become a batch of events.
    parsed = request.parse(BODY)
    assert ([e.type for e in parsed.batch.events], parsed.positions, parsed.malformed) == (
        ["impression", "click"],
        (0, 1),
        (),
    )

    # 2. Each event has one outcome; no refusal means that it is written.
    assert [validate_event(e, GREEN, a_manifest(), now_ms=NOON) for e in parsed.batch.events] == [None, None]

    # 3. One write to the visitor's row. The same request again is recognised.
    ingest = Ingest(store, FixedCatalog(), None, 90, version, lambda *_: None)
    assert ingest.receive(parsed, now_ms=NOON) == EventsResponse(accepted=2, repeated=0, queued=0, refused=())
    assert ingest.receive(parsed, now_ms=NOON) == EventsResponse(accepted=0, repeated=2, queued=0, refused=())
    pending = ParticipantRow(KEY, pending=frozenset({IMPRESSION, CLICK}), received=4, version="version 0")
    assert store.rows == {KEY: pending}

    # 4. The fold moves the pending events into the tallies, once.
    fold = Fold(store, 1, lambda n: 0, version, Patience())
    assert [fold([KEY], now_ms=NOON).events for _ in range(2)] == [2, 0]
    row = store.rows[KEY]
    assert (row.pending, row.counted, row.folded) == (frozenset(), {IMPRESSION, CLICK}, 4)

    # 5. The tallies hold the visitor once: in the total, on the day, in the hour.
    visitor = Tally(
        impressions=1, clicks=1, visitors=1, sx=1, sy=1, sxx=1, syy=1, sxy=1, received=4, events=2,
        converted=Counter(click=1),
    )  # fmt: skip
    assert tallies_in(store.cells("cta-color", first=FIRST, last=LAST), 0) == {
        Cell("total", "", 0, "green"): visitor,
        Cell("day", "2026-11-21", 0, "green"): visitor,
        Cell("hour", "2026-11-21T12", 0, "green"): Tally(impressions=1, clicks=1),
    }

    # 6. The report shows it, and that nothing is missing.
    report = queries.detail(store, a_manifest(), "cta-color", Question(), now_ms=NOON)
    (green,) = [variant for variant in report.variants if variant.variant == "green"]
    assert (green.impressions, green.clicks, green.ctr, green.visitors, green.rate) == (1, 1, 1.0, 1, 1.0)
    entries = report.health.conservation
    assert entries is not None
    assert (entries.received, entries.accepted, entries.repeated, entries.counted, entries.holds) == (4, 2, 2, 2, True)

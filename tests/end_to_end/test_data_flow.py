"""Start here: one visitor's events, step by step, from the request to the report. Everything in memory, in order."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime

from chalicelib.counting.fold import Fold
from chalicelib.domain.manifest import Manifest
from chalicelib.ingestion import request
from chalicelib.ingestion.pipeline import Answer, Ingest
from chalicelib.ingestion.validation import judge
from chalicelib.reporting import queries
from chalicelib.storage.retry import Patience
from chalicelib.storage.store import FIRST, LAST, Key, Row, tallies_in
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
KEY = Key(GREEN, "cta-color")


class Shelf:
    """Where the manifest comes from, when it comes from nowhere."""

    def current(self, now: int) -> Manifest:
        return a_manifest()

    refresh = current


store = MemoryStore()
versions = iter(range(100))


def a_version() -> str:
    return f"version {next(versions)}"


def test_1_bytes_become_a_batch() -> None:
    batch, places, malformed = request.parse(BODY)
    assert (batch.visitor, [e.type for e in batch.events], places, malformed) == (
        GREEN,
        ["impression", "click"],
        [0, 1],
        [],
    )


def test_2_each_event_is_judged() -> None:
    batch, _, _ = request.parse(BODY)
    assert [judge(event, GREEN, a_manifest(), now=NOON) for event in batch.events] == [None, None]


def test_3_one_write_to_the_visitors_row() -> None:
    ingest = Ingest(store, Shelf(), None, 90, a_version, lambda *_: None)
    for answer in (
        Answer(accepted=2, repeated=0, queued=0, refused=()),
        Answer(accepted=0, repeated=2, queued=0, refused=()),
    ):
        assert ingest.receive(*request.parse(BODY), now=NOON) == answer
    assert store.rows == {KEY: Row(KEY, pending=frozenset({IMPRESSION, CLICK}), received=4, version="version 0")}


def test_4_the_fold_counts_what_is_pending() -> None:
    fold = Fold(store, 1, lambda n: 0, a_version, Patience())
    assert fold([KEY], now=NOON / 1000).events == 2
    assert fold([KEY], now=NOON / 1000).events == 0
    row = store.rows[KEY]
    assert (row.pending, row.counted, row.folded) == (frozenset(), {IMPRESSION, CLICK}, 4)


def test_5_the_tallies_have_it_once() -> None:
    visitor = Tally(
        impressions=1,
        clicks=1,
        visitors=1,
        sx=1,
        sy=1,
        sxx=1,
        syy=1,
        sxy=1,
        received=4,
        events=2,
        converted=Counter(click=1),
    )
    assert tallies_in(store.cells("cta-color", first=FIRST, last=LAST), 0) == {
        Cell("total", "", 0, "green"): visitor,
        Cell("day", "2026-11-21", 0, "green"): visitor,
        Cell("hour", "2026-11-21T12", 0, "green"): Tally(impressions=1, clicks=1),
    }


def test_6_the_report_says_it() -> None:
    now = datetime.fromtimestamp(NOON / 1000, UTC)
    found = queries.detail(store, a_manifest(), "cta-color", queries.Question(), now=now)
    (green,) = [variant for variant in found["variants"] if variant["variant"] == "green"]
    assert (green["impressions"], green["clicks"], green["ctr"], green["visitors"], green["rate"]) == (
        1,
        1,
        1.0,
        1,
        1.0,
    )
    conservation = found["health"]["conservation"]
    assert {name: conservation[name] for name in ("received", "accepted", "repeated", "counted", "holds")} == {
        "received": 4,
        "accepted": 2,
        "repeated": 2,
        "counted": 2,
        "holds": True,
    }

"""GET /stats/{experiment}?by=…: what it reads, what it answers, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.counting.fold import Fold
from chalicelib.domain.errors import InvalidInput, NotFound
from chalicelib.domain.manifest import Segment
from chalicelib.domain.segments import VALUES
from chalicelib.ingestion.pipeline import Ingest
from chalicelib.ingestion.request import Batch, ParsedRequest
from chalicelib.ingestion.sender import Sender
from chalicelib.reporting import queries
from chalicelib.reporting.report import Question
from chalicelib.storage.refusals import Refusals
from chalicelib.storage.retry import Patience
from chalicelib.storage.store import RowKey
from tests.support.builders import HOUR, NOON, a_manifest, a_visitor, an_event, an_experiment
from tests.support.memory_store import MemoryStore

MANIFEST = a_manifest(
    an_experiment(
        segments=(
            Segment(name="device", values=VALUES["device"]),
            Segment(name="country", values=("CH",)),
        )
    )
)
PHONE, DESKTOP = "(iPhone) Version/18 Safari/604.1", "(Windows NT 10.0) Chrome/143.0"


class CountingStore(MemoryStore):
    """Counts what is read of the tallies."""

    items = 0

    def cells(self, *arguments: Any, **options: Any) -> dict[str, dict[str, int]]:
        found = super().cells(*arguments, **options)
        self.items += len(found)
        return found


class FixedCatalog:
    def current(self, now: int):  # type: ignore[no-untyped-def]
        return MANIFEST

    refresh = current


@pytest.fixture
def store() -> CountingStore:
    """Ten visitors a variant: on phones in CH half of them click, on desktops in DE none; and a crawler on a phone."""
    store = CountingStore()
    refusals = Refusals(store, 1, lambda n: 0)
    ingest = Ingest(store, FixedCatalog(), None, 90, lambda: "v", refusals.count)

    def send(visitor: str, variant: str, sender: Sender, clicks: bool = False) -> None:
        events = [an_event(id="i", variant=variant)] + [an_event(id="c", type="click", variant=variant)] * clicks
        request = ParsedRequest(Batch(visitor=visitor, events=tuple(events)), tuple(range(len(events))))
        ingest.receive(request, now_ms=NOON + HOUR, sender=sender)

    for variant in ("blue", "green"):
        for n in range(10):
            sender = Sender(user_agent=PHONE, country="CH") if n % 2 else Sender(user_agent=DESKTOP, country="DE")
            send(a_visitor(variant, nth=n), variant, sender, clicks=bool(n % 2))
    send(a_visitor("green", nth=10), "green", Sender(user_agent=PHONE, country="CH", bot=True))
    send(a_visitor("green", nth=11), "blue", Sender(user_agent=PHONE, country="CH"))  # refused
    refusals.flush(NOON + HOUR)
    versions = iter(range(10**6))
    fold = Fold(store, 1, lambda n: 0, lambda: f"f{next(versions)}", Patience())
    fold([RowKey(*key) for key in store.rows], now_ms=NOON + HOUR)
    return store


def test_every_metric_by_value_with_who_was_left_out_and_refused(store: CountingStore) -> None:
    answer = queries.by_segment(store, MANIFEST, "cta-color", "device", now_ms=NOON + HOUR).model_dump(mode="json")
    [click] = answer["metrics"]
    rates = {v["value"]: [(a["variant"], a["visitors"], a["estimate"]) for a in v["variants"]] for v in click["values"]}
    assert rates == {
        "mobile": [("blue", 5, 1.0), ("green", 5, 1.0)],
        "desktop": [("blue", 5, 0.0), ("green", 5, 0.0)],
    }
    mobile, desktop = answer["traffic"]
    assert (mobile["visitors"], mobile["excluded"]["bot"], mobile["refused"]) == (10, 1, {"wrong-variant": 1})
    assert (desktop["visitors"], desktop["excluded"]["bot"], desktop["refused"]) == (10, 0, {})
    assert (answer["visitors"], answer["without_segment"]) == (20, 0)
    assert (answer["by"], answer["segments"]) == ("device", ["device", "country"])
    assert answer["warning"].startswith("Exploratory: 1 metric in 2 values.")


def test_what_the_manifest_does_not_list_is_other(store: CountingStore) -> None:
    answer = queries.by_segment(store, MANIFEST, "cta-color", "country", now_ms=NOON)
    assert [row.value for row in answer.traffic] == ["CH", "other"]


def test_the_report_reads_not_one_item_more_than_without_segments(store: CountingStore) -> None:
    def read(of: CountingStore) -> int:
        of.items = 0
        queries.detail(of, MANIFEST, "cta-color", Question(series="none"), now_ms=NOON + HOUR)
        return of.items

    with_segments = read(store)
    store.tallies = {key: cells for key, cells in store.tallies.items() if "#" not in key}
    assert (with_segments, read(store)) == (5, 5)  # total and day of two variants, and a refusal


def test_reading_one_segment_does_not_read_the_others(store: CountingStore) -> None:
    store.items = 0
    queries.by_segment(store, MANIFEST, "cta-color", "device", now_ms=NOON)
    # Two totals and a refusal; of the segment two values in two variants, and a refusal.
    assert store.items == 8


@pytest.mark.parametrize("name", ["browser", "", "device=mobile", "x" * 200])
def test_a_segment_that_the_experiment_lacks_is_refused_with_those_it_has(store: CountingStore, name: str) -> None:
    with pytest.raises(InvalidInput, match=r"by: '.*' is not a segment of cta-color; it has device, country"):
        queries.by_segment(store, MANIFEST, "cta-color", name, now_ms=NOON)


def test_an_unknown_experiment_is_not_found(store: CountingStore) -> None:
    with pytest.raises(NotFound):
        queries.by_segment(store, MANIFEST, "x", "device", now_ms=NOON)


def test_where_only_drafts_are_written_none_is_published() -> None:
    with pytest.raises(NotFound) as raised:
        queries.known(a_manifest(an_experiment("hero", status="draft")), "nope")
    assert raised.value.message == "No experiment 'nope'; none is published."

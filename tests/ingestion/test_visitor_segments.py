"""The segments of an impression: from the request and the event, through the row, into tallies of their own."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from abacus.operations.rows.erase import erase
from chalicelib.counting.contribution import contribution
from chalicelib.domain.event import Event
from chalicelib.domain.manifest import Segment
from chalicelib.domain.segments import VALUES
from chalicelib.ingestion.request import Batch, ParsedRequest
from chalicelib.ingestion.sender import Sender
from chalicelib.ingestion.visitor_segments import browser, device, segments_of
from chalicelib.storage.event_encoding import decode, encode
from chalicelib.storage.store import FIRST, LAST, SEGMENTS, all_cells
from tests.ingestion.test_pipeline import GREEN, Desk
from tests.support.builders import HOUR, NOON, a_manifest, an_event, an_experiment

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 "
    "Mobile/15E148 Safari/604.1"
)
ANDROID = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0"
SEGMENTED = an_experiment(
    segments=(
        *(Segment(name=name, values=VALUES[name]) for name in ("device", "browser", "visitor")),
        Segment(name="plan", values=("free", "pro"), attribute=True),
    )
)


@pytest.mark.parametrize(
    ("agent", "kind", "family"),
    [
        (IPHONE, "mobile", "safari"),
        (IPHONE.replace("Version/18.5", "CriOS/143.0.7000.1"), "mobile", "chrome"),
        (IPHONE.replace("Version/18.5", "FxiOS/146.0"), "mobile", "firefox"),
        (IPHONE.replace("Version/18.5", "EdgiOS/143.0.1"), "mobile", "edge"),
        (IPHONE.replace("Version/18.5 Mobile/15E148 Safari/604.1", "Mobile/15E148 [FBAN/FBIOS]"), "mobile", None),
        ("Mozilla/5.0 (iPad; CPU OS 12_5 like Mac OS X) Version/12.1 Mobile/15E148 Safari/604.1", "tablet", "safari"),
        (f"{ANDROID} Mobile Safari/537.36", "mobile", "chrome"),
        (f"{ANDROID} Safari/537.36", "tablet", "chrome"),
        (f"{ANDROID} Mobile Safari/537.36 OPR/92.0.0.0", "mobile", "opera"),
        (ANDROID.replace("Chrome/", "SamsungBrowser/29.0 Chrome/") + " Mobile Safari/537.36", "mobile", "samsung"),
        ("Mozilla/5.0 (Android 15; Mobile; rv:146.0) Gecko/146.0 Firefox/146.0", "mobile", "firefox"),
        ("Mozilla/5.0 (Android 15; Tablet; rv:146.0) Gecko/146.0 Firefox/146.0", "tablet", "firefox"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/143.0.0.0 Safari/537.36 Edg/143.0",
            "desktop",
            "edge",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/26.0 Safari/605.1.15",
            "desktop",
            "safari",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0", "desktop", "firefox"),
        ("curl/8.10.1", None, None),
        ("", None, None),
    ],
)
def test_device_and_browser_of_real_user_agents(agent: str, kind: str | None, family: str | None) -> None:
    assert (device(agent), browser(agent)) == (kind, family)


def test_a_browser_is_read_from_the_request_whatever_the_page_says() -> None:
    sender = Sender(user_agent=IPHONE, country="CH")
    said = {"device": "desktop", "visitor": "new", "plan": "pro"}
    assert segments_of(SEGMENTED, said, sender) == ("device=mobile", "browser=safari", "visitor=new", "plan=pro")


def test_a_back_end_says_what_its_visitor_uses_because_the_request_is_its_own() -> None:
    sender = Sender(client="shop", user_agent="python-requests/2.32")
    assert segments_of(SEGMENTED, {"device": "tablet"}, sender)[:2] == ("device=tablet", "browser=other")


def test_what_is_not_in_the_list_counts_as_other_and_is_not_kept() -> None:
    said = {"plan": "someone@example.com", "visitor": ""}
    assert segments_of(SEGMENTED, said, Sender())[2:] == ("visitor=other", "plan=other")


def test_countries_are_those_that_the_manifest_lists() -> None:
    swiss = an_experiment(segments=(Segment(name="country", values=("CH",)),))
    assert segments_of(swiss, {}, Sender(country="CH")) == ("country=CH",)
    assert segments_of(swiss, {"country": "CH"}, Sender(country="DE")) == ("country=other",)


def test_only_impressions_carry_segments() -> None:
    with pytest.raises(ValidationError, match="segments: are given for type 'impression' only"):
        an_event(type="click", segments={"plan": "pro"})


def test_segments_survive_the_row_and_fields_of_a_later_version_are_ignored() -> None:
    element = encode(an_event(), phase=0, client=False, segments=("device=mobile", "plan=pro"))
    assert element == f"i|green|0|{NOON}|e1|||device=mobile,plan=pro"
    assert decode(element).segments == ("device=mobile", "plan=pro")
    assert decode(element + "|later").segments == ("device=mobile", "plan=pro")
    assert decode(f"i|green|0|{NOON}|e1|||later").segments == ()


def send(desk: Desk, sender: Sender, *events: Event) -> None:
    request = ParsedRequest(Batch(visitor=GREEN, events=events), tuple(range(len(events))))
    desk.ingest.receive(request, now_ms=NOON, sender=sender)


def test_nothing_of_the_request_is_stored_but_the_declared_values() -> None:
    desk = Desk(manifest=a_manifest(SEGMENTED))
    send(desk, Sender(user_agent=IPHONE, address="192.0.2.7", country="CH"), an_event(segments={"plan": "x"}))
    (row,) = desk.store.rows_of(GREEN)
    assert row.pending == {f"i|green|0|{NOON}|e1|||device=mobile,browser=safari,visitor=other,plan=other"}


def test_the_earliest_impression_decides_also_when_it_arrives_last() -> None:
    late, early = (
        encode(an_event(id=name, at=at), phase=0, client=False, segments=(f"device={seen_on}",))
        for name, at, seen_on in (("i2", NOON, "desktop"), ("i1", NOON - HOUR, "mobile"))
    )
    cells = contribution({late, early}, 2)
    assert {cell.when: cells[cell].visitors for cell in cells if cell.span == "segment"} == {"device=mobile": 1}


def test_segments_have_a_partition_of_their_own_and_the_totals_do_not_grow() -> None:
    counted = {}
    for name, experiment in (("without", an_experiment()), ("with", SEGMENTED)):
        desk = Desk(manifest=a_manifest(experiment))
        send(desk, Sender(user_agent=IPHONE), an_event(), an_event(id="c", type="click"))
        desk.fold()
        counted[name] = desk.store
    of_totals = [store.cells("cta-color", first=FIRST, last=LAST) for store in counted.values()]
    assert of_totals[0] == of_totals[1]
    of_segments = counted["with"].cells("cta-color" + SEGMENTS, first=FIRST, last=LAST)
    assert list(of_segments) == [
        "segment#0#browser=safari#0#green#0",
        "segment#0#device=mobile#0#green#0",
        "segment#0#plan=other#0#green#0",
        "segment#0#visitor=other#0#green#0",
    ]
    assert all(numbers["converted.click"] == 1 for numbers in of_segments.values())


def test_an_erased_visitor_leaves_the_segments_too() -> None:
    desk = Desk(manifest=a_manifest(SEGMENTED))
    send(desk, Sender(user_agent=IPHONE), an_event())
    desk.fold()
    erase(desk.store, GREEN, now_ms=NOON, spread=1, random_below=lambda n: 0)
    cells = all_cells(desk.store, "cta-color")
    assert {n for name, numbers in cells.items() if not name.startswith("hour") for n in numbers.values()} == {0}

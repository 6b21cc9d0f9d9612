"""Unmodified GrowthBook SDKs, given what we publish, agree with us on every visitor."""

from __future__ import annotations

import json
import subprocess
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import ClassVar

import pytest

from abacus.authoring.assign import decide
from abacus.authoring.load import load
from abacus.growthbook.payload import payload
from abacus.paths import PROJECT, node
from chalicelib.domain.assignment import bucket
from chalicelib.domain.manifest import GoalValue, Phase, Segment
from chalicelib.ingestion.growthbook_plugin import events_from_plugin
from chalicelib.ingestion.request import each
from chalicelib.ingestion.sender import Sender
from chalicelib.ingestion.validation import validate_event
from chalicelib.ingestion.visitor_segments import segments_of
from chalicelib.storage.event_encoding import NO_MARKS, distinct, element_of
from tests.support.builders import a_manifest, an_experiment
from tests.support.growthbook_sdks import (
    NOW,
    PLACES,
    ask_javascript,
    assigned_by_javascript,
    assigned_by_python,
    ours,
    theirs,
    told,
    visitors,
)

DEMO = load(PROJECT / "manifest")
EVERYTHING = load(PROJECT / "tests" / "fixtures/manifest")
IDS = visitors(10_000)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("sdk", ["javascript", "python"])
@pytest.mark.parametrize("manifest", [DEMO, EVERYTHING], ids=["demo", "everything"])
def test_an_unmodified_sdk_agrees_on_every_visitor(manifest, sdk, place):
    url, attributes = PLACES[place]
    many = len(IDS) if manifest is DEMO else 2500
    ids = IDS[:many] if place == "the shop, as a Swiss pro" else IDS[:500]
    ask = assigned_by_javascript if sdk == "javascript" else assigned_by_python
    answers = theirs(ask(payload(manifest, NOW), url, told(url, attributes), ids), manifest)
    expected = ours(manifest, url, attributes, ids, sdk)
    for row in expected:  # an auto experiment that is over is not published at all
        for key in set(row) - set(answers[0]):
            assert manifest.experiment(key).redirect
            assert row.pop(key) == (manifest.experiment(key).control, False)
    assert [pair for pair in zip(ids, answers, expected, strict=True) if pair[1] != pair[2]][:3] == []


def test_the_explanation_agrees_with_the_server_on_2000_visitors():
    """What the SDKs are asked about is compiled by the same code that explains; the server has its own."""
    open_now = [e for e in EVERYTHING.experiments if e.status == "running" and not e.urls and not e.condition]
    dealt = [e for e in open_now if e.key not in ("not-started", "over")]
    assert len(dealt) == 12
    for experiment in dealt:
        decisions = [decide(experiment, visitor, "", {}, NOW) for visitor in IDS[:2000]]
        assert [d.variant if d.enrolled else None for d in decisions] == [
            experiment.assign(visitor, experiment.current_phase) for visitor in IDS[:2000]
        ]


def test_the_visitors_of_these_tests_meet_every_variant_and_being_left_out():
    url, attributes = PLACES["the shop, as a Swiss pro"]
    met = {
        (key, *what) for row in ours(EVERYTHING, url, attributes, IDS[:2000], "javascript") for key, what in row.items()
    }
    for experiment in (
        e for e in EVERYTHING.experiments if e.key in ("even", "three", "seven", "some", "right", "swiss")
    ):
        assert {v for key, v, enrolled in met if key == experiment.key and enrolled} == set(experiment.variant_keys)
    assert ("some", "a", False) in met
    assert ("weight-0-for-b", "b", True) not in met
    assert ("won", "b", False) in met


def test_without_the_url_attribute_an_sdk_enrolls_nobody_where_pages_are_targeted():
    found = payload(EVERYTHING, NOW)
    for ask in (assigned_by_javascript, assigned_by_python):
        [answer] = ask(found, "https://example.com/shop/tea", {"country": "CH"}, ["ada"])
        assert (answer["shop-pages"], answer["numbered-pages"]) == ([None, "a"], [None, "a"])


def published(**fields):
    return payload(a_manifest(an_experiment(**fields)), NOW)


def test_an_sdk_with_a_sticky_store_keeps_its_variant_through_new_weights_but_not_through_a_new_seed():
    half = Phase(weights=(0.5, 0.5))
    most = Phase(weights=(0.1, 0.9))
    reseeded = Phase(weights=(0.1, 0.9), seed="other")
    payloads = [published(phases=phases) for phases in ((half,), (half, most), (half, most, reseeded))]
    mover = next(v for v in IDS if 0.1 <= bucket("cta-color", v) < 0.5 and bucket("other", v) >= 0.1)
    assert ask_javascript([["sticky", payloads, "cta-color", mover]]) == [["blue", "blue", "green"]]
    without = [answer[0]["cta-color"] for answer in ask_javascript([["assign", p, "", {}, [mover]] for p in payloads])]
    assert [key for key, _ in without] == ["blue", "green", "green"]


VIEWS = ("ada", "bob", "ada")


class Site(BaseHTTPRequestHandler):
    """Serves the payload as the CDN does, and keeps what is posted to /track."""

    payload = published()
    posted: ClassVar[list[tuple[str, bytes]]] = []

    def do_GET(self):
        body = json.dumps(self.payload).encode() if self.path == "/api/features/abacus" else b""
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.posted.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def posted() -> list[tuple[str, bytes]]:
    """What the real plugin posts of three page views of two visitors: path and body."""
    Site.posted.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        host = f"http://127.0.0.1:{server.server_port}"
        script = PROJECT / "tests" / "growthbook/visit.cjs"
        subprocess.run([node(), str(script), host, "abacus", *VIEWS], check=True, timeout=60)
        server.shutdown()
    return Site.posted


def test_the_real_event_plugin_is_counted_once_per_visitor_and_click_by_click(posted):
    assert {path for path, _ in posted} == {"/track?client_key=abacus"}
    manifest = a_manifest()
    seen = [
        (event["type"], visitor, event["variant"], event["id"])
        for at, (_, body) in enumerate(posted, NOW)
        for visitor, events in events_from_plugin(body, at, manifest)
        for event in events
    ]
    due = {visitor: manifest.experiments[0].assign(visitor, 0) for visitor in VIEWS}
    once = sorted((kind, visitor, variant) for kind, visitor, variant, _ in set(seen))
    assert once == sorted(
        [("click", v, due[v]) for v in ("ada", "ada", "bob")] + [("impression", v, due[v]) for v in ("ada", "bob")]
    )
    assert b"someone@example.com" in b"".join(body for _, body in posted)
    assert "someone" not in json.dumps(seen)


def test_values_and_attributes_of_the_real_event_plugin_are_stored_or_refused_by_name(posted):
    segments = (
        Segment(name="plan", values=("free", "pro"), attribute=True),
        Segment(name="seats", values=("1", "3"), attribute=True),
        Segment(name="utmSource", values=("letter",), attribute=True),
        Segment(name="device", values=("mobile",)),
    )
    purchase = GoalValue(unit="EUR", decimals=2, cap=50_000)
    experiment = an_experiment(goals=("purchase",), goal_values={"purchase": purchase}, segments=segments)
    manifest = a_manifest(experiment)
    stored, refused = {}, []
    for at, (_, body) in enumerate(posted, NOW):
        for visitor, raw in events_from_plugin(body, at, manifest):
            batch, _, malformed = each(visitor, raw)
            refused += [problem.message for problem in malformed]
            for event in batch.events:
                markers = segments_of(experiment, event.segments, Sender(user_agent="Mobile Safari"))
                if problem := validate_event(event, visitor, manifest, now_ms=NOW):
                    refused.append(f"{problem.outcome}: {problem.message}")
                else:
                    stored.setdefault(visitor, set()).add(element_of(event, experiment, NO_MARKS, markers))
    known = {visitor: distinct(elements) for visitor, elements in stored.items()}
    values = {visitor: sorted(e.value for e in events if e.value is not None) for visitor, events in known.items()}
    assert values == {"ada": [4990, 4990], "bob": [-990, 4990]}
    of = {visitor: {e.segments for e in events if e.kind == "impression"} for visitor, events in known.items()}
    common = ("seats=3", "utmSource=letter", "device=mobile")
    assert of == {"ada": {("plan=pro", *common)}, "bob": {("plan=other", *common)}}
    assert sorted(refused) == [
        "value: 'free' is not a number from −1,000,000,000 to 1,000,000,000, such as 49.9 or \"49.90\"",
        "wrong-value: value: 0.001 has more than 2 decimals.",
        "wrong-value: value: is missing; each 'purchase' of cta-color carries one, in EUR.",
    ]


def test_what_is_published_to_growthbook_says_nothing_private():
    text = json.dumps(payload(EVERYTHING, NOW)) + json.dumps(payload(DEMO, NOW))
    for private in ("secret", "not for readers", "hypothesis", "description"):
        assert private not in text

"""Unmodified GrowthBook SDKs, given what we publish, agree with us on every visitor."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from abacus.assign import decide
from abacus.authoring import load
from abacus.payload import payload
from tests.growthbook_sdks import assigned_by_javascript, assigned_by_python, visitors

NOW = round(time.time() * 1000)  # the SDKs look at no clock; only start and end of the manifest do
DEMO = load(Path(__file__).parents[1] / "manifest")
EVERYTHING = load(Path(__file__).parent / "fixtures/manifest")
IDS = visitors(10_000)
PLACES = {
    "a page nobody targets": ("https://example.com/", {}),
    "the shop, as a Swiss pro": (
        "https://example.com/shop/tea?x=1",
        {"country": "CH", "age": 30, "plan": "pro"},
    ),
    "a numbered page, under age": ("https://example.com/p/12", {"country": "CH", "age": 17, "plan": "pro"}),
    "an advert, by tags": (
        "http://shop.example.org/any?b=1&ref=ad#x",
        {"country": "CH", "age": 18, "tags": ["y", "z", "x"]},
    ),
    "the checkout": ("https://example.com/shop/checkout", {"country": "XX"}),
}


def ours(manifest, url, attributes, ids, sdk):
    """What we decide, in the shape in which the SDKs answer; redirects only for those who know them."""
    known = [e for e in manifest.experiments if e.status != "draft" and (sdk == "javascript" or not e.redirect)]
    return [
        {e.key: (d.variant, d.enrolled) for e in known for d in [decide(e, visitor, url, attributes, NOW)]}
        for visitor in ids
    ]


def theirs(answers, manifest):
    """(variant shown, enrolled) from [key or None, value]."""
    found = []
    for answer in answers:
        row = {}
        for key, (assigned, value) in answer.items():
            experiment = manifest.experiment(key)
            row[key] = (assigned or _variant_of(experiment, value), assigned is not None)
        found.append(row)
    return found


def _variant_of(experiment, value):
    """Not enrolled: the value says which variant is shown."""
    if experiment.redirect:
        urls = {url: key for key, url in experiment.redirect.items()}
        return urls.get(value.get("urlRedirect"), experiment.control)
    shown = {json.dumps(v.key if v.payload is None else v.payload): v.key for v in experiment.variants}
    return shown[json.dumps(value)]


def told(url, attributes):
    """A client tells an SDK the url as an attribute too: feature rules know no url patterns."""
    return attributes | {"url": url}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("sdk", ["javascript", "python"])
@pytest.mark.parametrize("manifest", [DEMO, EVERYTHING], ids=["demo", "everything"])
def test_an_unmodified_sdk_agrees_on_every_visitor(manifest, sdk, place):
    url, attributes = PLACES[place]
    ids = IDS if place == "the shop, as a Swiss pro" else IDS[:500]
    ask = assigned_by_javascript if sdk == "javascript" else assigned_by_python
    answers = theirs(ask(payload(manifest, NOW), url, told(url, attributes), ids), manifest)
    expected = ours(manifest, url, attributes, ids, sdk)
    for row in expected:  # an auto experiment that is over is not published at all
        for key in set(row) - set(answers[0]):
            assert manifest.experiment(key).redirect
            assert row.pop(key) == (manifest.experiment(key).control, False)
    assert [pair for pair in zip(ids, answers, expected, strict=True) if pair[1] != pair[2]][:3] == []


def test_the_explanation_agrees_with_the_server_on_every_visitor():
    """What the SDKs are asked about is compiled by the same code that explains; the server has its own."""
    open_now = [e for e in EVERYTHING.experiments if e.status == "running" and not e.urls and not e.condition]
    dealt = [e for e in open_now if e.key not in ("not-started", "over")]
    assert len(dealt) == 11
    for experiment in dealt:
        decisions = [decide(experiment, visitor, "", {}, NOW) for visitor in IDS]
        assert [d.variant if d.enrolled else None for d in decisions] == [
            experiment.assign(visitor, experiment.current_phase) for visitor in IDS
        ]


def test_the_visitors_of_these_tests_meet_every_variant_and_being_left_out():
    url, attributes = PLACES["the shop, as a Swiss pro"]
    met = {(key, *what) for row in ours(EVERYTHING, url, attributes, IDS, "javascript") for key, what in row.items()}
    for experiment in (
        e for e in EVERYTHING.experiments if e.key in ("even", "three", "seven", "some", "right", "swiss")
    ):
        assert {v for key, v, enrolled in met if key == experiment.key and enrolled} == set(experiment.variant_keys)
    assert ("some", "a", False) in met
    assert ("nobody-gets-b", "b", True) not in met
    assert ("won", "b", False) in met


def test_without_the_url_attribute_an_sdk_enrolls_nobody_where_pages_are_targeted():
    found = payload(EVERYTHING, NOW)
    for ask in (assigned_by_javascript, assigned_by_python):
        [answer] = ask(found, "https://example.com/shop/tea", {"country": "CH"}, ["ada"])
        assert (answer["shop-pages"], answer["numbered-pages"]) == ([None, "a"], [None, "a"])


def test_what_is_published_to_growthbook_says_nothing_private():
    text = json.dumps(payload(EVERYTHING, NOW)) + json.dumps(payload(DEMO, NOW))
    for private in ("secret", "nobody must read this", "hypothesis", "description"):
        assert private not in text

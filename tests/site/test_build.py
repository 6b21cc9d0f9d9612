"""What the CDN serves, built from static/ and a manifest."""

from __future__ import annotations

from abacus.authoring.load import load
from abacus.paths import PROJECT
from abacus.site.build import build_site
from tests.support.builders import an_experiment

MANIFEST = load(PROJECT / "manifest")


def test_the_site_holds_the_snippet_the_landing_page_and_the_demo_shop() -> None:
    built = build_site(MANIFEST)
    assert {"ab.js", "index.html", "demo/index.html", "demo/shop.css"} <= set(built)
    assert built["ab.js"].content_type == "text/javascript; charset=utf-8"


def test_the_snippet_carries_the_manifest() -> None:
    assert b'["cta-color",[["blue",5e3],["green",1e4]]]' in build_site(MANIFEST)["ab.js"].body


def test_a_hero_of_your_own_without_the_shops_headlines_leaves_its_headline() -> None:
    own = MANIFEST.model_copy(update={"experiments": (an_experiment("hero", ("plain", "bold")),)})
    assert 'data-ab-set="">Tea, delivered</h1>' in build_site(own)["demo/index.html"].body.decode()


def test_the_landing_page_links_demo_results_and_manifest() -> None:
    page = build_site(MANIFEST)["index.html"].body.decode()
    assert [door for door in ("/demo/", "/results/", "/manifest.json") if f'href="{door}"' in page] == [
        "/demo/",
        "/results/",
        "/manifest.json",
    ]

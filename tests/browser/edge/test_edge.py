"""Pages behind the emulator's CloudFront with the edge function, in Chromium: the server, the snippet and the counts
agree on the variant, and nothing moves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from abacus.local.emulated_stacks import LocalAws
from chalicelib.domain.manifest import Experiment, Urls
from tests.browser.edge.site import EdgeSite, edge_site
from tests.browser.snippet.site import an_experiment, visitor_of
from tests.browser.snippet.visitors import ORDINARY
from tests.support.product import until

pytestmark = [pytest.mark.browser, pytest.mark.ministack]

HERO = an_experiment()
# What a page looks like, before and after the snippet: text of the heading at each change, and layout shifts.
WATCH = """
  window.seen = []; window.shifts = 0;
  new PerformanceObserver((list) => list.getEntries().map((entry) => (window.shifts += entry.value)))
    .observe({ type: "layout-shift", buffered: true });
  new MutationObserver(() => {
    const text = document.querySelector("h1")?.textContent;
    if (text && text != window.seen.at(-1)) window.seen.push(text);
  }).observe(document, { childList: true, subtree: true, characterData: true });
"""


@pytest.fixture(scope="module")
def _edge(data: LocalAws) -> Iterator[EdgeSite]:
    with edge_site(data) as site:
        yield site


@pytest.fixture
def edge(_edge: EdgeSite) -> EdgeSite:
    _edge.asked.clear()
    _edge.events.clear()
    _edge.extra.clear()
    return _edge


@pytest.fixture
def profile(ordinary: Browser) -> Iterator[Any]:
    contexts: list[BrowserContext] = []

    def opened() -> BrowserContext:
        context = ordinary.new_context(user_agent=ORDINARY, viewport={"width": 800, "height": 600})
        context.add_init_script(WATCH)
        contexts.append(context)
        return context

    yield opened
    for context in contexts:
        context.close()


def landing(edge: EdgeSite) -> Experiment:
    urls = Urls.model_validate({"include": ({"pattern": "/"},)})
    return an_experiment("landing", "a b", urls=urls, redirect={"b": f"https://{edge.domain}/b/"})


def open_page(context: BrowserContext, url: str) -> Page:
    page = context.new_page()
    page.goto(url)
    page.wait_for_function("window.abacus")
    return page


def cookie(context: BrowserContext) -> dict[str, Any]:
    (found,) = [c for c in context.cookies() if c["name"] == "abacus"]
    return dict(found)


def counted(edge: EdgeSite, visitor: str) -> set[tuple[str, str, str]]:
    return {(e["type"], e["experiment"], e["variant"]) for e in edge.events.values() if e["visitor"] == visitor}


def test_server_snippet_and_counts_agree_for_new_visitors_and_nothing_moves(edge: EdgeSite, profile: Any) -> None:
    edge.publish(HERO)
    variants = set()
    for _ in range(12):
        context = profile()
        page = open_page(context, edge.origin + "/shop")
        visitor = cookie(context)["value"].split("~")[0]
        path, header = edge.asked[-1]
        variant = header.removeprefix("hero=")
        assert (path, variant) == ("/shop", HERO.assign(visitor, 0))
        assert page.evaluate("document.documentElement.dataset.abHero") == variant
        until(lambda visitor=visitor, variant=variant: counted(edge, visitor) == {("impression", "hero", variant)})  # type: ignore[misc]
        assert (page.evaluate("seen"), page.evaluate("shifts")) == ([variant], 0)
        variants.add(variant)
        if len(variants) == 2:
            break
    assert variants == {"plain", "bold"}


def test_the_cookie_is_set_by_http_for_a_year_and_the_visitor_stays(edge: EdgeSite, profile: Any) -> None:
    edge.publish(HERO)
    context = profile()
    page = open_page(context, edge.origin + "/shop")
    first = cookie(context)
    days = (first["expires"] - page.evaluate("Date.now() / 1000")) / 86400
    assert 364 < days <= 365
    page.goto(edge.origin + "/other")
    assert cookie(context)["value"] == first["value"]
    assert [header for _, header in edge.asked] == [edge.asked[0][1]] * 2


def test_a_redirect_experiment_shows_its_page_at_the_first_request_and_is_counted_once(
    edge: EdgeSite, profile: Any
) -> None:
    experiment = landing(edge)
    edge.publish(experiment)
    context = profile()
    visitor = visitor_of(experiment, "b")
    context.add_cookies([{"name": "abacus", "value": f"{visitor}~", "url": edge.origin}])
    page = open_page(context, edge.origin + "/?x=1")
    assert page.text_content("p") == "page /b/"
    assert page.url == edge.origin + "/?x=1"
    until(lambda: counted(edge, visitor) == {("impression", "landing", "b")})
    assert edge.asked == [("/b/", "landing=b")]  # one request for a page: no redirect
    assert page.evaluate("[performance.getEntriesByType('navigation')[0].redirectCount, shifts]") == [0, 0]


def test_the_control_of_a_redirect_experiment_stays_and_is_counted(edge: EdgeSite, profile: Any) -> None:
    experiment = landing(edge)
    edge.publish(experiment)
    context = profile()
    visitor = visitor_of(experiment, "a")
    context.add_cookies([{"name": "abacus", "value": f"{visitor}~", "url": edge.origin}])
    page = open_page(context, edge.origin + "/")
    until(lambda: counted(edge, visitor) == {("impression", "landing", "a")})
    assert page.text_content("p") == "page /"


def test_country_and_device_are_the_edges_for_the_snippet_too(edge: EdgeSite, profile: Any) -> None:
    edge.publish(an_experiment(condition={"country": {"$ne": "CH"}, "device": "desktop"}))
    for country, takes_part in (("CH", False), ("DE", True)):
        edge.extra = {"CloudFront-Viewer-Country": country}
        context = profile()
        page = open_page(context, edge.origin + "/shop")
        assert bool(edge.asked[-1][1]) == takes_part
        visitor = cookie(context)["value"].split("~")[0]
        page.wait_for_timeout(0)
        page.evaluate("abacus.variant('hero')")
        if takes_part:
            until(lambda visitor=visitor: bool(counted(edge, visitor)))  # type: ignore[misc]
        else:
            assert page.evaluate("document.documentElement.dataset.abHero") == "plain"
            # Longer than an impression takes; a visitor who takes no part is never counted.
            page.wait_for_timeout(1500)
            assert counted(edge, visitor) == set()


def test_before_consent_the_edge_sets_and_assigns_nothing(edge: EdgeSite, profile: Any) -> None:
    edge.publish(HERO, consent=True)
    context = profile()
    page = open_page(context, edge.origin + "/shop")
    assert (edge.asked[-1], context.cookies()) == (("/shop", ""), [])
    page.evaluate("abacus.consent(true)")
    until(lambda: context.cookies())
    page.goto(edge.origin + "/other")
    visitor = cookie(context)["value"].split("~")[0]
    assert edge.asked[-1] == ("/other", f"hero={HERO.assign(visitor, 0)}")


def test_pages_are_not_kept_by_caches_between_the_cdn_and_the_browser(edge: EdgeSite, profile: Any) -> None:
    edge.publish(HERO)
    page = profile().new_page()
    response = page.goto(edge.origin + "/shop")
    assert response is not None
    assert response.headers["cache-control"] == "private, max-age=60"

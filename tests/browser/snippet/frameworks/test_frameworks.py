"""Real frameworks, built from their packages: the right variant on show, one impression a view, one click, no error."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser.snippet.frameworks import build
from tests.browser.snippet.site import Site, an_experiment
from tests.browser.snippet.visitors import a_moment_passes, confirmed, leave, seen_by_now

Profile = Callable[..., BrowserContext]
HERO = an_experiment(goals=("end",))
STYLE = (build.HERE / "variants.css").read_bytes()
TAG = '<script src="/ab.js"></script><link rel="stylesheet" href="/variants.css">'
VIEW = "impression hero bold"
CLICK = "click hero bold"
SECTION = (
    '<section data-ab="hero"><h1 data-ab-set="hero:bold text=Tea, tomorrow">Tea</h1><button>Buy</button></section>'
)


@pytest.fixture
def page(site: Site, new_visitor: Profile) -> Iterator[Page]:
    """A page of visitor v1, in which nothing may be written to the console as an error."""
    site.runs(HERO)
    site.files |= {"variants.css": STYLE, "favicon.ico": b""}
    page = new_visitor(site, known="v1~").new_page()
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    yield page
    assert errors == []


def looks(page: Page) -> list[str]:
    """The variant by the root element, and the headline as a visitor reads it."""
    return [page.get_attribute("html", "data-ab-hero") or "", page.inner_text("h1")]


BOLD = ["bold", "Tea, tomorrow"]


def use(page: Page, site: Site) -> list[str]:
    """What counts when a visitor sees the page, clicks, and goes on to the next route."""
    page.wait_for_function("document.hydrated")
    a_moment_passes(page)
    assert looks(page) == BOLD
    page.click("button")
    page.click("a")
    page.wait_for_url("**/two")
    a_moment_passes(page)
    assert looks(page) == BOLD
    return seen_by_now(site, page)


@pytest.mark.parametrize("hydration", ["right", "wrong"])
def test_react_19(site: Site, page: Page, hydration: str) -> None:
    html, right, wrong = build.react()
    site.files["app.js"] = right if hydration == "right" else wrong
    site.pages["/"] = html.replace("</body>", '<script src="/app.js"></script></body>')
    page.goto(site.origin)
    assert use(page, site) == [VIEW, CLICK, VIEW]


def test_code_in_react_that_asks_for_the_variant_gets_it(site: Site, page: Page) -> None:
    html, site.files["app.js"], _ = build.react()
    site.pages["/"] = html.replace("</body>", '<script src="/app.js"></script></body>')
    page.goto(site.origin)
    page.wait_for_function("document.querySelector('p').textContent == 'the same bold'")


@pytest.mark.parametrize("framework", ["vue", "svelte"])
def test_rendered_on_the_server_and_hydrated(site: Site, page: Page, framework: str) -> None:
    html, site.files["app.js"] = build.vue() if framework == "vue" else build.svelte()
    site.page("/", f'<div id="app">{html}</div><script src="/app.js"></script>', tag=TAG)
    page.goto(site.origin)
    assert use(page, site) == [VIEW, CLICK, VIEW]


def test_vue_with_the_module_in_its_bundle(site: Site, page: Page) -> None:
    site.files["app.js"] = build.vue_with_the_module(site.files["ab.mjs"])
    site.page("/", '<div id="app"></div><script type="module" src="/app.js"></script>', tag="")
    page.goto(site.origin)
    page.wait_for_function("document.hydrated")
    assert page.inner_text("h1") == "bold"
    a_moment_passes(page)
    page.click("button")
    assert seen_by_now(site, page) == [VIEW, CLICK]


def test_htmx_swaps_a_part_and_the_address(site: Site, page: Page) -> None:
    site.files["htmx.js"] = build.library("htmx")
    go = '<a href="/two" hx-get="/part" hx-target="main" hx-push-url="/two">Next</a>'
    site.page("/", f'<main>{SECTION}</main>{go}<script src="/htmx.js"></script>', tag=TAG)
    site.pages["/part"] = SECTION
    page.goto(site.origin)
    page.evaluate("document.hydrated = true")
    assert use(page, site) == [VIEW, CLICK, VIEW]


def test_turbo_swaps_the_body(site: Site, page: Page) -> None:
    site.files["turbo.js"] = build.library("turbo")
    for path in ("/", "/two"):
        site.page(path, f'{SECTION}<a href="/two">Next</a>', tag=TAG + '<script src="/turbo.js"></script>')
    page.goto(site.origin)
    page.evaluate("document.hydrated = true")
    assert use(page, site) == [VIEW, CLICK, VIEW]
    assert site.asked.count("/ab.js") == 1  # no page was loaded as a whole


@pytest.mark.parametrize("library", ["morphdom", "alpine"])
def test_a_server_that_sends_the_original_again_and_again(site: Site, page: Page, library: str) -> None:
    site.files["morph.js"] = build.library(library)
    site.page("/", f'<main>{SECTION}</main><script src="/morph.js"></script>', tag=TAG)
    page.goto(site.origin)
    a_moment_passes(page)
    for _ in range(4):
        page.evaluate("(html) => morph(document.querySelector('main'), html)", f"<main>{SECTION}</main>")
        page.wait_for_function("document.querySelector('h1').textContent == 'Tea, tomorrow'")
    page.click("button")
    assert seen_by_now(site, page) == [VIEW, CLICK]


def test_a_tag_manager_adds_it_late(site: Site, page: Page) -> None:
    (tag,) = build.documented("html")
    code = tag.replace("https://ab.example.com", site.origin).replace("<script>", "").replace("</script>", "")
    site.files["manager.js"] = f"setTimeout(() => {{ {code} }}, 200)".encode()
    site.page("/", SECTION, tag='<script src="/manager.js"></script>')
    page.goto(site.origin)
    page.wait_for_selector("html[data-ab-ready]")
    assert looks(page) == BOLD
    page.click("button")
    confirmed(page)
    assert seen_by_now(site, page) == [VIEW, CLICK]


def test_a_page_in_an_iframe(site: Site, page: Page) -> None:
    site.page("/part", SECTION, tag=TAG)
    site.page("/", '<iframe src="/part"></iframe>', tag="")
    page.goto(site.origin)
    frame = page.frame_locator("iframe")
    assert frame.locator("h1").inner_text() == "Tea, tomorrow"
    frame.locator("button").click()
    assert site.wait_for_events(2) == [VIEW, CLICK]
    a_moment_passes(page)
    leave(page)
    page.goto(site.origin + "/part")
    assert seen_by_now(site, page) == [VIEW, CLICK, VIEW]


def test_a_service_worker_answers_for_the_network(site: Site, page: Page) -> None:
    site.files["worker.js"] = b"""
      addEventListener('activate', (event) => event.waitUntil(clients.claim()));
      addEventListener('fetch', (event) => event.respondWith(fetch(event.request)));
    """
    site.files["register.js"] = b"navigator.serviceWorker.register('/worker.js')"
    site.page("/", f'{SECTION}<script src="/register.js"></script>', tag=TAG)
    page.goto(site.origin)
    page.wait_for_function("navigator.serviceWorker.controller")
    site.wait_for_events(1)
    confirmed(page)
    page.reload()
    assert looks(page) == BOLD
    page.click("button")
    assert seen_by_now(site, page) == [VIEW, VIEW, CLICK]

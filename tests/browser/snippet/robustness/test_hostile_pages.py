"""Pages that changed the language or the browser before us: we count as elsewhere, or show the control, and break
nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext

from tests.browser.snippet.site import Site, an_experiment
from tests.browser.snippet.visitors import a_moment_passes, confirmed, leave

Profile = Callable[..., BrowserContext]
HERO = an_experiment(goals=("end",))
PAGE = (
    '<section data-ab="hero"><h1 data-ab-set="hero:bold text=Bold">Plain</h1><p data-ab-show="hero:bold" hidden>New</p>'
    "<button>buy</button></section>"
)
ALL_PROTOTYPES = "[Object, Array, Function, String, Number, RegExp, Date, Promise, Map, Set, Error]"
CHANGES = {
    "frozen prototypes": f"for (const each of {ALL_PROTOTYPES}) Object.freeze(each.prototype);",
    "properties of all objects": """
      Object.prototype.extend = function () { return this; };
      Object.prototype.title = Object.prototype.text = 'of every object';
      Array.prototype.remove = function () {};
      String.prototype.format = function () {};
    """,
    "JSON of an old library": "Object.prototype.toJSON = Array.prototype.toJSON = String.prototype.toJSON = () => 'x';",
    "no localStorage at all": "Object.defineProperty(window, 'localStorage', { value: null });",
    "localStorage that takes nothing": """
      Object.defineProperty(window, 'localStorage', { value: new Proxy({}, {
        set() { throw new DOMException('full', 'QuotaExceededError'); },
      }) });
    """,
    "no sendBeacon, no locks": """
      delete Navigator.prototype.sendBeacon;
      Object.defineProperty(navigator, 'locks', { value: undefined });
    """,
    "a clock that stands still": "Date.now = () => 1700000000000;",
    "an element of our name": """
      addEventListener('DOMContentLoaded', () => {
        for (const tag of ['form', 'img']) {
          const element = Object.assign(document.createElement(tag), { name: 'abacus', id: 'abacus', hidden: true });
          document.body.append(element);
        }
      });
    """,
}


@pytest.mark.parametrize("change", CHANGES)
def test_it_counts_as_elsewhere(site: Site, new_visitor: Profile, change: str) -> None:
    site.runs(HERO)
    site.page("/", PAGE)
    context = new_visitor(site, "v1~")
    context.add_init_script(CHANGES[change])
    page = context.new_page()
    page.goto(site.origin)
    assert [page.inner_text("h1"), page.inner_text("p")] == ["Bold", "New"]
    assert page.evaluate("document.querySelector('h1').getAttributeNames().join()") == "data-ab-set"
    page.click("button")
    page.evaluate("abacus.goal('end')")
    assert sorted(site.wait_for_events(3)) == ["click hero bold", "goal end hero bold", "impression hero bold"]
    assert [(event["visitor"], event["phase"]) for event in site.events.values()] == [("v1", 0)] * 3
    a_moment_passes(page)
    cookies = [cookie["value"] for cookie in context.cookies() if cookie["name"] == "abacus"]
    assert cookies == ["v1~hero.bold.0~"]


def test_an_element_of_our_name_does_not_stop_a_late_script(site: Site, new_visitor: Profile) -> None:
    site.runs(HERO)
    late = '<script async src="/ab.async.js"></script>'
    site.page("/", f'<form name="abacus"></form>{PAGE}{late}', tag="")
    page = new_visitor(site, "v1~").new_page()
    page.goto(site.origin)
    page.wait_for_selector("html[data-ab-ready]")
    page.click("button")
    assert site.wait_for_events(2) == ["impression hero bold", "click hero bold"]


@pytest.mark.parametrize(
    "change",
    [
        # As in a sandbox whose document is a proxy: the browser takes it for no node.
        "MutationObserver.prototype.observe = () => { throw new TypeError('parameter 1 is not of type Node'); };",
        "EventTarget.prototype.addEventListener = () => { throw new Error('not here'); };",
        "delete window.IntersectionObserver;",
    ],
)
def test_where_it_cannot_keep_up_or_count_it_shows_the_control(site: Site, new_visitor: Profile, change: str) -> None:
    keep = "const kept = [MutationObserver.prototype.observe, EventTarget.prototype.addEventListener];"
    restore = "[MutationObserver.prototype.observe, EventTarget.prototype.addEventListener] = kept;"
    site.runs(HERO)
    tag = f'<script>{keep}{change}</script><script src="/ab.js"></script><script>{restore}</script>'
    site.page("/", PAGE, tag=tag)
    page = new_visitor(site, "v1~").new_page()
    page.goto(site.origin)
    page.wait_for_selector("html[data-ab-hero=plain]")
    page.click("button")
    page.evaluate("abacus.goal('end')")
    a_moment_passes(page)
    assert [page.inner_text("h1"), page.is_visible("p")] == ["Plain", False]
    leave(page)
    assert site.said() == []


@pytest.mark.parametrize("hours", [-12, 12])
def test_a_clock_that_is_set_between_two_pages_loses_nothing(site: Site, new_visitor: Profile, hours: int) -> None:
    site.runs(HERO)
    site.page("/", PAGE)
    context = new_visitor(site, "v1~")
    page = context.new_page()
    page.goto(site.origin)
    page.click("button")
    site.wait_for_events(2)
    confirmed(page)
    page.add_init_script(f"const now = Date.now; Date.now = () => now() + {hours} * 3600e3;")
    page.goto(site.origin)
    page.click("button")
    site.wait_for_events(4)
    assert sorted(site.said()) == ["click hero bold"] * 2 + ["impression hero bold"] * 2

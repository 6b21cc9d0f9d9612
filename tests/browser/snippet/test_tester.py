"""Testers: a variant of their choice, never counted, and a panel that says what happens and what does not."""

from __future__ import annotations

import json
import re

from playwright.sync_api import Page

from chalicelib.ingestion.request import parse
from tests.browser.snippet.site import Site, an_experiment
from tests.browser.snippet.visitors import Visit, a_moment_passes, seen_by_now

HERO = an_experiment("hero", "plain bold calm", goals=("end",))
CTA = an_experiment("cta", goals=("end",))
BUY = '<button data-ab="hero">buy</button>'


def shown(page: Page) -> str | None:
    return page.get_attribute("html", "data-ab-hero")


def test_a_forced_variant_is_shown_for_the_browser_session_and_never_counted(site: Site, visit: Visit) -> None:
    site.runs(HERO, CTA)
    site.page("/", BUY)
    page = visit("/?ab_hero=calm", known="v1~")
    assert shown(page) == "calm"
    page.click("button")
    page.goto(site.origin)  # no word of it in the address any more
    assert shown(page) == "calm"
    page.click("button")
    assert seen_by_now(site, page) == []
    [session] = [cookie for cookie in page.context.cookies() if cookie["name"] == "abacus_qa"]
    assert session["expires"] == -1


def test_growthbooks_index_forces_too(site: Site, visit: Visit) -> None:
    site.runs(HERO, CTA)
    site.page("/", BUY)
    assert shown(visit("/?hero=2", known="v1~")) == "calm"


def test_an_empty_override_ends_it(site: Site, visit: Visit) -> None:
    site.runs(HERO, CTA)
    site.page("/", BUY)
    page = visit("/?ab_hero=calm", known="v1~")
    page.goto(site.origin + "/?ab_hero=")
    assert shown(page) == HERO.assign("v1", 0)
    assert len(seen_by_now(site, page)) == 1


def test_a_parameter_of_the_sites_own_forces_nothing(site: Site, visit: Visit) -> None:
    site.runs(HERO, CTA)
    site.page("/", BUY)
    page = visit("/?hero=none&zab_hero=calm", known="v1~")
    assert shown(page) == HERO.assign("v1", 0)
    assert "/ab.debug.js" not in site.asked


def test_a_visitor_pays_nothing_for_it(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page("/", BUY)
    seen_by_now(site, visit())
    assert [path for path in site.asked if "debug" in path] == []


def test_the_panel_says_why_a_variant_is_shown_and_what_became_of_events(site: Site, visit: Visit) -> None:
    site.runs(HERO, an_experiment("later", status="paused"))
    site.headers["Content-Security-Policy"] = "default-src 'self'"
    site.page("/", BUY)
    page = visit("/?ab_debug", known="v1~")
    page.click("button")
    panel = page.locator("abacus-panel section")
    panel.get_by_text("new, 0 known before, 0 refused").first.wait_for()
    text = panel.inner_text()
    assert "seen before, in phase 0: the visitor keeps this variant" in text
    assert "paused: every visitor sees the control, and nothing is counted" in text
    assert "impression counted on this page" in text
    panel.get_by_text("all events are sent and confirmed").wait_for()


def test_the_panel_says_why_something_was_not_sent(site: Site, visit: Visit) -> None:
    site.runs(HERO, CTA)
    site.page("/", BUY + '<div data-ab="cta" hidden></div>')
    site.answer = (503, {"Retry-After": "600"})
    page = visit("/?ab_debug&ab_hero=calm", known="v1~")
    page.click("button")
    a_moment_passes(page)
    page.evaluate("abacus.goal('end')")
    panel = page.locator("abacus-panel section")
    panel.get_by_text("answered 503: they will be sent again").wait_for()
    text = panel.inner_text()
    assert "click of hero not sent: forced in this browser session, so not counted" in text
    assert "its element is not rendered (display: none?), so it cannot be seen" in text
    assert re.search(r"1 events wait \d+ s more", text)


def test_the_panel_says_what_the_service_refuses(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page("/", BUY)
    site.answer, site.refusal = (400, {}), {"error": {"code": "malformed", "message": "visitor: has a space"}}
    page = visit("/?ab_debug", known="v1~")
    page.click("button")
    page.locator("abacus-panel").get_by_text("sent, refused and not sent again: visitor: has a space").first.wait_for()


def test_a_tester_of_a_page_with_the_asynchronous_script_gets_the_same(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.files["early.js"] = b"(window.abacus ||= []).push((ab) => { window.got = ab.variant('hero'); })"
    site.page("/", '<script src="/early.js"></script>' + BUY, tag='<script async src="/ab.async.js"></script>')
    page = visit("/?ab_debug&ab_hero=calm", known="v1~")
    page.locator("abacus-panel").get_by_text("You are v1.").wait_for()
    page.wait_for_selector("html[data-ab-ready]")
    assert page.evaluate("window.got") == "calm"


def test_the_panel_closes_for_good(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page("/", BUY)
    page = visit("/?ab_debug", known="v1~")
    page.goto(site.origin)
    page.locator("abacus-panel").get_by_text("Close").click()
    page.goto(site.origin)
    a_moment_passes(page)
    assert page.locator("abacus-panel").count() == 0
    assert page.evaluate("localStorage.abacus_q") is None


def test_the_tag_of_a_signed_in_visitor_holds_for_testers(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page("/", BUY, tag='<script src="/ab.js" data-visitor="user-7"></script>')
    page = visit("/?ab_debug")
    page.locator("abacus-panel").get_by_text("You are user-7.").wait_for()


def test_a_check_of_the_tag_names_no_experiment_and_no_visitor(site: Site, visit: Visit) -> None:
    site.runs()
    site.page("/", BUY)
    visit("/?ab_check", known="v1~")
    site.wait_for(lambda: site.requests)
    assert parse(json.dumps(site.requests[0].body).encode()).malformed == ()
    assert [(event["visitor"], event["experiment"]) for event in site.events.values()] == [("ab-check", "ab-check")]

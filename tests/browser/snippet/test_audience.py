"""Who takes part, and when: conditions, namespaces, times; consent; redirects."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page

from chalicelib.domain.manifest import Namespace, UrlPattern, Urls
from tests.browser.snippet.site import Site, an_experiment, visitor_of
from tests.browser.snippet.visitors import Visit, a_moment_passes, confirmed, leave, seen_by_now
from tests.support.browsers.chromium import needs_back_forward_cache

HERO = an_experiment(goals=("end",))
BUY = '<button data-ab="hero">buy</button>'
Profile = Callable[..., BrowserContext]
KEPT = "[document.cookie, Object.keys(localStorage), Object.keys(sessionStorage)]"
YEAR_MS = 365 * 24 * 3600 * 1000


def shown(page: Page) -> str | None:
    return page.get_attribute("html", "data-ab-hero")


def test_a_condition_on_what_the_tag_says(site: Site, visit: Visit) -> None:
    condition = {"country": {"$in": ["SE", "NO"]}, "plan": "pro", "path": {"$regex": "^/s"}}
    site.runs(an_experiment(condition=condition))
    tag = '<script src="/ab.js" data-country="{}" data-plan="{}"></script>'
    who = visitor_of(HERO, "bold") + "~"
    came = {}
    for path, country, plan in (
        ("/shop", "SE", "pro"),
        ("/shop", "DK", "pro"),
        ("/shop", "SE", ""),
        ("/", "SE", "pro"),
    ):
        site.page(path, BUY, tag=tag.format(country, plan))
        came[path, country, plan] = shown(visit(path, known=who))
    assert list(came.values()) == ["bold", "plain", "plain", "plain"]


def test_experiments_in_one_namespace_share_no_visitor(site: Site, new_visitor: Profile) -> None:
    one = an_experiment("one", namespace=Namespace(name="shop", start=0, end=0.5))
    two = an_experiment("two", namespace=Namespace(name="shop", start=0.5, end=1))
    site.runs(one, two)
    page = new_visitor(site).new_page()
    for who in [f"v{n}" for n in range(12)]:
        page.goto(site.page(f"/{who}", "", tag=f'<script src="/ab.js" data-visitor="{who}"></script>'))
        dealt = page.evaluate("[abacus.variant('one'), abacus.variant('two')]")
        assert dealt == [experiment.assign(who, 0) or "plain" for experiment in (one, two)], who


def test_before_its_start_and_after_its_end_everybody_sees_the_control(site: Site, visit: Visit) -> None:
    now = round(time.time() * 1000)
    who = visitor_of(HERO, "bold") + "~"
    came = []
    for start, end in ((now - YEAR_MS, now + YEAR_MS), (now + YEAR_MS, None), (None, now - YEAR_MS)):
        site.runs(an_experiment(start=start, end=end))
        site.page("/", BUY)
        came.append(shown(visit(known=who)))
    assert came == ["bold", "plain", "plain"]


def test_before_consent_the_control_is_shown_and_nothing_is_kept_or_sent(site: Site, new_visitor: Profile) -> None:
    site.runs(HERO, consent=True)
    site.page("/", BUY)
    context = new_visitor(site)
    context.add_init_script("""
      window.opened = 0;
      const { get } = Object.getOwnPropertyDescriptor(Window.prototype, 'localStorage') ??
        Object.getOwnPropertyDescriptor(window, 'localStorage');
      Object.defineProperty(window, 'localStorage', { get() { window.opened++; return get.call(window); } });
    """)
    page = context.new_page()
    page.goto(site.origin)
    page.click("button")
    page.evaluate("abacus.goal('end'); abacus.variant('hero')")
    a_moment_passes(page)
    assert (shown(page), page.evaluate("window.opened")) == ("plain", 0)
    assert page.evaluate(KEPT) == ["", [], []]
    leave(page)
    page.goto(site.origin)
    assert (site.requests, context.cookies()) == ([], [])


def test_from_consent_on_it_is_one_variant_for_good(site: Site, visit: Visit) -> None:
    site.runs(HERO, consent=True)
    site.page("/", BUY)
    page = visit()
    page.evaluate("abacus.consent(true)")
    variant = shown(page)
    page.click("button")
    a_moment_passes(page)
    leave(page)
    for _ in range(2):
        page.goto(site.origin)  # who has an id has consented: no need to say it again
        assert shown(page) == variant
        a_moment_passes(page)
    leave(page)
    came = site.wait_for_events(4)
    assert sorted(came) == [f"click hero {variant}"] + [f"impression hero {variant}"] * 3
    assert len({event["visitor"] for event in site.events.values()}) == 1


def test_consent_taken_back_forgets_the_visitor(site: Site, visit: Visit) -> None:
    site.runs(HERO, consent=True)
    site.page("/", BUY)
    page = visit()
    page.evaluate("abacus.consent(true)")
    page.click("button")
    site.wait_for_events(2)
    confirmed(page)
    site.gate.clear()  # an answer that would renew the cookie is still on its way
    a_moment_passes(page)  # sooner it would be a double click
    page.click("button")
    site.wait_for(lambda: "/" in site.asked)
    page.wait_for_function("+localStorage.abacus_w > Date.now()")
    page.evaluate("abacus.consent(false)")
    site.gate.set()
    assert shown(page) == "plain"
    page.click("button")
    a_moment_passes(page)
    assert page.evaluate(KEPT) == ["", [], []]
    page.reload()
    assert (shown(page), page.evaluate(KEPT)) == ("plain", ["", [], []])


def test_consent_withdrawn_deletes_the_id_also_where_the_cookie_is_gone(site: Site, visit: Visit) -> None:
    site.runs(HERO, consent=True)
    site.page("/", BUY)
    page = visit()
    page.evaluate("abacus.consent(true)")
    site.wait_for_events(1)
    a_moment_passes(page)
    page.context.clear_cookies()
    leave(page)
    page.goto(site.origin)
    page.evaluate("abacus.consent(false)")
    page.wait_for_function("Object.keys(localStorage).length == 0")
    assert page.evaluate(KEPT) == ["", [], []]


def test_consent_taken_back_in_one_tab_holds_in_the_others(site: Site, new_visitor: Profile) -> None:
    site.runs(HERO, consent=True)
    site.page("/", BUY)
    context = new_visitor(site)
    first, second = context.new_page(), context.new_page()
    first.goto(site.origin)
    first.evaluate("abacus.consent(true)")
    site.wait_for_events(1)
    second.goto(site.origin)
    a_moment_passes(second)
    second.evaluate("abacus.consent(false)")
    came = len(site.requests)
    first.bring_to_front()
    first.click("button")
    a_moment_passes(first)
    leave(first)
    assert second.evaluate(KEPT) == ["", [], []]
    assert len(site.requests) == came


@needs_back_forward_cache
def test_consent_taken_back_holds_for_a_page_from_the_back_forward_cache(site: Site, visit: Visit) -> None:
    site.runs(HERO, consent=True)
    site.page("/", BUY)
    page = visit()
    page.evaluate("abacus.consent(true)")
    site.wait_for_events(1)
    confirmed(page)  # Chromium keeps no page whose request is still open
    page.evaluate("this.same = true")
    site.page("/privacy", "")
    page.goto(site.origin + "/privacy")
    page.evaluate("abacus.consent(false)")
    came = len(site.requests)
    page.go_back(wait_until="commit")
    page.wait_for_function("this.same")
    page.click("button")
    a_moment_passes(page)
    assert page.evaluate(KEPT) == ["", [], []]
    leave(page)
    assert len(site.requests) == came


def test_an_answer_that_comes_after_consent_was_taken_back_brings_nothing_back(site: Site, visit: Visit) -> None:
    site.runs(HERO, consent=True)
    site.page("/", BUY)
    site.page("/next", "")
    page = visit()
    page.evaluate("abacus.consent(true)")
    site.wait_for_events(1)
    a_moment_passes(page)
    site.gate.clear()
    page.click("button")
    page.goto(site.origin + "/next")  # by which the click is sent
    page.evaluate("abacus.consent(false)")
    site.gate.set()
    assert len(site.wait_for_events(2)) == 2
    a_moment_passes(page)
    assert page.evaluate(KEPT) == ["", [], []]
    assert page.context.cookies() == []


def test_global_privacy_control_is_honoured_where_the_site_says_so(site: Site, new_visitor: Profile) -> None:
    site.runs(HERO, global_privacy_control=True)
    site.page("/", BUY)
    private = new_visitor(site)
    private.add_init_script("Object.defineProperty(navigator, 'globalPrivacyControl', { value: true })")
    page = private.new_page()
    page.goto(site.origin)
    page.evaluate("abacus.consent(true)")
    page.click("button")
    a_moment_passes(page)
    assert (shown(page), page.evaluate(KEPT)) == ("plain", ["", [], []])
    other = new_visitor(site).new_page()
    other.goto(site.origin)
    other.click("button")
    assert len(site.wait_for_events(2)) == 2


def redirecting(site: Site, **more: object) -> None:
    urls = Urls(include=(UrlPattern(pattern="/landing"),))
    site.runs(an_experiment(urls=urls, redirect={"bold": site.origin + "/landing-b?x=1"}, goals=("end",)), **more)
    for path in ("/landing", "/landing-b"):
        site.page(path, '<button data-ab="click:hero">buy</button>')


def test_a_redirected_visitor_is_counted_before_he_goes_and_clicks_where_he_arrives(site: Site, visit: Visit) -> None:
    redirecting(site)
    page = visit("/landing?y=2#end", known="x~hero.bold.0~")
    page.wait_for_url("**/landing-b**")
    assert page.url == site.origin + "/landing-b?x=1&y=2#end"
    page.click("button")
    assert seen_by_now(site, page) == ["impression hero bold", "click hero bold"]


def test_who_is_not_redirected_is_counted_by_the_same_rule(site: Site, visit: Visit) -> None:
    redirecting(site)
    page = visit("/landing", known="x~hero.plain.0~")
    page.click("button")
    assert page.url == site.origin + "/landing"
    assert seen_by_now(site, page) == ["impression hero plain", "click hero plain"]


def test_a_target_that_only_differs_in_its_query_is_reached_and_not_left_again(site: Site, visit: Visit) -> None:
    urls = Urls(include=(UrlPattern(pattern="/landing"),))
    site.runs(an_experiment(urls=urls, redirect={"bold": site.origin + "/landing?v=2"}, goals=("end",)))
    site.page("/landing", "")
    page = visit("/landing", known="x~hero.bold.0~")
    page.wait_for_url("**/landing?v=2")
    assert seen_by_now(site, page) == ["impression hero bold"]
    assert site.asked.count("/landing") == 2


def test_the_page_is_hidden_for_a_second_at_most_while_it_is_left(site: Site, new_visitor: Profile) -> None:
    redirecting(site)
    context = new_visitor(site, "x~hero.bold.0~")
    context.route("**/landing-b**", lambda route: route.fulfill(status=204))  # the browser stays where it is
    page = context.new_page()
    page.goto(site.origin + "/landing", wait_until="commit")
    page.wait_for_function("document.documentElement?.hidden", polling=20)
    page.wait_for_function("!document.documentElement.hidden", polling=20)
    assert page.evaluate("performance.now()") >= 1000


def test_a_page_may_name_its_own_redirect(site: Site, visit: Visit) -> None:
    site.runs(HERO, redirect_attribute=True)
    site.page("/", "", tag='<script src="/ab.js" data-redirect="hero:bold /b.html"></script>')
    site.page("/b.html", "b")
    page = visit(known="x~hero.bold.0~")
    page.wait_for_url("**/b.html")
    assert seen_by_now(site, page) == ["impression hero bold"]
    site.forget()
    assert seen_by_now(site, visit(known="x~hero.plain.0~")) == ["impression hero plain"]


@pytest.mark.parametrize(
    "agent",
    [
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; Googlebot/2.1; "
        "+http://www.google.com/bot.html) Chrome/150.0.0.0 Safari/537.36",
        "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
        "WhatsApp/2.23.20.0",
    ],
)
def test_crawlers_and_link_previews_see_the_control_and_are_not_redirected(
    site: Site, new_visitor: Profile, agent: str
) -> None:
    redirecting(site)
    tag = f'<script src="/ab.js" data-visitor="{visitor_of(HERO, "bold")}"></script>'
    site.page("/landing", '<button data-ab="click:hero">buy</button>', tag=tag)
    page = new_visitor(site, user_agent=agent).new_page()
    page.goto(site.origin + "/landing")
    a_moment_passes(page)
    page.click("button")
    leave(page)
    page.goto(site.origin + "/landing")
    assert [shown(page), page.url, site.requests] == ["plain", site.origin + "/landing", []]
    assert page.evaluate("document.cookie") == ""  # which would make it a visitor


def test_a_crawler_sees_the_control_before_the_second_file_has_come(site: Site, new_visitor: Profile) -> None:
    site.runs(HERO)
    site.page("/", BUY, tag=f'<script src="/ab.js" data-visitor="{visitor_of(HERO, "bold")}"></script>')
    page = new_visitor(site, user_agent="Googlebot/2.1").new_page()
    page.route("**/ab.count-*", lambda _: None)  # no answer
    page.goto(site.origin, wait_until="commit")
    page.wait_for_function("document.documentElement.dataset.abHero == 'plain'")

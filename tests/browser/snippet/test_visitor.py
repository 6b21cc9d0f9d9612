"""Who a visitor is, and that he stays it; who is not counted."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Playwright

from chalicelib.domain.manifest import Phase, Segment
from tests.browser.snippet.site import Site, an_experiment, visitor_of
from tests.browser.snippet.visitors import ORDINARY, Visit, a_moment_passes, confirmed, launch, leave, seen_by_now

HERO = an_experiment(goals=("end",))
BUY = '<button data-ab="hero">buy</button>'
Profile = Callable[..., BrowserContext]


def test_a_visitor_sees_the_same_variant_on_every_page(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page("/", BUY)
    page = visit()
    seen = set()
    for _ in range(3):
        seen.add((page.get_attribute("html", "data-ab-hero"), page.evaluate("abacus.variant('hero')")))
        page.reload()
    assert len(seen) == 1


def test_the_snippet_deals_as_the_service_does(site: Site, new_visitor: Profile) -> None:
    three = an_experiment("hero", "a b c", phases=(Phase(weights=(0.2, 0.3, 0.5), coverage=0.5),))
    site.runs(three)
    page = new_visitor(site).new_page()
    dealt = {}
    for who in [f"v{n}" for n in range(20)]:
        page.goto(site.page(f"/{who}", "", tag=f'<script src="/ab.js" data-visitor="{who}"></script>'))
        dealt[who] = page.get_attribute("html", "data-ab-hero")
    assert dealt == {who: three.assign(who, 0) or "a" for who in dealt}


def test_who_is_not_enrolled_sees_the_control_and_is_not_counted(site: Site, visit: Visit) -> None:
    half = an_experiment("half", phases=(Phase(weights=(0.5, 0.5), coverage=0.2),))
    site.runs(half, HERO)
    site.page("/", '<button data-ab="half">buy</button>')
    page = visit(known=visitor_of(half, None) + "~")
    page.click("button")
    assert page.evaluate("abacus.variant('half')") == "plain"
    assert seen_by_now(site, page) == []


def test_an_earlier_choice_stays_when_weights_change_and_says_its_phase(site: Site, visit: Visit) -> None:
    first, second = Phase(weights=(0.9, 0.1)), Phase(weights=(0.1, 0.9))
    hero = an_experiment(phases=(first, second), goals=("end",))
    moved = next(v for v in (f"v{n}" for n in range(99)) if (hero.assign(v, 0), hero.assign(v, 1)) == ("plain", "bold"))
    site.runs(hero)
    site.page("/", BUY)
    assert seen_by_now(site, visit(known=f"{moved}~hero.plain.0~")) == ["impression hero plain"]
    assert {event["phase"] for event in site.events.values() if event["type"] == "impression"} == {0}
    site.forget()
    assert seen_by_now(site, visit(known=f"{moved}~")) == ["impression hero bold"]


def test_a_new_seed_deals_everybody_anew(site: Site, visit: Visit) -> None:
    hero = an_experiment(phases=(Phase(weights=(0.5, 0.5)), Phase(weights=(0.5, 0.5), seed="again")), goals=("end",))
    moved = next(v for v in (f"v{n}" for n in range(99)) if (hero.assign(v, 0), hero.assign(v, 1)) == ("plain", "bold"))
    site.runs(hero)
    site.page("/", BUY)
    page = visit(known=f"{moved}~hero.plain.0~")
    assert seen_by_now(site, page) == ["impression hero bold"]
    assert page.context.cookies()[0]["value"] == f"{moved}~hero.bold.1~hero.plain.0~"


def test_the_newest_choice_is_the_one_that_stays(site: Site, visit: Visit) -> None:
    phases = (
        Phase(weights=(0.5, 0.5)),
        Phase(weights=(0.5, 0.5), seed="again"),
        Phase(weights=(0.1, 0.9), seed="again"),
    )
    site.runs(an_experiment(phases=phases, goals=("end",)))
    site.page("/", BUY)
    known = "v2~hero.plain.1~hero.plain.0~"
    page = visit(known=known)
    assert seen_by_now(site, page) == ["impression hero plain"]
    assert page.context.cookies()[0]["value"] == known


def test_a_paused_experiment_shows_the_control_and_a_stopped_one_its_winner_to_everybody(
    site: Site, visit: Visit
) -> None:
    site.runs(an_experiment("paused", status="paused"), an_experiment("over", status="stopped", winner="bold"), HERO)
    site.page("/", '<b data-ab="paused">a</b><b data-ab="over">b</b>')
    for known in ("v0~", "v1~paused.bold.0~over.plain.0~"):
        page = visit(known=known)
        assert page.evaluate("[abacus.variant('paused'), abacus.variant('over')]") == ["plain", "bold"]
        assert seen_by_now(site, page) == []


def test_the_id_is_renewed_by_an_http_cookie_for_a_year(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page("/", BUY)
    page = visit()
    written = page.context.cookies()
    assert written == []  # not before the first paint
    page.click("button")
    site.wait_for_events(2)
    confirmed(page)
    [cookie] = page.context.cookies()
    year = 365 * 24 * 3600
    assert abs(cookie["expires"] - page.evaluate("Date.now()") / 1000 - year) < 60
    assert (cookie["name"], cookie["secure"], cookie["sameSite"], cookie["path"]) == ("abacus", True, "Lax", "/")
    before = cookie["expires"]
    site.gate.clear()  # no further answer
    page.reload()
    a_moment_passes(page)
    assert page.context.cookies()[0]["expires"] == before  # the script does not write what has not changed


def test_the_id_survives_the_loss_of_either_store(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page("/", BUY)
    page = visit()
    a_moment_passes(page)
    leave(page)
    site.wait_for_events(1)
    [visitor] = {event["visitor"] for event in site.events.values()}
    page.context.clear_cookies()
    page.goto(site.origin)
    page.wait_for_function(f"document.cookie.includes('{visitor}')")
    page.evaluate("localStorage.clear()")
    leave(page)
    page.goto(site.origin)
    page.click("button")
    leave(page)
    site.wait_for(lambda: any(event["type"] == "click" for event in site.events.values()))
    assert {event["visitor"] for event in site.events.values()} == {visitor}


@pytest.mark.parametrize(("random", "on_show", "clicks"), [("0.1", "plain", 0), ("0.3", "bold", 1)])
def test_without_its_cookie_a_visitor_counts_where_the_variant_on_show_is_the_visitors_own(
    site: Site, new_visitor: Profile, random: str, on_show: str, clicks: int
) -> None:
    site.runs(HERO)
    site.page("/", BUY)
    context = new_visitor(site)
    known = "if (location.protocol != 'about:') localStorage.abacus = 'v1~hero.bold.0~';"
    context.add_init_script(f"{known} Math.random = () => {random};")
    page = context.new_page()
    page.goto(site.origin)
    assert page.get_attribute("html", "data-ab-hero") == on_show  # of the id that the page made for want of the cookie
    page.wait_for_function("document.cookie.includes('v1~')")
    page.click("button")
    page.evaluate("abacus.goal('end')")
    leave(page)
    page.goto(site.origin)
    assert page.get_attribute("html", "data-ab-hero") == "bold"
    page.evaluate("abacus.goal('end')")
    leave(page)
    site.wait_for(lambda: "goal end hero bold" in site.said())
    assert site.said().count("click hero bold") == clicks
    assert {(event["visitor"], event["variant"]) for event in site.events.values()} == {("v1", "bold")}


def test_the_site_may_supply_its_own_id(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page("/", BUY, tag='<script src="/ab.js" data-visitor="user-7"></script>')
    page = visit(known="v1~hero.bold.0~")
    assert seen_by_now(site, page) == [f"impression hero {HERO.assign('user-7', 0)}"]
    assert {event["visitor"] for event in site.events.values()} == {"user-7"}


def test_the_script_twice_counts_once(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page("/", BUY + '<script src="/ab.js"></script>')
    page = visit(known="v1~")
    page.click("button")
    assert seen_by_now(site, page) == ["impression hero bold", "click hero bold"]


def test_an_automated_browser_says_so(site: Site, playwright: Playwright) -> None:
    site.runs(HERO)
    site.page("/", BUY)
    browser = launch(playwright)
    page = browser.new_page(user_agent=ORDINARY)
    page.goto(site.origin)
    site.wait_for(lambda: site.requests)
    browser.close()
    assert [request.body["bot"] for request in site.requests] == [True]


def test_nobody_else_does(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page("/", BUY)
    visit()
    site.wait_for(lambda: site.requests)
    assert [request.body["bot"] for request in site.requests] == [False]


def test_two_experiments_do_not_rewrite_the_cookie_at_every_view(site: Site, new_visitor: Profile) -> None:
    site.runs(HERO, an_experiment("cta"))
    site.page("/", BUY + '<button data-ab="cta">order</button>')
    context = new_visitor(site, "v1~")
    context.add_init_script("""
      const { get, set } = Object.getOwnPropertyDescriptor(Document.prototype, 'cookie');
      const counted = function (value) { window.writes = (window.writes || 0) + 1; set.call(this, value); };
      Object.defineProperty(Document.prototype, 'cookie', { get, set: counted });
    """)
    page = context.new_page()
    writes = []
    for views in (1, 2, 3):
        page.goto(site.origin)
        site.wait_for_events(2 * views)
        confirmed(page)
        writes.append(page.evaluate("window.writes || 0"))
    assert writes[1:] == [0, 0]


SEGMENTS = (
    Segment(name="visitor", values=("new", "returning")),
    Segment(name="plan", values=("free", "pro"), attribute=True),
    Segment(name="device", values=("mobile",)),
)


def said_segments(site: Site) -> list[dict[str, str] | None]:
    return [event.get("segments") for event in site.events.values()]


def test_an_impression_says_the_segments_that_only_the_page_knows(site: Site, visit: Visit) -> None:
    site.runs(an_experiment(segments=SEGMENTS), an_experiment("other"))
    tag = '<script src="/ab.js" data-plan="pro"></script>'
    site.page("/", '<button data-ab="hero">buy</button><p data-ab="other">x', tag=tag)
    page = visit()
    page.click("button")
    site.wait_for_events(3)
    segments = {(e["type"], e["experiment"]): e.get("segments") for e in site.events.values()}
    assert segments == {
        ("impression", "hero"): {"visitor": "new", "plan": "pro"},
        ("click", "hero"): None,
        ("impression", "other"): None,
    }


def test_a_visitor_is_new_for_the_first_session_and_returning_afterwards(site: Site, new_visitor: Profile) -> None:
    site.runs(an_experiment(segments=SEGMENTS))
    site.page("/", "no experiment here")
    site.page("/hero", BUY)
    profile = new_visitor(site)
    page = profile.new_page()
    page.goto(site.origin)
    page.wait_for_function("document.cookie.includes('abacus')")
    page.goto(site.origin + "/hero")
    site.wait_for_events(1)
    assert said_segments(site) == [{"visitor": "new", "plan": ""}]
    site.forget()
    later = profile.new_page()  # another tab is another session
    later.goto(site.origin + "/hero")
    site.wait_for_events(1)
    assert said_segments(site) == [{"visitor": "returning", "plan": ""}]


def test_in_a_frame_of_another_site_a_visitor_stays_the_same(site: Site, new_visitor: Profile) -> None:
    site.runs(HERO)
    site.page("/", BUY)
    site.page("/shop", f'<iframe src="{site.origin}/"></iframe>', tag="")
    page = new_visitor(site).new_page()
    shown = set()
    for count in range(1, 5):
        page.goto(f"http://shop.test:{site.port}/shop")
        site.wait_for_events(count)
        frame = page.frames[1]
        shown.add(frame.get_attribute("html", "data-ab-hero"))
        frame.wait_for_function("!Object.keys(localStorage).some((key) => key.startsWith('abacus:'))")
        assert frame.evaluate("document.cookie") == ""  # the browser drops it there
    assert len(shown) == 1
    assert {(event["visitor"], event["variant"]) for event in site.events.values()} == {
        (frame.evaluate("localStorage.abacus").split("~")[0], shown.pop())
    }


def test_without_its_cookie_a_visitor_counts_beside_an_experiment_that_leaves_the_visitor_out(
    site: Site, new_visitor: Profile
) -> None:
    out = an_experiment("out", condition={"plan": "pro"})
    site.runs(HERO, out)
    site.page("/", BUY)
    context = new_visitor(site)
    context.add_init_script("if (location.protocol != 'about:') localStorage.abacus = 'v1~hero.bold.0~';")
    page = context.new_page()
    page.goto(site.origin)
    page.wait_for_function("document.cookie.includes('v1~')")
    page.reload()
    page.click("button")
    assert site.wait_for_events(2)[-1] == "click hero bold"

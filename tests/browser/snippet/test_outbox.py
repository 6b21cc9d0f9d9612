"""Nothing is lost, and nothing counts twice: whatever happens between an event and the answer that confirms it."""

from __future__ import annotations

import json
from collections.abc import Callable
from email.utils import formatdate

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser.snippet.site import Site, an_experiment
from tests.browser.snippet.visitors import Visit, a_moment_passes, confirmed, leave

HERO = an_experiment(goals=("end",))
BUY = '<button data-ab="hero">buy</button>'
BOTH = ["impression hero bold", "click hero bold"]
Profile = Callable[..., BrowserContext]


def waiting(page: Page) -> list[str]:
    """The events that this browser still keeps."""
    return page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('abacus:'))")


def test_events_are_sent_together_and_forgotten_when_confirmed(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page("/", BUY)
    page = visit(known="v1~")
    page.click("button")
    assert site.wait_for_events(2) == BOTH
    confirmed(page)
    assert [(request.way, len(request.body["events"])) for request in site.requests] == [("fetch", 2)]


def test_a_click_right_before_navigation_arrives(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page("/", '<a data-ab="hero" href="/next">go</a>')
    site.page("/next", "elsewhere", tag="")
    page = visit(known="v1~")
    page.click("a")
    assert site.wait_for_events(2) == BOTH
    clicks = [request for request in site.requests if "click" in [event["type"] for event in request.body["events"]]]
    assert [request.way for request in clicks] == ["beacon"]


def test_what_a_beacon_said_stays_until_a_fetch_confirms_it(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page("/", '<a data-ab="hero" href="/next">go</a>')
    site.page("/next", "next")
    site.down = True
    page = visit(known="v1~")
    page.click("a")
    page.wait_for_url("**/next")
    site.wait_for(lambda: site.requests)
    assert len(waiting(page)) == 2
    site.down = False
    assert site.wait_for_events(2) == BOTH
    confirmed(page)


def test_five_reloads_during_an_outage_lose_and_double_nothing(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page("/", BUY)
    site.answer = (503, {})
    page = visit(known="v1~")
    for _ in range(5):
        page.click("button")
        a_moment_passes(page)
        page.reload()
    site.wait_for(lambda: len(site.requests) > 3)
    site.answer = None
    a_moment_passes(page)
    confirmed(page)
    assert sorted(site.said()) == ["click hero bold"] * 5 + ["impression hero bold"] * 6


def test_offline_then_online_everything_arrives_by_itself(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page("/", BUY)
    page = visit(known="v1~")
    page.context.set_offline(True)
    page.click("button")
    page.wait_for_timeout(1600)  # events wait at most 1.5 seconds to be sent together
    assert (site.requests, len(waiting(page))) == ([], 2)
    page.context.set_offline(False)
    assert site.wait_for_events(2) == BOTH


def test_a_broken_service_is_asked_again_at_growing_intervals(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page("/", BUY)
    site.answer = (500, {})
    page = visit(known="v1~")
    page.evaluate("let n = 0; Math.random = () => 0.999 + n++ / 1e6")  # ids are made of it too
    page.click("button")
    posts = "performance.getEntriesByType('resource').filter((entry) => entry.name.endsWith('/events'))"
    page.wait_for_function(posts + ".length == 3")
    first, second, third = page.evaluate(posts + ".map((entry) => entry.startTime / 1000)")
    assert (second - first >= 0.999, third - second >= 1.998) == (True, True)
    site.answer = None
    assert site.wait_for_events(2) == BOTH


def test_what_is_refused_for_good_does_not_hold_up_what_comes_after(site: Site, new_visitor: Profile) -> None:
    site.runs(HERO)
    for path, who in (("/wrong", "no id"), ("/right", "v1")):
        site.page(path, BUY, tag=f'<script src="/ab.js" data-visitor="{who}"></script>')
    site.answer = (400, {})
    page = new_visitor(site).new_page()
    page.goto(site.origin + "/wrong")
    page.click("button")
    site.wait_for(lambda: site.requests)
    confirmed(page)
    site.answer = None
    page.goto(site.origin + "/right")
    page.click("button")
    assert site.wait_for_events(2) == BOTH
    assert {event["visitor"] for event in site.events.values()} == {"v1"}


def test_the_service_says_when_to_come_back_and_neither_fetch_nor_beacon_comes_before(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page("/", BUY)
    site.answer = (429, {"Retry-After": "5"})
    page = visit(known="v1~")
    page.click("button")
    site.wait_for(lambda: site.requests)
    page.wait_for_function("localStorage.abacus_w - Date.now() > 3000")
    due = page.evaluate("+localStorage.abacus_w")
    site.answer = None
    page.reload()
    page.click("button")
    leave(page)
    page.goto(site.origin)
    assert len(site.wait_for_events(5)) == 5
    first = min(event["at"] for event in site.events.values())
    assert len(site.requests) == 2
    assert page.evaluate("Date.now()") >= due > first + 4000


def test_a_slow_service_is_not_sent_the_same_again(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page("/", BUY)
    site.gate.clear()
    page = visit(known="v1~")
    page.click("button")
    page.wait_for_function("performance.getEntriesByType('resource').length > 0 && +localStorage.abacus_w > Date.now()")
    a_moment_passes(page)  # sooner it would be a double click
    page.click("button")
    page.wait_for_timeout(1600)
    site.gate.set()
    assert len(site.wait_for_events(3)) == 3
    confirmed(page)
    ids = [event["id"] for request in site.requests for event in request.body["events"]]
    assert len(ids) == len(set(ids)) == 3


def test_two_tabs_do_not_send_twice(site: Site, new_visitor: Profile) -> None:
    site.runs(HERO)
    site.page("/", BUY)
    site.answer = (503, {"Retry-After": "3"})
    context = new_visitor(site, "v1~")
    pages = [context.new_page() for _ in range(3)]
    for page in pages:
        page.goto(site.origin)
        page.click("button")
    site.wait_for(lambda: site.requests)
    site.answer = None
    assert len(site.wait_for_events(6)) == 6
    confirmed(pages[0])
    ids = [event["id"] for request in site.requests if request.status == 202 for event in request.body["events"]]
    assert sorted(ids) == sorted(site.events)


def test_the_queue_is_bounded_drops_the_oldest_and_counts_what_it_dropped(site: Site, visit: Visit) -> None:
    site.runs(an_experiment(goals=tuple(f"g{n}" for n in range(120))))
    site.page("/", "")
    site.answer = (503, {"Retry-After": "600"})
    page = visit(known="v1~")
    page.evaluate("(async () => { for (let n = 0; n < 120; n++) { abacus.goal('g' + n);"
                  " await new Promise((f) => setTimeout(f, 2)); } })()")  # fmt: skip
    kept = page.evaluate('Object.values({ ...localStorage }).flatMap((v) => /"goal":"(g\\d+)/.exec(v)?.[1] ?? [])')
    assert sorted(kept, key=lambda goal: int(goal[1:])) == [f"g{n}" for n in range(20, 120)]
    assert page.evaluate("localStorage.abacus_n") == "20"


def test_a_wrong_clock_is_corrected_once_the_service_has_answered(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page("/", BUY)
    page = visit(known="v1~")
    site.date = formatdate(page.evaluate("Date.now()") / 1000 + 3 * 24 * 3600, usegmt=True)  # this clock is behind
    page.click("button")
    site.wait_for_events(2)
    confirmed(page)
    page.reload()
    page.click("button")
    site.wait_for_events(4)
    early, late = (sorted(event["at"] for event in site.events.values())[i] for i in (0, -1))
    assert 71.9 < (late - early) / 3_600_000 < 72.1  # hours


def test_a_clock_that_was_ahead_and_is_corrected_costs_no_click(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page("/", BUY)
    page = visit(known="v1~")
    site.date = formatdate(page.evaluate("Date.now()") / 1000 - 300, usegmt=True)  # this clock is five minutes ahead
    page.click("button")
    site.wait_for_events(2)
    confirmed(page)
    a_moment_passes(page)
    page.click("button")
    leave(page)
    assert len(site.wait_for_events(3)) == 3


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param("localStorage.abacus_w = Date.now() + 30 * 864e5", id="a clock that was put back"),
        pytest.param("localStorage['abacus:0,v1'] = '{'", id="an entry that is none of ours"),
    ],
)
def test_a_strange_entry_in_the_storage_stops_no_event(site: Site, visit: Visit, entry: str) -> None:
    site.runs(HERO)
    site.page("/", BUY)
    page = visit(known="v1~")
    page.evaluate(entry)
    page.click("button")
    assert site.wait_for_events(2) == BOTH


def test_with_storage_blocked_it_works(site: Site, new_visitor: Profile) -> None:
    site.runs(HERO)
    site.page("/", BUY)
    context = new_visitor(site, "v1~")
    context.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError'); } });"
        "if (navigator.locks) navigator.locks.request = () => Promise.reject(new DOMException('no', 'SecurityError'));"
    )
    page = context.new_page()
    page.goto(site.origin)
    page.click("button")
    assert site.wait_for_events(2) == BOTH
    a_moment_passes(page)  # sooner it would be a double click
    page.click("button")
    leave(page)
    assert site.wait_for_events(3) == [*BOTH, "click hero bold"]


def test_with_storage_full_it_works(site: Site, new_visitor: Profile) -> None:
    site.runs(HERO)
    site.page("/", BUY)
    context = new_visitor(site, "v1~")
    context.add_init_script("""
      if (location.protocol != 'about:') localStorage.theirs = 'kept';
      for (let size = 2 ** 22; size; size >>= 1)
        try { for (;;) localStorage['x' + Math.random()] = 'x'.repeat(size); } catch {}
    """)
    page = context.new_page()
    page.goto(site.origin)
    page.click("button")
    assert site.wait_for_events(2) == BOTH
    assert page.evaluate("localStorage.theirs") == "kept"


def test_with_cookies_and_storage_blocked_each_page_still_counts(site: Site, new_visitor: Profile) -> None:
    site.runs(HERO)
    site.page("/", BUY)
    context = new_visitor(site)
    context.add_init_script("""
      const no = { get() { throw new DOMException('no', 'SecurityError'); }, set() { throw new DOMException('no'); } };
      Object.defineProperty(window, 'localStorage', no);
      Object.defineProperty(Document.prototype, 'cookie', no);
    """)
    page = context.new_page()
    page.goto(site.origin)
    page.click("button")
    assert [said.split()[0] for said in site.wait_for_events(2)] == ["impression", "click"]
    assert page.get_attribute("html", "data-ab-hero") == next(iter(site.events.values()))["variant"]


def test_on_an_insecure_origin_without_locks_it_works(site: Site, new_visitor: Profile) -> None:
    site.runs(HERO)
    site.page("/", BUY)
    site.origin = f"http://shop.test:{site.port}"
    page = new_visitor(site).new_page()
    page.goto(site.origin)
    assert page.evaluate("[isSecureContext, typeof navigator.locks]") == [False, "undefined"]
    first = page.get_attribute("html", "data-ab-hero")
    page.click("button")
    assert site.wait_for_events(2) == [f"impression hero {first}", f"click hero {first}"]
    who = page.evaluate("localStorage.abacus").split("~")[0]
    page.reload()  # the cookie is for secure origins, so the id comes from localStorage
    site.wait_for_events(3)
    assert {event["visitor"] for event in site.events.values()} == {who}


def test_who_blocks_beacons_is_counted_by_fetch(site: Site, new_visitor: Profile) -> None:
    site.runs(HERO)
    site.page("/", '<a data-ab="hero" href="/next">go</a>')
    site.page("/next", "next")
    context = new_visitor(site, "v1~")
    context.add_init_script("navigator.sendBeacon = () => false")
    page = context.new_page()
    page.goto(site.origin)
    page.click("a")
    assert site.wait_for_events(2) == BOTH
    assert {request.way for request in site.requests} == {"fetch"}


def test_who_blocks_the_path_sees_the_page_and_is_counted_when_it_is_renamed(site: Site, new_visitor: Profile) -> None:
    site.runs(HERO)
    site.page("/", BUY)
    context = new_visitor(site, "v1~")
    context.route("**/events", lambda route: route.abort())
    page = context.new_page()
    page.goto(site.origin)
    page.click("button")
    page.wait_for_function("+localStorage.abacus_w")
    assert (page.get_attribute("html", "data-ab-hero"), site.requests) == ("bold", [])
    site.runs(HERO, events="/tea")
    page.reload()
    assert sorted(site.wait_for_events(3)) == ["click hero bold", "impression hero bold", "impression hero bold"]


def test_events_go_out_under_the_id_that_made_them(site: Site, new_visitor: Profile) -> None:
    site.runs(HERO)
    site.page("/", BUY)
    site.page("/account", "hello", tag='<script src="/ab.js" data-visitor="user-7"></script>')
    site.answer = (503, {})
    page = new_visitor(site, "v1~").new_page()
    page.goto(site.origin)
    page.click("button")
    a_moment_passes(page)
    page.goto(site.origin + "/account")
    page.evaluate("abacus.goal('end')")
    site.answer = None
    site.wait_for_events(3)
    made = sorted((event["visitor"], event["type"]) for event in site.events.values())
    assert made == [("user-7", "goal"), ("v1", "click"), ("v1", "impression")]


def test_no_personal_data_is_sent(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page("/", BUY)
    page = visit("/?name=ada", known="v1~")
    page.click("button")
    site.wait_for_events(2)
    for request in site.requests:
        assert request.body.keys() == {"visitor", "bot", "events"}
        for event in request.body["events"]:
            assert event.keys() == {"id", "type", "experiment", "variant", "phase", "at"}
        assert "ada" not in json.dumps(request.body)

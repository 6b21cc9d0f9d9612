"""An impression is what was seen: half of it, in view for a moment, once a page view, in a page that is shown."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext

from tests.browser.snippet.site import Site, an_experiment
from tests.browser.snippet.visitors import FLAGS, ORDINARY, Visit, a_moment_passes, leave, seen_by_now
from tests.support.browsers.chromium import chromium, needs_back_forward_cache

HERO = an_experiment(goals=("end",))
Profile = Callable[..., BrowserContext]
BOX = '<div data-ab="hero" style="height:100px">box</div>'
FAR = '<div style="height:2000px"></div>'


def test_what_is_in_view_is_seen_once_a_page_view(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page("/", BOX + FAR)
    page = visit(known="v1~")
    site.wait_for_events(1)
    for way in (500, -500):
        page.mouse.wheel(0, way)
        a_moment_passes(page)
    assert seen_by_now(site, page) == ["impression hero bold"]


def test_each_page_view_counts(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page("/", BOX)
    page = visit(known="v1~")
    a_moment_passes(page)
    page.reload()
    assert seen_by_now(site, page) == ["impression hero bold"] * 2


def test_what_is_below_the_fold_is_not_seen_before_it_is_scrolled_to(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page("/", FAR + BOX)
    page = visit(known="v1~")
    assert seen_by_now(site, page) == []
    page.goto(site.origin)
    page.locator("[data-ab=hero]").scroll_into_view_if_needed()
    assert seen_by_now(site, page) == ["impression hero bold"]


def test_less_than_half_of_it_is_not_enough(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page("/", '<div style="height:560px;margin:-8px"></div>' + BOX)  # 48 px of 100 in a window of 600
    assert seen_by_now(site, visit(known="v1~")) == []


def test_of_what_is_taller_than_the_window_half_a_window_is_enough(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    tall = (
        '<div style="margin:-8px"></div><div style="height:{}px"></div><div data-ab="hero" style="height:{}px"></div>'
    )
    for path, above, height in (("/no", 400, 5000), ("/3", 250, 1800), ("/9", 250, 5400), ("/30", 250, 18000)):
        site.page(path, tall.format(above, height))
    assert seen_by_now(site, visit("/no", known="v1~")) == []
    for count, path in enumerate(("/3", "/9", "/30"), 1):
        assert seen_by_now(site, visit(path, known="v1~")) == ["impression hero bold"] * count, path


def test_what_is_scrolled_past_is_not_seen(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page("/", FAR + BOX + FAR)
    page = visit(known="v1~")
    page.evaluate("""new Promise((done) => {
      document.querySelector('[data-ab]').scrollIntoView();
      requestAnimationFrame(() => requestAnimationFrame(() => { scrollTo(0, 0); done(); }));
    })""")
    assert seen_by_now(site, page) == []


def test_what_is_not_rendered_is_never_seen(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page("/", '<div data-ab="hero" hidden>box</div>')
    assert seen_by_now(site, visit(known="v1~")) == []


def test_an_element_that_is_removed_before_it_was_seen_is_not_seen(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page("/", BOX)
    site.files["gone.js"] = b"requestAnimationFrame(() => document.querySelector('[data-ab]').remove())"
    site.pages["/"] += '<script src="/gone.js"></script>'
    assert seen_by_now(site, visit(known="v1~")) == []


def test_an_experiment_without_an_element_is_seen_when_a_script_asks_for_it(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page("/", "no element")
    page = visit(known="v1~")
    assert seen_by_now(site, page) == []
    page.goto(site.origin)
    assert page.evaluate("abacus.variant('hero')") == "bold"
    assert seen_by_now(site, page) == ["impression hero bold"]


def test_asking_for_an_experiment_that_has_an_element_is_not_seeing_it(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page("/", FAR + BOX, head='<script src="/ask.js"></script>')
    site.files["ask.js"] = b"abacus.variant('hero')"
    assert seen_by_now(site, visit(known="v1~")) == []


def test_who_clicks_at_once_has_seen_it(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page("/", '<button data-ab="hero">buy</button>')
    page = visit(known="v1~")
    page.evaluate("document.querySelector('button').click()")
    leave(page)
    assert site.wait_for_events(2) == ["impression hero bold", "click hero bold"]


def test_a_double_click_is_one_click(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page("/", '<button data-ab="hero">buy</button>')
    page = visit(known="v1~")
    page.dblclick("button")
    assert seen_by_now(site, page) == ["impression hero bold", "click hero bold"]


def test_a_click_on_a_label_is_one_click(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page("/", '<div data-ab="hero"><label>yes <input type="checkbox"></label></div>')
    page = visit(known="v1~")
    page.click("label")
    assert page.is_checked("input")
    assert seen_by_now(site, page) == ["impression hero bold", "click hero bold"]


def test_a_click_counts_although_the_page_stops_it(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page("/", '<div data-ab="hero"><button>buy</button></div><script src="/stop.js"></script>')
    site.files["stop.js"] = b"addEventListener('click', (e) => e.stopImmediatePropagation(), true)"
    page = visit(known="v1~")
    page.click("button")
    assert seen_by_now(site, page) == ["impression hero bold", "click hero bold"]


def test_seen_and_clicked_may_be_two_elements(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page("/", '<div data-ab="seen:hero">box</div><button data-ab="click:hero">a</button>')
    page = visit(known="v1~")
    a_moment_passes(page)
    page.click("div")
    page.click("button")
    assert seen_by_now(site, page) == ["impression hero bold", "click hero bold"]


FORM = (
    '<form data-ab="goal:signup" action="/thanks"><input required><input name="dataset"><input name="action">'
    '<input name="id"><input name="submit" type="hidden"><button>b</button></form>'
)


def test_a_form_that_is_submitted_reaches_its_goal_whatever_its_fields_are_called(site: Site, visit: Visit) -> None:
    site.runs(an_experiment(goals=("signup",)))
    site.page("/", FORM)
    site.page("/thanks", "thank you", tag="")
    page = visit(known="v1~")
    page.click("button")  # the required field is empty: nothing is submitted
    page.fill("input", "x")
    page.click("button")
    page.wait_for_url("**/thanks**")
    assert site.wait_for_events(1) == ["goal signup hero bold"]


def test_a_form_that_a_validator_stops_does_not_reach_its_goal(site: Site, visit: Visit) -> None:
    site.runs(an_experiment(goals=("signup", "end")))
    site.page("/", FORM + '<script src="/validate.js"></script>')
    site.files["validate.js"] = (
        b"document.forms[0].onsubmit = (event) => { event.preventDefault(); window.stopped = 1 }"
    )
    page = visit(known="v1~")
    page.fill("input", "x")
    page.click("button")
    page.wait_for_function("window.stopped")
    assert seen_by_now(site, page) == []


@needs_back_forward_cache
def test_a_page_from_the_back_forward_cache_is_seen_again(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page("/", BOX)
    site.page("/next", "next")
    page = visit(known="v1~")
    a_moment_passes(page)
    page.evaluate("this.same = true")
    page.goto(site.origin + "/next")
    page.go_back(wait_until="commit")
    page.wait_for_function("this.same")  # it was kept: nothing of ours kept it from being
    site.wait_for(lambda: len(site.said()) == 2)
    assert site.said() == ["impression hero bold"] * 2


HOLD = """
  const frame = window.requestAnimationFrame;
  const held = [];
  window.requestAnimationFrame = (f) => held.push(f);
  window.show = () => {
    window.requestAnimationFrame = frame;
    held.map((f) => frame(f));
  };
"""
STORED = "Object.keys(localStorage).filter((key) => key.startsWith('abacus:')).length"


def test_a_page_in_a_background_tab_is_not_seen_before_it_is_shown(site: Site, new_visitor: Profile) -> None:
    # Chromium without a window takes each tab for visible, so frames are held up here as a hidden tab holds them up.
    site.runs(HERO)
    site.page("/", BOX)
    context = new_visitor(site, "v1~")
    context.add_init_script(HOLD)
    page = context.new_page()
    page.goto(site.origin)
    page.wait_for_function("document.querySelector('div').abacus", polling=50)  # it is in view
    page.evaluate("new Promise((done) => setTimeout(done, 700))")
    assert page.evaluate(STORED) == 0
    page.evaluate("show()")
    assert site.wait_for_events(1) == ["impression hero bold"]


def test_what_is_in_view_when_the_page_opens_counts_after_one_moment(site: Site, new_visitor: Profile) -> None:
    site.runs(HERO)
    site.page("/", BOX)
    site.answer = (503, {})  # so that it stays in storage
    page = new_visitor(site, "v1~").new_page()
    page.clock.install(time=0)
    page.clock.pause_at(1)
    page.goto(site.origin)
    page.clock.run_for(10)  # the second file is loaded
    page.wait_for_function("document.querySelector('div').abacus", polling=50)  # it is in view
    assert page.evaluate(STORED) == 0
    page.clock.run_for(350)
    assert page.evaluate(STORED) == 1


def test_a_prerendered_page_is_not_seen_before_it_is_shown(site: Site, tmp_path: Path) -> None:
    # Without a debugger: Chromium prerenders nothing where there is one. The pages tell how far they are.
    site.runs(HERO)
    rules = '<script type="speculationrules">{"prerender":[{"urls":["/next"],"eagerness":"immediate"}]}</script>'
    site.page("/", f'{rules}<script src="/go.js"></script>', tag="")
    site.files["go.js"] = b"""(async () => {
      while (!(await fetch('/may-go')).ok) await new Promise((f) => setTimeout(f, 50));
      location.href = '/next';
    })()"""
    site.page("/next", BOX + '<script src="/told.js"></script>')
    site.files["told.js"] = b"setTimeout(() => fetch('/prerendered-' + document.prerendering), 900)"
    command = [chromium(), "--headless", f"--user-agent={ORDINARY}", f"--user-data-dir={tmp_path}", *FLAGS]
    with subprocess.Popen([*command, site.origin], stderr=subprocess.DEVNULL) as browser:
        try:
            site.wait_for(lambda: "/prerendered-true" in site.asked, 30)
            assert site.requests == []
            site.files["may-go"] = b""
            assert len(site.wait_for_events(1)) == 1
        finally:
            browser.terminate()


def test_a_middle_click_counts_and_a_right_click_does_not(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page("/", '<a data-ab="hero" href="/next">go</a>')
    site.page("/next", "next", tag="")
    page = visit(known="v1~")
    page.click("a", button="right")
    a_moment_passes(page)
    page.click("a", button="middle")
    assert seen_by_now(site, page) == ["impression hero bold", "click hero bold"]


def test_what_is_clicked_before_a_browser_is_killed_in_the_background_arrives(site: Site, new_visitor: Profile) -> None:
    site.runs(HERO)
    site.page("/", '<button data-ab="hero">buy</button>')
    page = new_visitor(site, "v1~").new_page()
    page.goto(site.origin)
    page.wait_for_function("performance.getEntriesByType('resource').some(({ name }) => name.includes('count'))")
    page.evaluate("""() => {
      document.querySelector('button').click();
      Object.defineProperty(document, 'hidden', { get: () => true });
      document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
      window.setTimeout = () => {}; // nothing runs after this
    }""")
    assert site.wait_for_events(2) == ["impression hero bold", "click hero bold"]
    assert [request.way for request in site.requests] == ["beacon"]


FRAMED = '<div data-ab="hero" style="height:100px">box</div>'


@pytest.mark.parametrize(
    "style", ["display:none", "width:0;height:0;border:0", "width:0;border:0", "height:0;border:0"]
)
def test_in_a_frame_that_is_not_on_show_nothing_is_seen(site: Site, visit: Visit, style: str) -> None:
    site.runs(HERO)
    site.page("/frame", FRAMED)
    site.page("/", f'<iframe src="/frame" style="{style}"></iframe>', tag="")
    page = visit(known="v1~")
    page.wait_for_function("frames[0].document.documentElement.dataset.abHero")
    a_moment_passes(page)
    a_moment_passes(page)
    page.evaluate("frames[0].abacus.goal('end')")
    leave(page)
    assert site.wait_for_events(1) == ["goal end hero bold"]


def test_in_a_frame_taller_than_the_window_half_a_window_is_enough(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page("/frame", '<div data-ab="hero" style="height:5000px">box</div>')
    site.page("/", '<iframe src="/frame" style="width:600px;height:6000px"></iframe>', tag="")
    page = visit(known="v1~")
    assert site.wait_for_events(1) == ["impression hero bold"]
    page.frames[1].evaluate("abacus.goal('end')")
    leave(page)
    assert site.wait_for_events(2) == ["impression hero bold", "goal end hero bold"]

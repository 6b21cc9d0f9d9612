"""What must not differ between engines: the variant, what counts, that it arrives once, consent. In Firefox and WebKit;
the other tests of the snippet run in Chromium."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.browser.snippet.site import Site, an_experiment
from tests.support.browsers import firefox, webkit
from tests.support.browsers.driver import Driver

HERO = an_experiment(goals=("end",))
BUY = '<button data-ab="hero">buy</button>'
BOTH = ["impression hero bold", "click hero bold"]
KEPT = "[document.cookie, Object.keys(localStorage).length]"
TAG = '<script src="/ab.js" data-visitor="v1"></script>'
Open = Callable[[], Driver]
PROGRAMS = {"firefox": firefox.program, "webkit": webkit.program}
PACKAGES = {"firefox": "firefox-esr", "webkit": "webkit2gtk-driver and xvfb"}


@pytest.fixture(scope="module", params=list(PROGRAMS))
def start(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    """Starts a visitor without a past, in each of the browsers."""
    name = request.param
    if not PROGRAMS[name]():
        pytest.skip(f"{name} was not tried: it is not installed. On Debian, as root: apt-get install {PACKAGES[name]}")
    if name == "firefox":
        with firefox.firefox(tmp_path_factory.mktemp("firefox")) as connection:
            yield lambda: firefox.Firefox(connection)
    else:
        with webkit.webkit() as port:
            yield lambda: webkit.WebKit(port)


@pytest.fixture
def page(start: Open) -> Iterator[Driver]:
    driver = start()
    yield driver
    driver.close()


def confirmed(page: Driver) -> None:
    page.wait_for("!Object.keys(localStorage).some((key) => key.startsWith('abacus:'))")


def in_view_long_enough(page: Driver) -> None:
    page.evaluate("new Promise((done) => setTimeout(() => requestAnimationFrame(done), 600))")


def test_the_variant_is_on_show_and_what_is_seen_and_clicked_counts_once(site: Site, page: Driver) -> None:
    site.runs(HERO)
    site.page("/", '<h1 data-ab-set="hero:bold text=Tea: now">Tea</h1>' + BUY, tag=TAG)
    page.visit(site.origin)
    assert page.evaluate("[document.documentElement.dataset.abHero, document.querySelector('h1').textContent]") == [
        "bold",
        "Tea: now",
    ]
    page.click("button")
    assert site.wait_for_events(2) == BOTH
    confirmed(page)
    assert [request.way for request in site.requests] == ["fetch"]


def test_assignment_agrees_with_the_service_for_any_alphabet(site: Site, page: Driver) -> None:
    three = an_experiment("hero", "a b c")
    site.runs(three)
    visitors = ["v1", "v2", "v3", "user-7", "a.b:c_d"]
    shown = {}
    for visitor in visitors:
        page.visit(site.page("/", "", tag=TAG.replace("v1", visitor)))
        shown[visitor] = page.evaluate("document.documentElement.dataset.abHero")
    assert shown == {visitor: three.assign(visitor, 0) for visitor in visitors}


def test_a_visitor_stays_the_same_visitor(site: Site, page: Driver) -> None:
    site.runs(HERO)
    site.page("/", BUY)
    for count in (1, 2, 3):
        page.visit(site.origin)
        site.wait_for_events(count)
        confirmed(page)
    assert len({(event["visitor"], event["variant"]) for event in site.events.values()}) == 1


def test_what_is_below_the_fold_is_seen_when_it_is_scrolled_to(site: Site, page: Driver) -> None:
    site.runs(HERO)
    site.page("/", '<div style="height:3000px"></div>' + BUY, tag=TAG)
    page.visit(site.origin)
    in_view_long_enough(page)
    assert site.said() == []
    page.evaluate("document.querySelector('button').scrollIntoView()")
    assert site.wait_for_events(1) == ["impression hero bold"]


def test_a_click_right_before_navigation_arrives(site: Site, page: Driver) -> None:
    site.runs(HERO)
    site.page("/", '<a data-ab="hero" href="/next">go</a>', tag=TAG)
    site.page("/next", "elsewhere", tag="")
    page.visit(site.origin)
    page.wait_for("document.readyState == 'complete'")
    page.click("a")
    assert site.wait_for_events(2) == BOTH


def test_nothing_is_lost_or_doubled_in_an_outage(site: Site, page: Driver) -> None:
    site.runs(HERO)
    site.page("/", BUY, tag=TAG)
    site.answer = (503, {})
    for _ in range(2):
        page.visit(site.origin)
        page.click("button")
        in_view_long_enough(page)
    site.wait_for(lambda: site.requests)
    site.answer = None
    page.visit(site.origin)
    site.wait_for_events(5)
    confirmed(page)
    assert sorted(site.said()) == ["click hero bold"] * 2 + ["impression hero bold"] * 3


def test_consent_begins_and_ends_all_that_is_stored(site: Site, page: Driver) -> None:
    site.runs(HERO, consent=True)
    site.page("/", BUY)
    page.visit(site.origin)
    page.click("button")
    in_view_long_enough(page)
    assert [page.evaluate(KEPT), site.requests] == [["", 0], []]
    page.evaluate("void abacus.consent(true)")
    site.wait_for_events(1)
    confirmed(page)
    page.evaluate("void abacus.consent(false)")
    page.wait_for("document.cookie == '' && localStorage.length == 0")
    assert page.evaluate("document.documentElement.dataset.abHero") == "plain"


def test_a_page_that_comes_back_is_seen_again(site: Site, page: Driver) -> None:
    site.runs(HERO)
    site.page("/", BUY, tag=TAG)
    site.page("/next", "next", tag="")
    page.visit(site.origin)
    site.wait_for_events(1)
    page.visit(site.origin + "/next")
    page.back()
    assert site.wait_for_events(2) == ["impression hero bold"] * 2


def test_what_a_framework_undoes_is_done_again_in_the_same_frame(site: Site, page: Driver) -> None:
    site.runs(HERO)
    site.page("/", '<h1 data-ab-set="hero:bold text=Ours">Theirs</h1>', tag=TAG)
    page.visit(site.origin)
    undone = """(async () => {
      const h1 = document.querySelector('h1');
      document.documentElement.removeAttribute('data-ab-hero');
      h1.firstChild.nodeValue = 'Theirs';
      await new Promise((done) => requestAnimationFrame(done)); // after ours, before it is drawn
      return [document.documentElement.dataset.abHero, h1.textContent];
    })()"""
    assert page.evaluate(undone) == ["bold", "Ours"]

"""The results page over time: it refreshes itself, says what failed, and keeps a key to itself."""

from __future__ import annotations

import re
import threading
import time
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from chalicelib.api.read_links import sign_link
from tests.browser.conftest import Open
from tests.browser.results.scenarios import EXTREMES, SCENARIOS, headline
from tests.browser.results.site import Site, card_policy, policy

pytestmark = pytest.mark.browser

KEY = "open sesame"


def opened(site: Site, page: Page, route: str = "#/cta-color") -> Page:
    page.clock.install()
    page.goto(site.page(route))
    page.wait_for_selector("main h1")
    return page


def with_visitors(n: int) -> dict[str, object]:
    report = SCENARIOS["cta-color"].detail({})
    report["variants"][0]["visitors"] = n
    return report


def test_new_numbers_come_by_themselves(results: Site, new_page: Open) -> None:
    results.api.answers["/stats/cta-color"] = with_visitors(1001)
    page = opened(results, new_page())
    expect(page.get_by_text("1,001")).to_be_visible()
    results.api.answers["/stats/cta-color"] = with_visitors(1002)
    page.clock.run_for(15_500)
    expect(page.get_by_text("1,002")).to_be_visible()


def test_a_failure_is_said_with_its_time_and_the_numbers_stay(results: Site, new_page: Open) -> None:
    page = opened(results, new_page())
    results.api.status = 503
    page.clock.run_for(15_500)
    expect(page.get_by_role("status").filter(has_text="Could not update at")).to_be_visible()
    expect(page.get_by_text("Too much at once. Try again in a moment.")).to_be_visible()
    expect(page.locator(".advice")).to_have_text(headline("cta-color"))
    expect(page.locator(".live.late")).to_contain_text("Not updated since")
    results.api.status = 200
    page.get_by_role("button", name="Try now").click()
    expect(page.locator(".notice")).to_have_count(0)


def test_after_a_failure_it_tries_again_by_itself(results: Site, new_page: Open) -> None:
    results.api.status = 503
    page = opened(results, new_page())
    expect(page.get_by_role("heading", name="The server is busy")).to_be_visible()
    results.api.status = 200
    page.clock.run_for(5_500)
    expect(page.locator(".advice")).to_have_text(headline("cta-color"))


def test_without_a_connection_it_says_so_and_comes_back(results: Site, new_page: Open) -> None:
    page = opened(results, new_page())
    page.context.set_offline(True)
    expect(page.get_by_text("This device has no connection.")).to_be_visible()
    page.context.set_offline(False)
    expect(page.locator(".notice")).to_have_count(0)


def test_while_it_waits_it_shows_that_it_does(results: Site, new_page: Open) -> None:
    results.api.hang = threading.Event()
    page = new_page()
    page.goto(results.page("#/cta-color"))
    expect(page.locator(".skeleton")).to_be_visible()
    expect(page.locator("main")).to_have_attribute("aria-busy", "true")
    results.api.hang.set()
    expect(page.locator(".advice")).to_be_visible()


def test_the_key_is_asked_for_once_and_never_in_an_address(results: Site, new_page: Open) -> None:
    results.api.key = KEY
    page = new_page()
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    opened(results, page)
    page.get_by_label("Read key").fill(KEY)
    page.keyboard.press("Enter")
    expect(page.locator(".advice")).to_have_text(headline("cta-color"))
    page.get_by_role("link", name="All experiments").click()
    expect(page.get_by_role("heading", name="Experiments")).to_be_visible()
    assert page.evaluate("[sessionStorage.length, localStorage.length, document.cookie]") == [1, 0, ""]
    assert not any("sesame" in url for url in [*urls, page.url])
    assert {key for _, key in results.api.asked} == {"", KEY}


def test_a_wrong_key_is_said_and_forgotten(results: Site, new_page: Open) -> None:
    results.api.key = KEY
    page = opened(results, new_page())
    page.get_by_label("Read key").fill("guess")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("That key was not accepted.")
    assert page.evaluate("sessionStorage.length") == 0


def test_when_the_key_no_longer_opens_the_numbers_are_gone(results: Site, new_page: Open) -> None:
    results.api.key = KEY
    page = opened(results, new_page())
    page.get_by_label("Read key").fill(KEY)
    page.keyboard.press("Enter")
    expect(page.locator(".advice")).to_be_visible()
    results.api.key = "another one"
    page.clock.run_for(15_500)
    expect(page.get_by_label("Read key")).to_be_visible()
    expect(page.locator(".advice, .variants")).to_have_count(0)


def test_forgetting_the_key_takes_the_numbers_with_it(results: Site, new_page: Open) -> None:
    results.api.key = KEY
    page = opened(results, new_page())
    page.get_by_label("Read key").fill(KEY)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Forget the key").click()
    expect(page.get_by_label("Read key")).to_be_visible()
    expect(page.locator(".advice, .variants")).to_have_count(0)
    assert page.evaluate("sessionStorage.length") == 0


def test_answers_are_never_kept_by_the_browser(results: Site, new_page: Open) -> None:
    page = opened(results, new_page())
    assert page.evaluate("caches.keys()") == []
    asked = len(results.api.asked)
    page.reload()
    page.wait_for_selector(".advice")
    assert len(results.api.asked) > asked


def test_a_search_is_not_lost_when_new_numbers_come(results: Site, new_page: Open) -> None:
    page = opened(results, new_page(), "#/")
    page.get_by_role("searchbox").press_sequentially("hero")
    page.clock.run_for(15_500)
    expect(page.get_by_role("searchbox")).to_be_focused()
    expect(page.get_by_role("searchbox")).to_have_value("hero")
    expect(page.locator(".list h2")).to_have_text(["hero"])


# ---------------------------------------------------------------- live events


REFUSED = [
    {"outcome": "wrong-variant", "at": "2026-11-21T12:09:48Z", "reason": "It belongs to blue.", "host": "a.example"},
    {"outcome": "malformed", "at": "2026-11-21T12:00:00Z", "reason": "id: is missing", "host": ""},
]


def with_events(accepted: int, repeated: int = 0, **refused: int) -> dict[str, Any]:
    report = SCENARIOS["cta-color"].detail({})
    report["health"]["conservation"] |= {"accepted": 1000 + accepted, "repeated": repeated}
    return report | {"refused": {"too-old": 14, **refused}, "latest_refusals": REFUSED}


def asks_again(page: Page, after_ms: int) -> None:
    """Moves a clock that stands, and waits for the answer to what the page asked then."""
    with page.expect_response(re.compile("/stats")):
        page.clock.fast_forward(after_ms)
    expect(page.locator(".dot:not(.asking)")).to_be_visible()


def at_ten_past(site: Site, page: Page, route: str) -> Page:
    """The page at 12:10, where its clock stands still."""
    page.clock.install(time="2026-11-21T12:00:00Z")
    page.goto(site.page(route))
    page.wait_for_selector("main h1")
    with page.expect_response(re.compile("/stats")):
        page.clock.pause_at("2026-11-21T12:10:00Z")
    expect(page.locator(".dot:not(.asking)")).to_be_visible()
    return page


def watching(site: Site, page: Page, answer: dict[str, Any]) -> Page:
    site.api.answers["/stats/cta-color"] = answer
    at_ten_past(site, page, "#/cta-color?open=events")
    expect(page.get_by_text("No event yet since this page was opened.")).to_be_visible()
    return page


def test_events_are_shown_by_the_minute_in_which_they_came(results: Site, new_page: Open) -> None:
    page = watching(results, new_page(), with_events(0))
    rows = page.get_by_role("region", name="Events by minute").get_by_role("row")
    results.api.answers["/stats/cta-color"] = with_events(3, 1)
    asks_again(page, 6_000)
    expect(rows.nth(1)).to_have_text("12:10:00 UTC31")
    results.api.answers["/stats/cta-color"] = with_events(3, 1, capped=2)
    asks_again(page, 60_000)
    expect(rows.first).to_have_text("MinuteAcceptedRepeatedRefused: capped")
    expect(rows.nth(1)).to_have_text("12:11:00 UTC––2")
    expect(rows.nth(2)).to_have_text("12:10:00 UTC31–")
    asks_again(page, 20 * 60_000)
    expect(page.get_by_text("No event yet since this page was opened.")).to_be_visible()


def test_a_rebuild_that_counts_from_the_start_is_no_event(results: Site, new_page: Open) -> None:
    page = watching(results, new_page(), with_events(500))
    results.api.answers["/stats/cta-color"] = with_events(0)
    asks_again(page, 6_000)
    results.api.answers["/stats/cta-color"] = with_events(2)
    asks_again(page, 6_000)
    rows = page.get_by_role("region", name="Events by minute").get_by_role("row")
    expect(rows.nth(1)).to_have_text("12:10:00 UTC2–")


def test_without_refusals_the_section_says_so(results: Site, new_page: Open) -> None:
    results.api.answers["/stats/cta-color"] = with_events(0) | {"latest_refusals": []}
    page = new_page()
    page.goto(results.page("#/cta-color?open=events"))
    expect(page.get_by_text("None since yesterday.")).to_be_visible()


def test_the_latest_refusals_have_reason_host_and_age(results: Site, new_page: Open) -> None:
    page = watching(results, new_page(), with_events(0))
    shown = page.locator(".refusals li")
    expect(shown.first).to_have_text("wrong-variant a.example, 12 seconds agoIt belongs to blue.")
    expect(shown.nth(1)).to_have_text("malformed 10 minutes agoid: is missing")
    expect(shown.first.get_by_role("link")).to_have_attribute("href", "../docs/outcomes.html")


def test_only_who_waits_for_events_asks_every_five_seconds(results: Site, new_page: Open) -> None:
    page = watching(results, new_page(), with_events(0))
    asked = len(results.api.asked)
    asks_again(page, 5_500)
    assert len(results.api.asked) == asked + 1
    page.evaluate("location.hash = '#/cta-color'")
    expect(page.get_by_text("No event yet since this page was opened.")).to_have_count(0)
    page.clock.fast_forward(14_000)
    assert len(results.api.asked) == asked + 1
    asks_again(page, 1_500)
    assert len(results.api.asked) == asked + 2


def test_an_empty_installation_says_when_and_where_the_tag_was_seen(results: Site, new_page: Open) -> None:
    results.api.answers["/stats"] = {"experiments": [], "latest_refusals": []}
    page = at_ten_past(results, new_page(), "#/")
    expect(page.get_by_text("Not seen yet.")).to_contain_text("open your page once with ?ab_check")
    seen = {"outcome": "unknown-experiment", "reason": "No experiment 'ab-check'.", "host": "shop.example.com"}
    results.api.answers["/stats"]["latest_refusals"] = [seen | {"at": "2026-11-21T12:10:01Z"}]
    asks_again(page, 6_000)
    expect(page.locator(".seen")).to_have_text("The tag was seen on shop.example.com, 5 seconds ago.")


# ---------------------------------------------------------------- links that expire, and the card


def a_link(scope: str = "cta-color", seconds: int = 600) -> str:
    return sign_link(KEY, "local", scope, round(time.time()) + seconds)


def test_a_link_opens_its_experiment_without_the_key_and_leaves_the_address(results: Site, new_page: Open) -> None:
    results.api.key = KEY
    page = new_page()
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    page.goto(results.page(f"#/cta-color?open=checks&link={a_link()}"))
    expect(page.locator(".advice")).to_have_text(headline("cta-color"))
    expect(page).to_have_url(re.compile(r"#/cta-color\?open=checks$"))
    assert not any("ab1" in url for url in urls)
    page.reload()
    expect(page.locator(".advice")).to_have_text(headline("cta-color"))
    expect(page.get_by_role("link", name="All experiments")).to_have_count(0)
    page.get_by_role("link", name="ABacus").click()
    expect(page.locator("h1")).to_contain_text("cta-color")
    expect(page.get_by_role("button", name="Copy 7-day link")).to_have_count(0)


def test_a_link_to_everything_opens_the_list(results: Site, new_page: Open) -> None:
    results.api.key = KEY
    page = new_page()
    page.goto(results.page(f"#/?link={a_link('*')}"))
    expect(page.get_by_role("heading", name="Experiments")).to_be_visible()


def test_a_link_that_expired_says_so(results: Site, new_page: Open) -> None:
    results.api.key = KEY
    page = new_page()
    page.goto(results.page(f"#/cta-color?link={a_link(seconds=-1)}"))
    expect(page.get_by_role("alert")).to_contain_text("This link expired at 20")
    assert page.evaluate("sessionStorage.length") == 0


def test_who_has_the_key_copies_a_link_that_opens_for_seven_days(results: Site, new_page: Open) -> None:
    results.api.key = KEY
    page = new_page(permissions=["clipboard-read", "clipboard-write"])
    page.goto(results.page("#/cta-color"))
    page.get_by_label("Read key").fill(KEY)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Copy 7-day link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    address = page.evaluate("navigator.clipboard.readText()")
    assert address.startswith(results.page("#/cta-color?link=ab1.cta-color."))
    assert int(address.split(".")[-2]) == pytest.approx(time.time() + 7 * 86_400, abs=60)
    guest = new_page()
    guest.goto(address)
    expect(guest.locator(".advice")).to_have_text(headline("cta-color"))


FRAME = "<!doctype html><title>a wiki</title><iframe src='{}' width=420 height=260></iframe>"


def test_a_card_stands_in_a_frame_of_another_site(results: Site, new_page: Open) -> None:
    results.api.key = KEY
    page = new_page(width=420)
    # Both are https, as frame-ancestors demands.
    address = f"https://tracker.test/results/card.html#/cta-color?link={a_link()}"
    page.route("https://wiki.test/*", lambda route: route.fulfill(body=FRAME.format(address), content_type="text/html"))
    page.route(
        "https://tracker.test/**", lambda route: route.fulfill(response=route.fetch(url=here(route.request.url)))
    )

    def here(url: str) -> str:
        return url.replace("https://tracker.test", results.base_url)

    page.goto("https://wiki.test/")
    card = page.frame_locator("iframe")
    expect(card.locator(".advice")).to_have_text(headline("cta-color"))
    expect(card.locator("li")).to_have_count(2)
    expect(card.locator("button, input")).to_have_count(0)


def test_a_card_shows_the_mean_where_a_mean_is_primary(results: Site, new_page: Open) -> None:
    page = new_page()
    page.goto(results.page("card.html#/basket"))
    page.wait_for_selector(".card li")
    means = [f"{row['mean']:.2f} EUR" for row in EXTREMES["basket"].detail({})["variants"]]
    assert page.locator(".card li b").all_inner_texts() == means


def test_a_card_without_a_valid_link_shows_no_form(results: Site, new_page: Open) -> None:
    results.api.key = KEY
    page = new_page()
    for hash_, said in (("#/cta-color", "This card has expired."), (f"#/?link={a_link('*')}", "names no experiment")):
        page.goto("about:blank")
        page.goto(f"{results.base_url}/results/card.html{hash_}")
        expect(page.get_by_text(said)).to_be_visible()
        expect(page.locator("input, button")).to_have_count(0)


def test_only_the_card_may_be_framed() -> None:
    assert "frame-ancestors 'none'" in policy()
    assert card_policy().endswith("frame-ancestors https:")

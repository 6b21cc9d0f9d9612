"""The section "By segment": it asks for its numbers when it is opened, and shows them by value."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from chalicelib.reporting.segments.report import segment_report
from tests.analysis.test_segments import samples
from tests.browser.conftest import Open
from tests.browser.results.scenarios import SCENARIOS
from tests.browser.results.site import Site
from tests.support.builders import NOON

pytestmark = pytest.mark.browser


def by_segment(site: Site) -> None:
    """cta-color with two segments: green wins on phones only, and Safari loses visitors of green."""
    report = SCENARIOS["cta-color"].detail({}) | {"segments": ["device", "browser"]}
    device = samples(
        name="device",
        mobile={"blue": (10_000, 1000), "green": (10_000, 1300)},
        desktop={"blue": (10_000, 1000), "green": (10_000, 1005)},
    )
    browser = samples(
        chrome={"blue": (9000, 900), "green": (9050, 1000)}, safari={"blue": (5000, 500), "green": (4000, 500)}
    )
    site.api.answers |= {
        "/stats/cta-color": report,
        "/stats/cta-color?by=device": segment_report(device, {}, now_ms=NOON).model_dump(mode="json"),
        "/stats/cta-color?by=browser": segment_report(
            browser, {"safari": {"wrong-variant": 1234}}, now_ms=NOON
        ).model_dump(mode="json"),
    }


def asked(site: Site) -> list[str]:
    return [target for target, _ in site.api.asked if "by=" in target]


def test_a_closed_section_asks_nothing_and_an_open_one_shows_each_value(results: Site, new_page: Open) -> None:
    by_segment(results)
    page = new_page()
    page.goto(results.page("#/cta-color"))
    page.wait_for_selector("#segments")
    assert asked(results) == []
    page.get_by_role("heading", name="By segment").click()
    table = page.get_by_role("region", name="click by device")
    expect(table.get_by_role("row")).to_have_count(5)
    assert table.get_by_role("row").nth(2).inner_text().split()[:6] == [
        "mobile",
        "green",
        "10,000",
        "1,300",
        "13.0%",
        "+30%",
    ]
    expect(page.get_by_text("green: its effect differs between mobile and desktop")).to_be_visible()
    expect(page.get_by_text("Exploratory: 1 metric in 2 values.")).to_be_visible()
    assert asked(results) == ["/stats/cta-color?by=device"]


def test_another_segment_is_chosen_by_a_link_and_names_the_browser_whose_split_is_off(
    results: Site, new_page: Open
) -> None:
    by_segment(results)
    page = new_page()
    page.goto(results.page("#/cta-color?open=segments"))
    page.get_by_role("link", name="browser", exact=True).click()
    expect(page.get_by_text("The split is off in browser safari")).to_be_visible()
    expect(page.get_by_role("region", name="Who came, by browser").get_by_text("1,234")).to_be_visible()
    assert "by=browser" in page.evaluate("location.hash")


def test_a_failure_is_told_in_the_section_and_the_report_stays(results: Site, new_page: Open) -> None:
    by_segment(results)
    page = new_page()
    page.route("**/stats/cta-color?by=*", lambda route: route.abort())
    page.goto(results.page("#/cta-color?open=segments"))
    expect(page.locator("#by-segment")).to_contain_text("Your device is online, but the server did not answer.")
    expect(page.locator(".advice")).to_be_visible()

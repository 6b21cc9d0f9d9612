"""Experiments with simulated visitors are marked as demo data, in the list and in the report."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Open
from tests.browser.results.site import Site

pytestmark = pytest.mark.browser


def simulated(page: Page) -> Page:
    """The page, with every answer of GET /stats as the demo's experiments have it."""

    def answer(route: Route) -> None:
        response = route.fetch()
        body = response.json()
        for entry in body.get("experiments", [body]):
            entry["simulated"] = True
        route.fulfill(response=response, json=body)

    page.route("**/stats**", answer)
    return page


def test_the_report_and_the_list_say_that_they_show_demo_data(results: Site, new_page: Open) -> None:
    page = simulated(new_page())
    page.goto(results.page("#/cta-color"))
    expect(page.get_by_text("Some of these visitors are simulated.")).to_be_visible()
    page.goto(results.page("#/"))
    expect(page.locator("[data-key=cta-color] .chip.demo")).to_have_text("demo data")


def test_real_data_has_no_such_mark(results: Site, new_page: Open) -> None:
    page = new_page()
    page.goto(results.page("#/cta-color"))
    expect(page.locator(".advice")).to_be_visible()
    expect(page.locator(".chip.demo")).to_have_count(0)

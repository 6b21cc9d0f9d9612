"""The results page, as somebody sees it who opens it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from .results_site import Site

pytestmark = pytest.mark.browser


def test_the_first_thing_said_is_what_to_do(chromium: Browser, results: Site) -> None:
    page = chromium.new_page(locale="en-GB")
    page.goto(results.page("#/cta-color"))
    assert page.locator(".verdict .advice").inner_text() == "Ship green"
    page.close()

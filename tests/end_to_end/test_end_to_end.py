"""An event's whole way, as people go it: twenty of them open the demo, some click, and the numbers are there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browsers.chromium import chromium, playwright_driver
from tests.support.product import Product, until

pytestmark = [pytest.mark.browser, pytest.mark.ministack]

QUIET = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
# Automated Chromium says so in two places, and ABacus rightly takes it for a bot.
ORDINARY = "--disable-blink-features=AutomationControlled"
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with playwright_driver() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=[*QUIET.split(), ORDINARY])
        yield browser
        browser.close()


def a_visitor(browser: Browser, product: Product) -> tuple[Page, str]:
    """A fresh browser on the demo, and the variant it shows."""
    page = browser.new_context(user_agent=AGENT).new_page()
    page.goto(f"{product.base_url}/demo/")
    variant = page.locator("html").get_attribute("data-ab-cta-color")
    assert variant is not None
    return page, variant


def test_twenty_visitors_and_their_clicks_are_exactly_what_stats_and_results_page_say(
    browser: Browser, product: Product
) -> None:
    before = product.variants("cta-color")
    seen: Counter[str] = Counter()
    clicked: Counter[str] = Counter()
    for number in range(20):
        page, variant = a_visitor(browser, product)
        seen[variant] += 1
        if number % 3 == 0:
            page.locator("#cta").click()
            clicked[variant] += 1

    def found() -> dict[str, tuple[int, int]]:
        now = product.variants("cta-color")
        return {v: (now[v][0] - before[v][0], now[v][1] - before[v][1]) for v in now}

    until(lambda: sum(impressions + clicks for impressions, clicks in found().values()) >= 27)
    for context in browser.contexts:
        context.close()
    assert found() == {v: (seen[v], clicked[v]) for v in ("blue", "green")}
    page = browser.new_context(user_agent=AGENT).new_page()
    page.goto(f"{product.base_url}/results/#/cta-color")
    for variant, (impressions, clicks) in product.variants("cta-color").items():
        row = page.locator(f"table.variants tr[data-key={variant}]")
        expect(row).to_contain_text(f"{clicks} of {impressions}")
    page.context.close()


def test_a_visitor_who_comes_back_sees_the_same_variant(browser: Browser, product: Product) -> None:
    page, variant = a_visitor(browser, product)
    page.reload()
    assert page.locator("html").get_attribute("data-ab-cta-color") == variant
    page.context.close()

"""An event's whole way, as people go it: twenty of them open the demo, some click, and the numbers are there."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from abacus.authoring.load import load
from abacus.paths import PROJECT
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


def revenue(product: Product) -> dict[str, tuple[int, float]]:
    """Of each variant of the demo's buttons: visitors who paid, and what they paid."""
    [mean] = product.ask("/stats/buy-button").json()["means"]
    return {v["variant"]: (v["with_value"], v["total"]) for v in mean["variants"]}


def test_what_visitors_pay_in_the_demo_shop_is_the_revenue_of_their_variant(browser: Browser, product: Product) -> None:
    before = revenue(product)
    experiment = load(PROJECT / "manifest").experiment("buy-button")
    assert experiment is not None
    ids = (f"buyer-{n}" for n in itertools.count())
    for variant, label in (("add", "Add Morning Assam"), ("buy-now", "Buy now Morning Assam")):
        visitor = next(v for v in ids if experiment.assign(v, 0) == variant)
        context = browser.new_context(user_agent=AGENT)
        context.add_cookies([{"name": "abacus", "value": f"{visitor}~", "url": product.base_url}])
        page = context.new_page()
        page.goto(f"{product.base_url}/demo/")
        page.locator("#teas").scroll_into_view_if_needed()
        until(lambda variant=variant: product.variants("buy-button")[variant][0] > 0)  # the teas were seen
        page.get_by_role("button", name=label).click()
        if variant == "add":
            page.locator("#cta").click()
            expect(page.locator(".basket")).to_have_text("Basket 2 €20.50")
            page.get_by_role("button", name="Check out").click()
            expect(page.locator(".basket")).to_have_text("Basket 0")
        expect(page.locator("#bought")).to_contain_text("€20.50" if variant == "add" else "€8.50")
    paid = {"add": (1, 20.5), "buy-now": (1, 8.5)}
    expected = {v: (before[v][0] + n, before[v][1] + sum_) for v, (n, sum_) in paid.items()}
    until(lambda: revenue(product) == expected)
    for context in browser.contexts:
        context.close()

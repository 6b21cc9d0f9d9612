"""The example shop in Chromium, before the running product: server, snippet and counts agree on the variant."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext
from werkzeug.serving import make_server

from abacus.paths import PROJECT
from tests.browser.snippet.visitors import ORDINARY
from tests.support.browsers.chromium import chromium as executable
from tests.support.browsers.chromium import playwright_driver
from tests.support.product import Product, start, until

pytestmark = [pytest.mark.browser, pytest.mark.ministack]
SHOP = PROJECT / "examples" / "shop"
SECRET = "a secret of the tests"


@pytest.fixture(scope="module")
def tracker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ABACUS_SENDER_KEYS", f'{{"shop": "{SECRET}"}}')
        running = start(tmp_path_factory.mktemp("shop") / "state", manifest=SHOP / "manifest")
    assert running.base_url, running.said
    yield running
    running.stop()


@pytest.fixture
def serve(tracker: Product, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """Starts the shop; returns its address."""
    monkeypatch.syspath_prepend(str(SHOP))
    import shop
    from tracker import Tracker

    servers = []

    def served(*, url: str = tracker.base_url, edge: bool = False) -> str:
        server = make_server("127.0.0.1", 0, shop.create_app(Tracker(url, "shop", SECRET, patience=20), edge=edge))
        servers.append(server)
        Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield served
    for server in servers:
        server.shutdown()
        server.server_close()
    for name in ("shop", "tracker"):
        sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with playwright_driver() as driver:
        opened = driver.chromium.launch(
            executable_path=executable(), args=["--no-sandbox", "--disable-blink-features=AutomationControlled"]
        )
        yield opened
        opened.close()


def a_profile(browser: Browser, **headers: str) -> BrowserContext:
    context = browser.new_context(user_agent=ORDINARY)
    context.set_extra_http_headers({name.replace("_", "-"): value for name, value in headers.items()})
    return context


def results(tracker: Product) -> dict[str, dict[str, Any]]:
    report = tracker.ask("/stats/headline").json()
    assert report["refused"] == {}, report["refused"]
    return {row["variant"]: row for row in report["variants"]}


def test_what_the_server_renders_is_what_the_snippet_shows_and_counts(
    tracker: Product, serve: Callable[..., str], browser: Browser
) -> None:
    address, shown = serve(), []
    for _ in range(12):
        context = a_profile(browser)
        page = context.new_page()
        page.goto(address)
        page.wait_for_function("window.abacus")
        headline = page.text_content("h1")
        variant = page.evaluate("document.documentElement.dataset.abHeadline")
        assert headline == {"plain": "Tea, delivered", "bold": "Better tea by Friday"}[variant]
        (cookie,) = [c for c in context.cookies() if c["name"] == "abacus"]
        page.wait_for_function("document.cookie.includes('headline')")  # the snippet goes on with the server's cookie
        assert page.evaluate("document.cookie").startswith(f"abacus={cookie['value'].split('~')[0]}~")
        if not shown:  # the first visitor buys
            page.wait_for_timeout(500)  # longer than an impression takes
            page.click("button")
            page.wait_for_selector("text=is on its way")
            until(lambda variant=variant: results(tracker)[variant]["clicks"] == 1)  # type: ignore[misc]
        shown.append(variant)
        context.close()
        if len(set(shown)) == 2:
            break
    until(lambda: results(tracker)[shown[0]]["goal_events"] == 1)
    bought = results(tracker)[shown[0]]
    assert (bought["converted"], results(tracker)[shown[-1]]["goal_events"]) == (1, 0)
    (mean,) = [m for m in tracker.ask("/stats/headline").json()["means"] if m["metric"] == "purchase.value"]
    assert {row["variant"]: row["total"] for row in mean["variants"]} == {shown[0]: 12.5, shown[-1]: 0}


def test_behind_the_edge_its_header_decides(serve: Callable[..., str], browser: Browser) -> None:
    address = serve(edge=True)
    for header, headline in (("landing=b,headline=bold", "Better tea by Friday"), ("", "Tea, delivered")):
        page = a_profile(browser, x_abacus=header).new_page()
        page.goto(address)
        assert page.text_content("h1") == headline


def test_without_the_tracker_the_shop_still_sells(serve: Callable[..., str], browser: Browser) -> None:
    page = a_profile(browser).new_page()
    page.goto(serve(url="http://127.0.0.1:9"))
    assert page.text_content("h1") == "Tea, delivered"
    page.click("button")
    page.wait_for_selector("text=is on its way")

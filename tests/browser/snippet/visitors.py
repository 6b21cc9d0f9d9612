"""Visitors: each a fresh browser profile of an ordinary Chromium, in which no error may escape."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, TimeoutError

from tests.browser.snippet.site import Site, serving
from tests.support.browsers.chromium import chromium

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
LOCAL_NAMES = "--host-resolver-rules=MAP *.test 127.0.0.1"
ORDINARY = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36"
Visit = Callable[..., Page]


def launch(playwright: Playwright, *flags: str) -> Browser:
    return playwright.chromium.launch(
        executable_path=chromium(),
        args=[*FLAGS, LOCAL_NAMES, *flags],
        ignore_default_args=["--disable-back-forward-cache"],
    )


@pytest.fixture(scope="package")
def ordinary(playwright: Playwright) -> Iterator[Browser]:
    """A browser that does not say that it is automated."""
    browser = launch(playwright, "--disable-blink-features=AutomationControlled")
    yield browser
    browser.close()


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as started:
        yield started


@pytest.fixture
def new_visitor(ordinary: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """A profile without a past, or with the cookie of visitor `known` on `site`. At the end no page may have had an
    error that no page caught."""
    contexts: list[BrowserContext] = []
    escaped: list[str] = []

    def profile(site: Site, known: str = "", **options: Any) -> BrowserContext:
        defaults = {"user_agent": ORDINARY, "viewport": {"width": 800, "height": 600}}
        context = ordinary.new_context(**defaults | options)
        context.set_default_timeout(15_000)
        context.on("weberror", lambda error: escaped.append(str(error.error)))
        if known:
            context.add_cookies([{"name": "abacus", "value": known, "url": site.origin}])
        contexts.append(context)
        return context

    yield profile
    for context in contexts:
        context.close()
    assert escaped == []


@pytest.fixture
def visit(site: Site, new_visitor: Callable[..., BrowserContext]) -> Visit:
    """Opens `path` of the site as a new visitor, or as `known`: `<visitor>~<choices>`."""

    def opened(path: str = "/", known: str = "", **options: Any) -> Page:
        page = new_visitor(site, known, **options).new_page()
        page.goto(site.origin + path)
        return page

    return opened


def a_moment_passes(page: Page) -> None:
    """Twice as long as something must be in view to be seen, from when the browser has looked what is in view."""
    page.evaluate("""(async () => {
      const frame = () => new Promise(requestAnimationFrame);
      await frame(), await frame();
      await new Promise((done) => setTimeout(done, 600));
      await frame();
    })()""")


def confirmed(page: Page) -> None:
    """Until no event waits for an answer any more."""
    page.wait_for_function("!Object.keys(localStorage).some((key) => key.startsWith('abacus:'))")


def leave(page: Page) -> None:
    """To another page, by which everything that waits is sent at once."""
    page.goto("about:blank")


def seen_by_now(site: Site, page: Page) -> list[str]:
    """What everything up to here comes to, in a moment; the goal `end` marks it, for events are sent in order."""

    def ends() -> int:
        return sum(" end " in said for said in site.said())

    before = ends()
    with contextlib.suppress(TimeoutError):  # a test may hold a request open
        page.wait_for_load_state("networkidle", timeout=10_000)  # what counts is loaded after the page
    a_moment_passes(page)
    page.evaluate("abacus.goal('end')")
    leave(page)
    site.wait_for(lambda: ends() > before)
    return [said for said in site.said() if " end " not in said]

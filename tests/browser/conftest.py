"""A real Chromium, and what it looks at."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright

from abacus.paths import PROJECT
from tests.browser.results.site import Api, Site, serving
from tests.browser.snippet.visitors import new_visitor, ordinary, site, visit  # noqa: F401  fixtures of the snippet's tests
from tests.support.browsers import chromium as browsers
from tests.support.browsers.chromium import playwright_driver

PICTURES = PROJECT / "docs" / "pictures"
Open = Callable[..., Page]


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    with playwright_driver() as driver:
        yield driver


@pytest.fixture(scope="package")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """Chromium, without a window."""
    browser = playwright.chromium.launch(executable_path=browsers.chromium(), args=["--no-sandbox"])
    yield browser
    browser.close()


@pytest.fixture(scope="package")
def _site() -> Iterator[Site]:
    with serving() as started:
        yield started


@pytest.fixture
def results(_site: Site) -> Iterator[Site]:
    """The results page on a server of its own, whose API answers what `results.api` says."""
    for name, value in vars(Api()).items():
        setattr(_site.api, name, value)
    _site.served.clear()
    yield _site
    if _site.api.hang:
        _site.api.hang.set()


@pytest.fixture
def new_page(chromium: Browser) -> Iterator[Open]:
    """Opens pages with the context's settings given, such as width, color_scheme, locale. A test fails when its page
    threw, or when the browser kept it from doing something that the security policy forbids."""
    contexts, wrong = [], []

    def open_page(*, width: int = 1280, height: int = 900, **settings: Any) -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": height}, **{"locale": "en-GB", "timezone_id": "UTC"} | settings
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.fixture
def picture() -> Callable[[Page, str], None]:
    """Writes a picture into docs/pictures, when ABACUS_PICTURES is set: `ABACUS_PICTURES=1 pytest tests/browser`."""

    def take(page: Page, name: str) -> None:
        if os.environ.get("ABACUS_PICTURES"):
            PICTURES.mkdir(exist_ok=True)
            page.screenshot(path=PICTURES / f"{name}.png")

    return take

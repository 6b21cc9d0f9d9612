"""A real Chromium, and what it looks at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from .results_site import Api, Site, serving


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's, without a window."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def _site() -> Iterator[Site]:
    with serving() as site:
        yield site


@pytest.fixture
def results(_site: Site) -> Site:
    """The results page on a server of its own, whose API answers what `results.api` says."""
    for name, value in vars(Api()).items():
        setattr(_site.api, name, value)
    _site.served.clear()
    return _site

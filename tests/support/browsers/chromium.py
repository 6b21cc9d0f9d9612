"""The Chromium that browser tests drive, and Playwright's driver on the project's Node."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Playwright, sync_playwright

from abacus.paths import MissingTool, node, search_path

# `make test` puts this one there where the machine has no Chromium (scripts/set_up.py). It is Chromium's headless
# shell: the same engine without the browser around it, hence without the back-forward cache.
HEADLESS_SHELL = Path(sys.executable).with_name("chromium")


def chromium() -> str:
    """The path of Chromium: $CHROMIUM, `.venv/bin/chromium` or the machine's. Raises MissingTool without one."""
    names = [os.environ["CHROMIUM"]] if "CHROMIUM" in os.environ else ["chromium", "chromium-browser", "google-chrome"]
    for name in names:
        if path := shutil.which(name, path=search_path()):
            return path
    raise MissingTool("no Chromium runs here. Install one; on Debian, as root: apt-get install chromium")


needs_back_forward_cache = pytest.mark.skipif(
    HEADLESS_SHELL.exists() and Path(chromium()) == HEADLESS_SHELL,
    reason="Chromium's headless shell has no back-forward cache; install Chromium itself to run this test",
)


@contextmanager
def playwright_driver() -> Iterator[Playwright]:
    """Playwright, run by the project's Node: the one it brings along needs libatomic, which a minimal Debian lacks."""
    os.environ.setdefault("PLAYWRIGHT_NODEJS_PATH", node())
    with sync_playwright() as driver:
        yield driver

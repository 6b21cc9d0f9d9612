"""A pytest plugin: where no Chromium runs, every other test runs, and the session ends with exit 1 and the reason."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from abacus.paths import MissingTool
from tests.support.browsers.chromium import chromium

FOLDER = Path(__file__).parents[2] / "browser"
LEFT_OUT = "browser_tests_left_out"  # what a worker of pytest-xdist reports


class WithoutBrowser:
    """Leaves out the tests that need a browser. `message`: what is missing; `left_out`: how many tests."""

    def __init__(self, message: str) -> None:
        self.message = message
        self.left_out = 0

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        needing = [item for item in items if FOLDER in item.path.parents or item.get_closest_marker("browser")]
        self.left_out += len(needing)
        config.hook.pytest_deselected(items=needing)
        items[:] = [item for item in items if item not in needing]

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Iterator[None]:
        output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
        if output is not None:
            output[LEFT_OUT] = self.left_out
        elif self.left_out and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        return (yield)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self.left_out = max(self.left_out, getattr(node, "workeroutput", {}).get(LEFT_OUT, 0))

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self, config: pytest.Config) -> None:
        if self.left_out and not hasattr(config, "workeroutput"):
            config.get_terminal_writer().line(f"{self.left_out} browser tests did not run: {self.message}")


def register(config: pytest.Config) -> None:
    """Register the plugin if there is no Chromium."""
    try:
        chromium()
    except MissingTool as error:
        config.pluginmanager.register(WithoutBrowser(str(error)))

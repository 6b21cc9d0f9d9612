"""Every state of the results page, on a phone in the dark and on a desk by day."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from abacus.paths import PROJECT
from tests.browser.conftest import Open
from tests.browser.results.scenarios import NOW
from tests.browser.results.site import Site
from tests.browser.results.states import STATES, State, enter

pytestmark = pytest.mark.browser

AXE = (PROJECT / "node_modules" / "axe-core" / "axe.min.js").read_text()
PHONE: dict[str, Any] = {"width": 390, "height": 844, "color_scheme": "dark"}
DESK: dict[str, Any] = {"width": 1440, "height": 900, "color_scheme": "light"}


# Of what docs/results.md shows, and the README: state and width → picture.
PICTURES = {
    "list-1440": "list-1440",
    "winner-1440": "results",
    "winner-390": "winner-390",
    "undecided-1440": "undecided-1440",
    "broken-split-1440": "broken-split-1440",
    "collecting-1440": "collecting-1440",
    "many-variants-1440": "many-variants-1440",
    "weights-changed-1440": "weights-changed-1440",
    "stopped-1440": "stopped-1440",
    "new-1440": "new-1440",
}


# Passes are only counted: to describe each element that passed takes axe longer than to look.
LOOK = "axe.run({resultTypes: ['violations']}).then(({violations, passes}) => [violations, passes.length])"


def serious(page: Page) -> list[str]:
    """What axe-core calls serious or critical: rule and place."""
    page.evaluate(AXE)  # through the debugger, which no security policy binds
    violations, passes = page.evaluate(LOOK)
    assert passes > 5, "axe did not look at anything"
    return [
        f"{violation['id']}: {node['target']} {node['failureSummary']}"
        for violation in violations
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize("screen", [PHONE, DESK], ids=["phone-dark", "desk-light"])
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)
def test_axe_finds_nothing_serious_and_nothing_sticks_out(
    state: State, screen: dict[str, Any], results: Site, new_page: Open, picture: Callable[[Page, str], None]
) -> None:
    page = new_page(**screen, reduced_motion="reduce")
    page.clock.set_fixed_time(NOW / 1000)  # seconds; the same picture whenever it is taken
    enter(state, results, page)
    if (shown := f"{state.name}-{screen['width']}") in PICTURES:
        picture(page, PICTURES[shown])
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    ids = page.locator("[id]").evaluate_all("all => all.map((element) => element.id)")
    assert len(ids) == len(set(ids))  # styles and patches find the first of two alone


@pytest.mark.parametrize("width", [320, 3840])
@pytest.mark.parametrize("name", ["list", "winner-deep", "many-variants", "key-refused"])
def test_nothing_sticks_out_on_the_smallest_phone_and_on_the_largest_screen(
    name: str, width: int, results: Site, new_page: Open
) -> None:
    page = new_page(width=width, height=800)
    enter(next(state for state in STATES if state.name == name), results, page)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_axe_would_find_something(new_page: Open) -> None:
    page = new_page()
    page.set_content("<html lang=en><title>t</title><main><h1>h</h1><img src=x><a href=#><i></i></a><input><p>p</p>")
    assert {found.partition(":")[0] for found in serious(page)} >= {"image-alt", "label"}

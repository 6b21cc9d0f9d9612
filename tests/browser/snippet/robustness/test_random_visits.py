"""Random visits, and a ledger of what each visitor did, which knows nothing of the snippet: what arrives is the same.

Visitors open pages, reload, go back, use several tabs, leave quickly and block storage, while their service breaks in
every way that it can. `ABACUS_VISITS=400` makes this many visits; each seed is another set of them.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser.snippet.site import Site, an_experiment, serving
from tests.browser.snippet.visitors import a_moment_passes

Profile = Callable[..., BrowserContext]
VISITS = int(os.environ.get("ABACUS_VISITS", "40"))
SEED = int(os.environ.get("ABACUS_SEED", "1"))
AT_ONCE = 8  # visitors; each has a server, whose service breaks apart from the others'
STEPS = 5  # of each visitor, before the return
HERO = an_experiment(goals=("order",))
OUTAGES = ("", "", "", "down", "mute", "500", "503", "429", "offline")
THROWS = "{ get() { throw new DOMException('no', 'SecurityError'); }, set() { throw new DOMException('no'); } }"
BLOCKED = {
    "": "",
    "cookies": f"Object.defineProperty(Document.prototype, 'cookie', {THROWS});",
    "localStorage": f"Object.defineProperty(window, 'localStorage', {THROWS});",
}
BLOCKED["both"] = BLOCKED["cookies"] + BLOCKED["localStorage"]
# The second file has come: from then on nothing is lost, whatever happens next.
COUNTS = "performance.getEntriesByType('resource').some((file) => /ab\\.count/.test(file.name) && file.responseEnd)"


@dataclass
class Ledger:
    """What must arrive, and what may: an impression of a page that was left quickly, a click before the second file."""

    must: Counter[str] = field(default_factory=Counter)
    may: Counter[str] = field(default_factory=Counter)

    def write(self, kind: str, certain: bool) -> None:
        (self.must if certain else self.may)[kind] += 1

    def refutes(self, arrived: Counter[str], losses: bool) -> str:
        """What is wrong with what has arrived; losses are allowed or not."""
        wrong = [f"{n} {kind} too many" for kind, n in (arrived - self.must - self.may).items()]
        if not losses:
            wrong += [f"{n} {kind} lost" for kind, n in (self.must - arrived).items()]
        return ", ".join(wrong)


class Person:
    """A visitor with a browser profile, a site and a ledger."""

    def __init__(self, site: Site, context: BrowserContext, random: Random) -> None:
        self.site, self.context, self.random = site, context, random
        self.blocked = random.choices(list(BLOCKED), weights=(12, 1, 1, 1))[0]
        self.returns = random.random() < 0.8
        self.ledger = Ledger()
        self.did: list[str] = []
        context.add_init_script(f"if (location.protocol != 'about:') {{ {BLOCKED[self.blocked]} }}")
        site.runs(HERO)
        for path in ("/a", "/b"):
            site.page(path, '<button data-ab="hero">buy</button>')
        self.tabs: list[Page] = []

    def weather(self, outage: str) -> None:
        self.site.down, self.site.mute = outage == "down", outage == "mute"
        self.site.answer = {"500": (500, {}), "503": (503, {}), "429": (429, {"Retry-After": "1"})}.get(outage)
        self.context.set_offline(outage == "offline")
        self.did.append(outage or "sunny")

    def step(self) -> None:
        """One visit: open, reload, go back or go on, in one tab or another; then look, act or leave."""
        self.weather("")  # a page must be there to be seen
        way = self.random.choice(["open", "open", "tab", "reload", "back", "quick"] if self.tabs else ["open"])
        if not self.tabs or (way == "tab" and len(self.tabs) < 3):
            self.tabs.append(self.context.new_page())
        page = self.random.choice(self.tabs)
        self._arrive(page, way)
        self.did.append(way)
        certain = way != "quick"
        if certain:
            page.wait_for_function(COUNTS)
        self.weather(self.random.choice(OUTAGES))
        if certain:
            a_moment_passes(page)
        acts = self.random.choice(["", "click", "order", "both"])
        if acts in ("click", "both"):
            page.click("button")
            self.ledger.write("click", certain)
        if acts in ("order", "both"):
            page.evaluate("abacus.goal('order')")
            self.ledger.write("goal", certain)
        self.did.append(acts)
        self.ledger.write("impression", certain)
        if way == "quick" or self.random.random() < 0.2:
            page.close()
            self.tabs.remove(page)

    def _arrive(self, page: Page, way: str) -> None:
        here = page.url
        elsewhere = self.site.origin + ("/b" if here.endswith("/a") else "/a")
        if way == "reload" and here.startswith("http"):
            page.reload()
        elif way == "back" and here.startswith("http"):
            page.goto(elsewhere)
            self.ledger.write("impression", certain=False)
            page.go_back()
        else:
            page.goto(elsewhere)

    def end(self) -> str:
        """The visitor returns, or does not; what is wrong then, if anything."""
        for page in self.tabs:
            page.close()
        self.weather("")
        if self.returns:
            page = self.context.new_page()
            self._arrive(page, "open")
            self.ledger.write("impression", certain=True)
            page.wait_for_function(COUNTS)
            a_moment_passes(page)
            if "localStorage" not in self.blocked and self.blocked != "both":
                self._wait_until_all_is_confirmed(page)
            page.close()
        with contextlib.suppress(AssertionError):
            self.site.wait_for(lambda: not self._wrong(), 10)
        return self._wrong()

    def _wait_until_all_is_confirmed(self, page: Page) -> None:
        # Whatever the hour of the next attempt is: a test does not wait for minutes.
        page.wait_for_function(
            """() => {
              if (!Object.keys(localStorage).some((key) => key.startsWith('abacus:'))) return true;
              if (localStorage.abacus_w - Date.now() > 5000) localStorage.abacus_w = Date.now();
            }""",
            timeout=90_000,
        )

    def _wrong(self) -> str:
        events = self.site.events.values()
        losses = not self.returns or self.blocked in ("localStorage", "both")
        wrong = self.ledger.refutes(Counter(event["type"] for event in events), losses)
        visitors = {(event["visitor"], event["variant"]) for event in events}
        if self.blocked != "both" and len(visitors) > 1:
            wrong += f" as {visitors}"
        return wrong


@pytest.fixture
def people(new_visitor: Profile) -> Iterator[Callable[[Random], Person]]:
    with contextlib.ExitStack() as stack:

        def person(random: Random) -> Person:
            site = stack.enter_context(serving())
            return Person(site, new_visitor(site), random)

        yield person


@pytest.mark.parametrize("group", range(-(-VISITS // (AT_ONCE * STEPS))))
def test_what_visitors_did_is_what_arrives(people: Callable[[Random], Person], group: int) -> None:
    random = Random(f"{SEED} {group}")
    everyone = [people(random) for _ in range(AT_ONCE)]
    for _ in range(STEPS):
        for person in everyone:
            person.step()
    wrong = [(person.end(), person.blocked, " ".join(person.did)) for person in everyone]
    assert [each for each in wrong if each[0]] == []

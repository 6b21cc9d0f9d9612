"""What the snippet costs a page, in calls that can be counted exactly, where milliseconds are noise."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext

from tests.browser.snippet.site import Site, an_experiment
from tests.browser.snippet.visitors import a_moment_passes, confirmed

Profile = Callable[..., BrowserContext]
HERO = an_experiment(goals=("end",))
COUNT = """
window.calls = { 'cookie read': 0, 'cookie write': 0, 'localStorage': 0 };
const { get, set } = Object.getOwnPropertyDescriptor(Document.prototype, 'cookie');
Object.defineProperty(Document.prototype, 'cookie', {
  get() { calls['cookie read']++; return get.call(this); },
  set(value) { calls['cookie write']++; set.call(this, value); },
});
const storage = Object.getOwnPropertyDescriptor(window, 'localStorage');
Object.defineProperty(window, 'localStorage', { get() { calls['localStorage']++; return storage.get.call(window); } });
"""


@pytest.mark.parametrize("experiments", [2, 50])
def test_before_the_page_is_drawn_it_reads_cookies_once_and_nothing_else(
    site: Site, new_visitor: Profile, experiments: int
) -> None:
    site.runs(HERO, *(an_experiment(f"e{n}") for n in range(experiments - 1)))
    # Inline, because the second file may come before another one does.
    site.page("/", '<button data-ab="hero">buy</button>', head="<script>window.before = { ...calls }</script>")
    context = new_visitor(site)
    context.add_init_script(COUNT)
    page = context.new_page()
    for _ in ("first visit", "returning"):
        page.goto(site.origin)
        assert page.evaluate("window.before") == {"cookie read": 1, "cookie write": 0, "localStorage": 0}
        page.wait_for_function("document.cookie.includes('abacus=')")
        a_moment_passes(page)
        confirmed(page)


def test_what_changes_outside_of_marked_elements_costs_no_scan(site: Site, new_visitor: Profile) -> None:
    site.runs(HERO)
    site.page("/", '<button data-ab="hero">buy</button><p id="busy">0</p>' + "<div>x</div>" * 2000)
    context = new_visitor(site)
    context.add_init_script("""
      window.scans = 0;
      const { querySelectorAll } = Document.prototype;
      Document.prototype.querySelectorAll = function (...all) { scans++; return querySelectorAll.apply(this, all); };
    """)
    page = context.new_page()
    page.goto(site.origin)
    a_moment_passes(page)
    a_moment_passes(page)
    scans = page.evaluate("""async () => {
      const before = scans;
      for (let n = 0; n < 30; n++) {
        busy.textContent = n;
        busy.className = 'c' + n;
        busy.append(document.createElement('i'));
        await new Promise((done) => requestAnimationFrame(done));
      }
      const idle = scans - before;
      document.body.append(document.querySelector('button').cloneNode(true));
      await new Promise((done) => requestAnimationFrame(done));
      return [idle, scans > before];
    }""")
    assert scans == [0, True]

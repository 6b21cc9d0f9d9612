"""The results page on a slow phone: Chromium with its processor slowed four times, on slow 4G (a round trip of 150 ms,
1.6 Mbit/s down). Its API answers at once; what GET /stats takes by itself: `python -m bench stats`.

An experiment of three weeks until its verdict can be read and the page answers, and until its charts are drawn; then a
hundred experiments of ninety days: until they are listed, what a letter typed into the search takes, and how long the
slowest frame is while the page scrolls through all of them.
"""

from __future__ import annotations

from collections.abc import Generator
from statistics import median
from typing import Any

from playwright.sync_api import Browser, Page

from bench.support.slow import slowed
from tests.browser.results.scenarios import SCENARIOS
from tests.browser.results.site import Site, serving
from tests.support.browsers.chromium import chromium, playwright_driver

ROUNDS = 10
PHONE: Any = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "has_touch": True}

# Milliseconds since the navigation at which each thing was first painted, and the tasks that kept the page from
# answering (50 ms and more).
WATCH = """
window.seen = {}, window.busy = [];
const note = (list) => busy.push(...list.getEntries().map(({ startTime, duration }) => [startTime, duration]));
new PerformanceObserver(note).observe({ type: "longtask", buffered: true });
const wanted = { verdict: ".advice", charts: "#plot-split canvas", listed: ".list li" };
(function look() {
  for (const [name, selector] of Object.entries(wanted))
    if (!(name in seen) && document.querySelector(selector)) seen[name] = performance.now();
  requestAnimationFrame(look);
})();
"""
TYPED = """async () => {
  const field = document.querySelector("#q"), taken = [];
  for (const letter of "checkout") {
    const began = performance.now();
    field.value += letter;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    await new Promise(requestAnimationFrame);
    await new Promise((done) => setTimeout(done));
    taken.push(performance.now() - began);
  }
  field.value = "";
  field.dispatchEvent(new Event("input", { bubbles: true }));
  return taken;
}"""
SCROLLED = """async () => {
  const frames = [];
  let before = await new Promise(requestAnimationFrame);
  while (scrollY + innerHeight < document.documentElement.scrollHeight - 1) {
    scrollBy({ top: 300, behavior: "instant" });
    const now = await new Promise(requestAnimationFrame);
    frames.push(now - before);
    before = now;
  }
  return frames;
}"""


def ninety_days_of_a_hundred() -> list[dict[str, Any]]:
    days = [{"at": f"2026-{8 + n // 30:02}-{1 + n % 30:02}", "visitors": 50 + n, "converted": 5} for n in range(90)]
    entry = SCENARIOS["cta-color"].entry() | {"series": days}
    return [entry | {"experiment": f"{'checkout' if n % 9 == 0 else 'experiment'}-{n}"} for n in range(100)]


def slow(browser: Browser) -> Generator[Page]:
    """New pages, each with an empty cache."""
    while True:
        context = browser.new_context(**PHONE)
        page = context.new_page()
        page.add_init_script(WATCH)
        slowed(page)
        yield page
        context.close()


def experiment(page: Page, site: Site) -> dict[str, float]:
    page.goto(site.page("#/cta-color"))
    page.wait_for_selector("#plot-split canvas")
    page.wait_for_timeout(500)
    seen, busy = page.evaluate("[seen, busy]")
    blocked = [start + length for start, length in busy if start < seen["verdict"]]
    return {
        "an experiment: its verdict can be read, and the page answers": max(seen["verdict"], *blocked, 0),
        "   its charts are drawn": max(seen["charts"], *(start + length for start, length in busy), 0),
        "   the longest that it did not answer": max((length for _, length in busy), default=0),
    }


def listing(page: Page, site: Site) -> dict[str, float]:
    page.goto(site.page("#/"))
    page.wait_for_selector(".list li")
    page.wait_for_timeout(500)
    listed = page.evaluate("seen.listed")
    return {
        "100 experiments of 90 days: they are listed": listed,
        "   a letter typed into the search, until it is painted (slowest of 8)": max(page.evaluate(TYPED)),
        "   a frame while scrolling through (slowest)": max(page.evaluate(SCROLLED)),
    }


def main() -> None:
    with playwright_driver() as driver, serving() as site:
        browser = driver.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        site.api.answers["/stats"] = {"experiments": ninety_days_of_a_hundred()}
        pages = slow(browser)
        times: dict[str, list[float]] = {}
        for number in range(ROUNDS + 1):
            for look in (experiment, listing):
                for name, ms in look(next(pages), site).items():
                    if number:
                        times.setdefault(name, []).append(ms)
        pages.close()
        browser.close()
        sent = sum(site.served.values())
    print(f"{'median of ' + str(ROUNDS):72}{'ms':>7}")
    for name, all_ in times.items():
        print(f"{name:72}{median(all_):7.0f}")
    print(f"{'everything that was sent, numbers left out (KB)':72}{sent / 1024:7.1f}")

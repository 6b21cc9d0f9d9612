"""How long the blocking script runs, beside hand-written floors, in Chromium. Script and page are one file, so that no
network is in the times; the scripts take turns, each with a browser profile of its own.

CPU: the time that the page's thread was busy with the script, as the browser's trace tells: other processes of a busy
machine are not in it. Wall: with waiting for the browser's other processes, which keep cookies and `localStorage`.

`first`: a new visitor. `next`: the next page in the same tab. `return`: a new tab, hence a new process: as on another
day. The page is isolated, because only there does the browser's clock tell 5 µs apart.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from statistics import median
from typing import NamedTuple

from aiohttp import web
from playwright.sync_api import Browser, BrowserContext, Page

from abacus.site.build import CONTENT_TYPES
from abacus.site.public_manifest import public
from abacus.site.snippet import Options, scripts
from bench.snippet.floors import COOKIE, LOCAL_STORAGE, floor
from chalicelib.domain.manifest import Manifest
from tests.browser.snippet.site import an_experiment, listening
from tests.browser.snippet.visitors import FLAGS, ORDINARY
from tests.support.browsers.chromium import chromium, playwright_driver

ROUNDS = 15
COUNTS = (2, 50)  # experiments
VISITS = ("first", "next", "return")
ISOLATED = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}


class Taken(NamedTuple):
    """Microseconds."""

    cpu: float
    wall: float


Times = dict[tuple[str, int, str], list[Taken]]  # (script, experiments, visit) → one of each round


def sides(count: int) -> dict[str, dict[str, bytes]]:
    """Script → its files; "" is the blocking one. All assign `count` experiments."""
    keys = [f"e{number}" for number in range(count)]
    built = scripts(public(Manifest(experiments=tuple(an_experiment(key) for key in keys))), Options())
    return {
        "floor": {"": floor(keys, LOCAL_STORAGE)},
        "floor, cookie": {"": floor(keys, COOKIE)},
        "ABacus": {name: body for name, body in built.items() if name.startswith("ab.count-")} | {"": built["ab.js"]},
    }


def _page(script: bytes) -> str:
    timed = f"<script>const from = performance.now()</script><script>{script.decode()}</script>"
    timed += "<script>const took = performance.now() - from</script>"
    return f'<!doctype html><html lang="en"><head><title>x</title>{timed}</head><body><b data-ab="e0">tea</b>'


def _taken(browser: Browser, page: Page, url: str) -> Taken:
    browser.start_tracing(page=page, categories=["devtools.timeline"])
    page.goto(url)
    wall = page.evaluate("took") * 1000
    events = json.loads(browser.stop_tracing())["traceEvents"]
    mine = [event for event in events if event["name"] == "EvaluateScript" and event["args"]["data"].get("url") == url]
    return Taken(sorted(mine, key=lambda event: event["ts"])[1]["tdur"], wall)


def _visits(browser: Browser, context: BrowserContext, url: str) -> Iterator[Taken]:
    """The time of each of VISITS."""
    page = context.new_page()
    for visit in VISITS:
        if visit == "return":
            page.close()
            page = context.new_page()
        yield _taken(browser, page, url)
        page.wait_for_timeout(1000)  # what follows the first paint stores the visitor


def measured(browser: Browser, rounds: int) -> Times:
    """The times of `rounds` rounds, after one that does not count."""
    every = [(count, name, side) for count in COUNTS for name, side in sides(count).items()]
    pages = {f"/{number}": _page(side[""]) for number, (_, _, side) in enumerate(every)}
    parts = {f"/{name}": body for _, _, side in every for name, body in side.items() if name}

    async def respond(request: web.Request) -> web.Response:
        if request.path in pages:
            return web.Response(text=pages[request.path], content_type="text/html", headers=ISOLATED)
        if request.path in parts:
            return web.Response(body=parts[request.path], headers={"Content-Type": CONTENT_TYPES[".js"]})
        return web.Response(status=202 if request.method == "POST" else 404)

    times: Times = {}
    with listening(respond) as origin:
        for round_number in range(rounds + 1):
            for path, (count, name, _) in zip(pages, every, strict=True):
                context = browser.new_context(user_agent=ORDINARY)
                for visit, taken in zip(VISITS, _visits(browser, context, origin + path), strict=True):
                    if round_number:
                        times.setdefault((name, count, visit), []).append(taken)
                context.close()
    return times


def table(times: Times) -> list[str]:
    """Medians, and our ratio to each floor."""
    middle = {key: Taken(*(median(column) for column in zip(*all_, strict=True))) for key, all_ in times.items()}
    lines = [f"{'median of CPU / wall, µs':22}{'':>4}" + "".join(f"{visit:>18}" for visit in VISITS)]
    for name, count in dict.fromkeys(key[:2] for key in times):
        mine = [middle[name, count, visit] for visit in VISITS]
        lines.append(f"{name:22}{count:>4}" + "".join(f"{f'{a:,.0f} / {b:,.0f}':>18}" for a, b in mine))
        for beside in ("floor", "floor, cookie") if name == "ABacus" else ():
            floors = [middle[beside, count, visit] for visit in VISITS]
            ratios = [f"{a / c:.2f} / {b / d:.2f}" for (a, b), (c, d) in zip(mine, floors, strict=True)]
            lines.append(f"{f'  ÷ {beside}':26}" + "".join(f"{ratio:>18}" for ratio in ratios))
    return lines


def main(rounds: int = ROUNDS) -> None:
    with playwright_driver() as driver:
        browser = driver.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        print("\n".join(table(measured(browser, rounds))))
        browser.close()

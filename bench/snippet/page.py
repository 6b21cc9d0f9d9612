"""What the snippet costs a page, beside none, a hand-written floor and other tools' scripts: real Chromium, CPU slowed
four times, slow 4G (150 ms, 1.6 Mbit/s down, 0.75 up). The pages take turns.

Every page shows the same change in the same way, by an attribute on the root element that its style sheet knows, and
deals everybody the variant. A probe in the page looks at each frame. Script time is of visits without it: all that runs
in the three seconds from the navigation, less what the page without a script takes. Storage calls are counted in visits
of their own, and are exact: of `document.cookie`, and of `localStorage` with its entries.
"""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from aiohttp import web
from playwright.sync_api import Browser, CDPSession, Page

from abacus.site.build import CONTENT_TYPES
from abacus.site.public_manifest import public
from abacus.site.snippet import Options, scripts
from bench.snippet import peers
from bench.snippet.floors import floor
from bench.support.slow import slowed
from chalicelib.domain.manifest import Experiment, Manifest, Phase, Variant
from tests.browser.snippet.site import listening
from tests.support.browsers.chromium import chromium, playwright_driver

RUNS = 10
LOOKS = 2000  # ms that the probe looks on
RUNS_ON = 3000  # ms in which a script has done what it does on a page without input
EVERYBODY_BOLD = (0.0, 1.0)

PROBE = """
const found = window.found = { applied: null, plain: null, shift: 0 };
new PerformanceObserver((list) => { for (const entry of list.getEntries()) found.shift += entry.value; })
  .observe({ type: 'layout-shift', buffered: true });
const look = () => {
  const now = performance.now();
  if (document.querySelector('h1')) {
    if (document.documentElement.getAttribute('data-ab-hero') == 'bold') found.applied ??= now;
    else found.plain ??= now;
  }
  if (now < LOOKS) requestAnimationFrame(look); else found.over = true;
};
requestAnimationFrame(look);
""".replace("LOOKS", str(LOOKS))
COUNT = """
window.calls = { cookie: 0, storage: 0 };
addEventListener('DOMContentLoaded', () => { window.blocking = { ...calls }; });
const { get, set } = Object.getOwnPropertyDescriptor(Document.prototype, 'cookie');
Object.defineProperty(Document.prototype, 'cookie', {
  get() { calls.cookie++; return get.call(this); },
  set(value) { calls.cookie++; set.call(this, value); },
});
const real = window.localStorage;
const counted = (trap) => (_, ...all) => {
  calls.storage++;
  const value = Reflect[trap](real, ...(trap == 'get' || trap == 'set' ? all.slice(0, -1) : all));
  return typeof value == 'function' ? value.bind(real) : value;
};
const traps = ['get', 'set', 'has', 'deleteProperty', 'ownKeys', 'getOwnPropertyDescriptor'];
const storage = new Proxy({}, Object.fromEntries(traps.map((trap) => [trap, counted(trap)])));
Object.defineProperty(window, 'localStorage', { get() { calls.storage++; return storage; } });
"""
STYLE = (
    "body{font:16px/1.5 sans-serif;max-width:50em;margin:auto}h1 b{display:none}"
    "[data-ab-hero=bold] h1 i{display:none}[data-ab-hero=bold] h1 b{display:block;font-size:3em}"
) + "".join(f".c{n}{{color:#{n:03}}}" for n in range(400))
BODY = (
    '<h1 data-ab="hero"><i>A plain headline</i><b>A headline twice as tall</b></h1>'
    '<button data-ab="cta-color">Buy</button>' + "<p>Some words to read about tea and its makers.</p>" * 60
)


class Seen(NamedTuple):
    """Of one visit, in ms but for `shift` (CLS) and `bytes` (of scripts and their data, as they came). `early` and
    `calls`: storage calls until the document is read, and in all."""

    applied: float
    paint: float
    flash: float
    shift: float
    script: float
    bytes: float
    early: float
    calls: float


def manifest() -> Manifest:
    def running(key: str, weights: tuple[float, float]) -> Experiment:
        variants = (Variant(key="plain"), Variant(key="bold"))
        return Experiment(key=key, status="running", seed=key, variants=variants, phases=(Phase(weights=weights),))

    return Manifest(experiments=(running("cta-color", (0.5, 0.5)), running("hero", EVERYBODY_BOLD)))


def growthbook_experiments() -> list[dict[str, Any]]:
    """What GrowthBook's script asks for: the same experiments, as changes of the document."""

    def shown(key: str, variant: str) -> dict[str, Any]:
        change = {"selector": "html", "action": "set", "attribute": f"data-ab-{key}", "value": variant}
        return {"domMutations": [change]}

    return [
        {
            "key": key,
            "status": "running",
            "hashAttribute": "id",
            "hashVersion": 2,
            "seed": key,
            "weights": weights,
            "coverage": 1,
            "variations": [shown(key, "plain"), shown(key, "bold")],
            "urlPatterns": [{"include": True, "type": "simple", "pattern": "*"}],
        }
        for key, weights in (("cta-color", (0.5, 0.5)), ("hero", EVERYBODY_BOLD))
    ]


def pages() -> dict[str, str]:
    """Name → what stands in the head."""
    data = 'data-client-key="abacus" data-api-host="" data-no-streaming="1"'
    return {
        "no script": "",
        "floor": '<script src="/floor.js"></script>',
        "ABacus": '<script src="/ab.js"></script>',
        "ABacus, async": '<script async src="/ab.async.js"></script>',
        "GrowthBook": f'<script src="/auto.min.js" {data}></script>',
        "GrowthBook, async": f'<script async src="/auto.min.js" {data}></script>',
        "Unleash": '<script src="/unleash.js"></script>',
        "PostHog": '<script src="/posthog.js"></script>',
    }


@contextmanager
def serving() -> Iterator[str]:
    """The pages, /0 ..., and what they load, on a free port of the loopback; the origin."""
    built = scripts(public(manifest()), Options())
    files = {name: body for name, body in built.items() if name.endswith(".js")}
    files |= {"floor.js": floor(["cta-color", "hero"], bold="hero"), "style.css": STYLE.encode()}
    files |= peers.scripts()
    answers = peers.answers(growthbook_experiments())

    async def respond(request: web.Request) -> web.Response:
        name = request.path.removeprefix("/")
        if name in answers:
            body, kind = answers[name], ".json"
        elif request.method == "POST":
            return web.Response(status=202)
        elif name.isdigit():
            probe = f"<script>{PROBE}</script>" if request.query_string else ""
            head = list(pages().values())[int(name)].replace('host=""', f'host="http://{request.host}"')
            styles = '<link rel="stylesheet" href="/style.css">'
            page = f'<!doctype html><html lang="en"><head><title>{name}</title>{probe}{head}{styles}'
            body, kind = f"{page}</head><body>{BODY}".encode(), ".html"
        elif name in files:
            body, kind = files[name], Path(name).suffix
        else:
            return web.Response(status=404)
        headers = {"Content-Encoding": "gzip", "Content-Type": CONTENT_TYPES[kind]}
        return web.Response(body=gzip.compress(body, 9, mtime=0), headers=headers)

    with listening(respond) as origin:
        yield origin


@contextmanager
def visiting(browser: Browser) -> Iterator[tuple[Page, CDPSession]]:
    """A page of a new visitor, in a slow browser on a slow network."""
    context = browser.new_context(viewport={"width": 800, "height": 600})
    page = context.new_page()
    devtools = slowed(page)
    devtools.send("Performance.enable")
    yield page, devtools
    context.close()


def visited(browser: Browser, url: str) -> Seen:
    """Three first visits: one that is looked at, one that is timed, and one whose storage calls are counted."""
    with visiting(browser) as (page, devtools):
        page.goto(f"{url}?probe")
        page.wait_for_function("window.found?.over", timeout=60_000)
        found = page.evaluate("window.found")
        paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        size = page.evaluate(
            "performance.getEntriesByType('resource').filter(({ name }) => !/style|events/.test(name))"
            ".reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0)"
        )
    with visiting(browser) as (page, devtools):
        page.goto(url, wait_until="commit")
        time.sleep(RUNS_ON / 1000)
        metrics = {each["name"]: each["value"] for each in devtools.send("Performance.getMetrics")["metrics"]}
    with visiting(browser) as (page, _):
        page.add_init_script(COUNT)
        page.goto(url)
        page.wait_for_timeout(RUNS_ON)
        early, calls = page.evaluate("[blocking, calls].map(({ cookie, storage }) => cookie + storage)")
    applied = float("nan") if found["applied"] is None else found["applied"]
    plain = found["plain"]
    flash = 0.0 if plain is None else max(0.0, applied - max(paint, plain))
    return Seen(applied, paint, flash, found["shift"], metrics["ScriptDuration"] * 1000, size, early, calls)


def table(found: Mapping[str, list[Seen]]) -> list[str]:
    """The medians, as a table in Markdown."""
    middle = {name: Seen(*(median(column) for column in zip(*all_, strict=True))) for name, all_ in found.items()}
    none = middle["no script"]
    lines = [
        f"| median of {RUNS} | bytes | applied, ms | first paint, ms | − no script | flash, ms | CLS | script, ms "
        "| storage calls before DOMContentLoaded | and in all |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, seen in middle.items():
        changes = [f"{seen.applied:,.0f}", f"{seen.flash:,.0f}"] if name != "no script" else ["", ""]
        beside = [f"{seen.paint - none.paint:+.0f}", f"{seen.script - none.script:.0f}"] if seen != none else ["", ""]
        cells = [name, f"{seen.bytes:,.0f}", changes[0], f"{seen.paint:,.0f}", beside[0], changes[1]]
        storage = [f"{seen.early:.0f}", f"{seen.calls:.0f}"]
        lines.append(f"| {' | '.join([*cells, f'{seen.shift:.3f}', beside[1], *storage])} |")
    return lines


def main() -> None:
    found: dict[str, list[Seen]] = {name: [] for name in pages()}
    with serving() as origin, playwright_driver() as driver:
        flags = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
        browser = driver.chromium.launch(executable_path=chromium(), args=flags)
        for number in range(RUNS + 1):  # the first one is not counted
            for place, name in enumerate(found):
                seen = visited(browser, f"{origin}/{place}")
                if number:
                    found[name].append(seen)
        browser.close()
    print("\n".join(table(found)))

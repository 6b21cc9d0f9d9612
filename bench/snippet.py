"""What the snippet costs a page, beside none, a hand-written floor and GrowthBook's own script: real Chromium, CPU
slowed four times, slow 4G (150 ms, 1.6 Mbit/s down, 0.75 up). The pages take turns.

Every page shows the same change in the same way, by an attribute on the root element that its style sheet knows, and
deals everybody the variant. A probe looks at each frame for the same time on each page; script time is what a page
takes more than the one without a script, so that the probe counts for nobody.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from aiohttp import web
from playwright.sync_api import Browser, sync_playwright

from abacus.public import public
from abacus.snippet import Options, scripts
from chalicelib.manifest import Experiment, Manifest, Phase, Variant

RUNS = 10
SLOW_CPU = 4
SLOW_4G = {"offline": False, "latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 93_750}  # ms, bytes/s
SDK = Path(__file__).parent.parent / "node_modules/@growthbook/growthbook/dist/bundles/auto.min.js"
LOOKS = 4000  # ms that the probe looks on
EVERYBODY_BOLD = (0.0, 1.0)
TYPES = {".css": "text/css", ".js": "text/javascript"}

# Assigns, applies, reports: what nobody can do without, and nothing that a promise of ours is made of.
FLOOR = """(()=>{const s=localStorage,v=s.id||=Math.random().toString(36).slice(2);
const h=t=>{let n=2166136261;for(let i=0;i<t.length;i++)n=Math.imul(n^t.charCodeAt(i),16777619);return n>>>0};
for(const[k,to]of[["cta-color",5e3],["hero",0]]){const w=h(h(k+v)+"")%1e4<to?"plain":"bold";
document.documentElement.setAttribute("data-ab-"+k,w);
addEventListener("load",()=>navigator.sendBeacon("/events",JSON.stringify([v,k,w,"impression",Date.now()])));
addEventListener("click",e=>e.target.closest("[data-ab="+k+"]")&&
navigator.sendBeacon("/events",JSON.stringify([v,k,w,"click",Date.now()])))}})()"""

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
STYLE = (
    "body{font:16px/1.5 sans-serif;max-width:50em;margin:auto}h1 b{display:none}"
    "[data-ab-hero=bold] h1 i{display:none}[data-ab-hero=bold] h1 b{display:block;font-size:3em}"
) + "".join(f".c{n}{{color:#{n:03}}}" for n in range(400))
BODY = (
    '<h1 data-ab="hero"><i>A plain headline</i><b>A headline twice as tall</b></h1>'
    '<button data-ab="cta-color">Buy</button>' + "<p>Some words to read about tea and its makers.</p>" * 60
)


class Seen(NamedTuple):
    """Of one visit, in ms but for `shift` (CLS) and `bytes` (of scripts and their data, as they came)."""

    applied: float
    paint: float
    flash: float
    shift: float
    script: float
    bytes: float


def manifest() -> Manifest:
    def running(key: str, weights: tuple[float, float]) -> Experiment:
        variants = (Variant(key="plain"), Variant(key="bold"))
        return Experiment(key=key, status="running", seed=key, variants=variants, phases=(Phase(weights=weights),))

    return Manifest(experiments=(running("cta-color", (0.5, 0.5)), running("hero", EVERYBODY_BOLD)))


def features() -> bytes:
    """What GrowthBook's script asks for: the same experiments, as changes of the document."""

    def shown(key: str, variant: str) -> dict[str, Any]:
        change = {"selector": "html", "action": "set", "attribute": f"data-ab-{key}", "value": variant}
        return {"domMutations": [change]}

    experiments = [
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
    return json.dumps({"status": 200, "features": {}, "experiments": experiments}).encode()


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
    }


@contextmanager
def serving() -> Iterator[str]:
    """The pages, /0 ..., and what they load, on a free port of the loopback; the origin."""
    built = scripts(public(manifest()), Options())
    files = {name: built[name] for name in ("ab.js", "ab.async.js")}
    files |= {"floor.js": FLOOR.encode(), "probe.js": PROBE.encode(), "style.css": STYLE.encode()}
    files |= {"auto.min.js": SDK.read_bytes(), "api/features/abacus": features()}
    ready, over = threading.Event(), threading.Event()
    origin: list[str] = []

    async def respond(request: web.Request) -> web.Response:
        name = request.path.removeprefix("/")
        if request.method == "POST":
            return web.Response(status=202)
        if name.isdigit():
            head = list(pages().values())[int(name)].replace('host=""', f'host="{origin[0]}"')
            styles = '<link rel="stylesheet" href="/style.css">'
            page = f'<!doctype html><html lang="en"><head><title>{name}</title>{head}{styles}'
            body = f'{page}<script async src="/probe.js"></script></head><body>{BODY}'.encode()
            kind = "text/html"
        elif name in files:
            body = files[name]
            kind = (
                "text/css" if name.endswith("css") else "text/javascript" if name.endswith("js") else "application/json"
            )
        else:
            return web.Response(status=404)
        packed = gzip.compress(body, 9, mtime=0)
        return web.Response(body=packed, content_type=kind, headers={"Content-Encoding": "gzip"})

    async def serve() -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", respond)
        runner = web.AppRunner(app, shutdown_timeout=0.2)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        origin.append(f"http://127.0.0.1:{runner.addresses[0][1]}")
        ready.set()
        while not over.is_set():
            await asyncio.sleep(0.02)
        await runner.cleanup()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        ready.wait(10)
        yield origin[0]
    finally:
        over.set()
        thread.join()


def visited(browser: Browser, url: str) -> Seen:
    """One first visit of a new visitor."""
    context = browser.new_context(viewport={"width": 800, "height": 600})
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    devtools.send("Network.enable")
    devtools.send("Network.emulateNetworkConditions", SLOW_4G)
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": SLOW_CPU})
    devtools.send("Performance.enable")
    page.goto(url)
    page.wait_for_function("window.found?.over", timeout=60_000)
    metrics = {each["name"]: each["value"] for each in devtools.send("Performance.getMetrics")["metrics"]}
    found = page.evaluate("window.found")
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    size = page.evaluate(
        "performance.getEntriesByType('resource').filter(({ name }) => !/style|probe|events/.test(name))"
        ".reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0)"
    )
    context.close()
    applied = float("nan") if found["applied"] is None else found["applied"]
    plain = found["plain"]
    flash = 0.0 if plain is None else max(0.0, applied - max(paint, plain))
    return Seen(applied, paint, flash, found["shift"], metrics["ScriptDuration"] * 1000, size)


def table(found: Mapping[str, list[Seen]]) -> list[str]:
    """The medians, as a table in Markdown."""
    middle = {name: Seen(*(median(column) for column in zip(*all_, strict=True))) for name, all_ in found.items()}
    none = middle["no script"]
    lines = [
        f"| median of {RUNS} | bytes | applied, ms | first paint, ms | − no script | flash, ms | CLS | script, ms |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, seen in middle.items():
        changes = [f"{seen.applied:,.0f}", f"{seen.flash:,.0f}"] if name != "no script" else ["", ""]
        beside = [f"{seen.paint - none.paint:+.0f}", f"{seen.script - none.script:.0f}"] if seen != none else ["", ""]
        cells = [name, f"{seen.bytes:,.0f}", changes[0], f"{seen.paint:,.0f}", beside[0], changes[1]]
        lines.append(f"| {' | '.join([*cells, f'{seen.shift:.3f}', beside[1]])} |")
    return lines


def main() -> None:
    found: dict[str, list[Seen]] = {name: [] for name in pages()}
    with serving() as origin, sync_playwright() as driver:
        flags = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=flags)
        for number in range(RUNS + 1):  # the first one is not counted
            for place, name in enumerate(found):
                seen = visited(browser, f"{origin}/{place}")
                if number:
                    found[name].append(seen)
        browser.close()
    print("\n".join(table(found)))

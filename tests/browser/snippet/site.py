"""A site that uses the snippet, on a server of its own: pages, scripts built from a test's manifest, and POST /events
with faults to be switched on. What arrives is kept by event id, as the real API keeps it."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from aiohttp import web

from abacus.site.build import CONTENT_TYPES
from abacus.site.public_manifest import public
from abacus.site.snippet import Options, scripts
from chalicelib.api.responses import readable, renewed
from chalicelib.domain.manifest import Experiment, Manifest, Phase, Variant

STRICT = "default-src 'self'"
PAUSE = "<!--pause-->"  # in a page: the rest comes a little later


def an_experiment(key: str = "hero", variants: str = "plain bold", **more: Any) -> Experiment:
    keys = variants.split()
    defaults: dict[str, Any] = {
        "status": "running",
        "seed": key,
        "variants": tuple(Variant(key=variant) for variant in keys),
        "phases": (Phase(weights=tuple(1 / len(keys) for _ in keys)),),
    }
    return Experiment(key=key, **(defaults | more))


def visitor_of(experiment: Experiment, variant: str | None, phase: int = 0) -> str:
    """An id that is dealt `variant`; None: one that is not enrolled."""
    return next(f"v{n}" for n in range(10_000) if experiment.assign(f"v{n}", phase) == variant)


@lru_cache(maxsize=64)
def _built(manifest: str, options: Options) -> dict[str, bytes]:
    return scripts(public(Manifest.model_validate_json(manifest)), options)


@dataclass
class Request:
    """One POST /events: what it said, how it came (fetch or beacon), with which cookies, and how it was answered."""

    body: dict[str, Any]
    way: str
    cookie: str
    status: int


@dataclass
class Site:
    """`answer`: status and headers instead of 202; `refusal`: what it says. `down`: the connection breaks. `mute`: it
    breaks after the events were stored. `gate`: answers wait for it."""

    origin: str
    pages: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    answer: tuple[int, dict[str, str]] | None = None
    refusal: dict[str, Any] = field(default_factory=dict)
    down: bool = False
    mute: bool = False
    date: str | None = None
    cookie_domain: str = ""
    requests: list[Request] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    forgotten: set[str] = field(default_factory=set)
    gate: threading.Event = field(default_factory=threading.Event)
    news: threading.Condition = field(default_factory=threading.Condition)

    @property
    def port(self) -> str:
        return self.origin.rpartition(":")[2]

    def runs(self, *experiments: Experiment, **options: Any) -> None:
        self.files |= _built(Manifest(experiments=experiments).model_dump_json(), Options(**options))

    def page(self, path: str, body: str, *, head: str = "", tag: str = '<script src="/ab.js"></script>') -> str:
        self.pages[path] = f"<!doctype html><html lang=en><head><title>{path}</title>{tag}{head}</head><body>{body}"
        return self.origin + path

    def forget(self) -> None:
        """Begin again without the events that came, and without their repetitions, which may still come."""
        self.forgotten |= self.events.keys()
        self.events.clear()

    def wait_for(self, what: Callable[[], Any], seconds: float = 15) -> None:
        with self.news:
            assert self.news.wait_for(what, seconds), f"in vain; there came {self.said()}"

    def said(self) -> list[str]:
        """What was counted, once an event, in order of time: "click hero bold"."""
        made = sorted(self.events.values(), key=lambda event: (event["at"], event["type"] != "impression"))
        parts = ("type", "goal", "experiment", "variant")
        return [" ".join(event[part] for part in parts if part in event) for event in made]

    def wait_for_events(self, count: int) -> list[str]:
        self.wait_for(lambda: len(self.events) >= count)
        return self.said()


def _answer(site: Site, body: dict[str, Any], cookie: str) -> web.Response:
    events = [event for event in body["events"] if event and event["id"] not in site.forgotten]
    known = site.events.keys() & {event["id"] for event in events}
    site.events |= {event["id"]: event | {"visitor": body["visitor"]} for event in events}
    said = {"accepted": len(body["events"]) - len(known), "repeated": len(known), "queued": 0, "refused": []}
    response = web.json_response(said, status=202)
    if renewal := renewed(cookie, body["visitor"], domain=site.cookie_domain):
        response.headers["Set-Cookie"] = renewal
    return response


async def _post(request: web.Request, site: Site) -> web.StreamResponse:
    body = json.loads(await request.text())
    cookie = request.headers.get("Cookie", "")
    while not site.gate.is_set():
        await asyncio.sleep(0.01)
    if site.down:
        status = 0
    elif site.answer:
        status, headers = site.answer
        response = web.json_response(site.refusal, status=status, headers=headers)
    else:
        status, response = 202, _answer(site, body, cookie)
        status = 0 if site.mute else status
    way = "beacon" if request.headers.get("Sec-Fetch-Mode") == "no-cors" else "fetch"
    with site.news:
        site.requests.append(Request(body, way, cookie, status))
        site.news.notify_all()
    if not status:
        assert request.transport
        request.transport.abort()
        return web.Response()
    response.headers.update(readable(request.headers.get("Origin", ""), site.cookie_domain))
    if site.date:
        response.headers["Date"] = site.date
    return response


async def _page(request: web.Request, site: Site) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/html; charset=utf-8"} | site.headers)
    await response.prepare(request)
    for number, part in enumerate(site.pages[request.path].split(PAUSE)):
        await asyncio.sleep(0.2 if number else 0)
        await response.write(part.encode())
    return response


async def _get(request: web.Request, site: Site) -> web.StreamResponse:
    path = request.path
    with site.news:
        site.asked.append(path)
        site.news.notify_all()
    if path in site.gone:
        assert request.transport
        request.transport.abort()
        return web.Response()
    if path in site.pages:
        return await _page(request, site)
    name = path.removeprefix("/")
    if name in site.files:
        kind = CONTENT_TYPES.get(Path(name).suffix, "text/plain")
        return web.Response(body=site.files[name], headers={"Content-Type": kind, "Access-Control-Allow-Origin": "*"})
    return web.Response(status=404)


@contextmanager
def listening(respond: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> Iterator[str]:
    """Answers on a free port of the loopback; the origin. In a thread, for Playwright keeps a loop of its own in this
    one."""
    ready, over = threading.Event(), threading.Event()
    origin: list[str] = []

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
        assert ready.wait(10)
        yield origin[0]
    finally:
        over.set()
        thread.join()


@contextmanager
def serving() -> Iterator[Site]:
    """A site of its own."""
    site = Site(origin="")

    async def respond(request: web.Request) -> web.StreamResponse:
        return await (_post if request.method == "POST" else _get)(request, site)

    with listening(respond) as site.origin:
        site.gate.set()
        try:
            yield site
        finally:
            site.gate.set()

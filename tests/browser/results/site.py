"""The built results page behind the distribution's own security policy, with an API that answers what a test wants."""

from __future__ import annotations

import contextlib
import gzip
import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from abacus.paths import PROJECT
from abacus.site.build import Asset, build_site
from chalicelib.api.read_links import check_reader
from chalicelib.domain.errors import Unauthorized
from chalicelib.domain.manifest import Manifest
from tests.browser.results.scenarios import EXTREMES, SCENARIOS, Scenario


@cache
def assets() -> dict[str, Asset]:
    return build_site(Manifest())


@cache
def policy() -> str:
    """The Content-Security-Policy that infra/edge.yaml gives to the site."""
    return _policy("SiteHeaders")


@cache
def card_policy() -> str:
    """That of the card, which other pages may frame."""
    return _policy("CardHeaders")


def _policy(headers: str) -> str:
    found = re.search(headers + r":.*?ContentSecurityPolicy: >-\n(.*?)\n +Override", _edge(), re.DOTALL)
    assert found
    return " ".join(found[1].split())


def _edge() -> str:
    return (PROJECT / "infra" / "edge.yaml").read_text()


@cache
def detail(scenario: str, query: str) -> dict[str, Any]:
    return (SCENARIOS | EXTREMES)[scenario].detail(dict(parse_qsl(query)))


@cache
def entry(scenario: str) -> dict[str, Any]:
    return (SCENARIOS | EXTREMES)[scenario].entry()


@dataclass
class Api:
    """What GET /stats does. `status`: fail with it; `key`: ask for it; `hang`: do not answer until it is set."""

    experiments: list[str] = field(default_factory=lambda: list(SCENARIOS))
    status: int = 200
    key: str = ""
    hang: threading.Event | None = None
    asked: list[tuple[str, str]] = field(default_factory=list)  # (path with query, key)
    answers: dict[str, Any] = field(default_factory=dict)  # path, or path with query → a body of the test's own

    def answer(self, target: str, key: str) -> tuple[int, Any]:
        self.asked.append((target, key))
        if self.hang:
            self.hang.wait()
        url = urlsplit(target)
        if self.status != 200:
            return self.status, {"error": {"code": "busy", "message": "Too much at once. Try again in a moment."}}
        _, _, name = url.path.removeprefix("/stats").partition("/")
        try:
            check_reader(key, self.key, "local", experiment=name or None, now_ms=round(time.time() * 1000))
        except Unauthorized as error:
            return 401, {"error": {"code": "unauthorized", "message": error.message}}
        for known in (target, url.path):
            if known in self.answers:
                return 200, self.answers[known]
        if not name:
            return 200, {"experiments": [entry(key) for key in self.experiments]}
        if name not in self.experiments and name not in EXTREMES:
            return 404, {"error": {"code": "not-found", "message": f"No experiment {name!r}; the manifest has hero."}}
        return 200, detail(name, url.query)


@dataclass(frozen=True)
class Site:
    base_url: str
    api: Api
    served: dict[str, int]  # path → bytes sent, compressed as a CDN would

    def page(self, route: str = "#/") -> str:
        return f"{self.base_url}/results/{route}"


@contextlib.contextmanager
def serving() -> Iterator[Site]:
    api, served = Api(), dict[str, int]()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            name = path.removeprefix("/") + ("index.html" if path.endswith("/") else "")
            if path == "/health":
                self._send(200, b'{"status": "ok", "stage": "local"}', {"Content-Type": "application/json"})
            elif path.startswith("/stats"):
                status, said = api.answer(self.path, self.headers.get("X-Read-Key", ""))
                self._send(status, json.dumps(said).encode(), {"Content-Type": "application/json"})
            elif name in assets():
                asset = assets()[name]
                rules = card_policy() if name == "results/card.html" else policy()
                headers = {"Content-Type": asset.content_type, "Content-Security-Policy": rules}
                body = self._send(200, asset.body, headers)
                served[name] = body
            else:
                self._send(404, b"", {})

        def _send(self, status: int, body: bytes, headers: dict[str, str]) -> int:
            packed = gzip.compress(body, 6, mtime=0)
            self.send_response(status)
            for header, value in (headers | {"Content-Encoding": "gzip", "Content-Length": str(len(packed))}).items():
                self.send_header(header, value)
            self.end_headers()
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self.wfile.write(packed)
            return len(packed)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Site(f"http://127.0.0.1:{server.server_port}", api, served)
    finally:
        server.shutdown()
        server.server_close()


__all__ = ["Api", "Scenario", "Site", "serving"]

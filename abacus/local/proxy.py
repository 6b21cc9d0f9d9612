"""The one port in place of the CDN: passes the API's paths to Chalice, all others to the emulated distribution.

It adds what CloudFront does and the emulator does not: compression, weak ETags, and a refusal of requests that no
behaviour allows. It does not cache: locally every answer is fresh.

The distribution could pass the API's paths on too (its template does), but that takes 2 ms a request instead of 0.5,
and the emulator keeps /health for itself.
"""

from __future__ import annotations

import contextlib
import gzip
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from socket import socket
from urllib.parse import unquote

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, TCPConnector, web
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

API = re.compile(r"/(events|stats|collect|track|ofrep|health|openapi\.json)(/|$)")
# The emulator's own pages, one of which erases everything, and ways around this rule.
EMULATOR = re.compile(r"/(_|\.\.?(/|$)|v2/)|\\")
HOSTS = ("127.0.0.1", "localhost", "[::1]")  # by which a browser may call this machine
SITE_METHODS = ("GET", "HEAD", "OPTIONS")  # of the distribution's behaviours that lead to the bucket

# The headers that a distribution would pass to the bucket; any other might mean something to the emulator.
SITE_HEADERS = re.compile(r"accept|access-control-request-\w+|if-[\w-]+|origin|range|user-agent", re.IGNORECASE)
# About one connection, not about the message (RFC 9110, 7.6.1); aiohttp sets its own.
HOP_BY_HOP = re.compile(
    r"connection|content-length|expect|host|keep-alive|te|trailer|transfer-encoding|upgrade|via", re.IGNORECASE
)

# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/ServingCompressedFiles.html
COMPRESSIBLE = re.compile(r"text/|application/(json|javascript|xml|manifest\+json)|image/svg\+xml")
COMPRESSED_SIZES = range(1_000, 10_000_001)  # bytes
COMPRESSED_STATUSES = (200, 403, 404)

MAX_BODY = 10 * 1024 * 1024  # bytes, as in API Gateway; the app has a lower limit with a better message
PATIENCE = ClientTimeout(total=60)  # seconds


@dataclass(frozen=True)
class Proxy:
    """`api`, `cdn`: where Chalice and the emulator listen; `domain`: the distribution's name there; `secret`: what
    the distribution would add to a request to the API; `events`: the path that is another name of /events."""

    api: str
    cdn: str
    domain: str
    secret: str
    events: str = "/events"

    @contextlib.asynccontextmanager
    async def serving(self, server: socket) -> AsyncIterator[None]:
        """Answer on `server` until the block ends; then finish the requests under way."""
        async with ClientSession(
            connector=TCPConnector(limit=100, keepalive_timeout=60), auto_decompress=False, timeout=PATIENCE
        ) as session:

            async def answer(request: web.Request) -> web.Response:
                return await self._answer(request, session)

            app = web.Application(client_max_size=MAX_BODY)
            app.router.add_route("*", "/{path:.*}", answer)
            # Bodies are handed on as they came, as CloudFront does.
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=5, auto_decompress=False)
            await runner.setup()
            await web.SockSite(runner, server, backlog=1024).start()
            try:
                yield
            finally:
                await runner.cleanup()

    async def _answer(self, request: web.Request, session: ClientSession) -> web.Response:
        if request.host.removesuffix(f":{request.url.port}") not in HOSTS:
            # A page elsewhere whose name was made to lead here (DNS rebinding).
            return web.Response(status=421, text="This port serves 127.0.0.1 and localhost only.\n")
        path, mark, query = request.raw_path.partition("?")
        path = "/events" if path == self.events else path if path.startswith("/") else "/"
        # A function of the distribution answers the preflights of /ofrep.
        to_api = API.match(path) and not (request.method == "OPTIONS" and path.startswith("/ofrep/"))
        if not to_api and (request.method not in SITE_METHODS or EMULATOR.search(_unquoted(path))):
            return web.Response(status=403, text="The distribution does not allow this request.\n")
        url = URL((self.api if to_api else self.cdn) + path + mark + query, encoded=True)
        headers = self._to_api(request) if to_api else self._to_site(request)
        sent = await request.read() or None
        # The emulator breaks off a file that is being replaced. Asking again is safe.
        for _ in range(1 if to_api else 2):
            try:
                async with session.request(
                    request.method, url, headers=headers, data=sent, allow_redirects=False
                ) as response:
                    return _answer(request, response, await response.read())
            except (ClientError, TimeoutError) as error:
                failure = (
                    f"The local {'app' if to_api else 'site'} does not answer ({error}). Look into .local/*.log.\n"
                )
        return web.Response(status=502, text=failure)

    def _to_api(self, request: web.Request) -> CIMultiDict[str]:
        headers = _end_to_end(request.headers)
        headers["X-Origin-Secret"] = self.secret
        headers["X-Forwarded-For"] = request.remote or ""
        headers["Via"] = "1.1 front"
        # CloudFront looks the country up. Here `abacus simulate` says it, and a browser is nowhere.
        headers.setdefault("CloudFront-Viewer-Country", "ZZ")
        return headers

    def _to_site(self, request: web.Request) -> CIMultiDict[str]:
        headers = CIMultiDict((n, v) for n, v in request.headers.items() if SITE_HEADERS.fullmatch(n))
        if "If-None-Match" in headers:
            headers["If-None-Match"] = headers["If-None-Match"].replace("W/", "")  # we weakened it, see below
        headers["Host"] = self.domain
        headers["X-Forwarded-Proto"] = "https"
        headers["Accept-Encoding"] = "identity"
        return headers


def _unquoted(path: str) -> str:
    """The path without any %-encoding, however often it was encoded."""
    while (decoded := unquote(path)) != path:
        path = decoded
    return path


def _end_to_end(headers: CIMultiDictProxy[str]) -> CIMultiDict[str]:
    return CIMultiDict((n, v) for n, v in headers.items() if not HOP_BY_HOP.fullmatch(n))


def _answer(request: web.Request, response: ClientResponse, body: bytes) -> web.Response:
    headers = _end_to_end(response.headers)
    if request.method == "HEAD" and "Content-Length" in response.headers:
        headers["Content-Length"] = response.headers["Content-Length"]
    return _compressed(request, response.status, headers, body)


def _compressed(request: web.Request, status: int, headers: CIMultiDict[str], body: bytes) -> web.Response:
    if (
        request.method != "POST"
        and status in COMPRESSED_STATUSES
        and len(body) in COMPRESSED_SIZES
        and "Content-Encoding" not in headers
        and COMPRESSIBLE.match(headers.get("Content-Type", ""))
    ):
        headers["Vary"] = "Accept-Encoding"
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body, compresslevel=6, mtime=0)
            headers["Content-Encoding"] = "gzip"
            if "ETag" in headers:
                headers["ETag"] = f"W/{headers['ETag'].removeprefix('W/')}"
    return web.Response(status=status, headers=headers, body=body)

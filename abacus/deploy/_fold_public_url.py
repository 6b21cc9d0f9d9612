"""Requests to a deployed ABacus as the world makes them: HTTPS to its own address."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import HTTPHandler, HTTPRedirectHandler, HTTPSHandler, ProxyHandler, Request, build_opener

PATIENCE = 30  # seconds for one request; the first one starts a function


@dataclass(frozen=True)
class Answer:
    """`status` is 0 where nothing answered; then `body` says why."""

    status: int
    headers: Message
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class _Stay(HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """A redirect is an answer too."""


@dataclass(frozen=True)
class PublicUrl:
    """`base` without a slash at its end. `headers` go with every request: an emulator answers for every host, and has
    to be told which one is meant."""

    base: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def ask(self, path: str, body: object = None, **headers: str) -> Answer:
        """GET, or POST of `body` as JSON. Never raises for what the network does."""
        data = None if body is None else json.dumps(body).encode()
        named = {"User-Agent": "abacus-deploy", "Content-Type": "application/json", **self.headers}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        request = Request(self.base + path, data, named)  # noqa: S310  our own urls
        proxies = [ProxyHandler({})] if self.base.startswith("http://127.") else []
        opener = build_opener(_Stay, HTTPHandler, HTTPSHandler(context=ssl.create_default_context()), *proxies)
        try:
            with opener.open(request, timeout=PATIENCE) as response:
                return Answer(response.status, response.headers, response.read())
        except HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read())
        except (URLError, OSError) as error:
            return Answer(0, Message(), str(error).encode())

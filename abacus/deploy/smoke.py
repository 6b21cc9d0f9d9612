"""The smoke test of a deployed stage, through its public address: an event goes the whole way, and is erased."""

from __future__ import annotations

import json
import random
import secrets
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from email.message import Message
from functools import partial
from typing import Any, NamedTuple
from urllib.error import HTTPError, URLError
from urllib.request import HTTPHandler, HTTPRedirectHandler, HTTPSHandler, ProxyHandler, Request, build_opener

from abacus.operations.rows.erase import erase
from chalicelib.domain.errors import AbacusError
from chalicelib.domain.manifest import Experiment, Manifest
from chalicelib.storage.store import RowKey, Store

REQUEST_TIMEOUT = 30  # seconds for one request; the first one starts a function


@dataclass(frozen=True)
class Answer:
    """What an address answered. `status` is 0 if nothing did; then `body` is the reason."""

    status: int
    headers: Message
    body: bytes

    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Do not follow: a redirect is an answer too."""


@dataclass(frozen=True)
class PublicUrl:
    """An address to send requests to.

    Attributes:
        base: without a slash at its end.
        headers: sent with every request. An emulator answers for every host, and needs to know which one is meant."""

    base: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def ask(self, path: str, body: object = None, **headers: str) -> Answer:
        """GET `path`, or POST `body` as JSON. An error of the network is an answer too, with status 0."""
        data = None if body is None else json.dumps(body).encode()
        all_headers = {"User-Agent": "abacus-deploy", "Content-Type": "application/json", **self.headers}
        all_headers |= {name.replace("_", "-"): value for name, value in headers.items()}
        request = Request(self.base + path, data, all_headers)  # noqa: S310  our own urls
        proxies = [ProxyHandler({})] if self.base.startswith("http://127.") else []
        opener = build_opener(_NoRedirects, HTTPHandler, HTTPSHandler(context=ssl.create_default_context()), *proxies)
        try:
            with opener.open(request, timeout=REQUEST_TIMEOUT) as response:
                return Answer(response.status, response.headers, response.read())
        except HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read())
        except (URLError, OSError) as error:
            return Answer(0, Message(), str(error).encode())


# A new distribution's name takes a moment to be known; a new trigger takes minutes to begin polling, and one whose
# filter changed up to 90 s.
TIMEOUT_S = 300
PAUSE_S = 1.0


class SmokeFailed(AbacusError):
    """A check failed; the message says what was expected and what came."""


class SmokeResult(NamedTuple):
    """A check that succeeded."""

    request: str
    detail: str


@dataclass(frozen=True)
class Smoke:
    """The checks of a stage.

    Attributes:
        site: the stage's address.
        api: the API's own address, behind CloudFront.
        store: the stage's tables.
        manifest: the published one.
        read_key: the key of GET /stats. None: not known here, so an answer that requires one is right too.
        timeout_s: for each check."""

    site: PublicUrl
    api: PublicUrl
    store: Store
    manifest: Manifest
    read_key: str | None
    timeout_s: float = TIMEOUT_S
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep

    def run(self) -> Iterator[SmokeResult]:
        """Each check as it succeeds. Raises SmokeFailed at the first one that does not in time."""
        digest = self.manifest.digest
        self._until(
            "GET /manifest.json", lambda a: a.status == 200 and a.json()["digest"] == digest, f"digest {digest}"
        )
        yield SmokeResult("GET /manifest.json", f"digest {digest}")
        for path, kind in (("/ab.js", "text/javascript"), ("/results/", "text/html")):
            self._until(f"GET {path}", partial(_is, kind), kind)
            yield SmokeResult(f"GET {path}", kind)
        yield self._stats()
        self._until("GET /stats past the CDN", lambda a: a.status == 401, "a 401", lambda: self.api.ask("/stats"))
        yield SmokeResult("GET /stats past the CDN", "refused")
        yield self._event()

    def _stats(self) -> SmokeResult:
        shown = len([experiment for experiment in self.manifest.experiments if experiment.status != "draft"])
        key = {"X_Read_Key": self.read_key} if self.read_key else {}

        def right(answer: Answer) -> bool:
            if answer.status == 401:
                return self.read_key is None
            return answer.status == 200 and len(answer.json()["experiments"]) == shown

        answer = self._until("GET /stats", right, f"{shown} experiments", lambda: self.site.ask("/stats", **key))
        return SmokeResult("GET /stats", "requires the read key" if answer.status == 401 else f"{shown} experiments")

    def _event(self) -> SmokeResult:
        """One impression of a visitor marked as a bot: written, counted as excluded, erased."""
        running = [experiment for experiment in self.manifest.experiments if experiment.accepts(self._now())]
        enrolled = next(filter(None, map(_enrolled, running)), None)
        if enrolled is None:
            event = {"id": "abacus-deploy", "type": "impression", "experiment": "none", "variant": "a"}
            answer = self.site.ask("/events", {"visitor": "abacus-deploy", "events": [event | {"at": self._now()}]})
            refused = answer.json()["refused"] if answer.status == 202 else []
            if [r["outcome"] for r in refused] != ["unknown-experiment"]:
                raise SmokeFailed(f"POST /events: expected a refusal, got {_summary(answer)}")
            return SmokeResult("POST /events", "refuses an unknown experiment; none is running")
        (visitor, experiment), variant = enrolled
        event = {"id": "abacus-deploy", "type": "impression", "experiment": experiment, "variant": variant}
        body = {"visitor": visitor, "bot": True, "events": [event | {"at": self._now()}]}
        try:
            self._until(
                "POST /events",
                lambda answer: answer.status == 202 and answer.json()["refused"] == [],
                "one event accepted",
                lambda: self.site.ask("/events", body),
            )
            began = self.clock()
            while not any(row.counted and not row.pending for row in self.store.read([RowKey(visitor, experiment)])):
                if self.clock() - began > self.timeout_s:
                    raise SmokeFailed(
                        f"POST /events: the event is written, but was not counted within {self.timeout_s:.0f} s"
                    )
                self.sleep(PAUSE_S)
            return SmokeResult("POST /events", f"one event written, counted after {self.clock() - began:.0f} s, erased")
        finally:
            erase(self.store, visitor, now_ms=round(self.clock() * 1000), spread=1, random_below=random.randrange)

    def _now(self) -> int:
        return round(self.clock() * 1000)

    def _until(
        self, request: str, right: Callable[[Answer], bool], expected: str, ask: Callable[[], Answer] | None = None
    ) -> Answer:
        """The first right answer to `ask`, by default to the path in `request`."""
        deadline = self.clock() + self.timeout_s
        while True:
            answer = ask() if ask else self.site.ask(request.removeprefix("GET "))
            if _holds(right, answer):
                return answer
            if self.clock() > deadline:
                raise SmokeFailed(f"{request}: expected {expected}, got {_summary(answer)}")
            self.sleep(PAUSE_S)


def _is(kind: str, answer: Answer) -> bool:
    return answer.status == 200 and answer.headers["Content-Type"].startswith(kind)


def _enrolled(experiment: Experiment) -> tuple[RowKey, str] | None:
    """A visitor who is in the experiment, and the variant; None if none of a hundred is."""
    for _ in range(100):
        visitor = f"abacus-deploy-{secrets.token_hex(8)}"
        variant = experiment.assign(visitor, experiment.current_phase)
        if variant is not None:
            return RowKey(visitor, experiment.key), variant
    return None


def _holds(right: Callable[[Answer], bool], answer: Answer) -> bool:
    try:
        return right(answer)
    except (ValueError, KeyError, TypeError, AttributeError):
        return False  # the answer does not even have the right shape


def _summary(answer: Answer) -> str:
    return f"{answer.status or 'nothing'}: {answer.body[:200].decode(errors='replace')}"

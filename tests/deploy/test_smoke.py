"""The test at the end of a deploy: what it asks, and that it finds each thing that can be wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from email.message import Message
from typing import Any

import pytest

from abacus.deploy.smoke import Answer, PublicUrl, Smoke, SmokeFailed
from chalicelib.counting.fold import Fold
from chalicelib.domain.manifest import Manifest
from chalicelib.ingestion import request
from chalicelib.ingestion.pipeline import Ingest
from chalicelib.storage.retry import Patience
from tests.support.builders import NOON, a_manifest, an_experiment
from tests.support.memory_store import MemoryStore

LIVE = a_manifest().model_copy(update={"digest": "abc"})


def an_answer(status: int, body: object = "", kind: str = "application/json") -> Answer:
    headers = Message()
    headers["Content-Type"] = kind
    return Answer(status, headers, json.dumps(body).encode())


class Site:
    """A deployed stage on a store in memory. `wrong`: path → what is answered there instead."""

    def __init__(self, manifest: Manifest = LIVE, *, folds: bool = True, **wrong: Answer) -> None:
        self.store = MemoryStore()
        self.manifest = manifest
        self.folds = folds
        self.wrong = {path.replace("_", "/"): answer for path, answer in wrong.items()}
        self.seconds = NOON / 1000

    def current(self, now: int) -> Manifest:
        return self.manifest

    refresh = current

    def ask(self, path: str, body: Any = None, **headers: str) -> Answer:
        if path in self.wrong:
            return self.wrong[path]
        right: dict[str, Callable[[], Answer]] = {
            "/manifest.json": lambda: an_answer(200, {"digest": self.manifest.digest}),
            "/ab.js": lambda: an_answer(200, kind="text/javascript; charset=utf-8"),
            "/results/": lambda: an_answer(200, kind="text/html; charset=utf-8"),
            "/stats": lambda: an_answer(200, {"experiments": [{} for _ in self.manifest.experiments]}),
            "/events": lambda: self.receive(body),
        }
        return right[path]()

    def receive(self, body: Any) -> Answer:
        ingest = Ingest(self.store, self, None, 90, lambda: "v", lambda *_: None)
        now_ms, parsed = round(self.seconds * 1000), request.parse(json.dumps(body).encode())
        answer = ingest.receive(parsed, now_ms=now_ms)
        if self.folds:
            fold = Fold(self.store, 1, lambda n: 0, lambda: "w", Patience())
            fold(list(self.store.rows), now_ms=now_ms)
        return an_answer(202, answer.model_dump())

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


class Closed:
    """The API's own address."""

    def __init__(self, status: int = 401) -> None:
        self.status = status

    def ask(self, path: str) -> Answer:
        return an_answer(self.status)


def smoke(site: Site, api: Closed | None = None, read_key: str | None = "") -> list[tuple[str, str]]:
    smoke: Any = Smoke(
        site,  # type: ignore[arg-type]
        api or Closed(),  # type: ignore[arg-type]
        site.store,
        LIVE,
        read_key,
        timeout_s=5,
        clock=lambda: site.seconds,
        sleep=site.sleep,
    )
    return list(smoke.run())


def test_it_asks_for_each_thing_that_the_world_needs_and_takes_its_event_out_again() -> None:
    site = Site()
    assert smoke(site) == [
        ("GET /manifest.json", "digest abc"),
        ("GET /ab.js", "text/javascript"),
        ("GET /results/", "text/html"),
        ("GET /stats", "1 experiments"),
        ("GET /stats past the CDN", "refused"),
        ("POST /events", "one event written, counted after 0 s, erased"),
    ]
    assert site.store.rows == {}


def test_without_a_running_experiment_it_is_content_with_a_refusal() -> None:
    stopped = a_manifest(an_experiment(status="draft")).model_copy(update={"digest": "abc"})
    site = Site(stopped)
    site.wrong["/stats"] = an_answer(200, {"experiments": []})
    smoke = Smoke(site, Closed(), site.store, stopped, "", 5, lambda: site.seconds, site.sleep)  # type: ignore[arg-type]
    assert list(smoke.run())[-1] == ("POST /events", "refuses an unknown experiment; none is running")


def test_a_read_key_that_is_not_known_here_may_be_asked_for() -> None:
    asking = Site(_stats=an_answer(401))
    assert smoke(asking, read_key=None)[3] == ("GET /stats", "requires the read key")
    with pytest.raises(SmokeFailed, match="GET /stats: expected 1 experiments, got 401"):
        smoke(asking, read_key="")


@pytest.mark.parametrize(
    ("site", "api", "why"),
    [
        (Site(**{"_manifest.json": an_answer(200, {"digest": "old"})}), 401, "GET /manifest.json: expected digest abc"),
        (Site(**{"_manifest.json": an_answer(200, "?")}), 401, "GET /manifest.json: expected digest abc, got 200"),
        (Site(**{"_ab.js": an_answer(404)}), 401, "GET /ab.js: expected text/javascript, got 404"),
        (Site(_results_=an_answer(200)), 401, "GET /results/: expected text/html, got 200"),
        (Site(_stats=an_answer(502)), 401, "GET /stats: expected 1 experiments, got 502"),
        (Site(), 200, "GET /stats past the CDN: expected a 401, got 200"),
        (Site(_events=an_answer(503)), 401, "POST /events: expected one event accepted, got 503"),
        (Site(folds=False), 401, "POST /events: the event is written, but was not counted within 5 s"),
    ],
)
def test_what_is_wrong_is_named_with_what_was_expected(site: Site, api: int, why: str) -> None:
    with pytest.raises(SmokeFailed, match=why):
        smoke(site, Closed(api))
    assert site.store.rows == {}


def test_an_address_where_nothing_answers_is_an_answer_too() -> None:
    answer = PublicUrl("http://127.0.0.1:9").ask("/stats")
    assert (answer.status, b"refused" in answer.body) == (0, True)

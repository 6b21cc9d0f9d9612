"""The port that plays the CDN, between a client and two fake origins that say what they were asked."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from socket import SHUT_RDWR
from typing import Any

import pytest
from aiohttp import ClientSession, web

from abacus.local.processes import listen
from abacus.local.proxy import MAX_BODY, Proxy

PAGE = b"<p>hello</p>" * 200


@dataclass
class ReceivedRequest:
    origin: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes
    asked: list[ReceivedRequest] = field(default_factory=list)


def ask(method: str, path: str, *, body: bytes = b"", times: int = 1, says: Any = None, **headers: str) -> Answer:
    """What a client gets from the front, and what the origins behind it were asked."""
    return asyncio.run(_ask(method, path, body, times, says, {n.replace("_", "-"): v for n, v in headers.items()}))


async def _ask(method: str, path: str, body: bytes, times: int, says: Any, headers: dict[str, str]) -> Answer:
    asked: list[ReceivedRequest] = []

    def origin(name: str) -> web.Application:
        async def answer(request: web.Request) -> web.Response:
            asked.append(ReceivedRequest(name, request.method, request.raw_path, request.headers, await request.read()))
            given = {"body": PAGE, "headers": {"Content-Type": "text/html", "ETag": '"abc"'}} | (says or {})
            return web.Response(**given)

        app = web.Application(client_max_size=2 * MAX_BODY)
        app.router.add_route("*", "/{path:.*}", answer)
        return app

    runners, ports = [], {}
    for name in ("api", "site"):
        server = listen()
        ports[name] = server.getsockname()[1]
        runners.append(web.AppRunner(origin(name), access_log=None))
        await runners[-1].setup()
        await web.SockSite(runners[-1], server).start()
    server = listen()
    base = f"http://127.0.0.1:{server.getsockname()[1]}"
    front = Proxy(f"http://127.0.0.1:{ports['api']}", f"http://127.0.0.1:{ports['site']}", "d1.cloudfront.net", "hush")
    async with front.serving(server), ClientSession(auto_decompress=False) as session:

        async def once() -> Answer:
            async with session.request(
                method, base + path, data=body or None, headers=headers, allow_redirects=False
            ) as response:
                return Answer(response.status, response.headers, await response.read(), asked)

        answers = await asyncio.gather(*(once() for _ in range(times)))
    for runner in runners:
        await runner.cleanup()
    return answers[0]


@pytest.mark.parametrize(
    "path", ["/events", "/stats", "/stats/cta-color?series=day", "/collect", "/track?client_key=a", "/health"]
)
def test_the_apis_paths_go_to_the_app(path: str) -> None:
    assert [(a.origin, a.path) for a in ask("GET", path).asked] == [("api", path)]


@pytest.mark.parametrize("path", ["/", "/results/", "/ab.js", "/statsheet", "/events.html", "/api/features/abacus"])
def test_all_other_paths_go_to_the_distribution_by_its_name(path: str) -> None:
    (asked,) = ask("GET", path).asked
    assert (asked.origin, asked.path, asked.headers["Host"]) == ("site", path, "d1.cloudfront.net")
    assert asked.headers["X-Forwarded-Proto"] == "https"


def test_the_app_gets_body_headers_and_the_cdns_secret() -> None:
    (asked,) = ask("POST", "/events", body=b'{"a": 1}', Content_Type="text/plain", User_Agent="curl/8").asked
    assert asked.body == b'{"a": 1}'
    assert asked.headers["Content-Type"] == "text/plain"
    assert asked.headers["User-Agent"] == "curl/8"
    assert asked.headers["X-Origin-Secret"] == "hush"
    assert asked.headers["X-Forwarded-For"] == "127.0.0.1"


def test_a_client_that_waits_for_100_continue_gets_it_here_and_the_app_is_not_asked_for_one() -> None:
    (asked,) = ask("POST", "/events", body=b"{}", Expect="100-continue").asked
    assert (asked.body, "Expect" in asked.headers) == (b"{}", False)


def test_a_client_cannot_bring_a_secret_of_its_own() -> None:
    (asked,) = ask("GET", "/stats", X_Origin_Secret="guess").asked
    assert asked.headers.getall("X-Origin-Secret") == ["hush"]  # type: ignore[attr-defined]


def test_a_request_has_the_country_that_its_client_says_and_else_none() -> None:
    said = [ask("POST", "/events", **headers).asked[0].headers for headers in ({"CloudFront_Viewer_Country": "CH"}, {})]
    assert [headers.getall("CloudFront-Viewer-Country") for headers in said] == [["CH"], ["ZZ"]]


def test_a_body_too_large_for_the_app_is_still_the_apps_to_refuse() -> None:
    answer = ask("POST", "/events", body=b"x" * 70_000, says={"status": 413, "body": b"said by the app"})
    assert (answer.status, answer.body) == (413, b"said by the app")
    assert len(answer.asked[0].body) == 70_000


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/"), ("DELETE", "/ab.js"), ("GET", "/_ministack/health"), ("POST", "/_x")]
    + [
        ("GET", path)
        for path in ("/%5fministack/x", "/%255f%256d/x", "/a/%2e%2e/_x", "/a/../_ministack", "/v2/x", "/%5c_x")
    ],
)
def test_what_no_behaviour_allows_reaches_nobody(method: str, path: str) -> None:
    answer = ask(method, path)
    assert (answer.status, answer.asked) == (403, [])


def test_a_host_that_is_not_this_machine_is_refused() -> None:
    answer = ask("GET", "/stats", Host="evil.example:8000")
    assert (answer.status, answer.asked) == (421, [])
    assert ask("GET", "/stats", Host="localhost").status == 200


def test_a_compressed_body_is_handed_on_as_it_came() -> None:
    body = gzip.compress(b"{}")
    (asked,) = ask("POST", "/events", body=body, Content_Encoding="gzip").asked
    assert asked.headers["Content-Encoding"] == "gzip"


def test_the_distribution_is_not_shown_headers_that_could_mean_something_to_the_emulator() -> None:
    (asked,) = ask("GET", "/", X_Amz_Target="DynamoDB_20120810.Scan", Authorization="AWS4", Range="bytes=0-1").asked
    assert "X-Amz-Target" not in asked.headers
    assert "Authorization" not in asked.headers
    assert asked.headers["Range"] == "bytes=0-1"


def test_a_page_is_compressed_for_whoever_can_read_it() -> None:
    answer = ask("GET", "/", Accept_Encoding="br, gzip")
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["ETag"] == 'W/"abc"'
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(answer.body) == PAGE


@pytest.mark.parametrize(
    "says",
    [
        {"body": b"small"},
        {"headers": {"Content-Type": "image/png"}},
        {"headers": {"Content-Type": "text/css", "Content-Encoding": "br"}},
        {"status": 206},
    ],
)
def test_what_cloudfront_leaves_alone_is_left_alone(says: dict[str, Any]) -> None:
    answer = ask("GET", "/", says=says, Accept_Encoding="gzip")
    assert answer.headers.get("Content-Encoding") != "gzip"
    assert answer.body == says.get("body", PAGE)


def test_a_compressed_page_is_known_again_by_its_weakened_tag() -> None:
    answer = ask("GET", "/", says={"status": 304, "body": None}, If_None_Match='W/"abc"')
    assert answer.status == 304
    assert answer.asked[0].headers["If-None-Match"] == '"abc"'


def test_every_cookie_and_the_origins_own_status_reach_the_client() -> None:
    says = {"status": 503, "headers": [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("Retry-After", "3")]}
    answer = ask("POST", "/events", says=says)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "3")
    assert answer.headers.getall("Set-Cookie") == ["a=1", "b=2"]  # type: ignore[attr-defined]


def test_a_hundred_clients_at_once_are_all_answered() -> None:
    assert len(ask("POST", "/events", body=b"x", times=100).asked) == 100


def test_a_file_that_breaks_off_is_asked_for_again_and_an_event_is_not() -> None:
    def one_after_another(*answers: str) -> tuple[str, list[str], Callable[[], None]]:
        """A raw origin that answers each connection with the next bytes; what it was asked; how to end it."""
        server, asked = listen(), []

        def answer() -> None:
            with contextlib.suppress(OSError):  # closed under it
                for said in answers:
                    connection, _ = server.accept()
                    with connection:
                        asked.append(connection.recv(4096).decode().partition(" ")[0])
                        connection.sendall(said.encode())

        thread = threading.Thread(target=answer)
        thread.start()

        def end() -> None:
            server.shutdown(SHUT_RDWR)
            thread.join()
            server.close()

        return f"http://127.0.0.1:{server.getsockname()[1]}", asked, end

    broken = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nabc"
    whole = broken + "de"

    async def ask_both() -> list[tuple[int, bytes]]:
        server, answers = listen(), []
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        async with Proxy(api, site, "d", "s").serving(server), ClientSession() as session:
            for method, path in (("GET", "/page"), ("POST", "/events")):
                async with session.request(method, url + path) as response:
                    answers.append((response.status, (await response.read())[:20]))
        return answers

    site, asked_site, end_site = one_after_another(broken, whole)
    api, asked_api, end_api = one_after_another(broken, whole)
    answers = asyncio.run(ask_both())
    end_site()
    end_api()
    assert answers == [(200, b"abcde"), (502, b"The local app does n")]
    assert (asked_site, asked_api) == (["GET", "GET"], ["POST"])


def test_an_origin_that_is_gone_is_a_502_that_says_so() -> None:
    async def gone() -> tuple[int, str]:
        server, closed = listen(), listen()
        unreachable = f"http://127.0.0.1:{closed.getsockname()[1]}"
        closed.close()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/health"
        async with (
            Proxy(unreachable, unreachable, "d", "s").serving(server),
            ClientSession() as session,
            session.get(url) as r,
        ):
            return r.status, await r.text()

    status, text = asyncio.run(gone())
    assert (status, text.partition(" (")[0]) == (502, "The local app does not answer")


def test_a_head_request_learns_the_length_of_the_page() -> None:
    answer = ask("HEAD", "/")
    assert (answer.status, answer.headers["Content-Length"], answer.body) == (200, str(len(PAGE)), b"")
    assert answer.asked[0].method == "HEAD"

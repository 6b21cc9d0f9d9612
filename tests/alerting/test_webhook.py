"""The webhook on a real connection: what a receiver gets, how it checks it, and which addresses are never called."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from chalicelib.alerting.channels import Email, MessageRefused, NotTaken
from chalicelib.alerting.messages import Message
from chalicelib.alerting.webhook import Webhook, WebhookAddress, content_for, is_public, webhook_in
from chalicelib.domain.errors import InvalidInput
from tests.support.builders import NOON

WINNER = Message(id="ab_1", experiment="hero", kind="winner", text="Ship bold: <expect> 12 % more.", at=NOON)


class Receiver(ThreadingHTTPServer):
    """Keeps every request; answers with `status` and `headers`."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.status, self.headers = 200, {"Content-Length": "0"}
        super().__init__(("127.0.0.1", 0), Taker)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook?team=1"


class Taker(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None: ...


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def webhook(url: str, secret: str = "hush", **options: Any) -> Webhook:
    return Webhook(WebhookAddress(url, secret), link="https://ab.example.com/results/", **({"private": True} | options))


def test_a_receiver_gets_text_for_slack_and_fields_for_programs(receiver: Receiver) -> None:
    webhook(receiver.url).send(WINNER, now_ms=NOON)
    ((path, headers, body),) = receiver.requests
    assert (path, headers["content-type"], headers["x-message-id"]) == ("/hook?team=1", "application/json", "ab_1")
    assert json.loads(body) == {
        "text": "hero: Ship bold: &lt;expect&gt; 12 % more. https://ab.example.com/results/#/hero",
        "id": "ab_1",
        "experiment": "hero",
        "kind": "winner",
        "over": False,
        "at": "2026-11-21T12:00:00Z",
    }


@pytest.mark.parametrize(
    ("url", "fields"),
    [
        ("https://hooks.slack.com/services/T0/B0/x", {"text"}),
        ("https://hooks.slack-gov.com/services/T0/B0/x", {"text"}),
        ("https://notslack.com/hook", {"text", "id", "experiment", "kind", "over", "at"}),
        ("https://slack.com.example.org/hook", {"text", "id", "experiment", "kind", "over", "at"}),
    ],
)
def test_slack_gets_no_field_that_it_does_not_know(url: str, fields: set[str]) -> None:
    content = content_for(url, WINNER, "https://ab.example.com/results/")
    assert content.keys() == fields
    assert content["text"].startswith("hero: Ship bold")


def test_the_signature_is_the_documented_one(receiver: Receiver) -> None:
    webhook(receiver.url).send(WINNER, now_ms=NOON)
    ((_, headers, body),) = receiver.requests
    signed = f"{NOON // 1000}.".encode() + body
    assert headers["x-timestamp"] == str(NOON // 1000)
    assert headers["x-signature"] == hmac.new(b"hush", signed, hashlib.sha256).hexdigest()


def test_without_a_secret_nothing_is_signed(receiver: Receiver) -> None:
    webhook(receiver.url, "").send(WINNER, now_ms=NOON)
    assert "x-signature" not in receiver.requests[0][1]


@pytest.mark.parametrize(
    ("status", "headers", "wait"), [(500, {}, None), (429, {"Retry-After": "5"}, 5), (503, {"Retry-After": "9999"}, 30)]
)
def test_a_receiver_that_is_busy_may_be_asked_again(
    receiver: Receiver, status: int, headers: dict[str, str], wait: int | None
) -> None:
    receiver.status, receiver.headers = status, receiver.headers | headers
    with pytest.raises(NotTaken, match=f"HTTP {status}") as failure:
        webhook(receiver.url).send(WINNER, now_ms=NOON)
    assert failure.value.wait == wait


@pytest.mark.parametrize("status", [301, 307, 400, 404, 410])
def test_a_redirect_and_a_refusal_are_final_and_no_redirect_is_followed(receiver: Receiver, status: int) -> None:
    receiver.status, receiver.headers = status, receiver.headers | {"Location": receiver.url}
    with pytest.raises(MessageRefused, match=f"HTTP {status}"):
        webhook(receiver.url).send(WINNER, now_ms=NOON)
    assert len(receiver.requests) == 1


def test_a_receiver_that_is_not_there_may_come_back() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/"
        with pytest.raises(NotTaken, match="no answer: ConnectionRefusedError"):
            webhook(url).send(WINNER, now_ms=NOON)


PRIVATE = (
    *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1"),
    *("::1", "fe80::1%eth0", "fd00::1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1"),
)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"])
def test_public_addresses_are(address: str) -> None:
    assert is_public(address)


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> None:
    left = list(answers)

    def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        found = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["93.184.216.34", "10.0.0.1"], ["169.254.169.254"]])
def test_a_name_that_has_a_private_address_is_never_called(
    monkeypatch: pytest.MonkeyPatch, addresses: list[str]
) -> None:
    def connect(*_: Any, **__: Any) -> Any:
        raise AssertionError("a connection was made")

    monkeypatch.setattr(socket, "create_connection", connect)
    resolving(monkeypatch, addresses)
    with pytest.raises(MessageRefused, match="has a private address"):
        webhook("https://hooks.example.com/", private=False).send(WINNER, now_ms=NOON)


def test_the_address_that_was_looked_at_is_the_one_that_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[Any] = []

    def connect(address: Any, *_: Any, **__: Any) -> Any:
        called.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    resolving(monkeypatch, ["93.184.216.34"], ["127.0.0.1"])  # a second question would be answered otherwise
    with pytest.raises(NotTaken):
        webhook("https://hooks.example.com/", private=False).send(WINNER, now_ms=NOON)
    assert called == [("93.184.216.34", 443)]


@pytest.mark.parametrize(
    "url", ["http://example.com/", "ftp://example.com/", "https://", "hooks.example.com", "https://a:99999/"]
)
def test_only_https_is_called(url: str) -> None:
    with pytest.raises(MessageRefused):
        webhook(url, private=False).send(WINNER, now_ms=NOON)


def test_an_address_is_a_url_or_json() -> None:
    assert webhook_in("", "X") is None
    assert webhook_in("https://a/b", "X") == WebhookAddress("https://a/b")
    assert webhook_in('{"url": "https://a/b", "secret": "s"}', "X") == WebhookAddress("https://a/b", "s")


@pytest.mark.parametrize("text", ["{", '{"url": 1}', '{"secret": "s"}', '{"url": "https://a", "key": "s"}'])
def test_a_wrong_address_is_named_and_not_repeated(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"^ABACUS_ALERT_WEBHOOK must be") as failure:
        webhook_in(text, "ABACUS_ALERT_WEBHOOK")
    assert '"s"' not in failure.value.message


def test_an_email_names_stage_experiment_and_kind_and_has_no_escapes() -> None:
    published: list[dict[str, str]] = []

    class Sns:
        def publish(self, **arguments: str) -> None:
            published.append(arguments)

    over = WINNER.model_copy(update={"over": True})
    client: Any = Sns()
    Email(client, "arn:topic", stage="prod", link="").send(over, now_ms=NOON)
    assert published == [
        {
            "TopicArn": "arn:topic",
            "Subject": "ABacus prod: hero winner (over)",
            "Message": "hero: no longer true (winner): Ship bold: <expect> 12 % more.\n\nMessage ab_1",
        }
    ]

"""Posts a message to an HTTPS address, signed, in the form that Slack takes too.

POST  {"text": "hero: Ship bold: ...", "id": "ab_…", "experiment": "hero", "kind": "winner", "over": false, "at": "…Z"}
X-Message-Id: ab_…    X-Timestamp: 1795248000 (epoch seconds)
X-Signature: hex(HMAC-SHA256(secret, "{timestamp}.{body}")), as signed senders of events do it

The address is the operator's, but it may be mistyped, or its name may point elsewhere tomorrow. So only public
addresses are called: the name is resolved once, and that very address is used. Redirects are not followed.
"""

from __future__ import annotations

import ipaddress
import json
import socket
import ssl
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from chalicelib.alerting.channels import MessageRefused, NotTaken, text_of
from chalicelib.alerting.messages import Message
from chalicelib.domain.clock import SECOND_MS, iso
from chalicelib.domain.errors import InvalidInput
from chalicelib.ingestion.sender import sign

TIMEOUT = 8.0  # seconds to connect, and to each part of the answer
TRY_AGAIN = {408, 425, 429}  # and all above 500
LONGEST_WAIT = 30  # seconds that a receiver may ask for within one round
SLACK = (".slack.com", ".slack-gov.com")
# Addresses that carry an IPv4 address inside: NAT64 and 6to4.
TRANSLATED = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("2002::/16"))


class WebhookAddress(NamedTuple):
    """Where to post, and the key to sign with; without one, messages are not signed."""

    url: str
    secret: str = ""


def webhook_in(text: str, name: str) -> WebhookAddress | None:
    """The address in a setting: a URL, or JSON such as {"url": "https://...", "secret": "..."}. None: no address.

    Raises InvalidInput that names the setting `name`, and does not repeat its value."""
    if not text:
        return None
    if not text.startswith("{"):
        return WebhookAddress(text)
    try:
        parsed = json.loads(text)
    except ValueError:
        parsed = None
    if (
        not isinstance(parsed, dict)
        or not parsed.keys() <= {"url", "secret"}
        or not isinstance(parsed.get("url"), str)
        or not isinstance(parsed.get("secret", ""), str)
    ):
        raise InvalidInput(
            f'{name} must be a URL, or JSON such as {{"url": "https://...", "secret": "..."}}', field=name
        )
    return WebhookAddress(parsed["url"], parsed.get("secret", ""))


class Webhook:
    """A channel that posts. `link`: see text_of. `private`: also plain http and this machine, for a developer."""

    def __init__(self, address: WebhookAddress, *, link: str, private: bool = False) -> None:
        self._address = address
        self._link = link
        self._private = private

    def send(self, message: Message, *, now_ms: int) -> None:
        """Post `message` once. Raises NotTaken where the same may succeed later, else MessageRefused."""
        content = content_for(self._address.url, message, self._link)
        body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
        timestamp = now_ms // SECOND_MS
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "abacus",
            "X-Message-Id": message.id,
            "X-Timestamp": str(timestamp),
        }
        if self._address.secret:
            headers["X-Signature"] = sign(self._address.secret, timestamp, body)
        parts = urlsplit(self._address.url)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection = self._connection()
        try:
            connection.request("POST", path, body, headers)
            with connection.getresponse() as answer:
                status, wait = answer.status, answer.headers.get("Retry-After", "")
        except (OSError, HTTPException) as error:
            raise NotTaken(f"no answer: {type(error).__name__}") from None
        finally:
            connection.close()
        if status >= 500 or status in TRY_AGAIN:
            raise NotTaken(f"HTTP {status}", min(int(wait), LONGEST_WAIT) if wait.isdecimal() else None)
        if not 200 <= status < 300:
            raise MessageRefused(f"HTTP {status}")

    def _connection(self) -> HTTPConnection:
        """To the one address that was looked at, under the name that the certificate must have.

        Raises MessageRefused."""
        parts = urlsplit(self._address.url)
        host = parts.hostname or ""
        try:
            port = parts.port
        except ValueError:
            port = -1
        if parts.scheme not in ("https", "http") or not host or port == -1:
            raise MessageRefused("the webhook's address is not a URL such as https://example.com/hook")
        if parts.scheme == "http":
            if not self._private:
                raise MessageRefused("the webhook's address must begin with https://")
            return HTTPConnection(host, port or 80, timeout=TIMEOUT)
        return _Pinned(host, port or 443, self._resolved(host, port or 443))

    def _resolved(self, host: str, port: int) -> str:
        try:
            addresses = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        except OSError:
            raise NotTaken("the name of the webhook's host cannot be resolved") from None
        if not self._private and not all(is_public(address) for address in addresses):
            raise MessageRefused("the webhook's host has a private address; only public ones are called")
        return addresses[0]


def content_for(url: str, message: Message, link: str) -> dict[str, Any]:
    """What is posted to `url`. Slack's own addresses get the text alone: its guide promises nothing about fields that
    it does not know."""
    text = text_of(message, link, escape=True)
    if f".{urlsplit(url).hostname}".endswith(SLACK):
        return {"text": text}
    return message.model_dump() | {"text": text, "at": iso(message.at)}


def is_public(address: str) -> bool:
    """Whether `address` is one of the internet: not private, loopback, link-local (cloud metadata) or multicast.

    >>> [is_public(a) for a in ("93.184.216.34", "10.0.0.1", "127.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1")]
    [True, False, False, False, False, False]
    """
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            parsed = parsed.ipv4_mapped
        elif any(parsed in network for network in TRANSLATED):
            return False
    return parsed.is_global and not parsed.is_multicast


class _Pinned(HTTPSConnection):
    """HTTPS to `address`, with the certificate of `host`."""

    def __init__(self, host: str, port: int, address: str) -> None:
        context = ssl.create_default_context()
        super().__init__(host, port, timeout=TIMEOUT, context=context)
        self._tls = context
        self._address = address

    def connect(self) -> None:
        """Connect without asking for the host's address again."""
        plain = socket.create_connection((self._address, self.port), TIMEOUT)
        self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)

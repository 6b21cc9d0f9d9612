"""Who sent a request: the address, whether a back end signed it, whether the user agent names a bot.

Trusted back ends sign what they send, and may then send older events. HMAC-SHA256, constant-time comparison:

X-Client-Id: shop    X-Timestamp: 1795248000 (epoch seconds)
X-Signature: hex(HMAC-SHA256(secret, "{timestamp}.{body}"))

Crawlers and headless browsers are bots. HTTP libraries such as curl are not: back ends send events with them. The list
is crawler-user-agents (MIT, monthly), reduced by `make crawlers` to what is in crawlers.json.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import re
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

from chalicelib.domain.clock import SECOND_MS
from chalicelib.domain.errors import Busy, Unauthorized

log = logging.getLogger("abacus")

REPLAY_WINDOW_MS = 300 * SECOND_MS  # either way; a replay within it repeats events, which count once


class Sender(NamedTuple):
    """client: id of the back end that signed the request; None: anonymous. bot: its user agent names a bot. address:
    where the request came from, "" if that is unknown. has_cookie: whether it carried the cookie of the visitor;
    None: the site cannot have one. host: of the page that sent it, "" if unknown. user_agent, country: of the browser,
    for its segments; never stored."""

    client: str | None = None
    bot: bool = False
    address: str = ""
    has_cookie: bool | None = None
    host: str = ""
    user_agent: str = ""
    country: str = ""

    @property
    def signed(self) -> bool:
        """Whether a back end signed the request; such a sender is trusted with older events."""
        return self.client is not None


ANONYMOUS = Sender()


def address_of(headers: Mapping[str, str], connection: str) -> str:
    """The address of the browser. `connection`: the address at the other end of the connection.

    Behind CloudFront that is CloudFront. It appends the browser's address to X-Forwarded-For, and the API appends
    CloudFront's; what comes before was sent by the browser itself and proves nothing.

    >>> address_of({"x-forwarded-for": "10.0.0.1, 192.0.2.7, 198.51.100.9"}, "198.51.100.9")
    '192.0.2.7'
    >>> address_of({}, "192.0.2.7")
    '192.0.2.7'
    """
    addresses = [part.strip() for part in headers.get("x-forwarded-for", "").split(",") if part.strip()]
    if len(addresses) > 1 and addresses[-1] == connection:
        addresses.pop()
    return addresses[-1] if addresses else connection


_ORIGIN = re.compile(r"https?://([A-Za-z0-9.-]{1,100}(?::[0-9]{1,5})?)")


def host_of(origin: str) -> str:
    """The host in an Origin header; "" where there is none, or it is no ordinary one: anyone can send any text.

    >>> host_of("https://shop.example.com"), host_of("null"), host_of("https://a <b>")
    ('shop.example.com', '', '')
    """
    match = _ORIGIN.fullmatch(origin)
    return match[1] if match else ""


AGENT_LENGTH = 512  # characters; the longest of 34,589 browsers in public lists has 419


def agent_of(header: str) -> str:
    """What is read of a User-Agent. A longer one could be made to take a pattern half a second.

    >>> len(agent_of("Version/ " * 1000))
    512
    """
    return header[:AGENT_LENGTH]


@cache
def _crawlers() -> tuple[list[str], re.Pattern[str]]:
    # Nearly all are plain texts, and stay so: compiling them would be a twentieth of the cold start.
    listed = json.loads(Path(__file__).with_name("crawlers.json").read_text())
    return listed["texts"], re.compile("|".join(listed["patterns"]))


@lru_cache(maxsize=1024)
def is_bot(user_agent: str) -> bool:
    """Whether `user_agent` is a self-declared crawler or headless browser."""
    texts, patterns = _crawlers()
    return any(text in user_agent for text in texts) or patterns.search(user_agent) is not None


def sign(secret: str, timestamp: int, body: bytes) -> str:
    """The signature of `body` sent at `timestamp` (epoch seconds)."""
    return hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()


def signer(
    headers: Mapping[str, str], body: bytes, keys: Callable[[int], Mapping[str, str]], *, now_ms: int
) -> str | None:
    """The client id of a signed request, or None for an anonymous one.

    `headers` by lower-case name; `keys(now_ms)`: the secret of each client id, called only when there is a signature to
    check; `now_ms` in epoch milliseconds. Raises Unauthorized for a signature that is wrong, too old or of an unknown
    client: a back end that signs must learn when it is not recognised."""
    client, signature = headers.get("x-client-id"), headers.get("x-signature")
    if client is None and signature is None:
        return None
    timestamp = headers.get("x-timestamp", "")
    if not timestamp.isdecimal() or len(timestamp) > 12 or abs(now_ms - int(timestamp) * SECOND_MS) > REPLAY_WINDOW_MS:
        raise Unauthorized(
            f"X-Timestamp: {timestamp[:20]!r} is not within {REPLAY_WINDOW_MS // SECOND_MS} s of now (epoch seconds).",
            field="X-Timestamp",
        )
    # An unknown client costs the same comparison as a known one: the time of the answer does not tell them apart.
    secrets = keys(now_ms)
    expected = sign(secrets.get(client or "", "-"), int(timestamp), body)
    known = client in secrets
    if not hmac.compare_digest(expected.encode(), (signature or "").encode()) or not known:
        raise Unauthorized("X-Signature: does not match X-Client-Id, X-Timestamp and the body.", field="X-Signature")
    return client


class CachedSecrets:
    """The secrets of signed senders, read every five minutes at most. After a failure the last good ones stay."""

    EVERY_MS = 300 * SECOND_MS
    AGAIN_MS = 5 * SECOND_MS  # while there are none: a wrong signature must not cause a read each time

    def __init__(self, read: Callable[[], Mapping[str, str]]) -> None:
        self._read = read
        self._secrets: Mapping[str, str] | None = None
        self._tried_ms: int | None = None

    def __call__(self, now_ms: int) -> Mapping[str, str]:
        """The secrets at `now_ms`, epoch milliseconds. Raises Busy while they could not be read even once."""
        wait_ms = self.EVERY_MS if self._secrets is not None else self.AGAIN_MS
        # A clock that was set back must not stop the reading.
        if self._tried_ms is None or not 0 <= now_ms - self._tried_ms < wait_ms:
            self._tried_ms = now_ms
            try:
                self._secrets = self._read()
            except Exception:
                log.exception("the secrets of signed senders cannot be read")
        if self._secrets is None:
            raise Busy(
                "Signatures cannot be checked at the moment. Send the same again.",
                retry_after=self.AGAIN_MS // SECOND_MS,
            )
        return self._secrets

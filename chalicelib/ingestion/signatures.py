"""Trusted back ends sign what they send, and may then send older events. HMAC-SHA256, constant-time comparison.

X-Client-Id: shop    X-Timestamp: 1795248000 (epoch seconds)
X-Signature: hex(HMAC-SHA256(secret, "{timestamp}.{body}"))
"""

from __future__ import annotations

import hashlib
import hmac
import logging
from collections.abc import Callable, Mapping

from chalicelib.domain.errors import Busy, Unauthorized

log = logging.getLogger("abacus")

REPLAY_WINDOW = 300  # seconds either way; a replay inside it is the same events again, which counts nothing twice


def sign(secret: str, timestamp: int, body: bytes) -> str:
    """The signature of `body` sent at `timestamp` (epoch seconds)."""
    return hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()


def sender(
    headers: Mapping[str, str], body: bytes, keys: Callable[[float], Mapping[str, str]], *, now: float
) -> str | None:
    """The client id of a signed request, or None for an anonymous one. `headers` by lower-case name; `keys(now)`: the
    secret of each client id, asked for only when there is something to check; `now` in epoch seconds.

    Raises Unauthorized for a signature that is wrong, too old, or of nobody we know: a back end that signs must not
    be taken for an anonymous visitor without being told."""
    client, signature = headers.get("x-client-id"), headers.get("x-signature")
    if client is None and signature is None:
        return None
    timestamp = headers.get("x-timestamp", "")
    if not timestamp.isdecimal() or len(timestamp) > 12 or abs(now - int(timestamp)) > REPLAY_WINDOW:
        raise Unauthorized(
            f"X-Timestamp: {timestamp[:20]!r} is not within {REPLAY_WINDOW} s of now, in epoch seconds.",
            field="X-Timestamp",
        )
    # An unknown client costs the same comparison as a known one, so that its answer does not tell them apart.
    secrets = keys(now)
    due = sign(secrets.get(client or "", "-"), int(timestamp), body)
    known = client in secrets
    if not hmac.compare_digest(due.encode(), (signature or "").encode()) or not known:
        raise Unauthorized("X-Signature: does not match X-Client-Id, X-Timestamp and the body.", field="X-Signature")
    return client


class Kept:
    """Secrets that are read where they are kept, at most every five minutes; the last good ones outlive a failure."""

    EVERY = 300  # seconds
    AGAIN = 5  # seconds, while there are none: whoever signs rubbish must not make us ask each time

    def __init__(self, read: Callable[[], Mapping[str, str]]) -> None:
        self._read = read
        self._secrets: Mapping[str, str] | None = None
        self._tried = 0.0

    def __call__(self, now: float) -> Mapping[str, str]:
        """The secrets; `now` in epoch seconds. Raises Busy while they could not be read even once."""
        wait = self.EVERY if self._secrets is not None else self.AGAIN
        if now - self._tried >= wait:
            self._tried = now
            try:
                self._secrets = self._read()
            except Exception:
                log.exception("the secrets of signed senders cannot be read")
        if self._secrets is None:
            raise Busy("Signatures cannot be checked at the moment. Send the same again.", retry_after=self.AGAIN)
        return self._secrets

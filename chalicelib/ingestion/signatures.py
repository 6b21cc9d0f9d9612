"""Trusted back ends sign what they send, and may then send older events. HMAC-SHA256, constant-time comparison.

X-Client-Id: shop    X-Timestamp: 1795248000 (epoch seconds)
X-Signature: hex(HMAC-SHA256(secret, "{timestamp}.{body}"))
"""

from __future__ import annotations

import hashlib
import hmac
import logging
from collections.abc import Callable, Mapping

from chalicelib.domain.clock import SECOND_MS
from chalicelib.domain.errors import Busy, Unauthorized

log = logging.getLogger("abacus")

REPLAY_WINDOW_MS = 300 * SECOND_MS  # either way; a replay within it repeats events, which count once


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

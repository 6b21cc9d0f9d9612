"""Links that open the results until they expire, for people without the read key.

    ab1.cta-color.1795867200.0c8e…     opens GET /stats/cta-color until then (epoch seconds); `*`: everything

The token is sent in place of the read key. It is signed with a key that is derived from the read key and the stage, so
another read key, and another stage, refuse it. Nothing is stored: a new read key ends all links.
"""

from __future__ import annotations

import hashlib
import hmac
import re

from chalicelib.domain.clock import DAY_MS, SECOND_MS, iso
from chalicelib.domain.errors import Unauthorized

EVERYTHING = "*"
LONGEST_DAYS = 90
_TOKEN = re.compile(r"ab1\.(\*|[a-z0-9][a-z0-9-]{0,63})\.([0-9]{10})\.([0-9a-f]{64})")
_FIELD = "X-Read-Key"


def sign_link(read_key: str, stage: str, scope: str, expires: int) -> str:
    """The token of a link. `scope`: an experiment's key, or EVERYTHING; `expires`: epoch seconds.

    HMAC-SHA256 over scope and expiry (RFC 2104); its key is HMAC-SHA256 of "abacus link <stage>" by the read key."""
    key = hmac.digest(read_key.encode(), f"abacus link {stage}".encode(), hashlib.sha256)
    mac = hmac.new(key, f"{scope}.{expires}".encode(), hashlib.sha256).hexdigest()
    return f"ab1.{scope}.{expires}.{mac}"


def check_reader(sent: str, read_key: str, stage: str, *, experiment: str | None, now_ms: int) -> None:
    """Raise Unauthorized unless `sent`, the header X-Read-Key, is the read key or a link for `experiment`.

    read_key: "": reading needs none. experiment: None for what is not of one experiment. now_ms: epoch milliseconds."""
    if not read_key or hmac.compare_digest(sent.encode(), read_key.encode()):
        return
    match = _TOKEN.fullmatch(sent)
    if match is None:
        raise Unauthorized(f"{_FIELD}: is missing or wrong; GET /stats requires it here.", field=_FIELD)
    scope, expires = match[1], int(match[2])
    # The signature first: what a forged link says must not change the answer.
    if not hmac.compare_digest(sign_link(read_key, stage, scope, expires).encode(), sent.encode()):
        raise Unauthorized(f"{_FIELD}: this link is not one of this product's. Ask for a new one.", field=_FIELD)
    left_ms = expires * SECOND_MS - now_ms
    if left_ms <= 0:
        raise Unauthorized(
            f"{_FIELD}: this link expired at {iso(expires * SECOND_MS)}. Ask for a new one.", field=_FIELD
        )
    if left_ms > LONGEST_DAYS * DAY_MS:
        raise Unauthorized(f"{_FIELD}: a link lives at most {LONGEST_DAYS} days; this one is for longer.", field=_FIELD)
    if scope not in (EVERYTHING, experiment):
        raise Unauthorized(f"{_FIELD}: this link opens {scope} alone.", field=_FIELD)

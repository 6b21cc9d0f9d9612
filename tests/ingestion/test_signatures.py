"""Signed requests: known, fresh and unaltered, or refused."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from chalicelib.domain.errors import Busy, Unauthorized
from chalicelib.ingestion.sender import CachedSecrets, sign, signer


def secrets(now_ms: int) -> dict[str, str]:
    return {"shop": "open sesame"}


NOW = 1_795_262_400


def headers(body: bytes = b"{}", secret: str = "open sesame", timestamp: int = NOW) -> dict[str, str]:
    return {
        "x-client-id": "shop",
        "x-timestamp": str(timestamp),
        "x-signature": hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest(),
    }


def test_a_signed_request_is_the_clients() -> None:
    assert signer(headers(), b"{}", secrets, now_ms=(NOW + 299) * 1000) == "shop"
    assert sign("open sesame", NOW, b"{}") == headers()["x-signature"]


def test_an_unsigned_request_is_anonymous() -> None:
    assert signer({}, b"{}", secrets, now_ms=NOW * 1000) is None


@pytest.mark.parametrize(
    "wrong",
    [
        headers(secret="guess"),
        headers(timestamp=NOW - 301),
        headers(timestamp=NOW + 301),
        headers(b"other body"),
        headers() | {"x-client-id": "shed"},
        headers() | {"x-timestamp": ""},
        headers() | {"x-timestamp": "٣"},
        headers() | {"x-signature": "ü"},
        {"x-client-id": "shop", "x-timestamp": str(NOW)},
        {"x-signature": "00", "x-timestamp": str(NOW)},
        headers(secret="-") | {"x-client-id": "unknown"},
    ],
)
def test_a_request_that_is_signed_wrongly_is_refused_and_not_taken_for_anonymous(wrong: dict[str, str]) -> None:
    with pytest.raises(Unauthorized):
        signer(wrong, b"{}", secrets, now_ms=NOW * 1000)


def test_secrets_are_read_every_five_minutes_and_the_last_ones_outlive_a_failure() -> None:
    answers = iter([{"shop": "old"}, RuntimeError("SSM is away"), {"shop": "new"}])

    def read() -> dict[str, str]:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    kept = CachedSecrets(read)
    assert [kept(now * 1000)["shop"] for now in (1000, 1299, 1300, 1599, 1600)] == ["old", "old", "old", "old", "new"]


def test_without_secrets_no_signature_can_be_checked_and_nobody_can_make_us_ask_for_them() -> None:
    reads: list[int] = []

    def read() -> dict[str, str]:
        reads.append(1)
        raise RuntimeError("SSM is away")

    kept = CachedSecrets(read)
    for _ in range(3):
        with pytest.raises(Busy):
            signer(headers(), b"{}", kept, now_ms=NOW * 1000)
    assert reads == [1]


def test_a_signature_without_a_time_or_at_the_edge_of_five_minutes() -> None:
    now_ms = 1_795_248_000_000
    secrets = {"shop": "secret"}

    def client(timestamp: str | None) -> str | None:
        signature = sign("secret", int(timestamp or 0), b"body")
        headers = {"x-client-id": "shop", "x-signature": signature} | ({"x-timestamp": timestamp} if timestamp else {})
        return signer(headers, b"body", lambda now_ms: secrets, now_ms=now_ms)

    assert [client(str(now_ms // 1000 + seconds)) for seconds in (-300, 0, 300)] == ["shop"] * 3
    for timestamp in (None, str(now_ms // 1000 - 301), str(now_ms // 1000 + 301)):
        with pytest.raises(Unauthorized, match="is not within 300 s of now") as refused:
            client(timestamp)
        assert refused.value.field == "X-Timestamp"
    secrets = {"shop": "another"}
    with pytest.raises(Unauthorized, match="X-Signature: does not match") as refused:
        client(str(now_ms // 1000))
    assert refused.value.field == "X-Signature"


def test_secrets_that_could_never_be_read_are_tried_again_after_five_seconds() -> None:
    reads: list[int] = []

    def read() -> dict[str, str]:
        reads.append(1)
        if len(reads) < 3:
            raise OSError("the parameter is away")
        return {"shop": "secret"}

    secrets = CachedSecrets(read)
    for now_ms in (0, 4_999, 5_000):
        with pytest.raises(Busy) as busy:
            secrets(now_ms)
        assert busy.value.retry_after == 5
    assert len(reads) == 2
    assert secrets(10_000) == {"shop": "secret"}
    assert (secrets(309_999), len(reads)) == ({"shop": "secret"}, 3)

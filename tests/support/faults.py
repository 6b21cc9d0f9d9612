"""Faults at the wire: a botocore client whose calls fail as AWS fails, without a server for it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.exceptions import EndpointConnectionError


class _Raw:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self._body


def answer(status: int, **body: Any) -> AWSResponse:
    headers: Any = {"content-type": "application/x-amz-json-1.0"}
    raw: Any = _Raw(json.dumps(body).encode())
    return AWSResponse("https://table", status, headers, raw)


def error(code: str, status: int = 400, **more: Any) -> AWSResponse:
    return answer(status, __type=f"com.amazonaws.dynamodb.v20120810#{code}", message=code, **more)


THROTTLED = error("ProvisionedThroughputExceededException")
CONFLICT = error("TransactionConflictException")
BROKEN = error("InternalServerError", 500)


def cancelled(*codes: str) -> AWSResponse:
    reasons = [{"Code": code, "Message": code} for code in codes]
    return error("TransactionCanceledException", CancellationReasons=reasons)


Fault = Callable[[], AWSResponse | None]


def unreachable() -> AWSResponse | None:
    raise EndpointConnectionError(endpoint_url="https://table")


def times(n: int, response: AWSResponse) -> Fault:
    """`response` for the first n calls, then the real thing."""
    left = [n]

    def fault() -> AWSResponse | None:
        left[0] -= 1
        return response if left[0] >= 0 else None

    return fault


def inject(client: Any, operation: str, fault: Fault) -> Callable[[], None]:
    """Let `fault` answer every `operation` of `client` for which it has something to say. Returns how to stop."""
    event = f"before-send.{client.meta.service_model.service_id.hyphenize()}.{operation}"

    def handler(**_: Any) -> AWSResponse | None:
        return fault()

    client.meta.events.register(event, handler)
    return lambda: client.meta.events.unregister(event, handler)

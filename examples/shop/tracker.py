"""The two calls of a back end: which variant does this visitor get, and what did the visitor do?

Standard library only. docs/openfeature.md has the same for OpenFeature's SDKs.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.request import Request, urlopen
from uuid import uuid4

COOKIE = "abacus"
YEAR = 365 * 24 * 3600  # seconds
_VISITOR = re.compile(r"[A-Za-z0-9_.:-]{1,128}")


@dataclass(frozen=True)
class Assignment:
    """What a visitor gets from an experiment. enrolled: whether the visitor takes part, and so counts."""

    variant: str
    enrolled: bool


def visitor_of(cookie: str | None) -> str:
    """The visitor in the snippet's cookie, or a new one: the cookie is the id, `~`, and the choices so far."""
    visitor = (cookie or "").partition("~")[0]
    return visitor if _VISITOR.fullmatch(visitor) else str(uuid4())


def from_edge(header: str, experiment: str, control: str) -> Assignment:
    """What the edge function decided: `header` is the request's x-abacus, such as `headline=bold,landing=b`."""
    chosen = dict(pair.split("=", 1) for pair in header.split(",") if "=" in pair)
    return Assignment(chosen.get(experiment, control), enrolled=experiment in chosen)


@dataclass(frozen=True)
class Tracker:
    """The tracker at `url`. `client`, `secret`: of this back end, in ABACUS_SENDER_KEYS of the tracker. `patience`: how
    long a page may wait for its variant, seconds."""

    url: str
    client: str
    secret: str
    patience: float = 0.5

    def assign(self, experiment: str, control: str, context: Mapping[str, str]) -> Assignment:
        """The variant of a visitor, by OFREP. `context`: the visitor as targetingKey, the page as url, the cookie as
        abacus. On any error everybody gets `control`."""
        try:
            flag = self._post(f"/ofrep/v1/evaluate/flags/{experiment}", {"context": dict(context)}, self.patience)
            return Assignment(flag["variant"], bool(flag["metadata"]["enrolled"]))
        except (OSError, ValueError, KeyError):
            return Assignment(control, enrolled=False)

    def count(self, visitor: str, *events: Mapping[str, Any]) -> None:
        """Send events, signed. An event's id counts once, so after an OSError send the same ones again."""
        at = round(time.time() * 1000)
        body = {"visitor": visitor, "events": [{"at": at, **event} for event in events]}
        self._post("/events", body, timeout=5, signed=True)

    def _post(self, path: str, body: Mapping[str, Any], timeout: float, *, signed: bool = False) -> Any:
        data, headers = json.dumps(body).encode(), {"Content-Type": "application/json"}
        if signed:
            timestamp = str(int(time.time()))
            signature = hmac.new(self.secret.encode(), f"{timestamp}.".encode() + data, hashlib.sha256).hexdigest()
            headers |= {"X-Client-Id": self.client, "X-Timestamp": timestamp, "X-Signature": signature}
        with urlopen(Request(self.url + path, data, headers), timeout=timeout) as response:  # noqa: S310  our tracker
            return json.load(response)

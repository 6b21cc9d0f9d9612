"""The edge function in Node, under the restrictions of CloudFront's runtime, and the events that CloudFront makes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from abacus.paths import PROJECT, node
from abacus.site.edge_function import edge_function
from abacus.site.public_manifest import public
from abacus.site.snippet import Options
from chalicelib.domain.manifest import Experiment, Manifest

RUNTIME = PROJECT / "tests/site/edge/runtime.cjs"
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"
Json = dict[str, Any]


def built(*experiments: Experiment, **options: Any) -> bytes:
    return edge_function(public(Manifest(experiments=experiments)), Options(edge=True, **options))


def run(code: bytes, events: Sequence[Json], *flags: str, rounds: int = 0) -> Any:
    """What the function returns for each event; with `rounds`: how long a call takes."""
    done = subprocess.run(
        [node(), *flags, str(RUNTIME)],
        input=json.dumps({"code": code.decode(), "events": events, "rounds": rounds}),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def a_request(url: str = "https://example.com/", cookie: str = "", **headers: str) -> Json:
    """A viewer-request event, after AWS's "CloudFront Functions event structure"."""
    parts = urlsplit(url)
    named = {"accept": "text/html,*/*;q=0.8", "user-agent": CHROME, "host": parts.netloc}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    querystring: Json = {}
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if name in querystring:
            several = querystring[name].setdefault("multiValue", [{"value": querystring[name]["value"]}])
            several.append({"value": value})
        else:
            querystring[name] = {"value": value}
    return {
        "version": "1.0",
        "context": {"eventType": "viewer-request", "requestId": "Xk3_-a9bQpL0zY7w=="},
        "viewer": {"ip": "203.0.113.1"},
        "request": {
            "method": "GET",
            "uri": parts.path,
            "querystring": querystring,
            "headers": {name: {"value": value} for name, value in named.items()},
            "cookies": {"abacus": {"value": cookie}, "other": {"value": "1"}} if cookie else {},
        },
    }


def a_response(event: Json, **headers: str) -> Json:
    """The viewer-response event that follows `event`."""
    named = {"content-type": "text/html; charset=utf-8"} | {n.replace("_", "-"): v for n, v in headers.items()}
    return event | {
        "context": event["context"] | {"eventType": "viewer-response"},
        "response": {
            "statusCode": 200,
            "statusDescription": "OK",
            "headers": {name: {"value": value} for name, value in named.items()},
            "cookies": {},
        },
    }


def shown(request: Json) -> dict[str, str]:
    """Experiment → variant, by the header for the origin."""
    header = request["headers"].get("x-abacus", {}).get("value", "")
    return dict(pair.split("=") for pair in header.split(",") if pair)

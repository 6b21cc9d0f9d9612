"""Events as an HTTP API sends them in payload format 1.0: the app takes each as it is. The emulator sends 2.0 alone, so
these are written by hand after API Gateway's documentation."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest

import app
from abacus.aws.templates import read
from abacus.local.emulated_stacks import LocalAws
from abacus.paths import INFRA
from tests.api.test_app import Api
from tests.support.builders import a_visitor

pytestmark = pytest.mark.ministack

ROUTES = [
    r["Properties"]["RouteKey"]
    for r in read(INFRA / "edge.yaml").resources.values()
    if r["Type"] == "AWS::ApiGatewayV2::Route"
]


@pytest.fixture
def api(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> Api:
    return Api(aws, monkeypatch)


def request(
    route: str, body: object = None, *, query: dict[str, str] | None = None, encoded: bool = False, **headers: str
) -> dict[str, Any]:
    """What API Gateway makes of a request to `route`, such as GET /stats/{experiment}.

    Source: API Gateway developer guide, "Create AWS Lambda proxy integrations for HTTP APIs", payload format 1.0."""
    method, resource = route.split()
    named = {"Content-Type": "application/json", "Host": "x.execute-api.eu-central-1.amazonaws.com"}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    path = resource.replace("{experiment}", "cta-color").replace("{key}", "cta-color")
    text = body if isinstance(body, str) or body is None else json.dumps(body)
    return {
        "version": "1.0",
        "resource": resource,
        "path": path,
        "httpMethod": method,
        "headers": named,
        "multiValueHeaders": {name: [value] for name, value in named.items()},
        "queryStringParameters": query,
        "multiValueQueryStringParameters": {name: [value] for name, value in query.items()} if query else None,
        "pathParameters": dict.fromkeys(re.findall(r"\{(\w+)\}", resource), "cta-color") or None,
        "stageVariables": None,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "x",
            "domainName": named["Host"],
            "extendedRequestId": "a=",
            "httpMethod": method,
            "identity": {"sourceIp": "203.0.113.1", "userAgent": "curl/8"},
            "path": path,
            "protocol": "HTTP/1.1",
            "requestId": "a=",
            "requestTime": "21/Nov/2026:12:00:00 +0000",
            "requestTimeEpoch": 1795262400000,
            "resourceId": route,
            "resourcePath": resource,
            "stage": "$default",
        },
        "body": base64.b64encode(text.encode()).decode() if encoded and text else text,
        "isBase64Encoded": encoded,
    }


def answer(event: dict[str, Any]) -> tuple[int, Any, dict[str, str]]:
    said = app.app(event, None)
    return said["statusCode"], json.loads(said["body"]), said["headers"]


@pytest.mark.parametrize("route", ROUTES)
def test_every_route_of_the_http_api_finds_its_view_and_answers_in_json(api: Api, route: str) -> None:
    status, body, headers = answer(request(route, {} if route.startswith("POST") else None))
    assert status == (400 if route.startswith("POST") else 200)
    assert bool(body.keys() & {"error", "errorCode"}) == (status == 400)  # OFREP has a shape of its own
    assert headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("encoded", [False, True])
def test_an_event_is_taken_with_a_plain_body_and_with_an_encoded_one(api: Api, encoded: bool) -> None:
    event = {"id": "e1", "type": "impression", "experiment": "cta-color", "variant": "green", "at": app.now_ms()}
    body = {"visitor": a_visitor("green"), "events": [event]}
    status, said, _ = answer(request("POST /events", body, encoded=encoded, Content_Type="text/plain"))
    assert (status, said) == (202, {"accepted": 1, "repeated": 0, "queued": 0, "refused": []})


def test_a_cookie_arrives_and_is_renewed(api: Api) -> None:
    event = {"id": "e1", "type": "impression", "experiment": "cta-color", "variant": "green", "at": app.now_ms()}
    visitor = a_visitor("green")
    sent = request("POST /events", {"visitor": visitor, "events": [event]}, Cookie=f"a=b; abacus={visitor}")
    cookie = f"abacus={visitor}; Max-Age=31536000; Path=/; Secure; SameSite=Lax"
    assert answer(sent)[2]["Set-Cookie"] == cookie


def test_the_query_arrives(api: Api) -> None:
    status, said, _ = answer(request("GET /stats/{experiment}", query={"series": "none"}))
    assert (status, said["series"]) == (200, [])


def test_the_origins_secret_is_asked_for_and_both_are_taken_while_it_changes(api: Api) -> None:
    api.configure(origin_secrets=("new", "old"))
    statuses = [answer(request("GET /stats", X_Origin_Secret=said))[0] for said in ("new", "old", "other", "")]
    assert statuses == [200, 200, 401, 401]


def test_the_read_key_is_asked_for(api: Api) -> None:
    api.configure(read_key="key")
    assert [answer(request("GET /stats", X_Read_Key=said))[0] for said in ("key", "other")] == [200, 401]

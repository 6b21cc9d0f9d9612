"""POST /ofrep: what OpenFeature's protocol prescribes. The shapes are those of service/openapi.yaml in
open-feature/protocol; who gets what is held by tests/openfeature and tests/targeting."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pytest
from chalice.test import Client

import app
from abacus.local.emulated_stacks import LocalAws
from chalicelib.domain.manifest import Phase, Urls, Variant
from tests.api.test_app import Api
from tests.support.builders import a_manifest, a_visitor, an_experiment

pytestmark = pytest.mark.ministack

FLAGS = "/ofrep/v1/evaluate/flags"
GREEN = a_visitor("green")
BLUE = a_visitor("blue")


class Reply(NamedTuple):
    status: int
    body: Any
    headers: dict[str, str]


@pytest.fixture
def api(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> Api:
    api = Api(aws, monkeypatch)
    api.publish(
        a_manifest(
            an_experiment(),
            an_experiment("draft", status="draft"),
            an_experiment("over", status="stopped", winner="green"),
            an_experiment("price", ("low", "high")),
        )
    )
    return api


def ask(path: str, body: Any, **headers: str) -> Reply:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {"Content-Type": "application/json; charset=utf-8"} | {k.replace("_", "-"): v for k, v in headers.items()}
    with Client(app.app) as client:
        answer = client.http.request("POST", path, headers=named, body=raw)
    return Reply(answer.status_code, json.loads(answer.body) if answer.body else None, dict(answer.headers))


def context(visitor: str = GREEN, **attributes: Any) -> dict[str, Any]:
    return {"context": {"targetingKey": visitor, **attributes}}


def test_one_flag_has_value_variant_reason_and_metadata(api: Api) -> None:
    reply = ask(f"{FLAGS}/cta-color", context())
    assert (reply.status, reply.body) == (
        200,
        {
            "key": "cta-color",
            "value": "green",
            "variant": "green",
            "reason": "SPLIT",
            "metadata": {"enrolled": True, "phase": 0},
        },
    )
    assert reply.headers["Content-Type"] == "application/json"


def test_all_flags_are_every_published_experiment_and_no_draft(api: Api) -> None:
    reply = ask(FLAGS, context(BLUE))
    found = {flag["key"]: (flag["value"], flag["reason"]) for flag in reply.body["flags"]}
    assert found.keys() == {"cta-color", "over", "price"}
    assert (found["cta-color"], found["over"]) == (("blue", "SPLIT"), ("green", "STATIC"))


def test_the_payload_is_the_value_and_a_redirect_is_metadata(api: Api) -> None:
    api.publish(
        a_manifest(
            an_experiment(variants=("blue", "green")).model_copy(
                update={
                    "variants": (Variant(key="blue", payload=[1, {"a": None}]), Variant(key="green", payload=2.5)),
                    "redirect": {"green": "https://example.com/b"},
                }
            )
        )
    )
    bodies = [ask(f"{FLAGS}/cta-color", context(visitor)).body for visitor in (BLUE, GREEN)]
    assert [(body["value"], body["metadata"].get("redirect")) for body in bodies] == [
        ([1, {"a": None}], None),
        (2.5, "https://example.com/b"),
    ]


def test_a_second_request_with_the_etag_is_answered_304_without_a_body(api: Api) -> None:
    first = ask(FLAGS, context())
    tag = first.headers["ETag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = ask(FLAGS, context(), If_None_Match=known)
        assert (again.status, again.body, again.headers["ETag"]) == (304, None, tag)
    assert ask(FLAGS, context(), If_None_Match='"other"').status == 200


def test_another_visitor_or_another_manifest_has_another_etag(api: Api) -> None:
    tags = {ask(FLAGS, context(visitor)).headers["ETag"] for visitor in (GREEN, BLUE)}
    api.publish(a_manifest(an_experiment()))
    app.service.catalog.refresh(app.now_ms())
    tags.add(ask(FLAGS, context()).headers["ETag"])
    assert len(tags) == 3


def test_no_cache_may_give_one_visitors_flags_to_another_and_a_page_may_read_the_etag(api: Api) -> None:
    headers = ask(FLAGS, context(), Origin="https://shop.example").headers
    assert headers["Cache-Control"] == "private, no-cache"
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert "ETag" in headers["Access-Control-Expose-Headers"].split(", ")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"no json", "PARSE_ERROR"),
        (b"", "PARSE_ERROR"),
        ([], "INVALID_CONTEXT"),
        ({}, "INVALID_CONTEXT"),
        ({"context": "v1"}, "INVALID_CONTEXT"),
        ({"context": {}}, "TARGETING_KEY_MISSING"),
        ({"context": {"targetingKey": ""}}, "TARGETING_KEY_MISSING"),
        ({"context": {"targetingKey": 7}}, "INVALID_CONTEXT"),
        ({"context": {"targetingKey": "x" * 129}}, "INVALID_CONTEXT"),
    ],
)
def test_a_request_that_cannot_be_evaluated_gets_the_protocols_error_code(api: Api, body: Any, code: str) -> None:
    bulk, single = ask(FLAGS, body), ask(f"{FLAGS}/cta-color", body)
    assert (bulk.status, bulk.body.keys(), bulk.body["errorCode"]) == (400, {"errorCode", "errorDetails"}, code)
    assert (single.status, single.body["key"], single.body["errorCode"]) == (400, "cta-color", code)


@pytest.mark.parametrize("key", ["draft", "unknown"])
def test_a_flag_that_is_not_published_is_404_by_the_protocols_code(api: Api, key: str) -> None:
    reply = ask(f"{FLAGS}/{key}", context())
    assert (reply.status, reply.body["key"], reply.body["errorCode"]) == (404, key, "FLAG_NOT_FOUND")


def test_evaluating_writes_nothing_and_counts_nothing(api: Api) -> None:
    ask(FLAGS, context())
    ask(f"{FLAGS}/cta-color", context())
    assert list(app.service.store.scan()) == []


def test_the_snippets_cookie_keeps_an_earlier_choice(api: Api) -> None:
    phases = (Phase(weights=(0.5, 0.5)), Phase(weights=(1.0, 0.0)))
    api.publish(a_manifest(an_experiment(phases=phases)))
    fresh = ask(f"{FLAGS}/cta-color", context()).body
    kept = ask(f"{FLAGS}/cta-color", context(abacus=f"{GREEN}~cta-color.green.0~")).body
    others = ask(f"{FLAGS}/cta-color", context(abacus=f"{BLUE}~cta-color.green.0~")).body
    assert [(body["variant"], body["metadata"]["phase"]) for body in (fresh, kept, others)] == [
        ("blue", 1),
        ("green", 0),
        ("blue", 1),
    ]


def test_an_experiment_on_some_pages_needs_the_url(api: Api) -> None:
    api.publish(a_manifest(an_experiment(urls=Urls.model_validate({"include": ({"pattern": "/shop/*"},)}))))
    urls: list[dict[str, Any]] = [
        {"url": "https://example.com/shop/tea"},
        {"url": "https://example.com/"},
        {},
        {"url": 1},
    ]
    reasons = [ask(f"{FLAGS}/cta-color", context(**attributes)).body["reason"] for attributes in urls]
    assert reasons == ["SPLIT", "DEFAULT", "DEFAULT", "DEFAULT"]

"""Whatever is sent, the API answers in its own words: no 5xx, no stack trace, always what its description says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from abacus.local.emulated_stacks import LocalAws
from chalicelib.api.openapi import document
from tests.api.served import served
from tests.api.test_app import Api

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]

schema = schemathesis.openapi.from_dict(document())


@pytest.fixture(scope="module")
def base_url(data: LocalAws) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        Api(data, monkeypatch)
        with served(monkeypatch) as url:
            yield url


@schema.parametrize()
@settings(max_examples=60, suppress_health_check=list(HealthCheck))
def test_no_request_whatever_breaks_the_api(case: schemathesis.Case, base_url: str) -> None:
    response = case.call(base_url=base_url, timeout=10)
    case.validate_response(response, checks=CHECKS)
    assert "Traceback" not in response.text


TEXT = st.text(max_size=12) | st.sampled_from(
    ["cta-color", "legacy", "green", "A", "signup", "Experiment Viewed", "u1"]
)
TIME = st.integers() | st.datetimes(timezones=st.timezones()).map(lambda t: t.isoformat()) | TEXT | st.floats()
ANYTHING = st.recursive(st.none() | st.booleans() | TIME, lambda inner: st.lists(inner, max_size=3), max_leaves=5)
FIELDS = ["id", "type", "goal", "experiment", "variant", "phase", "event_name", "device_id", "properties_json"]
EVENT = st.dictionaries(st.sampled_from(FIELDS), TEXT | ANYTHING) | ANYTHING
EVENTS = st.lists(st.builds(lambda e, at: {**e, "at": at} if isinstance(e, dict) else e, EVENT, TIME), max_size=4)
CONTEXT = st.sampled_from(["targetingKey", "abacus", "url", "country"])
BODIES = {
    "/events": st.fixed_dictionaries({"visitor": TEXT, "events": EVENTS}, optional={"bot": ANYTHING}),
    "/track": EVENTS,
    "/ofrep/v1/evaluate/flags": st.fixed_dictionaries({"context": ANYTHING | st.dictionaries(CONTEXT, ANYTHING)}),
    "/collect": st.fixed_dictionaries(
        {"action": st.sampled_from(["log_impression", "log_click", "get_stats"]), "experimentId": TEXT},
        optional={"userId": TEXT, "variant": TEXT, "from": TIME, "to": TIME},
    ),
}


@pytest.mark.parametrize("path", BODIES)
@settings(max_examples=80, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_body_whatever_breaks_a_door(path: str, base_url: str, data: st.DataObject) -> None:
    body = data.draw(st.binary(max_size=60) | BODIES[path].map(lambda said: json.dumps(said).encode()))
    request = Request(base_url + path, body, {"Content-Type": "application/json"}, method="POST")
    try:
        with urlopen(request, timeout=10) as answer:
            status, said = answer.status, json.load(answer)
    except HTTPError as error:
        with error:
            status, said = error.status, json.load(error)
    assert status < 500
    assert status < 400 or "errorCode" in said or said["error"].keys() >= {"code", "message"}

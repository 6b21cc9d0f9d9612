"""Whatever is sent, the API answers in its own words: no 5xx, no stack trace, always what its description says."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import schemathesis
from chalice.config import Config
from chalice.local import CustomLocalChalice, LocalDevServer
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

import app
from abacus.local_app import Handler
from abacus.local_aws import LocalAws
from chalicelib.openapi import document
from tests.test_app import Api

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]

schema = schemathesis.openapi.from_dict(document())


@pytest.fixture(scope="module")
def base_url(data: LocalAws) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        Api(data, monkeypatch)
        monkeypatch.setattr(app.app, "__class__", CustomLocalChalice)
        server = LocalDevServer(app.app, Config(), "127.0.0.1", 0, Handler).server
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()
        server.server_close()


@schema.parametrize()
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_request_whatever_breaks_the_api(case: schemathesis.Case, base_url: str) -> None:
    response = case.call(base_url=base_url, timeout=10)
    case.validate_response(response, checks=CHECKS)
    assert "Traceback" not in response.text

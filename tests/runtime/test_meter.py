"""What the log says: metrics that CloudWatch finds by itself, all in JSON, and nothing that belongs to a visitor."""

from __future__ import annotations

import json
import logging
import time
import traceback
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

import app
from abacus.local.emulated_stacks import LocalAws
from abacus.local.worker import schedule_event
from chalicelib.counting.reconcile import PART_BYTES
from chalicelib.runtime.json_logging import CallFailed, Json
from chalicelib.runtime.meter import Meter
from tests.api.test_app import Api
from tests.support.builders import NOON, a_visitor


def written(meter_calls: Any) -> list[dict[str, Any]]:
    lines: list[str] = []
    meter_calls(Meter("abacus-prod", lines.append))
    return [json.loads(line) for line in lines]


def test_a_request_is_one_line_with_its_latency_by_route_and_its_outcomes() -> None:
    def calls(meter: Meter) -> None:
        meter.request("GET /health", 200, ms=1, now_ms=NOON)
        meter.note({"accepted": 2})
        meter.note({"accepted": 1, "wrong-variant": 1, "repeated": 0})
        meter.request("POST /events", 202, ms=4.1234, now_ms=NOON)

    assert written(calls)[1] == {
        "_aws": {
            "Timestamp": NOON,
            "CloudWatchMetrics": [
                {
                    "Namespace": "abacus-prod",
                    "Dimensions": [["Route"]],
                    "Metrics": [{"Name": "Latency", "Unit": "Milliseconds"}],
                },
                {
                    "Namespace": "abacus-prod",
                    "Dimensions": [[]],
                    "Metrics": [{"Name": "accepted", "Unit": "Count"}, {"Name": "wrong-variant", "Unit": "Count"}],
                },
            ],
        },
        "Route": "POST /events",
        "Status": 202,
        "Latency": 4.1,
        "accepted": 3,
        "wrong-variant": 1,
    }


def test_the_first_request_of_a_process_and_every_failure_are_counted() -> None:
    def calls(meter: Meter) -> None:
        for status in (202, 503, 401):
            meter.request("POST /events", status, ms=1, now_ms=NOON)

    assert [{"ColdStart", "Failed"} & line.keys() for line in written(calls)] == [{"ColdStart"}, {"Failed"}, set()]


@pytest.fixture
def api(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> Api:
    return Api(aws, monkeypatch)


class Log:
    """The lines that the app wrote since the last look."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys
        self.text = ""

    def metrics(self) -> list[dict[str, Any]]:
        self.text = self.capsys.readouterr().out
        return [json.loads(line) for line in self.text.splitlines()]


@pytest.fixture
def log(capsys: pytest.CaptureFixture[str]) -> Log:
    return Log(capsys)


def names(line: dict[str, Any]) -> set[str]:
    return {metric["Name"] for directive in line["_aws"]["CloudWatchMetrics"] for metric in directive["Metrics"]}


def figures(line: dict[str, Any]) -> dict[str, Any]:
    return {name: line[name] for name in names(line) - {"Latency", "ColdStart"}}


@pytest.mark.ministack
def test_every_event_of_a_request_is_in_the_metrics_under_its_outcome(api: Api, log: Log) -> None:
    now = round(time.time() * 1000)
    good = {"id": "e1", "type": "impression", "experiment": "cta-color", "variant": "green", "at": now}
    answer = api.post(good, good, good | {"id": "e2", "variant": "pink"}, {"id": "e3"})
    said = {name: answer.body[name] for name in ("accepted", "repeated")}
    (line,) = log.metrics()
    assert said == {"accepted": 1, "repeated": 1}
    assert figures(line) == said | {"unknown-variant": 1, "malformed": 1}
    assert (line["Route"], line["Status"]) == ("POST /events", 202)


@pytest.mark.ministack
def test_nothing_of_a_visitor_is_in_the_log(api: Api, log: Log) -> None:
    now = round(time.time() * 1000)
    event = {"id": "an-event-id", "type": "impression", "experiment": "cta-color", "variant": "green", "at": now}
    api.post(event, event | {"id": "another-id", "variant": "mauve"}, visitor="a-visitor-id", User_Agent="Browser/1")
    api.send("GET", "/stats/no-such-experiment?goal=secret")
    assert [line["Status"] for line in log.metrics()] == [202, 404]
    for private in ("an-event-id", "another-id", "mauve", "a-visitor-id", "Browser/1", "no-such-experiment", "secret"):
        assert private not in log.text


@pytest.mark.ministack
def test_a_crash_is_a_failure_and_leaves_a_line_of_json_without_its_message(
    api: Api, log: Log, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def crash(*_: Any, **__: Any) -> None:
        raise RuntimeError("visitor a-visitor-id did it")

    monkeypatch.setattr(app.request, "sum_responses", crash)
    monkeypatch.setattr(app.app.log, "propagate", True)
    assert api.send("POST", "/track?client_key=abacus", [], Content_Type="application/json").status == 500
    assert figures(next(line for line in log.metrics() if "_aws" in line)) == {"Failed": 1}
    crashed = json.loads(Json().format(caplog.records[-1]))
    assert (crashed["level"], crashed["error"], crashed["message"]) == (
        "ERROR",
        "RuntimeError",
        "Caught exception for path /track",
    )
    assert crashed["through"][-1].endswith(" crash")
    assert "a-visitor-id" not in json.dumps(crashed)


@pytest.mark.ministack
def test_what_ends_a_call_of_the_fold_is_told_without_its_message_to_lambda_too(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def crash(*_: Any) -> None:
        raise RuntimeError("visitor a-visitor-id did it")

    monkeypatch.setattr(app, "row_in_stream", crash)
    monkeypatch.setattr(app.app.log, "propagate", True)
    with pytest.raises(CallFailed, match=r"^fold: RuntimeError$") as ended:
        app.fold({"Records": [{}]}, None)
    assert "a-visitor-id" not in "".join(traceback.format_exception(ended.value))
    said = json.loads(Json().format(caplog.records[-1]))
    assert (said["message"], said["error"], said["through"][-1].endswith(" crash")) == (
        "fold failed",
        "RuntimeError",
        True,
    )
    assert "a-visitor-id" not in json.dumps(said)


def test_of_an_aws_error_the_log_keeps_the_code() -> None:
    try:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "visitor x"}}, "UpdateItem")
    except ClientError as error:
        record = logging.LogRecord("abacus", logging.ERROR, __file__, 1, "it failed", (), (ClientError, error, None))
    line = json.loads(Json().format(record))
    assert (line["error"], line["code"]) == ("ClientError", "AccessDenied")
    assert "visitor x" not in json.dumps(line)


@pytest.mark.ministack
def test_folding_and_reconciling_say_what_they_did_and_a_broken_row_is_a_metric(api: Api, log: Log) -> None:
    now = round(time.time() * 1000)
    api.post({"id": "e1", "type": "impression", "experiment": "cta-color", "variant": "green", "at": now})
    api.fold()
    # A row that holds more events than it ever received.
    row = {"visitor": {"S": "v"}, "experiment": {"S": "cta-color"}, "received": {"N": "0"}}
    elements = {"counted": {"SS": ["i|green|0|1|x"]}, "gen": {"N": "0"}, "version": {"S": "v"}, "folded": {"N": "0"}}
    api.aws.dynamodb.put_item(TableName=api.aws.names["ParticipantsName"], Item=row | elements)  # type: ignore[arg-type]
    app.reconcile(schedule_event(time.time()), None)
    fold, reconcile = log.metrics()[1:]
    assert figures(fold) == {"Folded": 1, "Stale": 0}
    assert figures(reconcile) == {"Late": 0, "BrokenRows": 1}


@pytest.mark.ministack
def test_on_a_developers_machine_there_are_no_such_lines(api: Api, log: Log) -> None:
    api.configure(stage="local")
    assert api.send("GET", "/health").status == 200
    assert log.metrics() == []


@pytest.mark.ministack
def test_reconcile_reads_a_large_table_in_parts_and_resumes_where_its_time_ended(
    api: Api, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(app.service.store), "bytes_about", lambda store: 3 * PART_BYTES)
    now = round(time.time() * 1000)
    for n in range(20):
        event = {"id": "e1", "type": "impression", "experiment": "cta-color", "variant": "green", "at": now}
        api.post(event, visitor=a_visitor("green", nth=n))
    out_of_time = SimpleNamespace(get_remaining_time_in_millis=lambda: 1000)
    for _ in range(3):
        app.reconcile(schedule_event(time.time()), out_of_time)
    runs = [line for line in log.metrics() if line.get("Function") == "reconcile"]
    assert [(run["parts"], run["parts_read"]) for run in runs] == [(3, 1)] * 3
    assert (sum(run["rows"] for run in runs), sum(run["Late"] for run in runs)) == (20, 20)  # each part once
    app.reconcile(schedule_event(time.time()), None)  # with time enough: all of it
    (whole,) = log.metrics()
    assert (whole["parts_read"], whole["rows"]) == (3, 20)

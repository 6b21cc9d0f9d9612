"""infra/watch.yaml: looks at the metrics that the app really sends, and says what to do in docs/operating.md."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

import app
from abacus.aws import cloudformation
from abacus.aws.templates import _Loader, read
from abacus.local.emulated_stacks import LocalAws
from abacus.paths import INFRA, PROJECT
from chalicelib.ingestion.validation import Outcome
from chalicelib.runtime.meter import Meter
from tests.support.builders import NOON

RESOURCES = read(INFRA / "watch.yaml").resources
NAMES = {name: name.lower() for name, said in read(INFRA / "watch.yaml").parameters.items() if "Default" not in said}


def dashboard() -> list[list[Any]]:
    """Every metric on it: namespace, name, dimensions, how it is drawn."""
    body = json.loads(RESOURCES["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"])
    return [metric for widget in body["widgets"] for metric in widget["properties"].get("metrics", [])]


def alarms() -> dict[str, dict[str, Any]]:
    return {name: r["Properties"] for name, r in RESOURCES.items() if r["Type"] == "AWS::CloudWatch::Alarm"}


def sent() -> set[str]:
    """The names of our own metrics, as the app sends them."""
    lines: list[str] = []
    meter = Meter("abacus-prod", lines.append)
    meter.note({outcome.value: 1 for outcome in Outcome})
    meter.request("POST /events", 503, ms=1, now_ms=NOON)
    # As app.py does after folding and reconciling; test_metrics.py holds it to these.
    meter.batch("fold", {"Folded": 1, "Stale": 0}, now_ms=NOON)
    meter.batch("reconcile", {"Late": 0, "BrokenRows": 0}, now_ms=NOON)
    directives = [d for line in lines for d in json.loads(line)["_aws"]["CloudWatchMetrics"]]
    return {metric["Name"] for directive in directives for metric in directive["Metrics"]}


def test_the_dashboard_shows_every_outcome_and_no_metric_of_ours_that_is_never_sent() -> None:
    ours = {metric[1] for metric in dashboard() if metric[0] == "${Name}"}
    assert ours <= sent()
    assert {outcome.value for outcome in Outcome} <= ours


def test_the_dashboard_shows_the_latency_of_every_route_that_does_something() -> None:
    shown = {metric[3] for metric in dashboard() if metric[1:3] == ["Latency", "Route"]}
    routes = {f"{method} {path}" for path, methods in app.app.routes.items() for method in methods}
    assert shown == routes - {"GET /health", "GET /openapi.json"}


def test_the_audits_alarm_listens_to_a_metric_that_reconcile_sends() -> None:
    audit = alarms()["AuditFailed"]
    assert (audit["Namespace"], audit["MetricName"]) == ({"Ref": "Name"}, "BrokenRows")
    assert audit["MetricName"] in sent()


def test_every_alarm_is_explained_in_the_handbook_by_its_name() -> None:
    page = (PROJECT / "docs" / "operating.md").read_text()
    section = page.partition("## When an alarm rings")[2].partition("\n## ")[0]
    names = {alarm["AlarmName"]["Fn::Sub"].removeprefix("${Name}-") for alarm in alarms().values()}
    assert set(re.findall(r"^\| `([a-z0-9-]+)` \|", section, re.M)) == names


@pytest.mark.ministack
@pytest.mark.parametrize("kind", ["http", "rest"])
def test_alarms_topic_and_dashboard_can_be_made(data: LocalAws, kind: str) -> None:
    # The emulator knows no composite alarm; cfn-lint is its validate_event.
    template = read(INFRA / "watch.yaml")
    known = {name: r for name, r in template.resources.items() if r["Type"] != "AWS::CloudWatch::CompositeAlarm"}
    conditions = yaml.load(template.text, _Loader)["Conditions"]
    text = json.dumps({"Parameters": template.parameters, "Conditions": conditions, "Resources": known})
    parameters = NAMES | {"Name": f"watch-{kind}", "Email": "a@b.c", "ApiKind": kind}
    cloudformation.apply(data.cloudformation, f"watch-{kind}", text, parameters, watch=cloudformation.Watch(poll=0))
    cloudwatch: Any = data.client("cloudwatch")
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=[f"watch-{kind}-api-5xx"])["MetricAlarms"]
    names = {"http": ("5xx", "ApiId"), "rest": ("5XXError", "ApiName")}
    assert (alarm["MetricName"], alarm["Dimensions"][0]["Name"]) == names[kind]
    assert cloudformation.remove(data.cloudformation, f"watch-{kind}", watch=cloudformation.Watch(poll=0))

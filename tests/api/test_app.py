"""The API as its clients see it: Chalice's own routing, the emulator's tables, bucket and queue."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import boto3
import pytest
from chalice.test import Client

import app
from abacus.local.emulated_stacks import REGION, LocalAws
from abacus.paths import PROJECT
from chalicelib.api.read_links import EVERYTHING, sign_link
from chalicelib.domain.manifest import GoalValue, Manifest, Segment
from chalicelib.ingestion.sender import sign
from chalicelib.runtime.service import Service
from chalicelib.runtime.settings import Settings
from chalicelib.storage.manifest_cache import LIVE
from chalicelib.storage.retry import client_config
from tests.support import faults
from tests.support.builders import a_manifest, a_visitor, an_experiment

GREEN, BLUE = a_visitor("green"), a_visitor("blue")
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"
MANIFEST = a_manifest(an_experiment(goals=("signup",)), an_experiment("legacy", ("A", "B"), assignment="client"))


class Answer(NamedTuple):
    status: int
    body: Any
    headers: dict[str, str]


class Api:
    """The service on the emulator, and a client that speaks HTTP to it."""

    def __init__(self, aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
        self.aws = aws
        self.monkeypatch = monkeypatch
        self.clients = {name: self.client(name) for name in ("dynamodb", "s3", "sqs", "ssm")}
        self.configure()
        self.publish(MANIFEST)

    def client(self, name: str) -> Any:
        """As the service makes its own: with its time limits, and without botocore's retries."""
        keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local", "region_name": REGION}
        return boto3.client(name, endpoint_url=self.aws.endpoint, config=client_config(), **keys)  # type: ignore[call-overload]

    def configure(self, **settings: Any) -> None:
        names = self.aws.names
        known = Settings(
            participants=names["ParticipantsName"],
            tallies=names["TalliesName"],
            bucket=names["BucketName"],
            spill_queue_url=names["SpillQueueUrl"],
            **settings,
        )
        self.monkeypatch.setattr(app, "service", Service(known, self.clients.__getitem__))

    def publish(self, manifest: Manifest) -> None:
        self.aws.s3.put_object(Bucket=self.aws.names["BucketName"], Key=LIVE, Body=manifest.model_dump_json().encode())

    def send(self, method: str, path: str, body: Any = b"", **headers: str) -> Answer:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with Client(app.app) as client:
            response = client.http.request(method, path, headers={"User-Agent": CHROME} | named, body=raw)
        return Answer(response.status_code, json.loads(response.body), dict(response.headers))

    def post(self, *events: dict[str, Any], visitor: str = GREEN, **headers: str) -> Answer:
        return self.send(
            "POST", "/events", {"visitor": visitor, "events": events}, **{"Content_Type": "application/json"} | headers
        )

    def fold(self) -> None:
        rows = [row for row in app.service.store.scan() if row.needs_fold]
        keys = [{"visitor": {"S": row.key.visitor}, "experiment": {"S": row.key.experiment}} for row in rows]
        with Client(app.app) as client:
            client.lambda_.invoke("fold", {"Records": [{"dynamodb": {"Keys": key}} for key in keys]})

    def stats(self, path: str = "/stats/cta-color?series=none", **headers: str) -> Any:
        self.fold()
        return self.send("GET", path, **headers).body

    def variant(self, name: str = "green") -> dict[str, Any]:
        (found,) = [v for v in self.stats()["variants"] if v["variant"] == name]
        return found  # type: ignore[no-any-return]


@pytest.fixture
def api(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> Api:
    return Api(aws, monkeypatch)


def event(**fields: Any) -> dict[str, Any]:
    defaults = {"id": "e1", "type": "impression", "experiment": "cta-color", "variant": "green", "at": app.now_ms()}
    return defaults | fields


def test_an_impression_and_a_click_sent_twice_are_counted_once(api: Api) -> None:
    sent = (event(), event(id="e2", type="click"))
    assert api.post(*sent)[:2] == (202, {"accepted": 2, "repeated": 0, "queued": 0, "refused": []})
    assert api.post(*sent)[:2] == (202, {"accepted": 0, "repeated": 2, "queued": 0, "refused": []})
    green = api.variant()
    assert (green["impressions"], green["clicks"], green["visitors"], green["converted"]) == (1, 1, 1, 1)


def test_a_refusal_is_told_and_counted_roughly(api: Api) -> None:
    said = api.post(event(variant="blue"), event(id="e2"))
    assert [(r["index"], r["outcome"]) for r in said.body["refused"]] == [(0, "wrong-variant")]
    assert api.stats()["health"]["conservation"]["refused"] == {"wrong-variant": 1}


VIEWED = {"experimentId": "cta-color", "variationId": "blue", "hashValue": GREEN}
LEGACY = {"action": "log_click", "experimentId": "cta-color", "userId": GREEN, "variant": "blue"}


@pytest.mark.parametrize(
    ("path", "body"),
    [("/track", [{"event_name": "Experiment Viewed", "properties_json": VIEWED}]), ("/collect", LEGACY)],
)
def test_a_site_that_uses_one_protocol_alone_finds_its_refusals_counted(api: Api, path: str, body: Any) -> None:
    api.send("POST", path, body, Content_Type="text/plain")
    api.configure()  # another process reads
    assert api.stats()["health"]["conservation"]["refused"] == {"wrong-variant": 1}


def test_the_latest_refusals_are_told_with_reason_and_host_and_without_ids(api: Api) -> None:
    api.post(event(variant="blue"), Origin="https://shop.example.com")
    later = app.now_ms() + 5000
    api.monkeypatch.setattr(app, "now_ms", lambda: later)
    api.post(event(id="no id"), event(experiment="hreo"), Origin="https://<b>")
    *_, known = api.stats("/stats/cta-color")["latest_refusals"]
    reason = "cta-color: this visitor belongs to green in phase 0, not blue."
    assert known | {"at": ""} == {"outcome": "wrong-variant", "at": "", "reason": reason, "host": "shop.example.com"}
    unknown = api.stats("/stats?series=day")["latest_refusals"]
    assert {(refusal["outcome"], refusal["host"]) for refusal in unknown} == {
        ("unknown-experiment", ""),
        ("malformed", ""),
    }
    assert api.stats("/stats/cta-color")["latest_refusals"] == [*unknown, known]
    assert GREEN not in json.dumps([known, unknown])
    assert "no id" not in json.dumps(unknown)
    assert api.stats("/stats")["latest_refusals"] == []


def test_numbers_by_segment_come_from_the_requests_own_headers(api: Api) -> None:
    swiss = Segment(name="country", values=("CH",))
    api.publish(a_manifest(an_experiment(segments=(Segment(name="device", values=("mobile", "desktop")), swiss))))
    app.service.catalog.refresh(app.now_ms())
    api.post(event(), CloudFront_Viewer_Country="CH")
    by_device, by_country = (api.stats(f"/stats/cta-color?by={name}") for name in ("device", "country"))
    assert [row["value"] for row in by_device["traffic"]] == ["desktop"]
    assert [row["value"] for row in by_country["traffic"]] == ["CH"]
    wrong = api.send("GET", "/stats/cta-color?by=plan")
    assert (wrong.status, wrong.body["error"]["field"]) == (400, "by")
    both = api.send("GET", "/stats/cta-color?by=device&goal=click")
    assert (both.status, both.body["error"]["field"]) == (400, "goal")


def test_growthbooks_plugin_brings_values_and_segments(api: Api) -> None:
    segments = (Segment(name="device", values=("desktop",)), Segment(name="plan", values=("pro",), attribute=True))
    values = {"buy": GoalValue(unit="EUR", decimals=2, cap=50_000)}
    api.publish(a_manifest(an_experiment(goals=("buy",), goal_values=values, segments=segments, primary="buy.value")))
    viewed = {"properties_json": VIEWED | {"variationId": "green"}, "context_json": {"plan": "pro"}}
    bought = [{"event_name": "Buy", "device_id": GREEN, "properties_json": {"value": n}} for n in (49.9, -9.9, "x")]
    entries = [{"event_name": "Experiment Viewed", **viewed}, *bought]
    said = api.send("POST", "/track", entries, Content_Type="text/plain").body
    assert (said["accepted"], [refusal["outcome"] for refusal in said["refused"]]) == (3, ["malformed"])
    (mean,) = [m for m in api.stats()["means"] if m["metric"] == "buy.value"]
    assert [v["mean"] for v in mean["variants"]] == [None, 40]
    for name, value in (("device", "desktop"), ("plan", "pro")):
        traffic = api.stats(f"/stats/cta-color?by={name}")["traffic"]
        assert [(row["value"], row["visitors"]) for row in traffic] == [(value, 1)]


def test_a_user_agent_made_to_be_slow_is_cut_before_it_is_read(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    api.publish(a_manifest(an_experiment(segments=(Segment(name="browser", values=("chrome",)),))))
    read: list[str] = []
    for module, name in (("chalicelib.ingestion.visitor_segments", "browser"), ("app", "is_bot")):
        monkeypatch.setattr(f"{module}.{name}", read.append)
    assert api.post(event(), User_Agent="Version/ " * 1_000).status == 202
    assert {len(agent) for agent in read} == {512}


def test_a_beacon_may_say_text_plain(api: Api) -> None:
    for content_type in ("text/plain", "text/plain;charset=UTF-8", "application/json; charset=utf-8"):
        assert api.post(event(), Content_Type=content_type).status == 202
    assert api.post(event(), Content_Type="application/xml").status == 415


def test_before_the_first_publish_every_event_is_refused_by_name(api: Api) -> None:
    """S3 answers NoSuchKey to a function that may list the bucket; else AccessDenied, which is a 503 here."""
    api.aws.s3.delete_object(Bucket=api.aws.names["BucketName"], Key=LIVE)
    api.configure()  # a function that has read no manifest yet
    answer = api.post(event())
    assert (answer.status, [refusal["outcome"] for refusal in answer.body["refused"]]) == (202, ["unknown-experiment"])
    for stage in ("dev", "prod"):
        policy = json.loads((PROJECT / f".chalice/policies/{stage}/api_handler.json").read_text())
        (listing,) = [s for s in policy["Statement"] if s["Action"] == "s3:ListBucket"]
        # No condition: that of s3:prefix holds for no GetObject, whose request has no prefix.
        assert listing == {
            "Sid": "TellMissingFromForbidden",
            "Effect": "Allow",
            "Action": "s3:ListBucket",
            "Resource": f"arn:*:s3:::abacus-{stage}-*",
        }


def test_a_publish_seconds_ago_is_known_before_anything_is_refused(api: Api) -> None:
    api.post(event())
    api.publish(a_manifest(*MANIFEST.experiments, an_experiment("brand-new", seed="cta-color")))
    assert api.post(event(experiment="brand-new")).body["accepted"] == 1


def test_a_crawler_is_accepted_and_left_out(api: Api) -> None:
    api.post(event())
    assert api.post(event(id="e2"), User_Agent="Googlebot/2.1").body["accepted"] == 1
    assert api.variant()["visitors"] == 0
    assert api.stats()["excluded"]["bot"] == 1


def test_an_http_library_is_no_bot(api: Api) -> None:
    api.post(event(), User_Agent="curl/8.5.0")
    assert api.variant()["visitors"] == 1


def test_a_goal_has_numbers_of_its_own(api: Api) -> None:
    api.post(event(), event(id="g1", type="goal", goal="signup"))
    api.fold()
    found = api.stats("/stats/cta-color?goal=signup&series=none")
    assert [v["converted"] for v in found["variants"]] == [0, 1]
    wrong = api.send("GET", "/stats/cta-color?goal=sale")
    assert (wrong.status, wrong.body["error"]["field"]) == (400, "goal")


def test_the_list_has_every_experiment_but_drafts(api: Api) -> None:
    api.publish(a_manifest(an_experiment(), an_experiment("secret", status="draft")))
    assert [e["experiment"] for e in api.stats("/stats")["experiments"]] == ["cta-color"]
    assert api.send("GET", "/stats/secret").status == 404


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/stats/hreo", 404, "not-found"),
        ("GET", "/events", 405, "method-not-allowed"),
        ("GET", "/stats/cta-color?series=week", 400, "malformed"),
        ("GET", "/stats/cta-color?from=yesterday", 400, "malformed"),
        ("GET", "/stats/cta-color?from=2026-11-02&to=2026-11-01", 400, "malformed"),
        ("GET", "/stats/cta-color?since=1", 400, "malformed"),
        ("POST", "/events", 400, "malformed"),
        ("POST", "/collect", 400, "malformed"),
    ],
)
def test_every_error_has_one_shape(api: Api, method: str, path: str, status: int, code: str) -> None:
    said = api.send(method, path, Content_Type="application/json")
    assert (said.status, said.body["error"]["code"]) == (status, code)
    assert said.body["error"]["message"]
    assert said.headers["Content-Type"] == "application/json"


def test_too_large_a_body_is_413(api: Api) -> None:
    assert api.send("POST", "/events", b" " * 65_537, Content_Type="text/plain").status == 413


def test_a_bug_of_ours_is_a_500_without_a_trace(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.reporting.queries.overview", lambda *_, **__: 1 / 0)
    said = api.send("GET", "/stats")
    assert (said.status, said.body) == (
        500,
        {"error": {"code": "internal", "message": "Something went wrong on our side. Send the same again."}},
    )


def test_the_answer_renews_the_cookie_that_came_and_sets_none_unasked(api: Api) -> None:
    choice = f"abacus={GREEN}~cta-color.green.0~"
    assert api.post(event(), Cookie=f"a=b; {choice}; c=d").headers["Set-Cookie"] == (
        f"{choice}; Max-Age=31536000; Path=/; Secure; SameSite=Lax"
    )
    for cookie in ("", "a=b", f"abacus={BLUE}~", f"abacus={GREEN}~\r\nX: y", f"xabacus={GREEN}"):
        assert "Set-Cookie" not in api.post(event(), Cookie=cookie).headers
    api.configure(cookie_domain="example.com")
    assert api.post(event(), Cookie=choice).headers["Set-Cookie"].endswith("; Domain=example.com")


def test_a_page_of_another_origin_may_read_every_answer_to_what_it_posts(api: Api) -> None:
    for path in ("/events", "/track", "/collect"):
        said = api.send("POST", path, b"", Content_Type="text/plain")
        assert (said.status, said.headers["Access-Control-Allow-Origin"]) == (400, "*")
    assert "Access-Control-Allow-Origin" not in api.send("GET", "/stats").headers


def test_where_the_cookie_is_the_whole_sites_its_pages_are_named_in_the_answer(api: Api) -> None:
    api.configure(cookie_domain="example.com")
    allowed = {}
    origins = ("https://example.com", "https://www.example.com:8443", "https://badexample.com", "null", "https://[", "")
    for origin in origins:
        said = api.post(event(), Origin=origin).headers
        allowed[origin] = (said["Access-Control-Allow-Origin"], said.get("Access-Control-Allow-Credentials"))
        assert (said["Vary"], said["Access-Control-Expose-Headers"]) == ("Origin", "Date, ETag, Retry-After")
    assert allowed == {origin: (origin, "true") for origin in origins[:2]} | dict.fromkeys(origins[2:], ("*", None))


def test_growthbooks_plugin_counts_a_visitor_once_however_often_it_says_so(api: Api) -> None:
    viewed = {"experimentId": "cta-color", "variationId": "green", "hashAttribute": "id", "hashValue": GREEN}
    exposure = {"event_name": "Experiment Viewed", "properties_json": viewed, "device_id": GREEN, "url": "https://x"}
    body = [exposure, {"event_name": "Feature Evaluated", "properties_json": {}}, {"event_name": "signup"} | exposure]
    first = api.send("POST", "/track?client_key=abacus", body, Content_Type="text/plain")
    again = api.send("POST", "/track?client_key=abacus", body[:1], Content_Type="text/plain")
    assert (first.status, first.body["accepted"] + first.body["repeated"], again.body["repeated"]) == (202, 2, 1)
    assert api.variant()["visitors"] == 1
    assert api.send("POST", "/track", {}, Content_Type="text/plain").status == 400


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_a_time_beyond_the_calendar_is_one_bad_event_and_no_more(api: Api, at: str) -> None:
    said = api.post(event(at=at), event(id="e2"))
    assert (said.status, said.body["accepted"], said.body["refused"][0]["outcome"]) == (202, 1, "malformed")


@pytest.mark.parametrize("day", ["0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-14:00"])
def test_a_day_beyond_the_calendar_is_told(api: Api, day: str) -> None:
    assert api.send("GET", f"/stats/cta-color?from={day}").status == 400


@pytest.mark.parametrize("window", [{"from": "2099-01-01"}, {"from": "0001-01-01T00:00:00+14:00"}])
def test_a_window_that_cannot_be_is_told(api: Api, window: dict[str, str]) -> None:
    asked = {"action": "get_stats", "experimentId": "legacy"} | window
    assert api.send("POST", "/collect", asked, Content_Type="application/json").status == 400


def test_a_window_may_begin_with_the_calendar(api: Api) -> None:
    asked = {"action": "get_stats", "experimentId": "legacy", "to": "0001-01-05"}
    assert api.send("POST", "/collect", asked, Content_Type="application/json").status == 200


def test_a_phase_that_the_manifest_does_not_have_makes_no_tallies(api: Api) -> None:
    said = api.post(event(experiment="legacy", variant="A", phase=7))
    assert [r["outcome"] for r in said.body["refused"]] == ["wrong-variant"]


def test_a_body_of_more_events_than_a_page_makes_is_refused_by_the_plugins_door(api: Api) -> None:
    flood = [{"event_name": "signup", "device_id": GREEN}] * 101
    assert api.send("POST", "/track", flood, Content_Type="text/plain").status == 413


def test_while_the_tallies_are_busy_the_numbers_are_to_be_asked_for_later(api: Api) -> None:
    stop = faults.inject(api.clients["dynamodb"], "Query", lambda: faults.THROTTLED)
    said = api.send("GET", "/stats/cta-color")
    stop()
    assert (said.status, said.body["error"]["code"], said.headers["Retry-After"]) == (503, "busy", "2")


def test_a_refusal_that_cannot_be_booked_costs_the_visitor_nothing(api: Api) -> None:
    def tallies_only() -> object:
        return faults.error("ResourceNotFoundException")

    stop = faults.inject(api.clients["dynamodb"], "UpdateItem", tallies_only)  # type: ignore[arg-type]
    said = api.post(event(variant="blue"))
    stop()
    assert (said.status, said.body["refused"][0]["outcome"]) == (202, "wrong-variant")


# ---------------------------------------------------------------- who may


def test_stats_ask_for_the_read_key_where_one_is_set(api: Api) -> None:
    api.configure(read_key="open sesame")
    assert api.send("GET", "/stats").status == 401
    assert api.send("GET", "/stats/cta-color", X_Read_Key="guess").status == 401
    assert api.send("GET", "/stats", X_Read_Key="open sesame").status == 200
    asked = {"action": "get_stats", "experimentId": "legacy"}
    assert api.send("POST", "/collect", asked, Content_Type="application/json").status == 401
    assert api.send("POST", "/collect", asked, Content_Type="text/plain", X_Read_Key="open sesame").status == 200


def test_a_link_opens_its_experiment_and_neither_the_list_nor_the_old_protocol(api: Api) -> None:
    api.configure(read_key="open sesame", stage="prod")
    expires = app.now_ms() // 1000 + 60
    one, every = (sign_link("open sesame", "prod", scope, expires) for scope in ("cta-color", EVERYTHING))
    assert api.send("GET", "/stats/cta-color", X_Read_Key=one).status == 200
    assert api.send("GET", "/stats/legacy", X_Read_Key=one).status == 401
    assert api.send("GET", "/stats", X_Read_Key=one).body["error"]["message"].endswith("opens cta-color alone.")
    assert api.send("GET", "/stats", X_Read_Key=every).status == 200
    asked = {"action": "get_stats", "experimentId": "cta-color"}
    assert api.send("POST", "/collect", asked, Content_Type="application/json", X_Read_Key=one).status == 401
    api.configure(read_key="open sesame", stage="staging")
    assert api.send("GET", "/stats/cta-color", X_Read_Key=one).status == 401
    api.configure(read_key="another", stage="prod")
    assert api.send("GET", "/stats/cta-color", X_Read_Key=one).status == 401


def test_nothing_answers_without_the_cdns_secret_where_one_is_set(api: Api) -> None:
    api.configure(origin_secrets=("new", "old"))
    answers = [api.send("GET", "/health", X_Origin_Secret=said).status for said in ("new", "old", "older", "")]
    assert answers == [200, 200, 401, 401]


def test_a_signed_sender_may_send_older_events_and_a_wrong_signature_is_refused(api: Api) -> None:
    api.configure(sender_keys={"shop": "open sesame"})
    old = event(at=app.now_ms() - 30 * 86_400_000)
    body = json.dumps({"visitor": GREEN, "events": [old]}).encode()
    timestamp = app.now_ms() // 1000
    signed = {
        "X_Client_Id": "shop",
        "X_Timestamp": str(timestamp),
        "X_Signature": sign("open sesame", timestamp, body),
        "Content_Type": "application/json",
    }
    assert api.send("POST", "/events", body, **signed).body["accepted"] == 1
    assert api.send("POST", "/events", body + b" ", **signed).status == 401
    assert api.post(old).body["refused"][0]["outcome"] == "too-old"


def test_the_secrets_of_senders_may_be_kept_in_a_parameter(api: Api) -> None:
    api.clients["ssm"].put_parameter(
        Name="/abacus/senders", Type="SecureString", Value='{"shop": "open sesame"}', Overwrite=True
    )
    api.configure(sender_keys_parameter="/abacus/senders")
    body = json.dumps({"visitor": GREEN, "events": [event()]}).encode()
    now = app.now_ms() // 1000
    signed = {"X_Client_Id": "shop", "X_Timestamp": str(now), "X_Signature": sign("open sesame", now, body)}
    assert api.send("POST", "/events", body, Content_Type="application/json", **signed).body["accepted"] == 1
    signed["X_Signature"] = sign("guess", now, body)
    assert api.send("POST", "/events", body, Content_Type="application/json", **signed).status == 401


# ---------------------------------------------------------------- the table says no


def test_events_wait_in_the_queue_while_the_table_is_busy_and_are_counted_after(api: Api) -> None:
    stop = faults.inject(api.clients["dynamodb"], "UpdateItem", lambda: faults.THROTTLED)
    said = api.post(event(), event(id="e2", type="click"))
    stop()
    assert said[:2] == (202, {"accepted": 0, "repeated": 0, "queued": 2, "refused": []})
    queue = api.aws.names["SpillQueueUrl"]
    (message,) = api.aws.sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5)["Messages"]
    record = {"messageId": "m1", "body": message["Body"], "receiptHandle": "r"}
    late = record | {"body": json.dumps(json.loads(message["Body"]) | {"received": 0})}  # it waited longer than a row
    poison = {"messageId": "m2", "body": "not ours", "receiptHandle": "r"}
    with Client(app.app) as client:
        done = client.lambda_.invoke("write_spilled", {"Records": [record, poison, record, late]}).payload
    assert done == {"batchItemFailures": [{"itemIdentifier": "m2"}]}
    green = api.variant()
    assert (green["impressions"], green["clicks"]) == (1, 1)
    api.configure()  # another process reads
    assert api.stats()["health"]["conservation"]["refused"] == {"too-old": 2}


def test_the_schedule_folds_what_the_stream_forgot(api: Api) -> None:
    api.post(event())
    with Client(app.app) as client:
        found = client.lambda_.invoke(
            "reconcile",
            {
                "version": "0",
                "id": "",
                "detail-type": "",
                "source": "",
                "account": "",
                "time": "",
                "region": "",
                "resources": [],
                "detail": {},
            },
        ).payload
    assert (found["folded"], found["rows"], found["pending"]) == (1, 1, 1)
    assert api.variant()["visitors"] == 1


@pytest.mark.parametrize("name", ["from", "to"])
@pytest.mark.parametrize(
    "day",
    ["0001-01-01", "9999-12-31", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00", "1970-01-01", "9" * 5000],
)
def test_no_date_makes_the_report_fail(api: Api, name: str, day: str) -> None:
    for series in ("none", "day", "hour"):
        answer = api.send("GET", f"/stats/cta-color?{urlencode({name: day, 'series': series})}")
        assert answer.status in (200, 400), answer.body


def test_the_last_day_of_the_calendar_is_the_end_of_everything(api: Api) -> None:
    api.post(event())
    answer = api.send("GET", "/stats/cta-color?to=9999-12-31&series=none")
    assert (answer.status, answer.body["window"]["to"]) == (200, "4999-12-31")


def test_a_compressed_body_is_refused_by_name(api: Api) -> None:
    answer = api.send("POST", "/events", b"{}", Content_Type="application/json", Content_Encoding="gzip")
    assert (answer.status, answer.body["error"]["field"]) == (415, "Content-Encoding")


def test_a_network_with_too_many_new_visitors_is_told_to_wait(api: Api) -> None:
    api.configure(visitors_per_minute=1, limit_loopback=True)
    bodies = [{"visitor": f"v{n}", "events": []} for n in range(3)]
    answers = [
        api.send("POST", "/events", body, Content_Type="application/json", X_Forwarded_For="192.0.2.7")
        for body in bodies
    ]
    assert [a.status for a in answers] == [202, 202, 429]
    assert answers[2].headers["Retry-After"] == "60"


# ---------------------------------------------------------------- the original protocol


def test_the_front_end_that_abacus_grew_from_works_unchanged(api: Api) -> None:
    def call(**body: Any) -> Answer:
        return api.send("POST", "/collect", {"experimentId": "legacy"} | body, Content_Type="application/json")

    logged = call(action="log_impression", userId="u1", variant="A")
    assert (logged.status, logged.body["message"]) == (200, "Event logged")
    call(action="log_click", userId="u1", variant="A")
    call(action="log_impression", user_id="u1", variant="B")
    api.fold()
    found = call(action="get_stats").body
    assert found["totals"] == {"impressions": 2, "clicks": 1, "ctr": 0.5, "uniqueUsers": 2}
    assert found["variants"] == {
        "A": {"impressions": 1, "clicks": 1, "ctr": 1.0, "uniqueUsers": 1},
        "B": {"impressions": 1, "clicks": 0, "ctr": 0, "uniqueUsers": 1},
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT00:00:00\.000Z", found["window"]["from"])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"action": "drop_table"}, "action: 'drop_table' is not one of log_impression, log_click, get_stats"),
        ({"action": "log_impression", "experimentId": "legacy", "variant": "A"}, "userId: is missing"),
        ({"action": "get_stats"}, "experimentId: is missing"),
        (
            {"action": "get_stats", "experimentId": "legacy", "from": "then"},
            "from: 'then' is not a date such as 2026-11-21",
        ),
        (
            {"action": "log_click", "experimentId": "legacy", "userId": "u1", "variant": "C"},
            "unknown-variant: legacy has no variant 'C'; it has A, B.",
        ),
    ],
)
def test_a_bad_call_to_collect_is_told_what_is_wrong(api: Api, body: dict[str, Any], message: str) -> None:
    said = api.send("POST", "/collect", body, Content_Type="application/json")
    assert (said.status, said.body["error"]["message"]) == (400, message)


# ---------------------------------------------------------------- the description matches


def test_the_openapi_document_has_exactly_the_routes_there_are(api: Api) -> None:
    paths = api.send("GET", "/openapi.json").body["paths"]
    described = {(path, method.upper()) for path, item in paths.items() for method in item}
    assert described == {(path, method) for path, methods in app.app.routes.items() for method in methods}


def test_no_route_is_longer_than_it_may_be() -> None:
    source = Path(app.__file__).read_text()
    views = re.findall(r"@app\.route.*?\n(?=\n\n|\Z)", source, re.S)
    assert len(views) == len(app.app.routes)
    assert max(len(view.splitlines()) for view in views) <= 20


def as_csv(api: Api, query: str) -> tuple[dict[str, str], list[dict[str, str]]]:
    """Headers and lines of an answer in CSV."""
    api.fold()
    with Client(app.app) as client:
        response = client.http.request("GET", f"/stats/cta-color?format=csv{query}")
    assert response.status_code == 200, response.body
    return dict(response.headers), list(csv.DictReader(io.StringIO(response.body.decode(), newline="")))


def test_the_report_as_csv_has_the_numbers_of_the_report(api: Api) -> None:
    api.post(event(), event(id="e2", type="click"))
    api.post(event(variant="blue"), visitor=BLUE)
    report = api.stats()
    headers, results = as_csv(api, "&series=none")
    assert headers["Content-Type"] == "text/csv; charset=utf-8"
    assert headers["Content-Disposition"] == 'attachment; filename="cta-color-none.csv"'
    clicks = {line["variant"]: line for line in results if line["metric"] == "click"}
    assert {v["variant"]: (v["visitors"], v["converted"], v["rate"]) for v in report["variants"]} == {
        variant: (int(line["visitors"]), int(line["converted"]), float(line["estimate"]))
        for variant, line in clicks.items()
    }
    assert (clicks["blue"]["control"], clicks["green"]["control"]) == ("true", "false")
    (comparison,) = report["comparisons"]
    assert (clicks["green"]["decision"], clicks["blue"]["decision"]) == (comparison["decision"], "")
    _, days = as_csv(api, "")
    (today,) = {day["at"] for day in api.stats("/stats/cta-color")["series"]}
    assert [(d["day"], d["variant"], d["visitors"]) for d in days] == [(today, "blue", "1"), (today, "green", "1")]
    _, hours = as_csv(api, "&series=hour")
    assert sum(int(h["impressions"]) for h in hours) == 2


def test_an_unknown_format_is_named_and_a_segment_has_no_csv(api: Api) -> None:
    assert api.send("GET", "/stats/cta-color?format=xml").body["error"]["field"] == "format"
    assert api.send("GET", "/stats/cta-color?by=device&format=csv").status == 400

"""The routes and triggers of ABacus. Each one: parse, call one function, answer.

POST /events ─→ ingestion ─→ participants' rows ─stream→ counting ─→ tallies ─→ reporting ─→ GET /stats
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from chalice.app import Chalice, CloudWatchEvent, DynamoDBEvent, Rate, Request, Response, SQSEvent

from chalicelib.api.read_links import check_reader
from chalicelib.api.responses import (
    answering,
    carries_cookie,
    complete,
    failure,
    from_cdn,
    json_response,
    readable,
    renewed,
)
from chalicelib.domain.clock import now_ms
from chalicelib.domain.errors import AlertsFailed, Unauthorized, WrongEncoding
from chalicelib.ingestion import request
from chalicelib.ingestion.sender import Sender, address_of, agent_of, host_of, is_bot, signer
from chalicelib.runtime.json_logging import log_as_json, logging_failures
from chalicelib.runtime.service import Service, from_environment
from chalicelib.storage.dynamodb import row_in_stream

# At the top stands what POST /events needs. Every other route and trigger imports its modules itself: statistics and
# the other protocols alone would be a fifth of the cold start, and no event should wait for them.
# tests/runtime/test_cold_start.py holds us to it.

app = Chalice(app_name="abacus")
app.log.setLevel(logging.WARNING)  # Chalice logs errors only; this is chalicelib's logger too
service: Service = from_environment()
if service.settings.stage != "local":
    log_as_json(app.log, logging.getLogger())

READ_BUDGET = 8.0  # seconds in which a request reads from busy tables; the function has 15

JSON = ["application/json", "text/plain"]  # text/plain: a beacon that needs no preflight


# ---------------------------------------------------------------- every request


@app.middleware("http")
def every_request(event: Any, get_response: Callable[[Any], Response]) -> Response:
    """Refuse what did not come through the CDN, answer in JSON, and write one line of metrics."""
    began = time.perf_counter()
    through_cdn = from_cdn(event, service.settings.origin_secrets)
    response = complete(get_response(event) if through_cdn else failure(Unauthorized("Use the CDN.")))
    if event.method == "POST":
        # Every page may post events and read the answer to them, a refusal too.
        response.headers.update(readable(event.headers.get("origin", ""), service.settings.cookie_domain))
    ms = (time.perf_counter() - began) * 1000
    service.meter.request(f"{event.method} {event.path}", response.status_code, ms=ms, now_ms=now_ms())
    return response


def current_request() -> Request:
    """The request that is being answered."""
    assert app.current_request is not None
    return app.current_request


def body() -> bytes:
    """The body of the current request, as it was sent. Raises WrongEncoding for a compressed one: API Gateway and a
    server on this machine hand those on differently, and both must answer the same."""
    encoding = header("content-encoding").strip().lower()
    if encoding not in ("", "identity"):
        raise WrongEncoding(
            f"Content-Encoding: {encoding[:40]!r} is not taken; send the body uncompressed.", field="Content-Encoding"
        )
    raw = current_request().raw_body
    return raw if isinstance(raw, bytes) else str(raw).encode()


def header(name: str) -> str:
    """A header of the current request; empty where it is absent."""
    return str(current_request().headers.get(name, ""))


def sender(client: str | None = None, *, has_cookie: bool | None = None) -> Sender:
    """Who sent the current request. `client`: id of the back end that signed it."""
    request = current_request()
    address = address_of(request.headers, request.context.get("identity", {}).get("sourceIp") or "")
    agent, country = agent_of(header("user-agent")), header("cloudfront-viewer-country")
    bot = client is None and is_bot(agent)
    return Sender(client, bot, address, has_cookie, host_of(header("origin")), agent, country)


# ---------------------------------------------------------------- events in


@app.route("/events", methods=["POST"], content_types=JSON)
@answering
def post_events() -> Response:
    """The events of one visitor, from the snippet or from a back end that signs them."""
    now = now_ms()
    client = signer(current_request().headers, body(), service.sender_keys, now_ms=now)
    events = request.parse(body())
    has_cookie = carries_cookie(header("cookie"), events.batch.visitor, domain=service.settings.cookie_domain)
    answer = service.ingest.receive(events, now_ms=now, sender=sender(client, has_cookie=has_cookie))
    cookie = renewed(header("cookie"), events.batch.visitor, domain=service.settings.cookie_domain)
    return json_response(answer, 202, {"Set-Cookie": cookie} if cookie else {})


@app.route("/track", methods=["POST"], content_types=JSON)
@answering
def post_track() -> Response:
    """GrowthBook's event plugin, which sends neither event ids nor times."""
    from chalicelib.ingestion import growthbook_plugin

    now = now_ms()
    visitors = growthbook_plugin.events_from_plugin(body(), now, service.catalog.current(now))
    requests = [request.each(visitor, raw) for visitor, raw in visitors]
    answers = service.ingest.receive_all(requests, now_ms=now, sender=sender())
    return json_response(request.sum_responses(answers), 202)


@app.route("/collect", methods=["POST"], content_types=JSON)
@answering
def post_collect() -> Response:
    """The protocol of the tracker that ABacus grew from; its front end works unchanged."""
    from chalicelib.api import legacy_tracker

    answer = legacy_tracker.answer(service, body(), now_ms=now_ms(), sender=sender(), may_read=may_read)
    return Response(answer, {}, 200)


# ---------------------------------------------------------------- variants out, by OpenFeature's protocol


@app.route("/ofrep/v1/evaluate/flags", methods=["POST"], content_types=["application/json"])
@answering
def post_flags() -> Response:
    """Every experiment as a flag, for one visitor. Counts nothing."""
    from chalicelib.api import ofrep

    now = now_ms()
    return ofrep.all_flags(body(), service.catalog.current(now), now, if_none_match=header("if-none-match"))


@app.route("/ofrep/v1/evaluate/flags/{key}", methods=["POST"], content_types=["application/json"])
@answering
def post_flag(key: str) -> Response:
    """One experiment as a flag, for one visitor. Counts nothing."""
    from chalicelib.api import ofrep

    now = now_ms()
    return ofrep.one_flag(body(), key, service.catalog.current(now), now)


# ---------------------------------------------------------------- events counted


@app.on_dynamodb_record(
    stream_arn=service.settings.participants_stream, batch_size=200, starting_position="TRIM_HORIZON", name="fold"
)
@logging_failures(app.log)
def fold(event: DynamoDBEvent) -> None:
    """The stream says which rows may have pending events; the rows themselves say which."""
    records = event.to_dict()["Records"]
    now = now_ms()
    folded = service.fold((row_in_stream(record) for record in records), now_ms=now)
    service.meter.batch("fold", {"Folded": folded.events, "Stale": folded.stale}, now_ms=now)


# At most five at a time: what a flood leaves in the queue must not be written as fast as the flood came.
@app.on_sqs_message(
    queue_arn=service.settings.spill_queue_arn, batch_size=10, name="write_spilled", maximum_concurrency=5
)
@logging_failures(app.log)
def write_spilled(event: SQSEvent) -> dict[str, Any]:
    """Events that waited while the table was busy. Those that still cannot be written stay in the queue."""
    failed = []
    for record in event.to_dict()["Records"]:
        try:
            service.ingest.write_spilled(record["body"], now_ms=now_ms())
        except Exception:
            app.log.exception("a spilled batch could not be written; it stays in the queue")
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}


@app.schedule(Rate(1, unit=Rate.DAYS), name="reconcile")
@logging_failures(app.log)
def reconcile(event: CloudWatchEvent) -> dict[str, Any]:
    """Fold what a lost stream record left behind, and check every row; resumes where the last run stopped."""
    from chalicelib.counting.reconcile import reconcile_table

    now = now_ms()
    summary = reconcile_table(
        service.store,
        service.fold,
        table_bytes=service.store.bytes_about(),
        now_ms=now,
        seconds_left=partial(_seconds_left, event),
    )
    counts = {"Late": summary["folded"], "BrokenRows": summary["broken"]}
    service.meter.batch("reconcile", counts, summary, now_ms=now)
    return summary


@app.schedule(Rate(1, unit=Rate.HOURS), name="alert")
@logging_failures(app.log)
def alert(event: CloudWatchEvent) -> dict[str, Any]:
    """Tell what changed about each experiment, by e-mail and webhook; or test both: `abacus alerts test`."""
    from chalicelib.alerting import wiring

    now = now_ms()
    alerts = wiring.alerts(service)
    if event.detail.get("test"):
        return dict(alerts.test())
    done = alerts.round(service.catalog.refresh(now), seconds_left=partial(_seconds_left, event))
    service.meter.batch("alert", {}, done, now_ms=now)
    if done["Undelivered"] or done["Failed"]:
        raise AlertsFailed(f"{done['Undelivered']} messages were given up, {done['Failed']} experiments failed")
    return done


def _seconds_left(event: CloudWatchEvent) -> float:
    """How long this call of a function may still take; on a developer's machine as long as it likes."""
    remaining_ms = getattr(event.context, "get_remaining_time_in_millis", None)
    return remaining_ms() / 1000 if remaining_ms else math.inf


# ---------------------------------------------------------------- stats out


@app.route("/stats", methods=["GET"])
@answering
def get_stats() -> Any:
    """Every experiment with its verdict."""
    from chalicelib.api import parameters
    from chalicelib.reporting import queries

    may_read()
    days = parameters.with_days(current_request().query_params or {})
    now = now_ms()
    manifest = service.catalog.current(now)
    store = service.store.within(READ_BUDGET)
    return queries.overview(store, manifest, days=days, now_ms=now, noted=service.refusals)


@app.route("/stats/{experiment}", methods=["GET"])
@answering
def get_experiment_stats(experiment: str) -> Any:
    """The report of one experiment, or its numbers by one segment."""
    from chalicelib.api import csv_report, parameters
    from chalicelib.reporting import queries

    may_read(experiment)
    query: Any = current_request().query_params or {}
    by = parameters.segment(query)
    question = parameters.question({} if by is not None else query)
    now = now_ms()
    manifest = service.catalog.current(now)
    if manifest.experiment(experiment) is None:
        manifest = service.catalog.refresh(now)
    store = service.store.within(READ_BUDGET)
    if by is not None:
        return queries.by_segment(store, manifest, experiment, by, now_ms=now)
    report = queries.detail(store, manifest, experiment, question, now_ms=now, noted=service.refusals)
    return csv_report.answer(report, question.series) if parameters.wants_csv(query) else report


def may_read(experiment: str | None = None) -> None:
    """Raise Unauthorized where reading needs a key and the current request has neither it nor a link to `experiment`;
    None: to everything."""
    settings = service.settings
    check_reader(header("x-read-key"), settings.read_key, settings.stage, experiment=experiment, now_ms=now_ms())


# ---------------------------------------------------------------- about the service


@app.route("/health", methods=["GET"])
def get_health() -> Any:
    """Whether the service answers."""
    return {"status": "ok", "stage": service.settings.stage}


@app.route("/openapi.json", methods=["GET"])
def get_openapi() -> Any:
    """The description of this API."""
    from chalicelib.api import openapi

    return openapi.document()

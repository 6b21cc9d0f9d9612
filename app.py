"""ABacus, as its clients see it. Each route: parse, call one function, answer.

POST /events ─→ ingest ─→ participants ─stream→ fold ─→ tallies ─→ GET /stats
"""

from __future__ import annotations

import functools
import hmac
import logging
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from chalice.app import Chalice, CloudWatchEvent, DynamoDBEvent, Rate, Request, Response, SQSEvent

from chalicelib.api.headers import readable, renewed
from chalicelib.counting.reconcile import parts, reconcile_rows
from chalicelib.domain.errors import AbacusError, Busy, Unauthorized
from chalicelib.ingestion import pipeline
from chalicelib.ingestion import request as events
from chalicelib.ingestion.bots import is_bot
from chalicelib.ingestion.signatures import sender
from chalicelib.ingestion.validation import DAY, WINDOW_BACK
from chalicelib.runtime.json_logging import speak_json, telling
from chalicelib.runtime.service import Service, from_environment
from chalicelib.storage.dynamodb import row_in_stream
from chalicelib.storage.retry import is_busy

# What few requests need is imported by the view that needs it: the statistics and the other protocols are a fifth of
# the cold start, and no event should wait for them.

app = Chalice(app_name="abacus")
app.log.setLevel(logging.WARNING)  # Chalice would have errors only; it is chalicelib's logger too
service: Service = from_environment()
if service.settings.stage != "local":
    speak_json(app.log, logging.getLogger())

JSON = ["application/json", "text/plain"]  # text/plain: a beacon that needs no preflight
View = Callable[..., Any]


# ---------------------------------------------------------------- what is true of every answer


@app.middleware("http")
def answer_in_json(event: Any, get_response: Callable[[Any], Response]) -> Response:
    """JSON by name (an HTTP API would say text/plain), errors of Chalice's own in our shape, nothing cached unasked."""
    began = time.perf_counter()
    response: Response = get_response(event) if _came_through_cdn(event) else _failure(Unauthorized("Use the CDN."))
    if response.status_code >= 400 and "error" not in (response.body if isinstance(response.body, dict) else {}):
        response.body = {"error": _chalice_error(response)}
    if isinstance(response.body, dict):
        response.headers.setdefault("Content-Type", "application/json")
    response.headers.setdefault("Cache-Control", "no-store")
    if event.method == "POST":
        # Anybody may post events from any page and read what became of them, also when it was a refusal.
        response.headers.update(readable(event.headers.get("origin", ""), service.settings.cookie_domain))
    ms = (time.perf_counter() - began) * 1000
    service.meter.request(f"{event.method} {event.path}", response.status_code, ms=ms, now=now_ms())
    return response


def _came_through_cdn(request: Any) -> bool:
    due = service.settings.origin_secrets
    said = request.headers.get("x-origin-secret", "")
    return not due or any(hmac.compare_digest(said.encode(), secret.encode()) for secret in due)


def _chalice_error(response: Response) -> dict[str, Any]:
    codes = {404: "not-found", 405: "method-not-allowed", 415: "wrong-type"}
    said = response.body if isinstance(response.body, dict) else {}
    message = said.get("Message") if response.status_code < 500 else None
    return {
        "code": codes.get(response.status_code, "malformed" if response.status_code < 500 else "internal"),
        "message": message or "Something went wrong on our side. Send the same again.",
    }


def _failure(error: AbacusError) -> Response:
    said = {"code": error.code, "message": error.message}
    if error.field is not None:
        said["field"] = error.field
    headers: Any = {"Retry-After": str(error.retry_after)} if isinstance(error, Busy) else {}
    return Response({"error": said}, headers, error.status)


def answering(view: View) -> View:
    """Domain errors as answers. A decorator, because Chalice's middleware never sees what a view raises."""

    @functools.wraps(view)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            return view(*args, **kwargs)
        except AbacusError as error:
            return _failure(error)
        except Exception as error:
            if not is_busy(error):
                raise
            return _failure(Busy("The tables are busy. Ask again.", retry_after=2))

    return wrapped


def asked() -> Request:
    assert app.current_request is not None
    return app.current_request


def body() -> bytes:
    raw = asked().raw_body
    return raw if isinstance(raw, bytes) else str(raw).encode()


def user_agent() -> str:
    return str(asked().headers.get("user-agent", ""))


def now_ms() -> int:
    return time.time_ns() // 1_000_000


# ---------------------------------------------------------------- events in


@app.route("/events", methods=["POST"], content_types=JSON)
@answering
def post_events() -> Response:
    now = now_ms()
    signed = sender(asked().headers, body(), service.sender_keys, now=now / 1000)
    batch, places, malformed = events.parse(body())
    answer = service.ingest.receive(
        batch,
        places,
        malformed,
        now=now,
        bot=batch.bot or (signed is None and is_bot(user_agent())),
        window_back=WINDOW_BACK if signed is None else service.settings.retention_days * DAY,
    )
    service.refusals.flush(now / 1000)
    cookie = renewed(asked().headers.get("cookie", ""), batch.visitor, domain=service.settings.cookie_domain)
    return Response(answer.model_dump(), {"Set-Cookie": cookie} if cookie else {}, 202)


@app.route("/track", methods=["POST"], content_types=JSON)
@answering
def post_track() -> Response:
    """GrowthBook's event plugin, which gives neither event ids nor times."""
    from chalicelib.ingestion import growthbook_plugin

    now = now_ms()
    visitors = growthbook_plugin.events_from_plugin(body(), now, service.catalog.current(now))
    bot = is_bot(user_agent())
    batches = [events.each(visitor, raw) for visitor, raw in visitors]
    answer = pipeline.total(service.ingest.receive(*batch, now=now, bot=bot) for batch in batches)
    return Response(answer.model_dump(), {}, 202)


@app.route("/collect", methods=["POST"], content_types=JSON)
@answering
def post_collect() -> Response:
    """The protocol of the tracker that ABacus grew from; its front end works unchanged."""
    from chalicelib.api import legacy_tracker

    said = legacy_tracker.answer(service, body(), now=now_ms(), bot=is_bot(user_agent()), may_read=_may_read)
    return Response(said, {}, 200)


# ---------------------------------------------------------------- events counted


@app.on_dynamodb_record(
    stream_arn=service.settings.participants_stream, batch_size=200, starting_position="TRIM_HORIZON", name="fold"
)
@telling(app.log)
def fold(event: DynamoDBEvent) -> None:
    """The stream only says which rows may be dirty; the rows say what to do."""
    records = event.to_dict()["Records"]
    done = service.fold((row_in_stream(record) for record in records), now=time.time())
    service.meter.batch("fold", {"Folded": done.events, "Stale": done.stale}, now=now_ms())


@app.on_sqs_message(queue_arn=service.settings.spill_queue_arn, batch_size=10, name="write_spilled")
@telling(app.log)
def write_spilled(event: SQSEvent) -> dict[str, Any]:
    """Events that waited while the table was busy. Those that still cannot be written stay in the queue."""
    failed = []
    for record in event.to_dict()["Records"]:
        try:
            service.ingest.write_spilled(record["body"], now=now_ms())
        except Exception:
            app.log.exception("a spilled batch could not be written; it stays in the queue")
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}


@app.schedule(Rate(1, unit=Rate.DAYS), name="reconcile")
@telling(app.log)
def reconcile(event: CloudWatchEvent) -> dict[str, Any]:
    """Fold what a lost stream record left behind, and check that nothing is missing; of a big table a part, by lot."""
    whole = parts(service.store.rows_about())
    part = random.randrange(whole)
    found = reconcile_rows(service.store, service.fold, now=time.time(), segment=part, segments=whole)
    counts = {"Late": found["folded"], "BrokenRows": found["broken"]}
    service.meter.batch("reconcile", counts, found | {"parts": whole}, now=now_ms())
    return found


# ---------------------------------------------------------------- stats out


@app.route("/stats", methods=["GET"])
@answering
def get_stats() -> Any:
    from chalicelib.reporting import queries

    _may_read()
    days = queries.with_days(asked().query_params or {})
    now = now_ms()
    service.refusals.flush(now / 1000, every=0)
    return queries.overview(service.store, service.catalog.current(now), days=days, now=datetime.now(UTC))


@app.route("/stats/{experiment}", methods=["GET"])
@answering
def get_experiment_stats(experiment: str) -> Any:
    from chalicelib.reporting import queries

    _may_read()
    question = queries.Question.of(asked().query_params or {})
    now = now_ms()
    service.refusals.flush(now / 1000, every=0)
    manifest = service.catalog.current(now)
    if manifest.experiment(experiment) is None:
        manifest = service.catalog.refresh(now)
    return queries.detail(service.store, manifest, experiment, question, now=datetime.now(UTC))


def _may_read() -> None:
    due, said = service.settings.read_key, str(asked().headers.get("x-read-key", ""))
    if due and not hmac.compare_digest(said.encode(), due.encode()):
        raise Unauthorized("X-Read-Key: is missing or wrong; GET /stats needs it here.", field="X-Read-Key")


# ---------------------------------------------------------------- about ourselves


@app.route("/health", methods=["GET"])
def get_health() -> Any:
    return {"status": "ok", "stage": service.settings.stage}


@app.route("/openapi.json", methods=["GET"])
def get_openapi() -> Any:
    from chalicelib.api import openapi

    return openapi.document()

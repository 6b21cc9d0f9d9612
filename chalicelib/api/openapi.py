"""The OpenAPI 3.1 document, served at GET /openapi.json. Bodies come from the models; a test compares it with the
routes, and the fuzzer reads it."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic.json_schema import models_json_schema

from chalicelib.api.legacy_tracker import GetStats, Log
from chalicelib.api.ofrep import BulkFailure, FlagEvaluation, FlagFailure, FlagList
from chalicelib.ingestion.request import MAX_BODY, Batch, EventsResponse
from chalicelib.reporting.answers import ExperimentList, Report
from chalicelib.reporting.segments.answers import SegmentReport

Document = dict[str, Any]

ERROR: Document = {
    "type": "object",
    "required": ["error"],
    "additionalProperties": False,
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "additionalProperties": False,
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string", "description": "Field, value, rule and next step, for a person."},
                "field": {"type": "string", "description": "The input at fault, where there is one."},
            },
        }
    },
}

_ERRORS = {
    400: "Cannot be read; the message names field, value and rule.",
    401: "No or wrong credentials.",
    404: "No such experiment.",
    405: "The path has no such method.",
    413: f"More than {MAX_BODY} bytes or 100 events.",
    415: "Neither application/json nor text/plain.",
    429: "Too many requests; Retry-After says when to try again.",
    503: "Tables and queue are busy; nothing was lost, Retry-After says when to try again.",
}


def _ref(name: str) -> Document:
    return {"$ref": f"#/components/schemas/{name}"}


def _json(schema: Document, description: str) -> Document:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _with_csv(answers: Document) -> Document:
    answers["200"]["content"]["text/csv"] = {"schema": {"type": "string"}}
    return answers


def _answers(status: int, schema: Document, description: str, *errors: int) -> Document:
    answers = {str(status): _json(schema, description)}
    return answers | {str(code): _json(_ref("Error"), _ERRORS[code]) for code in errors}


def _body(schema: Document) -> Document:
    return {"required": True, "content": {kind: {"schema": schema} for kind in ("application/json", "text/plain")}}


def _flags(answer: str, failure: str, description: str, *failures: int) -> Document:
    """The answers of the OFREP routes, whose own failures have the protocol's shape."""
    answers = _answers(200, _ref(answer), description, 401, 413, 415, 503)
    return answers | {str(code): _json(_ref(failure), _OFREP_ERRORS[code]) for code in failures}


_OFREP_ERRORS = {400: "Cannot be evaluated; errorDetails names field, rule and next step.", 404: "No such flag."}
_CONTEXT = {
    "type": "object",
    "required": ["context"],
    "properties": {
        "context": {
            "type": "object",
            "required": ["targetingKey"],
            "properties": {
                "targetingKey": {"type": "string", "minLength": 1, "maxLength": 128, "description": "The visitor."},
                "abacus": {"type": "string", "description": "The snippet's cookie, so that earlier choices stay."},
            },
        }
    },
}
_EVALUATION_BODY = {"required": True, "content": {"application/json": {"schema": _CONTEXT}}}


def _query(name: str, schema: Document, description: str) -> Document:
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": description}


DAY = {"type": "string", "format": "date"}


@cache
def document() -> Document:
    """The OpenAPI document of every route of app.py."""
    models: list[Any] = [
        (Batch, "validation"),
        (EventsResponse, "serialization"),
        (Log, "validation"),
        (GetStats, "validation"),
        (ExperimentList, "serialization"),
        (Report, "serialization"),
        (SegmentReport, "serialization"),
        (FlagEvaluation, "serialization"),
        (FlagList, "serialization"),
        (FlagFailure, "serialization"),
        (BulkFailure, "serialization"),
    ]
    _, definitions = models_json_schema(models, by_alias=True, ref_template="#/components/schemas/{model}")
    read_key: list[Document] = [{}, {"readKey": []}]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ABacus",
            "version": "1",
            "description": "Counts impressions, clicks and goals of A/B tests exactly once, and says what they mean.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": {
            "/events": {
                "post": {
                    "operationId": "postEvents",
                    "summary": "Report events of one visitor. Sending the same again changes nothing.",
                    "requestBody": _body(_ref("Batch")),
                    "responses": _answers(
                        202, _ref("EventsResponse"), "Every event, by outcome.", 400, 401, 413, 415, 429, 503
                    ),
                }
            },
            "/track": {
                "post": {
                    "operationId": "postTrack",
                    "summary": "What GrowthBook's event plugin posts: exposures, clicks and goals of its SDKs.",
                    "parameters": [_query("client_key", {"type": "string"}, "The manifest's client key; not needed.")],
                    "requestBody": _body({"type": "array", "items": {"type": "object"}}),
                    "responses": _answers(
                        202, _ref("EventsResponse"), "Every event, by outcome.", 400, 401, 413, 415, 503
                    ),
                }
            },
            "/collect": {
                "post": {
                    "operationId": "postCollect",
                    "summary": "The protocol of ab-testing-tracker. It has no event ids: a retry counts twice.",
                    "requestBody": _body({"anyOf": [_ref("Log"), _ref("GetStats")]}),
                    "responses": _answers(
                        200, {"type": "object"}, "Logged, or the numbers.", 400, 401, 404, 413, 415, 503
                    ),
                }
            },
            "/ofrep/v1/evaluate/flags": {
                "post": {
                    "operationId": "postFlags",
                    "summary": "OpenFeature: every experiment as a flag, for one visitor. Counts nothing.",
                    "parameters": [
                        {"name": "If-None-Match", "in": "header", "required": False, "schema": {"type": "string"}}
                    ],
                    "requestBody": _EVALUATION_BODY,
                    "responses": _flags("FlagList", "BulkFailure", "Every flag, with an ETag.", 400)
                    | {"304": {"description": "Nothing changed since the answer with this ETag."}},
                }
            },
            "/ofrep/v1/evaluate/flags/{key}": {
                "post": {
                    "operationId": "postFlag",
                    "summary": "OpenFeature: one experiment as a flag, for one visitor. Counts nothing.",
                    "parameters": [{"name": "key", "in": "path", "required": True, "schema": {"type": "string"}}],
                    "requestBody": _EVALUATION_BODY,
                    "responses": _flags("FlagEvaluation", "FlagFailure", "The flag.", 400, 404),
                }
            },
            "/stats": {
                "get": {
                    "operationId": "getStats",
                    "summary": "Every experiment with status, verdict and totals.",
                    "security": read_key,
                    "parameters": [_query("series", {"enum": ["none", "day"]}, "Visitors of the last 28 days too.")],
                    "responses": _answers(200, _ref("ExperimentList"), "The list.", 400, 401, 503),
                }
            },
            "/stats/{experiment}": {
                "get": {
                    "operationId": "getExperimentStats",
                    "summary": "One experiment: numbers, intervals, health, verdict, series.",
                    "security": read_key,
                    "parameters": [
                        {"name": "experiment", "in": "path", "required": True, "schema": {"type": "string"}},
                        _query(
                            "goal",
                            {"type": "string"},
                            "A metric: a goal, goal.value or goal.count; default: the primary one.",
                        ),
                        _query("baseline", {"type": "string"}, "The variant to compare with; default: the control."),
                        _query("from", DAY, "First day (UTC) of first exposure."),
                        _query("to", DAY, "Last day (UTC) of first exposure."),
                        _query("series", {"enum": ["none", "day", "hour"]}, "Cohorts by day, or activity by hour."),
                        _query("by", {"type": "string"}, "A segment of the experiment; without other parameters."),
                        _query(
                            "format",
                            {"enum": ["json", "csv"]},
                            "csv: the series as lines; with series=none a line for each metric and variant.",
                        ),
                    ],
                    "responses": _with_csv(
                        _answers(
                            200,
                            {"anyOf": [_ref("Report"), _ref("SegmentReport")]},
                            "The report; with `by` every metric by the values of the segment.",
                            400,
                            401,
                            404,
                            503,
                        )
                    ),
                }
            },
            "/health": {
                "get": {
                    "operationId": "getHealth",
                    "summary": "Whether the service answers.",
                    "responses": _answers(200, {"type": "object", "required": ["status"]}, "It does."),
                }
            },
            "/openapi.json": {
                "get": {
                    "operationId": "getOpenapi",
                    "summary": "This document.",
                    "responses": _answers(200, {"type": "object", "required": ["openapi"]}, "This document."),
                }
            },
        },
        "components": {
            "schemas": {**definitions["$defs"], "Error": ERROR},
            "securitySchemes": {"readKey": {"type": "apiKey", "in": "header", "name": "X-Read-Key"}},
        },
    }

"""OFREP, the OpenFeature Remote Evaluation Protocol: each experiment is a flag, its value the payload or variant key.

POST /ofrep/v1/evaluate/flags/{key}   one flag, for servers
POST /ofrep/v1/evaluate/flags         all flags, for browsers; ETag and 304

Evaluating counts no impression: docs/openfeature.md shows the hook that does.
Source: https://github.com/open-feature/protocol, service/openapi.yaml.
"""

from __future__ import annotations

import hashlib
from typing import Any, Literal

from pydantic import JsonValue, TypeAdapter, ValidationError

from chalicelib.api.responses import Response, json_response, not_modified
from chalicelib.domain.errors import TooLarge
from chalicelib.domain.manifest import Experiment, Manifest, Model
from chalicelib.targeting.evaluation import EvaluationContext, Reason, evaluate, stored_choices

MAX_BODY = 64 * 1024  # bytes
MAX_KEY = 128  # characters of a targeting key, as of a visitor's id
COOKIE = "abacus"  # the context's attribute with the value of the snippet's cookie: earlier choices stay
# An answer is one visitor's, so no shared cache keeps it; a browser asks again and gets 304.
CACHE = {"Cache-Control": "private, no-cache"}
ErrorCode = Literal["PARSE_ERROR", "TARGETING_KEY_MISSING", "INVALID_CONTEXT", "FLAG_NOT_FOUND"]


class FlagEvaluation(Model):
    """One flag for one visitor. Metadata: `enrolled` (an impression counts), `phase`, `redirect` (a url)."""

    key: str
    value: JsonValue
    variant: str
    reason: Reason
    metadata: dict[str, bool | int | str]


class FlagList(Model):
    """Every flag."""

    flags: tuple[FlagEvaluation, ...]


class BulkFailure(Model):
    """Why there are no values; the field names are the protocol's."""

    errorCode: ErrorCode
    errorDetails: str


class FlagFailure(BulkFailure):
    """Why one flag has no value."""

    key: str


class _Refused(Exception):
    """A request that cannot be evaluated."""

    def __init__(self, code: ErrorCode, details: str) -> None:
        super().__init__(details)
        self.code: ErrorCode = code
        self.details = details


def one_flag(body: bytes, key: str, manifest: Manifest, now_ms: int) -> Response:
    """The answer to a request for the flag `key`: 200, 400 or 404. Raises TooLarge."""
    try:
        context = parse(body)
        return json_response(_flag(_published(manifest, key), context, now_ms), headers=CACHE)
    except _Refused as refused:
        return _failure(refused, key=key)


def all_flags(body: bytes, manifest: Manifest, now_ms: int, *, if_none_match: str = "") -> Response:
    """The answer to a request for every flag: 200, 304 or 400. `if_none_match`: the header of that name. Raises
    TooLarge."""
    try:
        context = parse(body)
    except _Refused as refused:
        return _failure(refused)
    shown = (e for e in manifest.experiments if e.status != "draft")
    flags = FlagList(flags=tuple(_flag(e, context, now_ms) for e in shown))
    tag = f'"{hashlib.sha256(flags.model_dump_json().encode()).hexdigest()[:32]}"'
    headers = CACHE | {"ETag": tag}
    known = {each.strip().removeprefix("W/") for each in if_none_match.split(",")}
    return not_modified(headers) if known & {tag, "*"} else json_response(flags, headers=headers)


def parse(body: bytes) -> EvaluationContext:
    """The context in the body of a request. Raises TooLarge, or _Refused with the protocol's error code."""
    if len(body) > MAX_BODY:
        raise TooLarge(f"body: {len(body)} bytes; at most {MAX_BODY} are taken. Send fewer attributes.")
    try:
        parsed: Any = _JSON.validate_json(body)
    except ValidationError:
        raise _Refused("PARSE_ERROR", 'body: is not JSON. Send {"context": {"targetingKey": "..."}}.') from None
    context = parsed.get("context") if isinstance(parsed, dict) else None
    if not isinstance(context, dict):
        raise _Refused("INVALID_CONTEXT", 'context: is not an object. Send {"context": {"targetingKey": "..."}}.')
    visitor = context.get("targetingKey")
    if visitor is None or visitor == "":
        raise _Refused("TARGETING_KEY_MISSING", "context.targetingKey: is missing. Give the visitor's id.")
    if not isinstance(visitor, str) or len(visitor) > MAX_KEY:
        rule = f"must be text of at most {MAX_KEY} characters. Give the visitor's id."
        raise _Refused("INVALID_CONTEXT", f"context.targetingKey: {rule}")
    attributes = {name: value for name, value in context.items() if name not in ("targetingKey", COOKIE)}
    cookie = context.get(COOKIE)
    choices = stored_choices(cookie, visitor) if isinstance(cookie, str) else {}
    return EvaluationContext(visitor, attributes, choices)


_JSON: TypeAdapter[JsonValue] = TypeAdapter(JsonValue)


def _published(manifest: Manifest, key: str) -> Experiment:
    experiment = manifest.experiment(key)
    if experiment is None or experiment.status == "draft":
        raise _Refused("FLAG_NOT_FOUND", "key: no published experiment has this key.")
    return experiment


def _flag(experiment: Experiment, context: EvaluationContext, now_ms: int) -> FlagEvaluation:
    evaluation = evaluate(experiment, context, now_ms)
    payload = next(v.payload for v in experiment.variants if v.key == evaluation.variant)
    metadata: dict[str, bool | int | str] = {"enrolled": evaluation.enrolled, "phase": evaluation.phase}
    if experiment.redirect and evaluation.variant in experiment.redirect:
        metadata["redirect"] = experiment.redirect[evaluation.variant]
    return FlagEvaluation(
        key=experiment.key,
        value=evaluation.variant if payload is None else payload,
        variant=evaluation.variant,
        reason=evaluation.reason,
        metadata=metadata,
    )


def _failure(refused: _Refused, *, key: str | None = None) -> Response:
    status = 404 if refused.code == "FLAG_NOT_FOUND" else 400
    if key is None:
        return json_response(BulkFailure(errorCode=refused.code, errorDetails=refused.details), status)
    return json_response(FlagFailure(key=key, errorCode=refused.code, errorDetails=refused.details), status)

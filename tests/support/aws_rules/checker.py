"""Holds every request that this process sends to AWS, or to an emulator in its place, to AWS's documented rules.

A hook that botocore gives to each of its sessions. An emulator that takes what AWS refuses no longer hides it: the test
that sends it fails, also if the code under test survives the exception.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import botocore.handlers
from botocore.model import OperationModel

from tests.support.aws_rules import dynamodb, services
from tests.support.aws_rules.models import check_shape
from tests.support.aws_rules.violation import Violation

CHECKED = {"dynamodb", "sqs", "s3", "lambda", "cloudformation", "cloudfront", "iam", "ssm", "apigateway"}
_violations: list[str] = []
_invalidations = services.Invalidations()


def install() -> None:
    """Give the hook to every botocore session that is made from now on, boto3's among them."""
    handler = ("before-parameter-build", _hook)
    if handler not in botocore.handlers.BUILTIN_HANDLERS:
        botocore.handlers.BUILTIN_HANDLERS.append(handler)


def check(service: str, operation: str, request: Mapping[str, Any], model: OperationModel | None = None) -> None:
    """Hold one request to the rules. Raises Violation.

    Args:
        service: botocore's name of it, such as dynamodb.
        model: botocore's model of the operation."""
    if service == "dynamodb":
        dynamodb.check(operation, request)
    elif service == "sqs":
        services.check_sqs(operation, request)
    elif service == "s3":
        services.check_s3(operation, request)
    elif service == "lambda":
        services.check_lambda(operation, request)
    elif service == "cloudformation":
        services.check_cloudformation(operation, request)
    elif service == "iam":
        services.check_iam(operation, request)
    if model is not None and model.input_shape is not None:
        check_shape(model.input_shape, request)


def _hook(params: dict[str, Any], model: OperationModel, context: dict[str, Any], **_: Any) -> None:
    service = model.service_model.service_name
    if service not in CHECKED:
        return
    try:
        check(service, model.name, params, model)
        if model.name == "CreateInvalidation":
            _invalidations.check(params, str(context.get("endpoint_url", "")))
    except Violation as violation:
        _violations.append(f"{service} {model.name}: {violation}")
        raise


def take_violations() -> list[str]:
    """The violations since the last call, each as service, operation and rule."""
    found = list(_violations)
    _violations.clear()
    return found


@contextlib.contextmanager
def not_checked() -> Iterator[None]:
    """For a test that sends what AWS refuses on purpose: what happens inside fails no test."""
    checked_before = set(CHECKED)
    CHECKED.clear()
    try:
        yield
    finally:
        CHECKED.update(checked_before)

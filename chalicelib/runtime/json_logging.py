"""Log lines as JSON, for CloudWatch's queries; without what visitors sent."""

from __future__ import annotations

import functools
import json
import logging
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

E = TypeVar("E")
A = TypeVar("A")


class Json(logging.Formatter):
    """One JSON object per record. An error is its type, AWS's code and its stack, without its message: that may quote
    a body or an id."""

    def format(self, record: logging.LogRecord) -> str:
        """`record` as one line of JSON."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            line["error"] = type(error).__name__
            code = getattr(error, "response", {}).get("Error", {}).get("Code")
            if code:
                line["code"] = code
            frames = traceback.extract_tb(error.__traceback__)
            line["through"] = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames]
        return json.dumps(line, ensure_ascii=False, separators=(",", ":"))


def log_as_json(*loggers: logging.Logger) -> None:
    """Make the handlers of these loggers write JSON."""
    for logger in loggers:
        for handler in logger.handlers:
            handler.setFormatter(Json())


class CallFailed(Exception):
    """A triggered function failed; the log line before it has the details."""


def logging_failures(log: logging.Logger) -> Callable[[Callable[[E], A]], Callable[[E], A]]:
    """For a function that Lambda triggers: log a failure without its message, which may quote what a visitor sent.

    Lambda prints the exception too, with its message, so the exception that it sees has none."""

    def decorate(handle: Callable[[E], A]) -> Callable[[E], A]:
        @functools.wraps(handle)
        def wrapped(event: E) -> A:
            try:
                return handle(event)
            except Exception as error:
                log.exception("%s failed", handle.__name__)
                raise CallFailed(f"{handle.__name__}: {type(error).__name__}") from None

        return wrapped

    return decorate

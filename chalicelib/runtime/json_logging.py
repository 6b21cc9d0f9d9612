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
    """One JSON object a record. Of an error its type, AWS's code for it and the places it came through, but not its
    message: that may quote a body or an id."""

    def format(self, record: logging.LogRecord) -> str:
        said: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            said["error"] = type(error).__name__
            code = getattr(error, "response", {}).get("Error", {}).get("Code")
            if code:
                said["code"] = code
            frames = traceback.extract_tb(error.__traceback__)
            said["through"] = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames]
        return json.dumps(said, ensure_ascii=False, separators=(",", ":"))


def speak_json(*loggers: logging.Logger) -> None:
    """Make the handlers that these loggers have write JSON."""
    for logger in loggers:
        for handler in logger.handlers:
            handler.setFormatter(Json())


class Told(Exception):
    """What ended a call; the line of the log before it says more."""


def telling(log: logging.Logger) -> Callable[[Callable[[E], A]], Callable[[E], A]]:
    """For a function that Lambda calls by itself: what ends a call is told in our way first. Lambda prints it too, with
    its message; so what it gets to see has none."""

    def decorate(handle: Callable[[E], A]) -> Callable[[E], A]:
        @functools.wraps(handle)
        def wrapped(event: E) -> A:
            try:
                return handle(event)
            except Exception as error:
                log.exception("%s failed", handle.__name__)
                raise Told(f"{handle.__name__}: {type(error).__name__}") from None

        return wrapped

    return decorate

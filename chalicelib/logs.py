"""Log lines as JSON, for CloudWatch's queries; without what visitors sent."""

from __future__ import annotations

import json
import logging
import traceback
from datetime import UTC, datetime
from typing import Any


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

"""Figures of the data checks as JSON has them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from datetime import date
from typing import Any

from chalicelib.statistics import Interval


def jsonable(value: Any) -> Any:
    """Dataclasses and named tuples become objects, an interval its two ends, a date its ISO form. NaN and infinity
    become null, for JSON has neither.

    >>> jsonable({"lift": float("nan"), "lift_interval": Interval(-1.0, float("inf"))})
    {'lift': None, 'lift_interval': [-1.0, None]}
    """
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Interval):
        return [jsonable(end) for end in value]
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return jsonable(value._asdict())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: jsonable(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): jsonable(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [jsonable(inner) for inner in value]
    return value.isoformat() if isinstance(value, date) else value

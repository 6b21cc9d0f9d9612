"""Query strings, parsed once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime

from pydantic import TypeAdapter, ValidationError

from chalicelib.domain.errors import InvalidInput
from chalicelib.reporting.report import Question, Series

FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(4999, 12, 31)


def segment(query: Mapping[str, str]) -> str | None:
    """The segment that GET /stats/{experiment} is asked by; None: the question is another. Raises InvalidInput where
    `by` comes with another parameter: segments are counted over the whole time, and all metrics are answered."""
    if "by" not in query:
        return None
    _only(query, "by")
    return query["by"]


def question(query: Mapping[str, str]) -> Question:
    """The question in the query string of GET /stats/{experiment}. Raises InvalidInput that names the parameter."""
    _only(query, "goal", "series", "from", "to", "baseline", "format")
    try:
        series: Series = TypeAdapter(Series).validate_python(query.get("series", "day"))
    except ValidationError:
        raise InvalidInput(f"series: {query['series'][:40]!r} is not one of none, day, hour", field="series") from None
    start, end = _day(query, "from"), _day(query, "to")
    if start and end and end < start:
        raise InvalidInput(f"to: {end} is before from: {start}", field="to")
    return Question(query.get("goal"), series, start, end, query.get("baseline"))


def wants_csv(query: Mapping[str, str]) -> bool:
    """Whether GET /stats/{experiment} is to answer in CSV. Raises InvalidInput."""
    form = query.get("format", "json")
    if form not in ("json", "csv"):
        raise InvalidInput(f"format: {form[:40]!r} is not one of json, csv", field="format")
    return form == "csv"


def with_days(query: Mapping[str, str]) -> bool:
    """Whether GET /stats was asked for the last days of each experiment too. Raises InvalidInput."""
    _only(query, "series")
    series = query.get("series", "none")
    if series not in ("none", "day"):
        raise InvalidInput(f"series: {series[:40]!r} is not one of none, day", field="series")
    return series == "day"


def _only(query: Mapping[str, str], *known: str) -> None:
    unknown = query.keys() - set(known)
    if unknown:
        name = min(unknown)
        raise InvalidInput(f"{name[:40]}: is not a parameter; there are {', '.join(known)}", field=name[:40])


def _day(query: Mapping[str, str], name: str) -> date | None:
    """A day or a moment, ISO 8601, as a UTC day. Days outside of 1970 to 4999, in which no event can lie, become the
    first or last of them, so that no later sum leaves the calendar."""
    text = query.get(name)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        day = (moment.astimezone(UTC) if moment.tzinfo else moment).date()
    except (ValueError, OverflowError):
        raise InvalidInput(f"{name}: {text[:40]!r} is not a date such as 2026-11-21", field=name) from None
    return min(max(day, FIRST_DAY), LAST_DAY)

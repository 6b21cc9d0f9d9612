"""A report as CSV: one line for each metric and variant, or for each day or hour and variant.

Keys of experiments, variants and metrics begin with a letter or a digit, so no cell can be taken for a formula.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from chalicelib.api.responses import Response
from chalicelib.reporting.answers import DayAnswer, HourAnswer, Report
from chalicelib.reporting.models import Ends
from chalicelib.reporting.report import Series

Cell = str | int | float | bool | None

RESULT_COLUMNS = (
    *("experiment", "metric", "kind", "variant", "control", "visitors", "converted"),
    *("estimate", "low", "high", "lift", "lift_low", "lift_high", "p", "decision"),
)
DAY_COLUMNS = (
    *("experiment", "day", "variant", "visitors", "impressions", "clicks", "converted", "rate"),
    *("cumulative_visitors", "cumulative_converted", "cumulative_rate"),
)
HOUR_COLUMNS = ("experiment", "hour", "variant", "impressions", "clicks")


def answer(report: Report, series: Series) -> Response:
    """GET /stats/{experiment}?format=csv. `series`: day or hour for the report's series, none for its results."""
    headers = {
        "Content-Type": "text/csv; charset=utf-8",
        "Content-Disposition": f'attachment; filename="{report.experiment}-{series}.csv"',
        "X-Content-Type-Options": "nosniff",
    }
    return Response(_text(report, series), {**headers}, 200)


def _text(report: Report, series: Series) -> str:
    if series == "none":
        return _written(RESULT_COLUMNS, result_rows(report))
    if series == "day":
        return _written(DAY_COLUMNS, _days(report))
    return _written(HOUR_COLUMNS, _hours(report))


def result_rows(report: Report) -> Iterator[Sequence[Cell]]:
    """A row for each metric and variant. `estimate`: a rate, or units per visitor; low, high: its interval.
    `converted`: visitors who reached the goal, or who have a value. lift to decision: against the control."""
    for metric in report.metrics:
        compared = {comparison.variant: comparison for comparison in metric.comparisons}
        for variant in metric.variants:
            comparison = compared.get(variant.variant)
            yield (
                *(report.experiment, metric.metric, metric.kind, variant.variant, variant.control),
                *(variant.visitors, variant.converted, variant.rate, *_ends(variant.rate_interval)),
                *((comparison.lift, *_ends(comparison.lift_interval)) if comparison else (None, None, None)),
                *((comparison.p, comparison.decision) if comparison else (None, None)),
            )
    for mean in report.means:
        against = {comparison.variant: comparison for comparison in mean.comparisons}
        for row in mean.variants:
            comparison = against.get(row.variant)
            yield (
                *(report.experiment, mean.metric, mean.kind, row.variant, comparison is None),
                *(row.visitors, row.with_value, row.mean, *_ends(row.interval)),
                *((comparison.lift, *_ends(comparison.lift_interval)) if comparison else (None, None, None)),
                *((comparison.p, comparison.decision) if comparison else (None, None)),
            )


def _days(report: Report) -> Iterator[Sequence[Cell]]:
    for day in report.series:
        for row in day.variants if isinstance(day, DayAnswer) else ():
            yield (
                *(report.experiment, day.at, row.variant, row.visitors, row.impressions, row.clicks),
                *(row.converted, row.rate),
                *(row.cumulative.visitors, row.cumulative.converted, row.cumulative.rate),
            )


def _hours(report: Report) -> Iterator[Sequence[Cell]]:
    for hour in report.series:
        for row in hour.variants if isinstance(hour, HourAnswer) else ():
            yield report.experiment, hour.at, row.variant, row.impressions, row.clicks


def _ends(interval: Ends) -> tuple[float | None, float | None]:
    return interval if interval is not None else (None, None)


def _written(columns: Sequence[str], rows: Iterator[Sequence[Cell]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")  # RFC 4180
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def _cell(value: Cell) -> Cell:
    """JSON's words for true and false; an empty cell for what is unknown."""
    return str(value).lower() if isinstance(value, bool) else value

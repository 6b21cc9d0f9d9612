"""From the tallies in the table to what GET /stats answers: read, hand to the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

from chalicelib.analysis.checks.ledger import ledger
from chalicelib.analysis.metrics.family import metrics_of
from chalicelib.analysis.segments.samples import select_by
from chalicelib.domain.clock import iso
from chalicelib.domain.errors import InvalidInput, NotFound, names_in_message
from chalicelib.domain.manifest import Experiment, Manifest
from chalicelib.domain.segments import marker
from chalicelib.reporting import cost
from chalicelib.reporting.answers import ExperimentList, RefusalAnswer, Report, Summary
from chalicelib.reporting.history import history
from chalicelib.reporting.report import Question, ReportContext, report, summary
from chalicelib.reporting.segments.answers import SegmentReport
from chalicelib.reporting.segments.report import segment_report
from chalicelib.reporting.series import outcomes_by_day, recent, span
from chalicelib.storage.refusals import (
    UNKNOWN,
    Refusals,
    latest_refusals,
    refused,
    refused_by_day,
    refused_by_value,
)
from chalicelib.storage.store import LAST, SEGMENTS, SIMULATED, Generations, Store, generations_in, tallies_in
from chalicelib.storage.tally import Tallies

READERS = 8  # of the list's experiments at a time
Cells = Mapping[str, Mapping[str, int]]


def overview(
    store: Store, manifest: Manifest, *, days: bool = False, now_ms: int, noted: Refusals | None = None
) -> ExperimentList:
    """GET /stats: one entry for every experiment that is not a draft. Two reads each, however many events there are:
    the totals, and the days, which the checks and the plan need; so an entry says what the report says. `days`:
    whether the entries show the last days. `now_ms`: epoch milliseconds; `noted`: as for `detail`."""
    shown = [experiment for experiment in manifest.experiments if experiment.status != "draft"]
    # In parallel, because a hundred experiments are two hundred reads.
    with ThreadPoolExecutor(READERS) as readers:
        entries = list(readers.map(lambda experiment: _entry(store, experiment, days, now_ms), shown))
    latest = _latest(store, UNKNOWN, now_ms, noted) if days else ()
    return ExperimentList(experiments=tuple(entries), latest_refusals=latest)


def _latest(store: Store, key: str, now_ms: int, noted: Refusals | None) -> tuple[RefusalAnswer, ...]:
    refusals = latest_refusals(store, key, now_ms, noted.latest(key) if noted else [])
    return tuple(RefusalAnswer(outcome=r.outcome, at=iso(r.at), reason=r.reason, host=r.host) for r in refusals)


def _entry(store: Store, experiment: Experiment, days: bool, now_ms: int) -> Summary:
    tallies, generations, cells = _totals(store, experiment.key)
    refusals = refused(cells)
    entries = ledger(tallies, refusals, rebuilding=generations.fill is not None)
    of_days = _days(store, experiment.key, generations.live, None, None)
    context = ReportContext(now_ms, entries=entries, refused=refusals)
    update: dict[str, Any] = {"simulated": SIMULATED in cells}
    if days:
        first, last = (day.isoformat() for day in span(experiment, now_ms))
        shown = {cell: tally for cell, tally in of_days.items() if first <= cell.when <= last}
        update |= recent(shown, now_ms)._asdict()
    return summary(experiment, tallies | of_days, context).model_copy(update=update)


def detail(
    store: Store,
    manifest: Manifest,
    key: str,
    question: Question,
    *,
    now_ms: int,
    noted: Refusals | None = None,
) -> Report:
    """GET /stats/{experiment}. `now_ms`: epoch milliseconds; `noted`: refusals that this process has counted and may
    not have written yet. Raises NotFound, and InvalidInput for a metric or a variant that the experiment does
    not have."""
    experiment = known(manifest, key)
    names = [str(metric) for metric in metrics_of(experiment)]
    if question.goal is not None and question.goal not in names:
        there = ", ".join(names)
        raise InvalidInput(f"goal: {question.goal[:80]!r} is not a metric of {key}; it has {there}", field="goal")
    if question.baseline is not None and question.baseline not in experiment.variant_keys:
        variants = ", ".join(experiment.variant_keys)
        message = f"baseline: {question.baseline[:80]!r} is not a variant of {key}; it has {variants}"
        raise InvalidInput(message, field="baseline")
    tallies, generations, cells = _totals(store, key)
    generation = generations.live
    refusals = dict(Counter(refused(cells)) + Counter(noted.buffered(key) if noted else {}))
    entries = ledger(tallies, refusals, rebuilding=generations.fill is not None)
    tallies |= _days(store, key, generation, question.start, question.end)
    if question.series == "hour":
        tallies |= tallies_in(
            store.cells(key, first=f"hour#{generation}#", last=f"hour#{generation}#{LAST}"), generation
        )
    context = ReportContext(now_ms, entries=entries, refused=refusals)
    extra: dict[str, Any] = {"cost": cost.so_far(tallies, len(experiment.segments)), "simulated": SIMULATED in cells}
    if question.series == "day":
        daily = store.cells(key, first="daily#", last="daily#" + LAST)
        extra["outcomes"] = outcomes_by_day(tallies, refused_by_day(daily))
        extra["history"] = history(experiment, tallies)
        latest = _latest(store, key, now_ms, noted) + _latest(store, UNKNOWN, now_ms, noted)
        extra["latest_refusals"] = tuple(sorted(latest, key=lambda refusal: refusal.at, reverse=True))
    return report(experiment, tallies, question, context).model_copy(update=extra)


def by_segment(store: Store, manifest: Manifest, key: str, name: str, *, now_ms: int) -> SegmentReport:
    """GET /stats/{experiment}?by=`name`: two reads of the segment's items besides that of the totals. `now_ms`: epoch
    milliseconds. Raises NotFound, and InvalidInput for a segment that the experiment does not have."""
    experiment = known(manifest, key)
    segment = next((segment for segment in experiment.segments if segment.name == name), None)
    if segment is None:
        names = ", ".join(segment.name for segment in experiment.segments) or "none: add `segments:` to its file"
        raise InvalidInput(f"by: {name[:40]!r} is not a segment of {key}; it has {names}", field="by")
    totals, generations, _ = _totals(store, key)
    generation = generations.live

    def cells(prefix: str) -> Cells:
        return store.cells(key + SEGMENTS, first=prefix, last=prefix + LAST)

    tallies = tallies_in(cells(f"segment#{generation}#{marker(name, '')}"), generation)
    refusals = refused_by_value(cells(f"refused#{marker(name, '')}"))
    return segment_report(select_by(experiment, segment, totals, tallies), refusals, now_ms=now_ms)


def known(manifest: Manifest, key: str) -> Experiment:
    """The experiment under `key`, unless it is a draft, which is not public. Raises NotFound."""
    experiment = manifest.experiment(key)
    if experiment is None or experiment.status == "draft":
        keys = manifest.published_keys
        there = f"the manifest has {names_in_message(keys)}" if keys else "none is published"
        raise NotFound(f"No experiment {key[:80]!r}; {there}.", field="experiment")
    return experiment


def _totals(store: Store, key: str) -> tuple[Tallies, Generations, Cells]:
    cells = store.cells(key, first="meta", last="total" + LAST)
    generations = generations_in(cells)
    return tallies_in(cells, generations.live), generations, cells


def days(store: Store, key: str, start: date, end: date) -> Tallies:
    """The cohorts first exposed from `start` to `end`, both days included."""
    return _days(store, key, store.generations(key).live, start, end)


def events_by_hour(store: Store, key: str, first: str) -> dict[str, int]:
    """Events of all variants by UTC hour ("2026-11-21T13") from `first` on; hours without any are missing."""
    generation = store.generations(key).live
    cells = store.cells(key, first=f"hour#{generation}#{first}", last=f"hour#{generation}#{LAST}")
    events: Counter[str] = Counter()
    for cell, tally in tallies_in(cells, generation).items():
        events[cell.when] += tally.impressions + tally.clicks + sum(tally.goal_events.values())
    return dict(events)


def _days(store: Store, key: str, generation: int, start: date | None, end: date | None) -> Tallies:
    first, last = start.isoformat() if start else "", end.isoformat() if end else ""
    return tallies_in(
        store.cells(key, first=f"day#{generation}#{first}", last=f"day#{generation}#{last}{LAST}"), generation
    )

"""From the tallies in the table to what GET /stats answers: read, hand to the report."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from chalicelib.domain.errors import InvalidInput, NotFound
from chalicelib.domain.manifest import CLICK, Experiment, Manifest
from chalicelib.reporting import cost, series
from chalicelib.reporting.history import history
from chalicelib.reporting.report import Series, report, summary
from chalicelib.reporting.series import recent, span
from chalicelib.storage.refusals import refused
from chalicelib.storage.store import LAST, Generations, Store, generations_in, tallies_in
from chalicelib.storage.tally import Tallies, Tally

READERS = 8  # of the list's experiments at a time
Cells = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class Question:
    """What GET /stats/{experiment} was asked. `start` and `end`: days (UTC) of first exposure, inclusive."""

    goal: str = CLICK
    series: Series = "day"
    start: date | None = None
    end: date | None = None

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Question:
        """The question in a query string. Raises InvalidInput that names the parameter."""
        _only(query, "goal", "series", "from", "to")
        try:
            series: Series = TypeAdapter(Series).validate_python(query.get("series", "day"))
        except ValidationError:
            raise InvalidInput(
                f"series: {query['series'][:40]!r} is not one of none, day, hour", field="series"
            ) from None
        start, end = _day(query, "from"), _day(query, "to")
        if start and end and end < start:
            raise InvalidInput(f"to: {end} is before from: {start}", field="to")
        return cls(query.get("goal", CLICK), series, start, end)


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
    """A day or a moment, ISO 8601, as a UTC day."""
    text = query.get(name)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return (moment.astimezone(UTC) if moment.tzinfo else moment).date()
    except (ValueError, OverflowError):
        raise InvalidInput(f"{name}: {text[:40]!r} is not a date such as 2026-11-21", field=name) from None


def overview(store: Store, manifest: Manifest, *, days: bool = False, now: datetime) -> dict[str, Any]:
    """GET /stats: one entry for every experiment that is not a draft. Two small reads each, whatever the events, and
    with `days` a third one."""
    shown = [experiment for experiment in manifest.experiments if experiment.status != "draft"]
    # Side by side, for a hundred experiments are three hundred reads.
    with ThreadPoolExecutor(READERS) as readers:
        entries = list(readers.map(lambda experiment: _entry(store, experiment, days, now), shown))
    return {"experiments": entries}


def _entry(store: Store, experiment: Experiment, days: bool, now: datetime) -> dict[str, Any]:
    tallies, generations, _ = _totals(store, experiment.key)
    gen = generations.live
    entry = summary(experiment, tallies, began=_began(store, experiment.key, gen), now=now)
    return entry | recent(_days(store, experiment.key, gen, *span(experiment, now)), now) if days else entry


def detail(store: Store, manifest: Manifest, key: str, question: Question, *, now: datetime) -> dict[str, Any]:
    """GET /stats/{experiment}. Raises NotFound, and InvalidInput for a goal the experiment does not have."""
    experiment = known(manifest, key)
    if question.goal not in (CLICK, *experiment.goals):
        goals = ", ".join((CLICK, *experiment.goals))
        raise InvalidInput(f"goal: {question.goal[:80]!r} is no goal of {key}; it has {goals}", field="goal")
    tallies, generations, cells = _totals(store, key)
    gen, refusals = generations.live, refused(cells)
    conservation = conserved(tallies, refusals) | {"rebuilding": generations.fill is not None}
    if question.series == "day" or question.start or question.end:
        tallies |= _days(store, key, gen, question.start, question.end)
    if question.series == "hour":
        tallies |= tallies_in(store.cells(key, first=f"hour#{gen}#", last=f"hour#{gen}#{LAST}"), gen)
    answer = report(
        experiment,
        tallies,
        goal=question.goal,
        began=_began(store, key, gen),
        series=question.series,
        start=question.start,
        end=question.end,
        now=now,
        conservation=conservation,
        refused=refusals,
    )
    answer["cost"] = cost.so_far(tallies)
    if question.series == "day":
        daily = store.cells(key, first="daily#", last="daily#" + LAST)
        answer["outcomes"] = series.outcomes_by_day(tallies, series.refused_by_day(daily))
        answer["history"] = history(experiment, tallies)
    return answer


def known(manifest: Manifest, key: str) -> Experiment:
    """The experiment under `key`, unless it is a draft, which nobody outside need know of. Raises NotFound."""
    experiment = manifest.experiment(key)
    if experiment is None or experiment.status == "draft":
        there = ", ".join(e.key for e in manifest.experiments if e.status != "draft") or "none"
        raise NotFound(f"No experiment {key[:80]!r}; the manifest has {there}.", field="experiment")
    return experiment


def _totals(store: Store, key: str) -> tuple[Tallies, Generations, Cells]:
    cells = store.cells(key, first="meta", last="total" + LAST)
    generations = generations_in(cells)
    return tallies_in(cells, generations.live), generations, cells


def days(store: Store, key: str, start: date, end: date) -> Tallies:
    """The cohorts first exposed from `start` to `end`, both days included."""
    return _days(store, key, store.generations(key).live, start, end)


def _days(store: Store, key: str, gen: int, start: date | None, end: date | None) -> Tallies:
    first, last = start.isoformat() if start else "", end.isoformat() if end else ""
    return tallies_in(store.cells(key, first=f"day#{gen}#{first}", last=f"day#{gen}#{last}{LAST}"), gen)


def _began(store: Store, key: str, gen: int) -> date | None:
    """The day of the first cohort, from one item: half a read unit, where all days would be one for every eight KB."""
    for name in store.cells(key, first=f"day#{gen}#", last=f"day#{gen}#{LAST}", limit=1):
        return date.fromisoformat(name.split("#")[2])
    return None


def conserved(tallies: Tallies, refusals: Mapping[str, int]) -> dict[str, Any]:
    """What came in and where it went, over the rows that are folded: received = accepted + repeated, and
    accepted = impressions + clicks + goals + excluded. Exact, but for the refusals, which are roughly."""
    whole = Tally()
    for cell, tally in tallies.items():
        if cell.span == "total":
            whole.add(tally)
    counted = whole.impressions + whole.clicks + sum(whole.goal_events.values())
    return {
        "received": whole.received,
        "accepted": whole.events,
        "repeated": whole.received - whole.events,
        "counted": counted,
        "excluded": whole.excluded_events,
        "holds": whole.events == counted + whole.excluded_events and whole.received >= whole.events,
        "refused": dict(refusals),
        "refused_is": "approximate",
    }

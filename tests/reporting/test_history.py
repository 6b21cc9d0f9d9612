"""What was done to an experiment, and what became of its events, day by day."""

from __future__ import annotations

from typing import Any

from chalicelib.domain.manifest import Note, Period, Phase
from chalicelib.reporting.answers import LiveAnswer
from chalicelib.reporting.history import history, live
from chalicelib.reporting.series import outcomes_by_day
from chalicelib.storage.tally import Cell, Tallies, Tally
from tests.support.builders import DAY, NOON, an_experiment
from tests.support.tallied import as_json

START = NOON - 20 * DAY  # 2026-11-01T12:00:00Z


def a_day(day: str, phase: int = 0, variant: str = "blue", **numbers: int) -> Tallies:
    tally = Tally.of({"visitors": 10, "events": 12, "received": 13, **numbers}.items())
    return {Cell("day", day, phase, variant): tally}


def told(tallies: Tallies, **fields: Any) -> list[tuple[str, str, str]]:
    return [(entry.at, entry.what, entry.text) for entry in history(an_experiment(**fields), tallies)]


def test_a_new_experiment_has_no_history() -> None:
    assert told({}) == []


def test_the_history_tells_start_change_of_the_split_and_stop() -> None:
    found = told(
        a_day("2026-11-02") | a_day("2026-11-09", phase=1) | a_day("2026-11-10", phase=1),
        status="stopped",
        winner="green",
        phases=(Phase(weights=(0.9, 0.1), coverage=0.2), Phase(weights=(0.5, 0.5))),
        periods=(Period(start=START, end=NOON),),
    )
    assert found == [
        ("2026-11-01T12:00:00Z", "running", "Events count from here on."),
        ("2026-11-02", "first", "The first visitor came. Split 90/10 of 20 % of visitors."),
        ("2026-11-09", "phase", "Phase 1: split 50/50."),
        ("2026-11-21T12:00:00Z", "stopped", "Stopped; everyone gets green."),
    ]


def test_notes_and_the_decision_stand_in_the_history_with_who_wrote_them() -> None:
    experiment = an_experiment(
        notes=(Note(at=START, by="Jonas", text="A newsletter went out."), Note(at=START - START % DAY, text="A sale.")),
        decision=Note(at=NOON, by="Anna", text="Green wins."),
    )
    assert [(entry.at, entry.what, entry.by, entry.text) for entry in history(experiment, {})] == [
        ("2026-11-01", "note", "", "A sale."),
        ("2026-11-01T12:00:00Z", "note", "Jonas", "A newsletter went out."),
        ("2026-11-21T12:00:00Z", "decision", "Anna", "Green wins."),
    ]


def test_a_stopped_experiment_answers_what_is_live_since_when_and_by_whose_decision() -> None:
    periods = (Period(start=START, end=NOON),)
    decision = Note(at=NOON, by="Anna", text="Green wins.")
    shipped = an_experiment(status="stopped", winner="green", periods=periods, decision=decision)
    assert live(shipped) == LiveAnswer(variant="green", since="2026-11-21T12:00:00Z", by="Anna", why="Green wins.")
    quiet = an_experiment(status="stopped", periods=periods)
    assert live(quiet) == LiveAnswer(variant="blue", since="2026-11-21T12:00:00Z", by="", why="")
    assert live(an_experiment()) is None


def test_pauses_are_told_and_an_end_that_was_set_beforehand() -> None:
    periods = (Period(end=START), Period(start=START + DAY, end=NOON + DAY))
    assert told({}, periods=periods) == [
        ("2026-11-01T12:00:00Z", "paused", "Paused."),
        ("2026-11-02T12:00:00Z", "running", "Resumed."),
        ("2026-11-22T12:00:00Z", "end", "Events from here on do not count."),
    ]
    assert told({}, periods=(Period(end=START),), status="paused")[-1][1] == "paused"


def test_outcomes_by_day_add_up_variants_and_join_refusals_of_days_without_visitors() -> None:
    tallies = a_day("2026-11-02", **{"excluded.bot": 1}) | a_day("2026-11-02", variant="green")
    outcomes = outcomes_by_day(tallies, {"2026-11-03": {"too-old": 4}})
    assert [as_json(day) for day in outcomes] == [
        {"at": "2026-11-02", "visitors": 20, "accepted": 24, "repeated": 2, "excluded": {"bot": 1}, "refused": {}},
        {"at": "2026-11-03", "visitors": 0, "accepted": 0, "repeated": 0, "excluded": {}, "refused": {"too-old": 4}},
    ]

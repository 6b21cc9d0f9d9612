"""Does everything that came in add up? Each part of the sums is wrong in one of these tests."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from chalicelib.analysis.checks.ledger import Ledger, conservation, ledger
from chalicelib.storage.tally import Cell, Tallies, Tally

# 20 events were received, 17 of them different; 12 of these count and 5 are excluded.
BALANCED = Ledger(received=20, accepted=17, counted=12, excluded=5, refused={"capped": 2})


def tallies() -> Tallies:
    """Two variants and two phases that hold what BALANCED says, and a day and an hour that must not be added."""
    green = Tally(impressions=5, clicks=2, goal_events=Counter(buy=1, signup=1), received=12, events=9)
    blue = Tally(impressions=2, clicks=1, excluded_events=5, received=8, events=8)
    return {
        Cell("total", "", 0, "green"): green,
        Cell("total", "", 1, "blue"): blue,
        Cell("day", "2026-11-21", 0, "green"): green,
        Cell("hour", "2026-11-21T12", 0, "green"): Tally(impressions=5, clicks=2),
        Cell("segment", "device=mobile", 0, "green"): green,
    }


def test_the_ledger_is_the_sum_of_the_totals() -> None:
    entries = ledger(tallies(), {"capped": 2}, rebuilding=True)
    assert entries == replace(BALANCED, rebuilding=True)
    assert (entries.repeated, entries.holds) == (3, True)


@pytest.mark.parametrize("number", ["impressions", "clicks", "goal_events", "excluded_events", "events", "received"])
@pytest.mark.parametrize("by", [-1, 1])
def test_one_number_that_is_wrong_is_an_alarm(number: str, by: int) -> None:
    wrong = Tally(goal_events=Counter(buy=by)) if number == "goal_events" else Tally(**{number: by})  # type: ignore[arg-type]
    changed = tallies()
    changed[Cell("total", "", 0, "green")].add(wrong)
    check = conservation(ledger(changed, {}))
    # Of what was received, only too few can be told: the tallies hold no number of repeats to compare with.
    assert check.state == ("ok" if number == "received" else "alarm")


def test_events_that_were_never_received_are_an_alarm() -> None:
    check = conservation(replace(BALANCED, received=16))
    assert (check.state, check.text) == (
        "alarm",
        "17 events accepted, but only 16 received. Recount: `abacus rebuild`.",
    )


def test_events_that_do_not_add_up_are_an_alarm() -> None:
    check = conservation(replace(BALANCED, counted=11))
    assert (check.state, check.text) == (
        "alarm",
        "Accepted 17 is not counted 11 + excluded 5. Recount: `abacus rebuild`.",
    )


def test_both_can_be_wrong_at_once() -> None:
    check = conservation(replace(BALANCED, received=0, counted=1_000))
    assert check.text == (
        "17 events accepted, but only 0 received; accepted 17 is not counted 1,000 + excluded 5. "
        "Recount: `abacus rebuild`."
    )
    assert (check.figures["repeated"], check.figures["holds"]) == (-17, False)


@pytest.mark.parametrize("entries", [BALANCED, replace(BALANCED, received=17), None])
def test_what_adds_up_is_ok(entries: Ledger | None) -> None:
    check = conservation(entries)
    assert (check.state, check.text) == ("ok", "Every event is accounted for.")
    assert check.figures.get("holds", True) is True

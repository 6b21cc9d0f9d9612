"""How large a row can become, and what the most expensive request costs."""

from __future__ import annotations

from decimal import Decimal
from math import ceil

import pytest

from abacus.operations.prices import WRITE_UNIT
from abacus.paths import PROJECT
from chalicelib.counting.contribution import HOURS
from chalicelib.domain.clock import HOUR_MS
from chalicelib.domain.event import Event
from chalicelib.domain.manifest import Experiment, GoalValue, Phase, Segment, Variant
from chalicelib.domain.segments import MOST_SEGMENTS
from chalicelib.ingestion.pipeline import MAX_EXPERIMENTS
from chalicelib.ingestion.request import MAX_EVENTS
from chalicelib.ingestion.rows.writer import DIRECT_BYTES, ROW_BYTES, ROW_OVERHEAD, limits_of
from chalicelib.ingestion.validation import LATE_MS, WINDOW_AHEAD_MS
from chalicelib.storage.event_encoding import Marks, element_of, longest_element
from tests.support.builders import an_experiment

SHORT = an_experiment(goals=("signup",))
LONG = Experiment(
    key="k" * 64,
    status="running",
    variants=(Variant(key="a" * 64), Variant(key="b" * 64)),
    phases=(Phase(weights=(0.5, 0.5)),) * 3,
    seed="s",
    goals=("g" * 64,),
)


VALUED = LONG.model_copy(update={"goal_values": {"g" * 64: GoalValue(unit="EUR", decimals=4, cap=10**13)}})


SEGMENTED = VALUED.model_copy(
    update={
        "goals": (),
        "conversion_window_ms": 10**12,
        "segments": tuple(Segment(name=letter * 24, values=("v" * 24,), attribute=True) for letter in "abcd"),
    }
)


def largest_impression(experiment: Experiment) -> str:
    event = Event(
        id="x" * 64,
        type="impression",
        experiment=experiment.key,
        variant=max(experiment.variant_keys, key=len),
        at=95_617_583_999_999,
    )
    segments = [f"{segment.name}={segment.values[0]}" for segment in experiment.segments]
    return element_of(event, experiment, Marks(*[True] * 5), segments)


def test_no_impression_with_segments_is_longer_than_the_limits_assume() -> None:
    assert len(largest_impression(SEGMENTED)) <= longest_element(SEGMENTED)
    assert limits_of(SEGMENTED).most * longest_element(SEGMENTED) <= ROW_BYTES
    assert limits_of(SEGMENTED).impressions > 10


def largest_event(experiment: Experiment) -> str:
    goal = max(experiment.goals, key=len)
    event = Event(
        id="x" * 64,
        type="goal",
        goal=goal,
        experiment=experiment.key,
        variant=max(experiment.variant_keys, key=len),
        at=95_617_583_999_999,
        value=Decimal(-(10**9)) if experiment.goal_values else None,
    )
    return element_of(event, experiment.model_copy(update={"assignment": "client"}), Marks(*[True] * 5))


@pytest.mark.parametrize("experiment", [SHORT, LONG, VALUED])
def test_no_event_is_longer_than_the_limits_assume(experiment: Experiment) -> None:
    assert len(largest_event(experiment)) <= longest_element(experiment)


@pytest.mark.parametrize("experiment", [SHORT, LONG, VALUED, None])
def test_a_row_stays_within_its_bytes_and_takes_clicks_after_impressions(experiment: Experiment | None) -> None:
    limits = limits_of(experiment)
    longest = longest_element(experiment) if experiment else longest_element(VALUED) + 3  # four digits of phase
    assert limits.most * longest <= ROW_BYTES
    assert 0 < limits.impressions < limits.events
    assert 0 < limits.pending <= MAX_EVENTS


def test_short_names_leave_room_for_a_whole_request_and_a_hundred_impressions() -> None:
    limits = limits_of(SHORT)
    assert limits.pending == 100
    assert limits.impressions == 100


def worst_units(experiments: int, segments: int = 0) -> int:
    """Write units of the most expensive request to so many running experiments, its share of the fold included.

    DynamoDB: a write costs a unit for each KB of the item, in a transaction two; an item of the tallies stays below
    1 KB. The rows before the last hold as much together as a request writes directly, the last one is full."""
    full = ceil((ROW_BYTES + ROW_OVERHEAD) / 1024)
    others = min(experiments, MAX_EXPERIMENTS) - 1
    kilobytes = min(others * full, others + (DIRECT_BYTES + others * ROW_OVERHEAD) // 1024) + full
    # A row that turns out to be full: the write is refused, its life is extended, and its clicks are tried again.
    again = 2 * full
    # A new first impression moves the visitor: total, day and segments, there and here. Events lie in the hour before
    # now and the ten minutes after it, which is three hours by the clock; late ones are no activity.
    hours = (LATE_MS + WINDOW_AHEAD_MS) // HOUR_MS + 2
    cells = 2 * (2 + segments) + min(HOURS, hours)
    return kilobytes + again + 2 * kilobytes + 2 * cells * (others + 1)


@pytest.mark.parametrize("experiments", [1, 3, 25])
def test_the_price_of_a_flood_in_the_docs_follows_from_the_limits(experiments: int) -> None:
    units = worst_units(experiments)
    dollars = WRITE_UNIT.of(units * 1000 * 86_400)
    assert f"| {experiments} | {units:,} | ${dollars:,.0f} |" in (PROJECT / "docs" / "security.md").read_text()


def test_segments_add_what_the_docs_say() -> None:
    assert {worst_units(n, 1) - worst_units(n) for n in (1, 25)} == {4, 25 * 4}
    with_all = f"With four in each of 25 experiments, the request takes {worst_units(25, MOST_SEGMENTS)} units."
    assert with_all in " ".join((PROJECT / "docs" / "security.md").read_text().split())

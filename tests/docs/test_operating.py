"""docs/operating.md: its figures are the code's, and what a month costs adds up."""

from __future__ import annotations

import re

import pytest

from abacus.operations import bill, prices
from abacus.operations.capacity import recorded
from abacus.operations.cost import by_experiment, by_traffic
from abacus.paths import PROJECT

PAGE = (PROJECT / "docs" / "operating.md").read_text()
SETTINGS = bill.FunctionSettings.shipped()


def test_the_price_at_each_traffic_is_what_the_command_says() -> None:
    assert "\n".join(by_traffic(recorded(), SETTINGS)) in PAGE


def test_the_price_of_segments_and_values_is_what_the_command_says() -> None:
    assert "\n".join(by_experiment(recorded(), SETTINGS.memory)) in PAGE


def test_a_month_is_its_events_and_the_rows_they_leave() -> None:
    (line,) = (line for line in by_traffic(recorded(), SETTINGS) if line.split()[0] == "100.0")
    _, events, _, million, dollars, rows, _gb, stored, together = (float(n.replace(",", "")) for n in line.split())
    assert (events, rows) == (100 * 30 * 86400, 100 / 3 * 90 * 86400)
    assert dollars == pytest.approx(events / 1e6 * million, rel=0.005)  # the price of a million is shown in cents
    assert together == pytest.approx(dollars + stored + 12 * 0.30, abs=0.02)  # twelve custom metrics


def test_reconcile_reads_a_whole_table_as_long_as_one_run_can() -> None:
    whole, twice = bill.storage(bill.ROWS_A_RUN, 1, 30), bill.storage(2 * bill.ROWS_A_RUN, 1, 30)
    assert (whole.rows, whole.parts, twice.parts) == (bill.ROWS_A_RUN, 1, 2)
    assert twice.dollars["reconcile, reads"] == pytest.approx(whole.dollars["reconcile, reads"])
    assert twice.dollars["stored"] == pytest.approx(2 * whole.dollars["stored"])


def test_rows_are_read_once_a_day_by_their_size_and_stored_with_what_the_table_adds() -> None:
    found = bill.storage(4_000_000, 1, 30)
    size = found.gb * 1e9 / found.rows - 100  # bytes
    assert found.dollars["reconcile, reads"] == pytest.approx(prices.READ_UNIT.of(30 * found.rows * size / 4096))


def test_what_reconcile_manages_in_a_day_is_what_the_page_says() -> None:
    (said,) = re.findall(r"a whole table each day up to (\d+) events/s", PAGE)
    kept_rows = [bill.storage(events * bill.MONTH, 3, 90).parts for events in (float(said) * 0.95, float(said) * 1.05)]
    assert kept_rows == [1, 2]

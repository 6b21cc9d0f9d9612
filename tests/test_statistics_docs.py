"""docs/statistics.md: what can drift is held against the code."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from click.testing import CliRunner

from abacus.plan import command
from abacus.prove import BEGIN, END
from chalicelib.statistics import ALPHA, TAU
from chalicelib.verdict import State

from .tallied import report_on, totals

FOLDER = Path(__file__).parent.parent / "docs"
PAGE = (FOLDER / "statistics.md").read_text()
ANSWER = report_on(totals(blue=(14_000, 1400), green=(14_000, 1820)))


def test_every_check_and_every_verdict_is_explained() -> None:
    names = [check["name"] for check in ANSWER["health"]["checks"]] + list(get_args(State))
    assert [name for name in names if f"`{name}`" not in PAGE] == []


def test_every_number_of_a_comparison_is_explained() -> None:
    told = {"variant", "control", "decision", "phases", "evidence", "p_unadjusted"}  # not for everybody
    assert [key for key in ANSWER["comparisons"][0] if key not in told and f"`{key}`" not in PAGE] == []


def test_the_example_in_the_first_paragraph_is_what_the_report_says() -> None:
    assert f"*{ANSWER['verdict']['text']}*" in PAGE
    low, high = ANSWER["comparisons"][0]["lift_interval"]
    assert f"**Interval of the lift**: {100 * low:.0f} % to {100 * high:.0f} %." in PAGE


def test_the_planning_example_is_what_the_command_prints() -> None:
    arguments = "--rate 0.04 --lift 0.1 --per-day 10000"
    output = CliRunner().invoke(command, arguments.split()).output
    block = "".join(f"    {line}\n" for line in [f"$ abacus plan {arguments}", *output.splitlines()])
    assert block in PAGE


def test_the_stated_constants_are_the_real_ones() -> None:
    assert (ALPHA, TAU) == (0.05, 0.1)
    assert "τ = 0.1" in PAGE


def test_the_measurement_and_its_picture_are_there() -> None:
    measured = PAGE.partition(BEGIN)[2].partition(END)[0]
    assert (measured.count("| rate "), measured.count(" N |")) == (8, 3)
    assert (FOLDER / "pictures" / "peeking.svg").exists()


def test_no_experiment_without_a_difference_names_more_than_five_percent_of_winners() -> None:
    rows = [line.split("|") for line in PAGE.partition(BEGIN)[2].splitlines() if line.startswith(("| rate", "| split"))]
    assert all(float(cells[3].strip(" %")) <= 5 for cells in rows)

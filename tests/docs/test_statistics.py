"""docs/statistics.md: what can drift is held against the code."""

from __future__ import annotations

from typing import get_args

from click.testing import CliRunner

from abacus.authoring.plan import command
from abacus.paths import PROJECT
from abacus.simulation.calibrate import BEGIN, END
from chalicelib.analysis.verdict import State
from chalicelib.statistics import ALPHA, TAUS
from tests.support.tallied import report_on, totals

FOLDER = PROJECT / "docs"
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
    assert (ALPHA, TAUS) == (0.05, (0.02, 0.06, 0.2, 0.6))
    assert "τ ∈ {0.02, 0.06, 0.2, 0.6}" in PAGE


MEASURED = PAGE.partition(BEGIN)[2].partition(END)[0]


def column(table: str, heading: str) -> list[float]:
    """One column of percentages, of the table in the measurement that has this first heading."""
    rows = [[cell.strip() for cell in line.split("|")] for line in MEASURED.partition(f"| {table}")[2].splitlines()]
    names = [table + rows[0][0], *rows[0][1:]]
    index = names.index(heading)
    body = rows[2 : next(n for n, row in enumerate([*rows, [""]]) if row == [""])]
    return [float(row[1:][index].split(" ")[0]) for row in body]


def test_at_most_five_percent_of_experiments_without_a_difference_name_a_winner() -> None:
    named = column("no difference", "winner or loser named")
    assert (len(named), max(named) <= 5) == (9, True)


def test_real_lifts_are_found_as_the_reference_simulations_find_them() -> None:
    """82 % by twice the visitors of a single look, from 3,000 simulated Brownian motions with the same four τ; ours
    from 200 experiments: within three standard errors, 8 points."""
    assert min(column("a real 10 % over", "by 2N")) >= 82 - 8


def test_small_and_large_lifts_take_about_the_same_time_and_less_than_with_growthbook() -> None:
    """Reference: medians of 1.08 to 1.24 N at lifts of 2 to 50 %; ours have a standard error near 0.02 N, and four
    looks in N."""
    times = column("median time to decide a real lift", "ABacus")
    theirs = column("median time to decide a real lift", "GrowthBook's formula")
    assert (len(times), min(times) > 0.8, max(times) < 1.4) == (11, True, True)
    assert sum(times) < sum(theirs)


def test_a_chance_of_95_percent_to_be_best_is_truer_than_with_a_flat_prior() -> None:
    rows = [line for line in MEASURED.splitlines() if line.startswith("| N(0")]
    for row in rows:
        said, true, flat_said, flat_true = (float(row.split("|")[n].split()[0]) for n in (3, 4, 6, 7))
        assert said - true <= flat_said - flat_true + 2


def test_the_picture_is_there() -> None:
    assert (FOLDER / "pictures" / "peeking.svg").exists()

"""`abacus plan`, and the reckoning behind it."""

from __future__ import annotations

import pytest
from click.testing import CliRunner, Result

from abacus.authoring.plan import command
from chalicelib.analysis.duration.needed import Needed, needed


def plan(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)


def test_it_says_how_many_visitors_it_takes() -> None:
    # 31,234: statsmodels. The other two: power.py's formulas, checked by simulation in `abacus prove`.
    assert plan("--rate", "0.05", "--lift", "0.1").output == (
        "To detect a lift of 10 % (5 % becomes 5.5 %) in 80 % of cases, 2 variants split 50/50:\n"
        "  looking as often as you like: 67,920 visitors per variant, 135,840 in all\n"
        "  a single look at the end: 31,234 visitors per variant, 62,468 in all\n"
        "  to show that nothing differs by more than 1 %: 8,931,832 visitors per variant, 17,863,664 in all\n"
        "How long does that take? Add --per-day VISITORS.\n"
    )


def test_with_traffic_it_says_how_long_in_whole_weeks() -> None:
    output = plan("--rate", "0.05", "--lift", "0.1", "--per-day", "10000").output
    assert output.splitlines()[1:3] == [
        "  looking as often as you like: 67,920 visitors per variant, 135,840 in all: 14 days (2 weeks)",
        "  a single look at the end: 31,234 visitors per variant, 62,468 in all: 7 days (1 week)",
    ]


def test_an_uneven_split_takes_more() -> None:
    # 0.25 visitors in b for each in a, 20 % of 0.2 more: the reference file's n_control for that ratio.
    even, uneven = needed(0.2, 0.1, [0.5, 0.5]), needed(0.2, 0.1, [0.8, 0.2])
    assert isinstance(even, Needed)
    assert isinstance(uneven, Needed)
    assert uneven.fixed == (16_134, 4034)
    assert uneven.visitors > (31_863, 7966)
    assert sum(even.visitors) < sum(uneven.visitors)


def test_several_variants_share_the_risk_of_a_wrong_call() -> None:
    two, five = needed(0.05, 0.1, [0.5] * 2), needed(0.05, 0.1, [0.2] * 5)
    assert isinstance(two, Needed)
    assert isinstance(five, Needed)
    assert five.visitors[0] > two.visitors[0]


@pytest.mark.parametrize("rate", ["4 %", "4%", "0.04"])
def test_a_share_may_be_written_in_three_ways(rate: str) -> None:
    weights = "80 %, 20 %" if "%" in rate else "0.8,0.2"
    expected = plan("--rate", "0.04", "--lift", "0.1", "--weights", "0.8,0.2").output
    assert plan("--rate", rate, "--lift", "10 %", "--weights", weights).output == expected


def test_coverage_makes_it_longer() -> None:
    output = plan("--rate", "0.05", "--lift", "0.1", "--per-day", "10000", "--coverage", "0.5").output
    assert "28 days (4 weeks)" in output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--rate", "0.6", "--lift", "0.9"), "--lift: there is nothing to detect, a rate of 60 % would become 110 %"),
        (("--rate", "0.6", "--lift", "0"), "--lift: there is nothing to detect, a rate of 60 % would become 60 %"),
        (
            ("--rate", "0.1", "--lift", "0.1", "--weights", "0.5"),
            "--weights: '0.5' is not a list of shares above 0; write '90 %, 10 %' or 0.9,0.1",
        ),
        (("--rate", "0.1", "--lift", "0.1", "--weights", "a,b"), "--weights: 'a,b' is not a list of shares above 0"),
        (("--rate", "0.1", "--lift", "0.1", "--weights", "50 %,30 %"), "add up to 80 %, not to 100 %"),
        (("--rate", "1.5", "--lift", "0.1"), "Invalid value for '--rate': '1.5' is not a share: write 50 % or 0.5"),
        (("--rate", "5 %", "--lift", "-100 %"), "--lift: -100 % is impossible"),
    ],
)
def test_what_cannot_be_planned_is_refused_with_the_reason(arguments: tuple[str, ...], message: str) -> None:
    result = plan(*arguments)
    assert (result.exit_code, message in result.output) == (2, True)

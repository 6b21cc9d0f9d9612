"""`abacus plan`, and the reckoning behind it."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

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


def test_a_mean_is_planned_from_mean_and_spread() -> None:
    # 97,206: n = 2 (18/2.4)² ((1.96 + 0.8416)/ln 1.1)², the two-sample size on the log scale.
    output = plan("--mean", "2.4", "--spread", "18", "--lift", "0.1").output
    assert "(a mean of 2.4, spread 18, becomes 2.64)" in output
    assert "a single look at the end: 97,204 visitors per variant" in output


def test_a_guardrail_is_planned_beside_the_lift() -> None:
    output = plan("--rate", "0.1", "--lift", "0.1", "--guardrail", "10 %").output
    assert "to be certain that it is at most 10 % worse, if nothing differs: " in output


def test_live_data_give_the_metric_its_mean_spread_and_visitors() -> None:
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            measured = {"rate": None, "mean": 2.4, "spread": 18.0, "lift": 0.05, "visitors_per_day": 10_000}
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"plan": measured}).encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        arguments = ["--from", "basket", "--metric", "buy.value", "--lift", "0.1", "--home", "/nonexistent"]
        environment = {"PORT": str(server.server_port)}
        output = CliRunner().invoke(command, arguments, env=environment).output
        server.shutdown()
    assert output == plan("--mean", "2.4", "--spread", "18", "--lift", "0.1", "--per-day", "10000").output
    assert asked == ["/stats/basket?series=none&goal=buy.value"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--lift", "0.1"), "write one of --rate, --mean with --spread, --from"),
        (("--lift", "0.1", "--rate", "0.1", "--mean", "2"), "--rate and --mean: write one of"),
        (("--lift", "0.1", "--mean", "2"), "--spread: belongs to --mean"),
        (("--lift", "0.1", "--rate", "0.1", "--metric", "buy"), "--metric: names a metric of live data; add --from"),
    ],
)
def test_what_to_plan_from_is_said_in_one_way(arguments: tuple[str, ...], message: str) -> None:
    result = plan(*arguments)
    assert (result.exit_code, message in result.output) == (2, True)

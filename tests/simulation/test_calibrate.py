"""The proof in small: false winners, coverage and power through the real code, on fixed seeds.

The rng are seeded, so these never fail by chance from run to run; each says how often it would over all seeds.
"""

from __future__ import annotations

import doctest
import json
import math
from pathlib import Path
from random import Random
from statistics import fmean
from types import ModuleType
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from abacus.paths import PROJECT
from abacus.simulation import chart, tables, trials
from abacus.simulation.calibrate import BEGIN, END, better, command, drifting, equal_rates, put
from abacus.simulation.calibration import change_of_weights, split_alarm
from abacus.simulation.pitfalls import Population, ctr, growthbook_decides, phases
from abacus.simulation.random_counts import binomial, multinomial
from abacus.simulation.tables import weekly
from abacus.simulation.trials import Scenario, Stretch, TrialOutcome, Weeks, log_spaced, run
from chalicelib.statistics import Counts
from chalicelib.statistics.numerics import chi2


def outcomes(scenario: Scenario, number: int) -> list[TrialOutcome]:
    return [run(scenario, Random(f"{scenario.name}/{n}")) for n in range(number)]


@pytest.mark.parametrize(
    "scenario",
    [
        equal_rates(0.05, (0.5, 0.5), 60),
        equal_rates(0.2, (0.9, 0.1), 60),
        equal_rates(0.05, (0.2,) * 5, 30),
        drifting(60),
    ],
)
def test_looking_all_along_names_few_false_winners(scenario: Scenario) -> None:
    """At a true 5 % more than 15 of 120 would happen once in 3,000 runs; ours are near 2 %: once in 9·10⁷."""
    assert sum(o.decided is not None for o in outcomes(scenario, 120)) <= 15


def test_an_ordinary_test_looked_at_all_along_does_not() -> None:
    """The trap is real: about half of them. Fewer than 30 of 100 would happen once in 62,000 runs at a true 50 %."""
    assert sum(o.fixed is not None for o in outcomes(equal_rates(0.05, (0.5, 0.5), 60), 100)) >= 30


def test_intervals_hold_the_truth_at_every_look() -> None:
    """More than 15 of 120 misses: once in 3,000 runs at a true 5 %."""
    doubled = Scenario("doubled", (Stretch(20_000, (0.5, 0.5), (0.05, 0.1)),), log_spaced(10, 20_000, 60))
    assert sum(o.missed is not None for o in outcomes(doubled, 120)) <= 15


def test_the_ordinary_interval_holds_the_truth_at_the_end() -> None:
    """Fewer than 104 of 120: once in 9,600 runs at a true 95 %."""
    assert sum(o.last_covers for o in outcomes(equal_rates(0.05, (0.5, 0.5), 10), 120)) >= 104


def test_rebalancing_every_week_names_few_false_winners_and_leaves_the_control_its_floor() -> None:
    """At a true 5 % more than 9 of 60 would happen once in 700 runs; measured near 1 %."""
    scenario = weekly((0.03,) * 3, Weeks(6000, (1.0, 5 / 3)), 8, looks=3)
    found = outcomes(scenario, 60)
    assert sum(o.decided is not None for o in found) <= 9
    assert sum(o.missed is not None for o in found) <= 9
    assert sum(o.imbalance is not None for o in found) <= 3
    assert min(o.weights[0] for o in found) >= 0.05
    assert fmean(max(o.weights) for o in found) > 0.38  # the weights do move


def test_a_real_lift_is_found_with_the_power_that_was_promised() -> None:
    """87.3 % at twice a fixed test's visitors; fewer than 85 of 120 would happen once in 2 million runs."""
    found = outcomes(better(0.2, 60), 120)
    assert sum(o.winner for o in found) >= 85
    # A loser, although it is better: more than 4 of 120 would happen once in 200 runs at a true 1 %.
    assert sum(o.decided is not None and not o.winner for o in found) <= 4


def test_phases_added_up_find_what_is_not_there_and_within_phases_they_do_not() -> None:
    """More than 15 of 120 within: once in 3,000 runs at a true 5 %. Added up, fewer than 100 of 120: never seen."""
    found = [phases(drifting(10).stretches, Random(n)) for n in range(120)]
    assert sum(within for within, _ in found) <= 15
    assert sum(added for _, added in found) >= 100


def test_the_interval_of_ctr_holds_where_counting_impressions_does_not() -> None:
    """At a true 94 % fewer than 84 of 100: once in 8,000 runs; the naive one holds in about half."""
    found = [ctr(Population(visitors=1000), Random(n)) for n in range(100)]
    assert sum(ours for ours, _ in found) >= 84
    assert sum(naive for _, naive in found) <= 75


@pytest.mark.parametrize(("n", "p"), [(40, 0.1), (200, 0.3), (100_000, 0.02), (50, 0.9)])
def test_binomial_dice_are_fair(n: int, p: float) -> None:
    """Mean and variance of 20,000 draws, each within 5 standard errors: once in 900,000 runs."""
    rng = Random(7)
    draws = [binomial(rng, n, p) for _ in range(20_000)]
    mean, variance = n * p, n * p * (1 - p)
    assert abs(sum(draws) / 20_000 - mean) < 5 * (variance / 20_000) ** 0.5
    spread = sum((x - mean) ** 2 for x in draws) / 20_000
    assert abs(spread / variance - 1) < 5 * ((2 + (1 - 6 * p * (1 - p)) / variance) / 20_000) ** 0.5


def test_binomial_dice_have_the_right_shape() -> None:
    """χ² over 17 classes of Binomial(30, 0.4), by rejection: p < 10⁻⁶ once in a million runs."""
    rng = Random(11)
    chances = [math.comb(30, k) * 0.4**k * 0.6 ** (30 - k) for k in range(31)]
    seen = [0] * 31
    for _ in range(20_000):
        seen[binomial(rng, 30, 0.4)] += 1
    middle = range(4, 21)
    off = sum((seen[k] - 20_000 * chances[k]) ** 2 / (20_000 * chances[k]) for k in middle)
    assert chi2.survival(off, len(middle)) > 1e-6


def test_nobody_and_everybody_need_no_dice() -> None:
    rng = Random(1)
    assert (binomial(rng, 0, 0.5), binomial(rng, 9, 0.0), binomial(rng, 9, 1.0)) == (0, 0, 9)
    assert sum(multinomial(rng, 1000, (0.2, 0.3, 0.5))) == 1000


@pytest.mark.parametrize("module", [chart, tables, trials])
def test_the_examples_in_the_documentation_run(module: ModuleType) -> None:
    failed, tried = doctest.testmod(module)
    assert (failed, tried > 0) == (0, True)


def test_the_command_writes_its_tables_and_a_picture(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nyesterday\n{END}\nafter\n")
    result = CliRunner().invoke(
        command, ["--experiments", "50", "--looks", "10", "--processes", "1", "--write", str(page)]
    )
    assert result.exit_code == 0, result.output
    text = page.read_text()
    head = "Made in one run, by `abacus prove --experiments 50 --looks 10 --seed 1`."
    assert text.startswith(f"before\n{BEGIN}\n{head}\n\n| no difference |")
    assert text.endswith(f"\n{END}\nafter\n")
    rows = ("| rate 20 %, split 50/50 |", "\n| 20 % | ", "| drift check", "| revenue, σ 1, cap: 0 % |")
    assert [text.count(row) for row in rows] == [1] * len(rows)
    assert "yesterday" not in text
    assert ElementTree.parse(tmp_path / "pictures" / "peeking.svg").getroot().tag == "{http://www.w3.org/2000/svg}svg"


def test_a_page_without_the_marks_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("nothing here")
    with pytest.raises(Exception, match="has no <!-- measured by abacus prove -->"):
        put("tables", page)
    assert page.read_text() == "nothing here"


def test_growthbooks_formula_is_the_one_of_the_reference_file() -> None:
    """Whether the interval of gbstats 0.8.0 excludes 0, where its minimum of conversions is reached."""
    cases = json.loads((PROJECT / "tests" / "fixtures" / "statistics" / "growthbook_sequential.json").read_text())
    compared = 0
    for case in cases["cases"]:
        given, expected = case["input"], case["expected"]
        a, b = Counts(given["xa"], given["na"]), Counts(given["xb"], given["nb"])
        if given["tuning"] == 5000 and given["alpha"] == 0.05 and max(a.converted, b.converted) >= 150:
            compared += 1
            assert growthbook_decides(a, b) == (not expected["lo"] <= 0 <= expected["hi"])
    assert compared >= 5


def test_a_healthy_split_rarely_raises_the_alarm_and_a_broken_one_does() -> None:
    """More than 5 of 100 would happen once in 1,800 runs at a true 1 %."""
    healthy = [split_alarm(0.5, 20_000, Random(n)) for n in range(100)]
    broken = [split_alarm(0.55, 20_000, Random(n)) for n in range(20)]
    assert sum(alarm.evidence is not None for alarm in healthy) <= 5
    assert all(alarm.evidence is not None for alarm in broken)


def test_counting_by_the_first_impression_is_unbiased_where_excluding_is_not() -> None:
    """Mean of 60 experiments; its standard error is near 1 %."""
    biases = [change_of_weights(20_000, Random(n)) for n in range(60)]
    first, excluded = (fmean(values) for values in zip(*biases, strict=True))
    assert abs(first) < 0.04
    assert abs(excluded) > 0.04

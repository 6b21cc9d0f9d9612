"""The report's numbers: from outside the code where they are not counts."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

import pytest

from chalicelib.domain.manifest import Phase
from chalicelib.reporting.report import ReportContext, summary
from chalicelib.storage.tally import FLAGS, Cell
from tests.support.builders import an_experiment
from tests.support.tallied import BEGAN, NOW, a_tally, as_json, daily, report_on, totals

# 20 % and 23 % of 1,000. Expected values: mpmath, 30 digits, from the formulas in docs/statistics.md.
PAIR = totals(blue=(1000, 200), green=(1000, 230))


def near(value: Any) -> Any:
    return pytest.approx(value, rel=1e-7)


def test_a_report_has_the_documented_shape() -> None:
    answer = report_on(PAIR)
    assert answer.keys() >= {
        *("experiment", "status", "goal", "as_of", "phase", "variants", "comparisons", "health", "excluded", "plan"),
        *("verdict", "series", "description", "hypothesis", "goals", "phases", "window", "refused"),
    }
    assert answer["variants"][0].keys() >= {
        *("variant", "control", "weight", "impressions", "clicks", "ctr", "ctr_interval", "visitors", "converted"),
        *("rate", "rate_interval", "p_best", "expected_loss", "excluded"),
    }
    assert answer["comparisons"][0].keys() >= {"variant", "control", "lift", "lift_interval", "p", "fixed", "bayes"}
    assert answer["health"].keys() >= {"srm", "conservation", "multiple_variants", "checks"}
    assert answer["verdict"].keys() >= {"state", "text"}


def test_before_the_first_visitor_there_are_nulls_and_no_numbers() -> None:
    answer = report_on({}, began=None)
    blue = answer["variants"][0]
    assert (blue["visitors"], blue["rate"], blue["rate_interval"], blue["ctr"], blue["p_best"]) == (
        0,
        None,
        None,
        None,
        None,
    )
    green = answer["comparisons"][0]
    assert (green["lift"], green["lift_interval"], green["p"], green["fixed"]) == (None, None, None, None)
    assert answer["verdict"]["state"] == "collecting"


def test_rates_come_with_wilson_intervals() -> None:
    blue = report_on(totals(blue=(1000, 1), green=(10, 3)))["variants"]
    assert [row["rate"] for row in blue] == [0.001, 0.3]
    assert blue[0]["rate_interval"] == near([0.000176546370626078, 0.0056425585979579355])
    assert blue[1]["rate_interval"] == near([0.10779126740630102, 0.6032218525388546])


def test_the_decision_is_the_anytime_one() -> None:
    green = report_on(PAIR)["comparisons"][0]
    assert (green["p"], green["decision"], green["lift"]) == (near(0.950555267261325), "open", near(0.15))
    assert green["lift_interval"] == near([-0.135478322510593, 0.531209623612784])


def test_the_fixed_horizon_test_is_reported_too() -> None:
    fixed = report_on(PAIR)["comparisons"][0]["fixed"]
    assert (fixed["z"], fixed["p"], fixed["difference"]) == near((1.6328722128376323, 0.10249587537989267, 0.03))
    assert fixed["lift_interval"] == near([-0.027535478712973793, 0.360404480868368])
    assert fixed["difference_interval"] == near([-0.0060196517876758985, 0.0660140326032185])


def test_the_posterior_is_reported_too() -> None:
    answer = report_on(PAIR)
    better, lift = 0.830963217706911, 0.0744189624670066
    assert [row["p_best"] for row in answer["variants"]] == near([1 - better, better])
    assert [row["expected_loss"] for row in answer["variants"]] == near([0.0158737718091204, 0.000730632991314328])
    bayes = answer["comparisons"][0]["bayes"]
    assert (bayes["p_better"], bayes["lift"]) == near((better, lift))
    assert bayes["lift_interval"] == near([-0.0378954257029453, 0.290687613363869])


def test_the_exact_test_is_reported_too() -> None:
    assert report_on(totals(blue=(10_000, 200), green=(10_000, 260)))["comparisons"][0]["exact_p"] == near(
        0.186789246578697164
    )


def test_while_the_split_is_off_there_is_no_exact_test() -> None:
    assert report_on(totals(blue=(10_000, 200), green=(12_000, 260)))["comparisons"][0]["exact_p"] is None


def test_ctr_gets_its_error_from_visitors() -> None:
    sums = {"impressions": 9986, "clicks": 523, "sx": 9986, "sy": 523, "sxx": 31250, "syy": 687, "sxy": 1636}
    other = {"impressions": 10000, "clicks": 529, "sx": 10000, "sy": 529, "sxx": 31176, "syy": 663, "sxy": 1642}
    answer = report_on(totals(blue=a_tally(5000, 500, **sums), green=a_tally(5000, 500, **other)))
    blue, green = answer["variants"]
    assert (blue["ctr"], green["ctr"]) == near((0.0523733226517124, 0.0529))
    assert blue["ctr_interval"] == near([0.047765255939581294, 0.057399147229066444])
    assert (answer["comparisons"][0]["ctr"]["z"], answer["comparisons"][0]["ctr"]["p"]) == near(
        (0.153344894834190, 0.878126298349851)
    )


def test_several_comparisons_are_adjusted_by_holm() -> None:
    experiment = an_experiment(variants=("a", "b", "c", "d"))
    answer = report_on(totals(a=(9000, 900), b=(9000, 1100), c=(9000, 1060), d=(9000, 905)), experiment=experiment)
    raw = [c["p_unadjusted"] for c in answer["comparisons"]]
    assert raw[0] < raw[1] < raw[2]
    assert [c["p"] for c in answer["comparisons"]] == near([3 * raw[0], 2 * raw[1], raw[2]])


def test_a_variant_that_holm_decides_on_has_an_interval_that_says_so() -> None:
    experiment = an_experiment(variants=("a", "b", "c"))
    answer = report_on(totals(a=(20000, 2000), b=(20000, 2600), c=(20000, 2205)), experiment=experiment)
    c = answer["comparisons"][1]
    assert (c["decision"], c["lift_interval"][0]) == ("winner", 0.0)


def test_what_holm_does_not_allow_is_not_called() -> None:
    """Each of b and c would win alone (p = 0.044 and 0.035), but not both at 5 %."""
    experiment = an_experiment(variants=("a", "b", "c"))
    answer = report_on(totals(a=(20000, 2000), b=(20000, 2205), c=(20000, 2210)), experiment=experiment)
    assert [c["p_unadjusted"] < 0.05 for c in answer["comparisons"]] == [True, True]
    assert [c["decision"] for c in answer["comparisons"]] == ["open", "open"]


def test_fixed_intervals_hold_for_all_comparisons_at_once() -> None:
    experiment = an_experiment(variants=("a", "b", "c"))
    answer = report_on(totals(a=(1000, 50), b=(1000, 60), c=(1000, 70)), experiment=experiment)
    # At α = 0.025, to 40 digits with mpmath.
    assert answer["comparisons"][0]["fixed"]["lift_interval"] == near([-0.206917497234262, 0.816535034265681])


def test_three_variants_have_one_test_of_any_difference() -> None:
    experiment = an_experiment(variants=("a", "b", "c"))
    answer = report_on(totals(a=(1000, 50), b=(1000, 60), c=(1000, 70)), experiment=experiment)
    assert (answer["omnibus"]["g"], answer["omnibus"]["p"]) == near((3.5617094672896794, 0.16849406815372678))


PHASES = (Phase(weights=(0.9, 0.1)), Phase(weights=(0.1, 0.9)))
CHANGED = totals(0, blue=(900, 23), green=(100, 2)) | totals(1, blue=(5000, 977), green=(45_000, 9905))


def test_phases_are_compared_within_and_never_pooled() -> None:
    green = report_on(CHANGED, experiment=an_experiment(phases=PHASES))["comparisons"][0]
    assert (green["lift"], green["phases"]) == (near(0.1255671506352087), 2)
    assert (green["evidence"]["z"], green["p"]) == near((3.99340097512194818566, 0.00529110940954537))


def test_counts_are_summed_over_phases_but_rates_are_weighted_alike() -> None:
    answer = report_on(
        totals(0, blue=(300, 30), green=(100, 10)) | totals(1, blue=(100, 30), green=(300, 90)),
        experiment=an_experiment(phases=(Phase(weights=(0.75, 0.25)), Phase(weights=(0.25, 0.75)))),
    )
    blue, green = answer["variants"]
    assert (blue["visitors"], blue["converted"], green["visitors"], green["converted"]) == (400, 60, 400, 100)
    # Each variant converts 10 % in one phase and 30 % in the other, and half of all visitors came in each.
    assert (blue["rate"], green["rate"]) == near((0.2, 0.2))
    assert (blue["ctr"], green["ctr"]) == near((0.2, 0.2))
    assert answer["comparisons"][0]["lift"] == near(0.0) or abs(answer["comparisons"][0]["lift"]) < 1e-12


def test_the_error_of_ctr_is_that_of_all_phases() -> None:
    """Two phases alike: the same CTR of 0.4, and twice the 4 effective impressions of one (the reference file)."""
    sums = {"impressions": 5, "clicks": 2, "sx": 5, "sy": 2, "sxx": 5, "syy": 2, "sxy": 2}
    arms = {name: a_tally(5, 2, **sums) for name in ("blue", "green")}
    phases = (Phase(weights=(0.5, 0.5)), Phase(weights=(0.5, 0.5)))
    blue = report_on(totals(0, **arms) | totals(1, **arms), experiment=an_experiment(phases=phases))["variants"][0]
    n, q, z = 8, 0.4, 1.959963984540054
    middle, reach = q + z * z / (2 * n), z * (q * (1 - q) / n + z * z / (4 * n * n)) ** 0.5
    assert blue["ctr"] == near(0.4)
    assert blue["ctr_interval"] == near([(middle - reach) / (1 + z * z / n), (middle + reach) / (1 + z * z / n)])


def test_a_phase_with_an_empty_arm_says_nothing_about_the_lift() -> None:
    only = totals(1, blue=(1000, 200), green=(1000, 230))
    phases = (Phase(weights=(1.0, 0.0)), Phase(weights=(0.5, 0.5)))
    green = report_on(totals(0, blue=(5000, 100)) | only, experiment=an_experiment(phases=phases))["comparisons"][0]
    assert (green["p"], green["lift"]) == near((0.950555267261325, 0.15))


def test_variants_that_never_met_in_a_phase_are_compared_by_their_lifts() -> None:
    phases = (Phase(weights=(0.5, 0.5, 0.0)), Phase(weights=(0.5, 0.0, 0.5)))
    tallies = totals(0, blue=(1000, 100), green=(1000, 110)) | totals(1, blue=(1000, 300), red=(1000, 330))
    answer = report_on(tallies, experiment=an_experiment(variants=("blue", "green", "red"), phases=phases))
    chances = [row["p_best"] for row in answer["variants"]]
    assert (sum(chances), chances[0] < chances[1] < chances[2]) == (near(1), True)
    assert [c["lift"] for c in answer["comparisons"]] == near([0.1, 0.1])
    # Rates of green and red as they would be in all of the control's phases: 20 % (of 10 and 30 %), and 10 % more.
    assert [row["rate"] for row in answer["variants"]] == near([0.2, 0.22, 0.22])


def test_a_window_counts_the_cohorts_of_its_days() -> None:
    days = [{"blue": (100 + n, 10), "green": (100, 12)} for n in range(5)]
    answer = report_on(daily(*days), start=date(2026, 11, 3), end=date(2026, 11, 4))
    assert answer["window"] == {
        "from": "2026-11-03",
        "to": "2026-11-04",
        "by": "UTC day of the visitor's first impression",
    }
    assert [(row["visitors"], row["converted"]) for row in answer["variants"]] == [(203, 20), (200, 24)]


def test_without_a_window_the_totals_count_and_not_the_days() -> None:
    half = daily(*[{"blue": (100, 10), "green": (100, 12)}] * 4)
    del half[Cell("day", "2026-11-03", 0, "blue")]
    assert [row["visitors"] for row in report_on(half)["variants"]] == [400, 400]


def test_another_goal_has_its_own_rate() -> None:
    tallies = totals(blue=a_tally(1000, 500, goals={"signup": 200}), green=a_tally(1000, 500, goals={"signup": 230}))
    answer = report_on(tallies, goal="signup", experiment=an_experiment(goals=("signup",)))
    assert (answer["goals"], answer["goal"]) == (["click", "signup"], "signup")
    assert [row["converted"] for row in answer["variants"]] == [200, 230]
    assert answer["comparisons"][0]["p"] == near(0.950555267261325)


def test_what_was_left_out_is_told_by_reason_and_variant() -> None:
    answer = report_on(totals(blue=a_tally(1000, 200, excluded={"bot": 3}), green=a_tally(1000, 230)))
    assert answer["excluded"] == {"bot": 3, "no-impression": 0}
    assert answer["flagged"] == dict.fromkeys(FLAGS, 0)
    assert [row["excluded"] for row in answer["variants"]] == [{"bot": 3}, {}]


def test_a_declared_effect_plans_and_changes_no_evidence() -> None:
    declared = report_on(PAIR, experiment=an_experiment(minimum_detectable_effect=0.02))
    assert (declared["taus"], declared["plan"]["lift"]) == ([0.02, 0.06, 0.2, 0.6], 0.02)
    assert declared["comparisons"] == report_on(PAIR)["comparisons"]


UNEVEN = totals(0, blue=(99_000, 5000), green=(1000, 70)) | totals(1, blue=(25_000, 1250), green=(25_000, 1150))


def test_after_an_uneven_phase_rates_lift_and_chance_to_be_best_agree() -> None:
    """Rates and effective visitors: exact fractions, the reference file standardised_rates."""
    phases = (Phase(weights=(0.99, 0.01)), Phase(weights=(0.5, 0.5)))
    answer = report_on(UNEVEN, experiment=an_experiment(phases=phases))
    blue, green = answer["variants"]
    assert (blue["rate"], green["rate"]) == near((0.050037064492216454, 0.04776130467012602))
    n, p, z = 25_169.7901827084, 0.04776130467012602, 1.959963984540054
    high = (p + z * z / (2 * n) + z * (p * (1 - p) / n + z * z / (4 * n * n)) ** 0.5) / (1 + z * z / n)
    assert green["rate_interval"][1] == near(high)
    assert answer["comparisons"][0]["lift"] == near(-0.045481481481481484)
    assert green["p_best"] == near(answer["comparisons"][0]["bayes"]["p_better"])
    assert green["p_best"] < 0.2


def test_a_variant_that_joined_later_is_ranked_by_its_lift_in_the_phases_that_it_shares() -> None:
    phases = (Phase(weights=(0.5, 0.5, 0.0)), Phase(weights=(0.34, 0.33, 0.33)))
    tallies = totals(0, blue=(20_000, 1000), green=(20_000, 1000))
    tallies |= totals(1, blue=(5000, 500), green=(5000, 500), red=(5000, 550))
    answer = report_on(tallies, experiment=an_experiment(variants=("blue", "green", "red"), phases=phases))
    blue, green, red = answer["variants"]
    assert answer["comparisons"][1]["lift"] == near(0.1)
    assert red["rate"] == near(1.1 * blue["rate"])
    assert red["p_best"] > green["p_best"]


def test_the_counted_ctr_is_within_its_interval_however_many_impressions_one_visitor_had() -> None:
    """One visitor with 5,000 impressions and no click enters with 100 of them, in the ratio as in its interval."""
    tally = a_tally(100, 50, impressions=5099, clicks=50, sx=199, sy=50, sxx=10_099, syy=50, sxy=50)
    blue = report_on(totals(blue=tally, green=(100, 50)))["variants"][0]
    assert blue["ctr"] == near(50 / 199)
    assert blue["ctr_interval"][0] <= blue["ctr"] <= blue["ctr_interval"][1]


def test_without_a_click_the_ctr_has_an_interval() -> None:
    """Wilson's upper end at 0 of 100: z²/(n + z²)."""
    blue = report_on(totals(blue=(100, 0), green=(100, 9)))["variants"][0]
    assert (blue["ctr"], blue["ctr_interval"]) == (0, near([0, 0.0369934982069857]))


GOALS = {"experiment": an_experiment(goals=("signup", "order"))}


def three_goals(click: int, signup: int, order: int) -> Any:
    blue = a_tally(10_000, 1000, goals={"signup": 1000, "order": 1000})
    return totals(blue=blue, green=a_tally(10_000, click, goals={"signup": signup, "order": order}))


def test_one_answer_has_every_goal_and_names_the_primary_one() -> None:
    answer = report_on(three_goals(1020, 1300, 1100), **GOALS)
    metrics = {metric["metric"]: metric for metric in answer["metrics"]}
    assert (answer["primary"], list(metrics)) == ("click", ["click", "signup", "order"])
    assert metrics["signup"]["variants"][1]["rate"] == near(0.13)
    assert [metric["primary"] for metric in answer["metrics"]] == [True, False, False]
    shown = {key: answer["comparisons"][0][key] for key in ("p", "lift", "lift_interval", "decision")}
    assert {key: metrics["click"]["comparisons"][0][key] for key in shown} == shown


def test_secondary_goals_are_adjusted_by_holm_and_the_primary_one_is_not() -> None:
    comparisons = [metric["comparisons"][0] for metric in report_on(three_goals(1150, 1300, 1200), **GOALS)["metrics"]]
    raw = [c["p_unadjusted"] for c in comparisons]
    assert [c["p"] for c in comparisons] == near([raw[0], 2 * raw[1], raw[2]])


def test_a_secondary_goal_confirms_only_behind_the_primary_one() -> None:
    open_, decided = three_goals(1020, 1300, 1000), three_goals(1300, 1300, 1000)
    assert [m["confirmatory"] for m in report_on(open_, **GOALS)["metrics"]] == [True, False, False]
    assert [m["confirmatory"] for m in report_on(decided, **GOALS)["metrics"]] == [True, True, True]
    behind = report_on(decided, goal="signup", **GOALS)["verdict"]["state"]
    verdict = report_on(open_, goal="signup", **GOALS)["verdict"]
    assert (behind, verdict["state"]) == ("winner", "inconclusive")
    assert verdict["text"].endswith("but click, the primary metric, is not decided. Decide by click.")


def test_the_plan_counts_visitors_and_whole_weeks() -> None:
    experiment = an_experiment(minimum_detectable_effect=0.1)
    plan = report_on(daily(*[{"blue": (1000, 50), "green": (1000, 50)}] * 21), experiment=experiment)["plan"]
    # 31,234 visitors: statsmodels, for 5 % and a lift of 10 %. 67,920: 1.3 times the reference simulations' median.
    assert (plan["visitors_per_variant_fixed"], plan["visitors_per_variant"]) == (31_234, 67_920)
    assert (plan["visitors_per_day"], plan["missing"]) == (2000, 2 * (67_920 - 21_000))
    assert (plan["days_left"], plan["days"]) == (47, 49)


def test_the_plan_reckons_with_the_last_seven_days() -> None:
    days = [{"blue": (1000, 50), "green": (1000, 50)}] * 14 + [{"blue": (100, 5), "green": (100, 5)}] * 7
    assert report_on(daily(*days))["plan"]["visitors_per_day"] == 200


def test_days_show_the_evidence_growing() -> None:
    series = report_on(daily(*[{"blue": (1000, 200), "green": (1000, 230)}] * 3), series="day")["series"]
    assert [point["at"] for point in series] == ["2026-11-02", "2026-11-03", "2026-11-04"]
    green = series[1]["variants"][1]
    assert (green["visitors"], green["cumulative"]["visitors"], green["rate"]) == (1000, 2000, 0.23)
    assert series[0]["comparisons"][0]["lift_interval"] == near([-0.135478322510593, 0.531209623612784])
    widths = [point["comparisons"][0]["lift_interval"] for point in series]
    assert widths[2][1] - widths[2][0] < widths[1][1] - widths[1][0] < widths[0][1] - widths[0][0]


def test_hours_show_raw_activity() -> None:
    hour = Cell("hour", "2026-11-02T13", 0, "blue")
    series = report_on(PAIR | {hour: a_tally(impressions=40, clicks=4)}, series="hour")["series"]
    assert series == [
        {
            "at": "2026-11-02T13:00Z",
            "variants": [
                {"variant": "blue", "impressions": 40, "clicks": 4, "ctr": 0.1},
                {"variant": "green", "impressions": 0, "clicks": 0, "ctr": None},
            ],
        }
    ]


def test_tallies_of_variants_that_the_experiment_does_not_have_are_left_out() -> None:
    assert [r["variant"] for r in report_on(PAIR | totals(purple=(9, 9)))["variants"]] == ["blue", "green"]


def test_the_list_says_the_same_as_the_report() -> None:
    experiment, tallies = an_experiment(), daily(*[{"blue": (1000, 100), "green": (1000, 130)}] * 21)
    entry, full = as_json(summary(experiment, tallies, ReportContext(NOW, BEGAN))), report_on(tallies)
    assert (entry["verdict"], entry["health"]) == (full["verdict"], full["health"]["state"])
    assert (entry["visitors"], entry["converted"], entry["impressions"]) == (42_000, 4830, 42_000)
    rows = [{key: row[key] for key in entry["variants"][0]} for row in full["variants"]]
    assert entry["variants"] == rows


def test_goal_events_are_those_of_the_goal() -> None:
    tally = a_tally(10, 5, goals={"signup": 2}, goal_events=Counter(signup=7))
    rows = report_on(totals(blue=tally), goal="signup", experiment=an_experiment(goals=("signup",)))["variants"]
    assert [row["goal_events"] for row in rows] == [7, 0]

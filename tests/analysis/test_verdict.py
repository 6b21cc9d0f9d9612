"""One word and one sentence: every verdict, and the order in which they take precedence."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from chalicelib.domain.manifest import Period, Phase
from chalicelib.storage.tally import Tallies
from tests.support.builders import DAY, an_experiment
from tests.support.tallied import BEGAN, a_tally, checked, daily, report_on, totals

THREE = {"experiment": an_experiment(variants=("blue", "green", "red"))}
AHEAD = totals(blue=(9000, 900), green=(9000, 1200))


def verdict(tallies: Tallies, **arguments: object) -> tuple[str, str]:
    answer = report_on(tallies, **arguments)["verdict"]
    return answer["state"], answer["text"]


def test_a_winner_is_shipped() -> None:
    assert verdict(AHEAD) == ("winner", "Green beats blue by about 32 % (measured 33 %, at least 16 %). Ship green.")


def test_a_loser_is_not() -> None:
    assert verdict(totals(blue=(9000, 1200), green=(9000, 900))) == (
        "loser",
        "Green loses to blue by about 25 % (measured 25 %, at least 14 %). Keep blue.",
    )


def test_of_several_winners_the_best_is_shipped() -> None:
    assert verdict(totals(blue=(90_000, 9000), green=(90_000, 10_000), red=(90_000, 10_500)), **THREE) == (
        "winner",
        "Red beats blue by about 16 % (measured 17 %, at least 11 %); green beats blue too. Ship red.",
    )


def test_of_a_goal_that_should_be_low_the_lowest_is_the_best() -> None:
    experiment = an_experiment(variants=("blue", "green", "red"), lower_is_better=("click",))
    answer = report_on(totals(blue=(9000, 1200), green=(9000, 900), red=(9000, 700)), experiment=experiment)
    assert answer["verdict"]["variant"] == "red"
    beliefs = [(row["p_best"], row["expected_loss"]) for row in answer["variants"]]
    assert beliefs[2][0] > 0.999
    assert beliefs[2][1] < 1e-6 < beliefs[1][1] < beliefs[0][1]
    assert all(c["bayes"]["p_better"] > 0.999 for c in answer["comparisons"])
    worse = report_on(totals(blue=(9000, 700), green=(9000, 900), red=(9000, 1200)), experiment=experiment)
    assert worse["verdict"]["variant"] == "red"


def test_a_loser_is_dropped_while_the_others_continue() -> None:
    assert verdict(totals(blue=(9000, 900), green=(9000, 700), red=(9000, 910)), **THREE) == (
        "loser",
        "Green loses to blue by about 21 % (measured 22 %, at least 7.8 %). Drop green. "
        "Keep running for red, not decided yet.",
    )


def test_a_striking_winner_is_checked_first() -> None:
    assert verdict(totals(blue=(9000, 900), green=(9000, 1500))) == (
        "winner",
        "Green beats blue by about 66 % (measured 67 %, at least 46 %). "
        "Check first: “Striking difference”. Then ship green.",
    )


def test_too_small_a_difference_to_matter_is_equivalent() -> None:
    assert verdict(totals(blue=(10**7, 2 * 10**6), green=(10**7, 2 * 10**6 + 1000))) == (
        "equivalent",
        "Green is within 1 % of blue: no difference that matters. Stop, and keep the variant that you prefer.",
    )


def test_undecided_it_says_how_long_to_continue() -> None:
    days = [{"blue": (4000, 400), "green": (4000, 404)}] * 21
    assert verdict(daily(*days)) == (
        "inconclusive",
        "Keep running: about 11 days to detect 5 %. So far green is between 3.7 % worse and 6 % better than blue.",
    )


def test_with_enough_visitors_and_no_difference_it_says_stop() -> None:
    days = [{"blue": (2000, 200), "green": (2000, 203)}] * 21
    assert verdict(daily(*days), experiment=an_experiment(minimum_detectable_effect=0.1)) == (
        "inconclusive",
        "Green is between 5.2 % worse and 8.6 % better than blue. A difference of 10 % would very likely have shown by "
        "now. Stop, or test something bolder.",
    )


def test_of_many_undecided_variants_the_three_with_the_largest_lifts_are_named() -> None:
    experiment = an_experiment(variants=("blue", "green", "red", "teal", "pink", "grey"), minimum_detectable_effect=0.1)
    clicks = {"blue": 200, "green": 199, "red": 203, "teal": 198, "pink": 202, "grey": 201}
    _, text = verdict(daily(*[{key: (2000, n) for key, n in clicks.items()}] * 21), experiment=experiment)
    named = [key for key in clicks if f"{key} is between" in text.lower()]
    assert (named, "and 2 more are not decided." in text) == (["red", "pink", "grey"], True)


def test_a_split_that_is_off_makes_everything_invalid() -> None:
    days = [{"blue": (4810, 480), "green": (5190, 700)}] * 7
    assert verdict(daily(*days)) == (
        "invalid",
        "Stop: 51.9 % of visitors saw green in a 50/50 split; most likely blue loses visitors before its impression is "
        "sent (about 2,660 visitors, no day unlike the others): a slower page, a redirect or an error there.",
    )


def test_impossible_counts_make_everything_invalid() -> None:
    assert verdict(totals(blue=(1000, 1200), green=(1000, 100))) == (
        "invalid",
        "Stop: impossible counts: blue (phase 0): 1200 of 1000 visitors converted. "
        "Rebuild the tallies: `abacus rebuild`.",
    )


def test_an_invalid_split_goes_before_too_early() -> None:
    assert verdict(totals(blue=(900, 90), green=(1900, 190)), began=date(2026, 11, 23))[0] == "invalid"


def test_before_a_full_week_nothing_is_called() -> None:
    assert verdict(AHEAD, began=date(2026, 11, 21)) == (
        "collecting",
        "Green beats blue by about 32 % (measured 33 %, at least 16 %) so far, but weekdays differ. "
        "Keep running for 5 more days: too early to decide before a full week.",
    )


@pytest.mark.parametrize(("began", "state"), [(date(2026, 11, 17), "collecting"), (date(2026, 11, 16), "winner")])
def test_a_full_week_is_seven_days_that_are_over(began: date, state: str) -> None:
    assert verdict(AHEAD, began=began)[0] == state


def test_days_on_which_it_was_paused_are_no_part_of_the_week() -> None:
    start = int(datetime(2026, 11, 2, tzinfo=UTC).timestamp() * 1000)
    periods = (Period(start=start, end=start + 3 * DAY), Period(start=start + 19 * DAY))
    assert verdict(AHEAD, experiment=an_experiment(periods=periods))[0] == "collecting"


def test_eight_days_without_a_weekend_are_no_week() -> None:
    start = int(datetime(2026, 11, 2, tzinfo=UTC).timestamp() * 1000)
    weeks = (start, start + 7 * DAY)
    periods = tuple(Period(start=monday, end=monday + 4 * DAY) for monday in weeks)
    assert verdict(AHEAD, experiment=an_experiment(periods=periods))[0] == "collecting"


def test_before_the_first_visitor_it_asks_the_obvious() -> None:
    assert verdict({}, began=None) == (
        "collecting",
        "Not every variant has had visitors yet. Is the experiment published, and the snippet on the page?",
    )


def test_a_stopped_experiment_says_first_what_is_live() -> None:
    stopped, shipped = an_experiment(status="stopped"), an_experiment(status="stopped", winner="green")
    beats = "Green beats blue by about 32 % (measured 33 %, at least 16 %)."
    assert verdict(AHEAD, experiment=stopped) == (
        "winner",
        f"Stopped. Nothing was shipped: everyone sees blue. {beats} Ship green.",
    )
    assert verdict(AHEAD, experiment=shipped) == ("winner", f"Stopped: green is live for everyone. {beats}")
    answer = report_on(AHEAD, experiment=shipped)["verdict"]
    assert (answer["headline"], answer["next"]) == ("green is live for everyone", "keep")


def test_a_stopped_experiment_keeps_the_result_that_it_has() -> None:
    stopped = an_experiment(status="stopped")
    assert verdict(AHEAD, experiment=stopped, began=date(2026, 11, 22)) == (
        "winner",
        "Stopped. Nothing was shipped: everyone sees blue. "
        "Green beats blue by about 32 % (measured 33 %, at least 16 %). "
        "It ran for less than a full week, so weekdays may matter. Ship green.",
    )
    assert verdict(totals(blue=(900, 90), green=(900, 95)), experiment=stopped) == (
        "inconclusive",
        "Stopped. Nothing was shipped: everyone sees blue. "
        "Not decided: green is between 34 % worse and 69 % better than blue.",
    )


def test_a_loser_that_is_live_is_replaced() -> None:
    shipped = an_experiment(status="stopped", winner="green")
    text = verdict(totals(blue=(9000, 1200), green=(9000, 900)), experiment=shipped)[1]
    assert text == (
        "Stopped: green is live for everyone. "
        "Green loses to blue by about 25 % (measured 25 %, at least 14 %). Replace green."
    )


def test_a_paused_experiment_is_to_be_resumed() -> None:
    days = [{"blue": (4000, 400), "green": (4000, 404)}] * 21
    assert verdict(daily(*days), experiment=an_experiment(status="paused"))[1].startswith("Resume it: about ")


def test_what_this_traffic_cannot_find_within_90_days_is_not_waited_for() -> None:
    answer = report_on(totals(blue=(900, 90), green=(900, 95)))["verdict"]
    assert (answer["text"], answer["next"]) == (
        "This traffic cannot find a difference of 5 % within 90 days. "
        "So far green is between 34 % worse and 69 % better than blue. Stop, or test something bolder.",
        "stop",
    )


def test_the_headline_quotes_the_shrunk_lift_and_the_measured_one() -> None:
    answer = report_on(AHEAD)
    shrunk = answer["comparisons"][0]["lift_shrunk"]["lift"]
    assert f"{100 * shrunk:.0f}" == "32"
    assert answer["verdict"]["headline"] == "Ship green: expect 32 % more (measured 33 %)"


def test_winners_that_cannot_be_told_apart_are_named_together() -> None:
    variants = ("blue", "red", "teal", "pink")
    tallies = totals(blue=(20_000, 2000), red=(20_000, 2400), teal=(20_000, 2410), pink=(20_000, 2000))
    answer = report_on(tallies, experiment=an_experiment(variants=variants))["verdict"]
    assert (answer["headline"], answer["variant"], answer["candidates"]) == (
        "Ship one of red and teal",
        "teal",
        ["red", "teal"],
    )
    assert answer["text"] == (
        "Teal beats blue by about 20 % (measured 20 %, at least 8.6 %); red beats blue too, "
        "and red cannot be told apart from the best. Ship one of red and teal."
    )


def test_a_variant_that_may_be_better_than_the_winner_is_mentioned() -> None:
    tallies = totals(blue=(90_000, 9000), green=(90_000, 9900), red=(1818, 215))
    text = verdict(tallies, experiment=an_experiment(variants=("blue", "green", "red"), phases=UNEVEN))[1]
    assert "Red may be better still, but is not decided yet." in text


UNEVEN = (Phase(weights=(0.495, 0.495, 0.01)),)


def test_a_loser_names_the_same_doubts_as_a_winner() -> None:
    assert verdict(totals(blue=(9000, 1500), green=(9000, 600))) == (
        "loser",
        "Green loses to blue by about 60 % (measured 60 %, at least 53 %). "
        "Check first: “Striking difference”. Then keep blue.",
    )


def test_the_margin_of_equivalence_is_the_experiments_own() -> None:
    tallies = totals(blue=(100_000, 20_000), green=(100_000, 20_050))
    assert verdict(tallies)[0] == "inconclusive"
    assert verdict(tallies, experiment=an_experiment(equivalence_margin=0.05)) == (
        "equivalent",
        "Green is within 5 % of blue: no difference that matters. Stop, and keep the variant that you prefer.",
    )


def test_without_conversions_nothing_is_compared() -> None:
    assert verdict(totals(blue=(500, 0), green=(500, 0))) == (
        "inconclusive",
        "Keep running: so far too few visitors converted to compare.",
    )


def test_a_drift_over_phases_is_no_winner() -> None:
    phases = (Phase(weights=(0.5, 0.5)), Phase(weights=(0.1, 0.9)))
    drift = totals(0, blue=(50_000, 1500), green=(50_000, 1510)) | totals(1, blue=(10_000, 500), green=(90_000, 4480))
    answer = report_on(drift, experiment=an_experiment(phases=phases))
    assert (answer["verdict"]["state"], checked(answer, "simpson")["state"]) == ("inconclusive", "warning")


def test_a_window_is_judged_by_its_own_days() -> None:
    days = [{"blue": (1000, 100), "green": (1000, 150)}] * 21
    assert verdict(daily(*days), start=BEGAN, end=date(2026, 11, 5))[0] == "collecting"
    assert verdict(daily(*days), start=BEGAN, end=date(2026, 11, 8))[0] == "winner"


def test_what_the_verdict_is_about_and_what_to_do_are_fields_of_their_own() -> None:
    answer = report_on(AHEAD)["verdict"]
    assert (answer["variant"], answer["next"]) == ("green", "ship")


def test_clickers_without_visitors_are_invalid() -> None:
    assert verdict(totals(blue=a_tally(0, 0, clicks=3), green=(10, 1)))[0] == "invalid"

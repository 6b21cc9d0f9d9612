"""Can the numbers be believed? Every check in every state that it has."""

from __future__ import annotations

from typing import Any

from chalicelib.analysis.checks.check import TITLES
from chalicelib.analysis.checks.ledger import Ledger
from chalicelib.domain.manifest import Phase
from chalicelib.storage.tally import Cell, Tallies, Tally
from tests.support.builders import an_experiment
from tests.support.tallied import a_tally, checked, daily, report_on, totals

EVEN = {"blue": (1000, 100), "green": (1000, 103)}


def found(name: str, tallies: Tallies, **arguments: Any) -> tuple[str, str]:
    check = checked(report_on(tallies, **arguments), name)
    return check["state"], check["text"]


def test_a_healthy_experiment_is_ok_throughout() -> None:
    answer = report_on(daily(*[EVEN] * 21))
    assert {check["name"]: check["state"] for check in answer["health"]["checks"]} == dict.fromkeys(
        [
            *(
                "impossible-counts",
                "srm",
                "multiple-variants",
                "duplicates",
                "no-impression",
                "before-impression",
                "bot",
            ),
            *("simpson", "novelty", "twyman", "refused", "conservation"),
            *("late-arrivals", "arrival-bursts", "missing-cookies", "impossible-speed", "shared-ids"),
        ],
        "ok",
    )
    assert answer["health"]["state"] == "ok"


def test_the_worst_check_is_the_state_of_health() -> None:
    assert (
        report_on(totals(blue=a_tally(1000, 100, excluded={"bot": 500}), green=(1000, 100)))["health"]["state"]
        == "alarm"
    )


def test_the_split_is_measured_both_ways() -> None:
    srm = report_on(totals(blue=(10_508, 900), green=(9988, 900)))["health"]["srm"]
    assert (round(srm["chi2"], 6), round(srm["p"], 9), round(srm["p_anytime"], 9)) == (
        13.192818,
        0.000281024,
        0.008597561,
    )
    assert (srm["visitors"], srm["expected"]) == ({"blue": 10_508, "green": 9988}, {"blue": 10_248, "green": 10_248})


def test_the_split_is_off_once_the_sequential_test_proves_it() -> None:
    """E = 116: the reference file srm_sequential."""
    state, text = found("srm", totals(blue=(10_508, 900), green=(9988, 900)))
    assert (state, "Chance does this" in text) == ("alarm", False)


def test_what_only_one_look_in_a_thousand_shows_is_a_hint_and_voids_nothing() -> None:
    """χ² = 12.5, p = 0.0004, but E = 82."""
    tallies = totals(blue=(10_500, 900), green=(9994, 900))
    state, text = found("srm", tallies)
    hint = "Chance does this at one look in 1,000, and you look often: not proven. Look again tomorrow."
    assert (state, text.endswith(hint)) == ("warning", True)
    assert report_on(tallies)["verdict"]["state"] != "invalid"


def cause(tallies: Tallies, **arguments: Any) -> str:
    """What stands after "most likely"."""
    return found("srm", tallies, **arguments)[1].partition("most likely ")[2]


def test_a_variant_that_is_short_every_day_is_named() -> None:
    days = [{"blue": (1000, 100), "green": (800, 80)}] * 7
    assert cause(daily(*days)) == (
        "green loses visitors before its impression is sent (about 1,400 visitors, no day unlike the others): "
        "a slower page, a redirect or an error there."
    )


def test_days_that_carry_the_imbalance_together_are_named() -> None:
    days = [EVEN] * 5 + [{"blue": (1000, 100), "green": (0, 0)}] * 2 + [EVEN] * 7
    assert cause(daily(*days)) == (
        "something on 2026-11-07 and 2026-11-08, which alone are off: see what was released then."
    )


def test_days_that_differ_are_not_called_alike() -> None:
    days = [{"blue": (1000, 100), "green": (1000 - 70 * (n % 7), 80)} for n in range(14)]
    assert "on some days more than on others" in cause(daily(*days))


def test_one_day_that_carries_the_imbalance_is_named() -> None:
    days = [EVEN] * 9 + [{"blue": (1000, 100), "green": (3000, 103)}] + [EVEN] * 9
    assert cause(daily(*days)) == "something on 2026-11-11, which alone is off: see what was released then."


def test_with_hours_at_hand_the_hour_is_named() -> None:
    days = daily(*[EVEN] * 9, {"blue": (1000, 100), "green": (3000, 103)}, *[EVEN] * 9)
    for hour, blue, green in ((9, 90, 95), (14, 80, 2000), (15, 120, 110)):
        days[Cell("hour", f"2026-11-11T{hour:02}", 0, "blue")] = Tally(impressions=blue)
        days[Cell("hour", f"2026-11-11T{hour:02}", 0, "green")] = Tally(impressions=green)
    assert cause(days) == "something on 2026-11-11 around 14:00 UTC, which alone is off: see what was released then."


def test_hours_alone_can_point_at_the_clock() -> None:
    tallies = totals(blue=(1000, 100), green=(3000, 103))
    for hour, blue, green in ((9, 90, 95), (14, 80, 2000), (15, 120, 110)):
        tallies[Cell("hour", f"2026-11-11T{hour:02}", 0, "blue")] = Tally(impressions=blue)
        tallies[Cell("hour", f"2026-11-11T{hour:02}", 0, "green")] = Tally(impressions=green)
    assert cause(tallies).startswith("something on 2026-11-11 around 14:00 UTC, where most of it is")


def test_hours_that_are_all_off_name_no_hour() -> None:
    tallies = totals(blue=(1000, 100), green=(3000, 103))
    for hour in (9, 14, 15):
        tallies[Cell("hour", f"2026-11-11T{hour:02}", 0, "blue")] = Tally(impressions=300)
        tallies[Cell("hour", f"2026-11-11T{hour:02}", 0, "green")] = Tally(impressions=900)
    assert cause(tallies).startswith("blue loses visitors before its impression is sent (about 2,000 visitors)")


def test_a_phase_that_carries_the_imbalance_is_named() -> None:
    phases = (Phase(weights=(0.5, 0.5)), Phase(weights=(0.1, 0.9)))
    tallies = totals(0, blue=(5000, 100), green=(5010, 100)) | totals(1, blue=(1000, 100), green=(1000, 100))
    assert cause(tallies, experiment=an_experiment(phases=phases)) == (
        "something in phase 1, which alone is off: see what changed with its weights."
    )


def test_an_exclusion_that_makes_the_imbalance_is_named() -> None:
    tallies = totals(blue=a_tally(9000, 900, excluded={"bot": 1000}), green=(10_000, 1000))
    assert cause(tallies) == "because bots are excluded more often in blue (1,000 visitors)."


def test_a_variant_that_is_never_seen_is_named() -> None:
    assert cause(totals(blue=(900, 90))) == "green is never shown, or its impressions are never sent."


def test_a_visitor_in_a_variant_without_weight_is_proof_enough() -> None:
    experiment = an_experiment(variants=("blue", "green", "red"), phases=(Phase(weights=(0.5, 0.5, 0.0)),))
    assert found("srm", totals(blue=(500, 5), green=(500, 5), red=(1, 0)), experiment=experiment) == (
        "alarm",
        "1 visitor saw red, whose weight is 0; most likely a stale manifest or a forced variant.",
    )


def test_where_the_weights_changed_the_headline_gives_the_expected_share() -> None:
    phases = (Phase(weights=(0.5, 0.5)), Phase(weights=(0.1, 0.9)))
    tallies = totals(0, blue=(500, 10), green=(500, 10)) | totals(1, blue=(500, 10), green=(500, 10))
    text = found("srm", tallies, experiment=an_experiment(phases=phases))[1]
    assert text.startswith("50 % of visitors saw blue where 30 % should; most likely something in phase 1")


def test_the_senders_own_assignment_is_not_held_against_the_weights() -> None:
    client = an_experiment(assignment="client")
    tallies = totals(blue=(9000, 900), green=(1000, 100))
    assert found("srm", tallies, experiment=client)[0] == "ok"
    assert found("multiple-variants", tallies, experiment=client) == (
        "warning",
        "The sender assigns the variants, so one visitor can count in several of them: rates are right, comparisons "
        "only roughly.",
    )


def test_visitors_seen_in_several_variants_are_counted_once_and_reported() -> None:
    tallies = totals(
        blue=a_tally(900, 90, flagged={"multiple-variants": 9}),
        green=a_tally(900, 90, flagged={"multiple-variants": 11}),
    )
    assert found("multiple-variants", tallies) == (
        "warning",
        "20 visitors (1.1 %) seen in several variants; each counts in the first. A cached page?",
    )
    assert report_on(tallies)["health"]["multiple_variants"] == 20


def test_an_exclusion_that_differs_between_variants_is_an_alarm() -> None:
    tallies = totals(blue=a_tally(9000, 900, excluded={"no-impression": 400}), green=(9000, 900))
    assert found("no-impression", tallies) == (
        "alarm",
        "400 visitors (2.2 %) clicked without an impression, unevenly: 4.3 % of blue and 0 % of green. "
        "Is the impression sent too late, or blocked?",
    )


def test_repeats_are_harmless_unless_one_variant_repeats_more() -> None:
    alike = totals(blue=a_tally(9000, 900, received=11_000), green=a_tally(9000, 900, received=11_000))
    assert found("duplicates", alike) == ("ok", "2,200 events came more than once (10 %); each was counted once.")
    uneven = totals(blue=a_tally(9000, 900, received=11_000), green=(9000, 900))
    assert found("duplicates", uneven) == (
        "alarm",
        "1,100 events came more than once (5.3 %), unevenly: 10 % in blue and 0 % in green; each was counted once.",
    )


def test_bots_up_to_a_tenth_are_usual() -> None:
    some = totals(blue=a_tally(950, 90, excluded={"bot": 50}), green=a_tally(950, 90, excluded={"bot": 50}))
    assert found("bot", some) == ("ok", "100 visitors (5 %) left out as bots.")
    many = totals(blue=a_tally(800, 90, excluded={"bot": 200}), green=a_tally(800, 90, excluded={"bot": 200}))
    assert found("bot", many) == (
        "warning",
        "400 visitors (20 %) left out as bots. Automated browsers count as bots: do your own tests "
        "visit these pages? Your server's log has the user agents.",
    )


def test_counts_below_zero_are_impossible() -> None:
    state, text = found("impossible-counts", totals(blue=a_tally(10, 1, sxy=-4), green=(10, 1)))
    assert (state, text) == (
        "alarm",
        "Impossible counts: blue (phase 0): sxy below zero. Rebuild the tallies: `abacus rebuild`.",
    )


def test_a_lift_that_wears_off_is_an_alarm() -> None:
    days = [{"blue": (5000, 500), "green": (5000, 700 - 20 * n)} for n in range(14)]
    assert found("novelty", daily(*days)) == (
        "alarm",
        "Green's lift shrinks by about 3.5 % a day: judge by the latest weeks, or run longer.",
    )


def test_phases_that_disagree_with_their_sum_are_told() -> None:
    phases = (Phase(weights=(0.5, 0.5)), Phase(weights=(0.1, 0.9)))
    drift = totals(0, blue=(50_000, 1500), green=(50_000, 1510)) | totals(1, blue=(10_000, 500), green=(90_000, 4480))
    assert found("simpson", drift, experiment=an_experiment(phases=phases)) == (
        "warning",
        "Simpson's paradox: green 0.25 % within phases, 28 % when added up. "
        "The comparison is made within phases, so it stands.",
    )


def test_what_is_too_good_to_be_true_is_told() -> None:
    messages = [
        found("twyman", totals(blue=(9000, 900), green=(9000, 1500)))[1],
        found("twyman", totals(blue=(9000, 5900), green=(9000, 5800)))[1],
        found("twyman", totals(blue=(9000, 0), green=(9000, 20)))[1],
    ]
    end = ": too striking to believe at once. Verify the instrumentation first."
    assert messages == [
        f"Green differs by 67 %{end}",
        f"Blue has a CTR of 66 %; green has a CTR of 64 %{end}",
        f"None of 9,000 visitors to blue converted{end}",
    ]


def test_many_refusals_are_a_warning() -> None:
    assert found("refused", totals(blue=(900, 90), green=(900, 90)), refused={"wrong-variant": 90, "too-old": 10}) == (
        "warning",
        "About 100 events refused (4.8 %), most as wrong-variant.",
    )


def test_of_some_days_the_share_of_refusals_is_that_of_all_days() -> None:
    entries = Ledger(received=9900, accepted=9900, counted=9900, excluded=0, refused={"too-old": 100})
    assert found("refused", totals(blue=(9, 1), green=(9, 1)), refused={"too-old": 100}, entries=entries) == (
        "ok",
        "About 100 events refused (1 %), most as too-old.",
    )


def test_every_check_has_a_title_and_every_title_a_check() -> None:
    report = report_on(totals(blue=(100, 10), green=(100, 10)))
    assert sorted(check["name"] for check in report["health"]["checks"]) == sorted(TITLES)

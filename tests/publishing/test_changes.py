"""What a publish says of its difference, what it refuses, and when events are accepted afterwards."""

from __future__ import annotations

import pytest

from abacus.authoring.load import load
from abacus.publishing.changes import changes
from abacus.publishing.periods import stamp
from chalicelib.domain.manifest import GoalValue, Guardrail, Manifest, Namespace, Period, Phase, Segment, Urls, Variant
from tests.support.builders import DAY, NOON, a_manifest, an_experiment

HALF, MOST = Phase(weights=(0.5, 0.5)), Phase(weights=(0.1, 0.9))
START = NOON - DAY


def said(before: dict, after: dict) -> list[str]:
    """What publishing cta-color with `after` says where `before` is live."""
    return [str(c) for c in changes(a_manifest(an_experiment(**before)), a_manifest(an_experiment(**after)))]


def periods(*publishings: tuple[dict, int]) -> tuple[Period, ...]:
    """The periods of cta-color after (fields, time) were published one after the other."""
    live = None
    for fields, now in publishings:
        live = stamp(live, a_manifest(an_experiment(**fields)), now)
    return live.experiments[0].periods


# --- in words --------------------------------------------------------------------------------------------------


def test_a_new_experiment_is_summed_up():
    assert [str(c) for c in changes(None, a_manifest())] == [
        "cta-color: new, running: blue 50 %, green 50 %, coverage 100 %"
    ]


def test_nothing_changed_is_nothing_said():
    assert said({}, {}) == []


def test_new_weights_open_a_phase_and_warn_of_clients_that_store_nothing():
    assert said({"phases": (HALF,)}, {"phases": (HALF, MOST)}) == [
        "cta-color: blue 50 % → 10 %, green 50 % → 90 %: opens phase 1; visitors keep their variant",
        "warning: cta-color: clients that do not store the variant (GrowthBook's SDKs without a sticky bucket "
        "service, back ends) will give 40 % of their visitors another variant. To assign every visitor again instead, "
        "give "
        'phase 1 a seed: "cta-color-1"',
    ]


def test_more_coverage_moves_nobody():
    assert said({"phases": (Phase(weights=(0.5, 0.5), coverage=0.1),)}, {
        "phases": (Phase(weights=(0.5, 0.5), coverage=0.1), HALF)
    }) == ["cta-color: coverage 10 % → 100 %: opens phase 1; visitors keep their variant"]  # fmt: skip


def test_less_coverage_drops_clients_that_store_nothing():
    [change, warning] = said({}, {"phases": (HALF, Phase(weights=(0.5, 0.5), coverage=0.5))})
    assert change == "cta-color: coverage 100 % → 50 %: opens phase 1; visitors keep their variant"
    assert "will give 50 % of their visitors another variant" in warning


def test_a_new_seed_is_a_new_start_and_needs_no_warning():
    assert said({}, {"phases": (HALF, Phase(weights=(0.5, 0.5), seed="again"))}) == [
        "cta-color: seed cta-color → again: opens phase 1; every visitor is assigned again"
    ]


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ({}, {"status": "paused"}, "running → paused: all visitors see blue until it runs again"),
        ({"status": "paused"}, {}, "paused → running: visitors take part again"),
        ({}, {"status": "stopped"}, "running → stopped: all visitors see blue"),
        ({}, {"status": "stopped", "winner": "green"}, "running → stopped, winner green: all visitors see green"),
        ({"status": "stopped"}, {}, "stopped → running: visitors take part again"),
        ({"status": "draft"}, {}, "draft → running: blue 50 %, green 50 %, coverage 100 %"),
        ({"status": "draft"}, {"status": "draft", "seed": "x"}, "draft changed"),
        ({}, {"goals": ("signup",)}, "goal signup added"),
        ({}, {"description": "x"}, "description changed"),
    ],
)
def test_every_change_is_told_in_words(before, after, words):
    assert said(before, after) == [f"cta-color: {words}"]


@pytest.mark.parametrize(
    ("before", "after", "warning"),
    [
        ({"goals": ("a",)}, {}, "events of goal a will be refused from now on"),
        ({}, {"condition": {"country": "CH"}}, "other visitors take part than before; the counts mix both audiences"),
        ({}, {"urls": Urls()}, "other visitors take part than before; the counts mix both audiences"),
        ({}, {"redirect": {"green": "https://x.ch"}}, "visitors will see something else under the same variant"),
    ],
)
def test_a_change_with_a_catch_is_done_and_warned_of(before, after, warning):
    [change, warned] = said(before, after)
    assert not change.startswith(("warning", "refusal"))
    assert warned.startswith("warning: cta-color: " + warning)


def test_a_changed_payload_is_warned_of_while_visitors_see_it():
    live = an_experiment()
    wanted = live.model_copy(update={"variants": (Variant(key="blue", payload=1), Variant(key="green"))})
    assert [str(c) for c in changes(a_manifest(live), a_manifest(wanted))] == [
        "cta-color: payload of blue changed",
        "warning: cta-color: visitors will see something else under the same variant; the counts mix both",
    ]


def test_a_removed_experiment_must_be_stopped_first():
    live = a_manifest(an_experiment(), an_experiment("hero", status="stopped"))
    assert [str(c) for c in changes(live, Manifest())] == [
        "refusal: cta-color: is running, but is not in your files. Stop it first and remove it later; to stop it, put "
        "it back with status: stopped:\n    key: cta-color\n    status: stopped\n    variants:\n"
        "      - { key: blue }\n      - { key: green }",
        "hero: removed (was stopped)",
        "warning: hero: events that arrive late, within 7 days after the stop, will be refused",
    ]


def test_a_new_client_key_leaves_the_old_clients_behind():
    live, wanted = Manifest(client_key="old"), Manifest(client_key="new")
    assert [str(c) for c in changes(live, wanted)] == [
        "client key old → new",
        "warning: GrowthBook clients that use the key 'old' get no more updates",
    ]


# --- refused ---------------------------------------------------------------------------------------------------

VALUED = {"goals": ("buy",), "goal_values": {"buy": GoalValue(unit="EUR", cap=50000)}}
STRANGERS, SWAPPED = ("blue", "teal"), ("green", "blue")


@pytest.mark.parametrize(
    ("before", "after", "refusal"),
    [
        ({}, {"variants": STRANGERS}, "variants blue, green → blue, teal: the counts belong to the old variants."),
        ({}, {"variants": SWAPPED}, "variants reordered, blue, green → green, blue: visitors would swap variants."),
        ({}, {"seed": "x"}, "seed cta-color → x: every visitor would be assigned again, and no count would show it."),
        ({}, {"namespace": Namespace(name="n", start=0.0, end=0.5)}, "namespace changed:"),
        ({}, {"assignment": "client"}, "assignment hash → client:"),
        ({}, {"equivalence_margin": 0.05}, "equivalence_margin 1 % (the default) → 5 %: a margin chosen after"),
        ({}, {"status": "draft"}, "running → draft: visitors have taken part. Pause it instead:\n    status: paused"),
        ({"status": "stopped", "winner": "green"}, {}, "stopped → running: all visitors have seen green since"),
        ({"phases": (HALF, MOST)}, {"phases": (HALF,)}, "phase 1 is live and not in your file"),
        ({"phases": (HALF, MOST)}, {"phases": (MOST, HALF)}, "blue 50 % → 10 %, green 50 % → 90 %: would rewrite"),
        (VALUED, VALUED | {"goal_values": {"buy": GoalValue(unit="EUR", cap=99)}}, "value of buy changed:"),
        (VALUED, VALUED | {"goal_values": {}}, "value of buy changed:"),
        (VALUED, VALUED | {"lower_is_better": ("buy",)}, "better of buy changed:"),
        (VALUED, VALUED | {"primary": "buy.value"}, "primary click → buy.value: choosing the metric after the start"),
        (VALUED, VALUED | {"guardrails": (Guardrail(metric="buy", margin=0.1),)}, "guardrails changed:"),
        (VALUED, VALUED | {"conversion_window_ms": 7 * DAY}, "conversion_window changed:"),
        ({}, {"segments": (Segment(name="plan", values=("pro",)),)}, "segments changed:"),
    ],
)  # fmt: skip
def test_what_would_spoil_the_numbers_is_refused(before, after, refusal):
    [text] = said(before, after)
    assert text.startswith(f"refusal: cta-color: {refusal}")


@pytest.mark.parametrize("status", ["running", "paused", "stopped"])
def test_what_visitors_took_part_in_stays_protected_whatever_became_of_it(status):
    [text] = said({"status": status}, {"status": status, "seed": "x"})
    assert text.startswith("refusal: ")


def test_weights_changed_in_place_are_refused_with_the_lines_to_write_instead():
    [refusal] = said({"phases": (HALF,)}, {"phases": (MOST,)})
    assert refusal == (
        "refusal: cta-color: blue 50 % → 10 %, green 50 % → 90 %: would rewrite phase 0, which is live already. "
        "Write this instead of weight, coverage and phases; its last line is your change:\n"
        "    phases:\n"
        "      - { weights: {blue: 50 %, green: 50 %}, coverage: 100 % }\n"
        "      - { weights: {blue: 10 %, green: 90 %}, coverage: 100 % }"
    )


def test_the_lines_to_write_instead_are_accepted(tmp_path):
    live = a_manifest(an_experiment(phases=(Phase(weights=(1 / 3, 2 / 3), seed="s"),)))
    wanted = a_manifest(an_experiment(phases=(Phase(weights=(0.25, 0.75), coverage=0.125, seed="s"),)))
    [refusal] = changes(live, wanted)
    lines = refusal.text.split("\n", 1)[1].replace("\n    ", "\n").removeprefix("    ")
    (tmp_path / "a.yaml").write_text("key: cta-color\nstatus: running\nvariants: [{key: blue}, {key: green}]\n" + lines)
    change, _ = changes(live, load(tmp_path))
    assert str(change) == (
        "cta-color: blue 33.3333 % → 25 %, green 66.6667 % → 75 %, coverage 100 % → 12.5 %: "
        "opens phase 1; visitors keep their variant"
    )


def test_anything_may_change_in_a_draft():
    after = {"status": "draft", "seed": "x", "variants": STRANGERS, "phases": (MOST,)}
    assert said({"status": "draft"}, after) == ["cta-color: draft changed"]


# --- periods ---------------------------------------------------------------------------------------------------


def test_the_first_publish_of_a_running_experiment_accepts_what_came_before():
    assert periods(({}, NOON)) == (Period(),)


def test_a_draft_accepts_nothing_and_opens_when_it_runs():
    assert periods(({"status": "draft"}, START)) == ()
    assert periods(({"status": "draft"}, START), ({}, NOON)) == (Period(start=NOON),)


def began(*publishings: tuple[dict, int]) -> int | None:
    """When cta-color began, after (fields, time) were published one after the other."""
    live = None
    for fields, now in publishings:
        live = stamp(live, a_manifest(an_experiment(**fields)), now)
    return live.experiments[0].began


def test_an_experiment_begins_at_its_first_publish_as_running_unless_start_says_otherwise():
    assert began(({}, NOON)) == NOON
    assert began(({"status": "draft"}, START)) is None
    assert began(({"status": "paused"}, START), ({}, NOON)) == NOON
    assert began(({}, START), ({"status": "paused"}, NOON), ({}, NOON + DAY)) == START
    assert began(({"start": NOON + DAY}, NOON)) == NOON + DAY
    assert began(({}, NOON), ({"start": START}, NOON + 1)) == START
    assert began(({"start": NOON + DAY}, NOON), ({}, NOON + 1)) == NOON + 1


def test_an_experiment_of_an_earlier_version_has_no_begin():
    live = a_manifest(an_experiment())
    assert stamp(live, a_manifest(an_experiment()), NOON).experiments[0].began is None


def test_a_pause_closes_and_a_resume_opens_another_period():
    assert periods(({}, START), ({"status": "paused"}, NOON), ({}, NOON + DAY)) == (
        Period(end=NOON),
        Period(start=NOON + DAY),
    )


def test_publishing_the_same_again_keeps_the_periods():
    paused = ({"status": "paused"}, NOON)
    assert periods(({}, START), paused, ({"status": "paused"}, NOON + 1)) == periods(({}, START), paused)


def test_a_stop_closes_and_stopping_what_is_paused_changes_nothing():
    closed = (Period(end=NOON),)
    assert periods(({}, START), ({"status": "stopped"}, NOON)) == closed
    assert periods(({}, START), ({"status": "paused"}, NOON), ({"status": "stopped"}, NOON + 5)) == closed


def test_an_experiment_first_seen_when_it_is_over_accepts_what_came_before():
    assert periods(({"status": "stopped"}, NOON)) == (Period(end=NOON),)


def test_start_and_end_bound_the_period():
    assert periods(({"start": START, "end": NOON}, START)) == (Period(start=START, end=NOON),)


def test_a_start_may_move_until_it_has_come():
    later = NOON + DAY
    assert periods(({"start": later}, NOON), ({"start": later + 5}, NOON + 1)) == (Period(start=later + 5),)
    assert periods(({"start": later}, NOON), ({}, NOON + 1)) == (Period(start=NOON + 1),)
    assert periods(({"start": START}, NOON), ({"start": later}, NOON + 1)) == (Period(start=START),)


def test_an_experiment_paused_before_it_began_has_no_period():
    assert periods(({"start": NOON + DAY}, NOON), ({"status": "paused"}, NOON + 1)) == ()


def test_an_end_may_be_moved_taken_away_and_set_into_the_past():
    assert periods(({"end": NOON}, START), ({"end": NOON + DAY}, START + 1)) == (Period(end=NOON + DAY),)
    assert periods(({"end": NOON}, START), ({}, START + 1)) == (Period(),)
    assert periods(({}, START), ({"end": START - 5}, NOON)) == (Period(end=NOON),)


def test_what_ended_by_itself_and_goes_on_has_a_gap():
    ended = ({"end": START + 5}, START)
    assert periods(ended, ({"end": START + 5}, NOON)) == (Period(end=START + 5),)
    assert periods(ended, ({"end": NOON + DAY}, NOON)) == (Period(end=START + 5), Period(start=NOON, end=NOON + DAY))


def test_events_are_judged_by_their_own_time():
    live = stamp(None, a_manifest(an_experiment()), START)
    experiment = stamp(live, a_manifest(an_experiment(status="stopped")), NOON).experiments[0]
    assert [experiment.accepts(at) for at in (0, NOON - 1, NOON, NOON + 1)] == [True, True, False, False]


def test_a_removed_key_is_not_used_again():
    stopped = an_experiment(status="stopped")
    live = stamp(stamp(None, a_manifest(stopped), START), Manifest(), NOON)
    assert live.retired == ("cta-color",)
    again = stamp(live, a_manifest(an_experiment(description="new")), NOON + 1)
    (found,) = [change for change in changes(live, again) if change.kind == "refusal"]
    assert "Use another key, such as cta-color-2" in found.text
    assert not [c for c in changes(live, stamp(live, a_manifest(stopped), NOON + 1)) if c.kind == "refusal"]


def test_a_draft_that_was_removed_may_be_used_again():
    draft = stamp(None, a_manifest(an_experiment(status="draft")), START)
    assert stamp(draft, Manifest(), NOON).retired == ()

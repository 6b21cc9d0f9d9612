"""Every event ends in exactly one outcome; here, the refusals."""

from __future__ import annotations

from decimal import Decimal

import pytest

from abacus.paths import PROJECT
from chalicelib.domain.event import Event
from chalicelib.domain.manifest import GoalValue, Manifest, Period, Phase
from chalicelib.ingestion.validation import DEPENDS_ON_MANIFEST, Outcome, Refusal, validate_event, validate_events
from chalicelib.storage.manifest_cache import FreshManifest
from tests.support.builders import DAY, HOUR, MINUTE, NOON, a_manifest, a_visitor, an_event, an_experiment

GREEN = a_visitor("green")


def outcome(event: Event, manifest: Manifest | None = None, visitor: str = GREEN, now_ms: int = NOON) -> str | None:
    refusal = validate_event(event, visitor, manifest or a_manifest(), now_ms=now_ms)
    return refusal and refusal.outcome.value


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (an_event(), None),
        (an_event(type="click"), None),
        (an_event(phase=0), None),
        (an_event(experiment="cta-colour"), "unknown-experiment"),
        (an_event(variant="red"), "unknown-variant"),
        (an_event(type="goal", goal="signup"), "unknown-goal"),
        (an_event(type="goal", goal="click"), "unknown-goal"),
        (an_event(variant="blue"), "wrong-variant"),
        (an_event(phase=1), "wrong-variant"),
        (an_event(at=NOON - 7 * DAY), None),
        (an_event(at=NOON - 7 * DAY - 1), "too-old"),
        (an_event(at=NOON + 10 * MINUTE), None),
        (an_event(at=NOON + 10 * MINUTE + 1), "in-the-future"),
    ],
)
def test_what_becomes_of_an_event(event: Event, expected: str | None) -> None:
    assert outcome(event) == expected


def test_an_event_is_judged_by_its_own_time_and_not_by_its_arrival() -> None:
    stopped = a_manifest(an_experiment(status="stopped", periods=(Period(start=None, end=NOON),)))
    assert outcome(an_event(at=NOON - 1), stopped, now_ms=NOON + HOUR) is None
    assert outcome(an_event(at=NOON), stopped, now_ms=NOON + HOUR) == "not-running"


def test_an_anonymous_event_from_before_the_first_publish_is_refused_and_a_signed_one_is_not() -> None:
    began = a_manifest(an_experiment(began=NOON - DAY))
    early = an_event(at=NOON - DAY - 10 * MINUTE - 1)
    assert outcome(early, began) == "before-start"
    assert outcome(an_event(at=NOON - DAY - 10 * MINUTE), began) is None  # two clocks differ by minutes
    assert validate_event(early, GREEN, began, now_ms=NOON, signed=True) is None


def test_a_draft_takes_no_events() -> None:
    assert outcome(an_event(), a_manifest(an_experiment(status="draft"))) == "not-running"


def test_an_event_of_an_earlier_phase_is_judged_by_that_phases_weights() -> None:
    turned = an_experiment(phases=(Phase(weights=(0.0, 1.0)), Phase(weights=(1.0, 0.0))))
    assert outcome(an_event(phase=0), a_manifest(turned)) is None
    assert outcome(an_event(phase=1), a_manifest(turned)) == "wrong-variant"
    assert outcome(an_event(), a_manifest(turned)) == "wrong-variant"


def test_a_visitor_outside_the_coverage_has_no_variant_to_be_in() -> None:
    paused = an_experiment(phases=(Phase(weights=(0.5, 0.5), coverage=0.0),))
    refusal = validate_event(an_event(), GREEN, a_manifest(paused), now_ms=NOON)
    assert refusal is not None
    assert refusal.message == "cta-color: this visitor is not enrolled in phase 0, not green."


def test_where_the_sender_chooses_every_variant_is_right() -> None:
    manifest = a_manifest(an_experiment(assignment="client"))
    assert [outcome(an_event(variant=v), manifest) for v in ("blue", "green")] == [None, None]


def test_where_the_sender_chooses_a_phase_still_has_to_exist() -> None:
    assert outcome(an_event(phase=1), a_manifest(an_experiment(assignment="client"))) == "wrong-variant"


def test_a_signed_sender_may_go_further_back() -> None:
    event = an_event(at=NOON - 30 * DAY)
    assert validate_event(event, GREEN, a_manifest(), now_ms=NOON, window_back_ms=90 * DAY) is None


class Published:
    """A catalog whose manifest `old` was replaced by `new` a moment ago."""

    def __init__(self, old: Manifest, new: Manifest) -> None:
        self.old, self.new = old, new
        self.refreshes = 0

    def current(self, now_ms: int) -> Manifest:
        return self.old

    def refresh(self, now_ms: int) -> Manifest:
        self.refreshes += 1
        return self.new


def test_before_anything_is_refused_for_the_manifests_sake_it_is_read_again_once() -> None:
    published = Published(Manifest(), a_manifest())
    events = [an_event(), an_event(id="e2", at=NOON - 8 * DAY)]
    verdicts = validate_events(events, GREEN, FreshManifest(published, NOON), now_ms=NOON)
    assert [v and v.outcome for v in verdicts] == [None, Outcome.TOO_OLD]
    assert published.refreshes == 1


VALUED = an_experiment(goals=("buy", "signup"), goal_values={"buy": GoalValue(unit="EUR", decimals=2, cap=50_000)})


@pytest.mark.parametrize(
    ("old", "refused"),
    [
        (Manifest(), "unknown-experiment"),
        (a_manifest(an_experiment(variants=("blue", "red"))), "unknown-variant"),
        (a_manifest(an_experiment()), "unknown-goal"),
        (a_manifest(VALUED.model_copy(update={"periods": (Period(end=NOON),)})), "not-running"),
        (a_manifest(VALUED.model_copy(update={"began": NOON + HOUR})), "before-start"),
        (a_manifest(VALUED.model_copy(update={"phases": (Phase(weights=(1.0, 0.0)),)})), "wrong-variant"),
        (
            a_manifest(VALUED.model_copy(update={"goal_values": {"buy": GoalValue(unit="EUR", decimals=0, cap=9)}})),
            "wrong-value",
        ),
    ],
)
def test_what_a_publish_of_a_moment_ago_allows_is_not_refused(old: Manifest, refused: str) -> None:
    event = an_event(type="goal", goal="buy", value=Decimal("1.5"))
    assert outcome(event, old) == refused
    published = Published(old, a_manifest(VALUED))
    assert validate_events([event], GREEN, FreshManifest(published, NOON), now_ms=NOON) == [None]


@pytest.mark.parametrize(
    ("visitor", "phase", "message"),
    [
        (GREEN, None, "cta-color: this visitor belongs to green in phase 1, not blue."),
        (GREEN, 0, "cta-color: this visitor is not enrolled in phase 0, not blue."),
        (GREEN, 2, "cta-color has no phase 2; its last one is 1."),
    ],
)
def test_a_wrong_variant_is_answered_with_the_right_one(visitor: str, phase: int | None, message: str) -> None:
    phases = (Phase(weights=(0.5, 0.5), coverage=0.0), Phase(weights=(0.5, 0.5)))
    refusal = validate_event(
        an_event(variant="blue", phase=phase), visitor, a_manifest(an_experiment(phases=phases)), now_ms=NOON
    )
    assert refusal == Refusal(Outcome.WRONG_VARIANT, message)


@pytest.mark.parametrize(
    ("event", "experiment", "message"),
    [
        (an_event(at=NOON - 8 * DAY), {}, f"at: {NOON - 8 * DAY} is more than 7 days ago."),
        (an_event(at=NOON + HOUR), {}, f"at: {NOON + HOUR} is more than 10 minutes ahead of {NOON}."),
        (
            an_event(),
            {"status": "stopped", "periods": (Period(end=NOON),)},
            f"cta-color is stopped; it was not running at {NOON}.",
        ),
        (an_event(), {"began": NOON + HOUR}, f"at: {NOON} is before cta-color began, at {NOON + HOUR}."),
        (
            an_event(type="goal", goal="buy"),
            {},
            "cta-color declares no goal 'buy'; it has none besides clicks.",
        ),
    ],
)
def test_a_refusal_says_what_was_sent_and_what_would_be_taken(
    event: Event, experiment: dict[str, object], message: str
) -> None:
    refusal = validate_event(event, GREEN, a_manifest(an_experiment(**experiment)), now_ms=NOON)
    assert refusal is not None
    assert refusal.message == message


MANY = tuple(f"{n:02}-{'x' * 61}" for n in range(40))


@pytest.mark.parametrize("field", ["experiment", "variant", "goal"])
def test_a_refusal_names_ten_of_what_there_is_and_no_draft(field: str) -> None:
    goal = {"type": "goal", "goal": "none"} if field == "goal" else {}
    manifest = a_manifest(
        an_experiment("draft", status="draft"),
        an_experiment(variants=("green", *MANY[1:]), goals=MANY),
        *(an_experiment(key) for key in MANY[1:]),
    )
    event = an_event(**({field: "none"} | goal))
    refusal = validate_event(event, GREEN, manifest, now_ms=NOON)
    assert refusal is not None
    first = {"experiment": "cta-color", "variant": "green", "goal": MANY[0]}[field]
    assert f" has {first}, {', '.join(MANY[1:10])} and 30 more." in refusal.message
    assert len(refusal.message) < 800


def test_the_manifest_is_not_read_again_for_a_refusal_it_cannot_change() -> None:
    published = Published(a_manifest(), a_manifest())
    manifest = FreshManifest(published, NOON)
    validate_events([an_event(), an_event(at=NOON - 8 * DAY)], GREEN, manifest, now_ms=NOON)
    assert published.refreshes == 0
    assert Outcome.TOO_OLD not in DEPENDS_ON_MANIFEST


def test_every_outcome_is_documented_and_nothing_else() -> None:
    page = (PROJECT / "docs" / "outcomes.md").read_text()
    rows = [line.split("|")[1].strip(" `") for line in page.splitlines() if line.startswith("| `")]
    assert rows == [outcome.value for outcome in Outcome]


@pytest.mark.parametrize(
    ("goal", "value", "message"),
    [
        ("buy", "49.9", None),
        ("buy", "-49.90", None),
        ("buy", None, "value: is missing; each 'buy' of cta-color carries one, in EUR."),
        ("buy", "49.999", "value: 49.999 has more than 2 decimals."),
        ("signup", "1", "value: 'signup' of cta-color carries no values."),
        ("signup", None, None),
    ],
)
def test_a_value_fits_its_goal(goal: str, value: str | None, message: str | None) -> None:
    event = an_event(type="goal", goal=goal, value=value and Decimal(value))
    refusal = validate_event(event, GREEN, a_manifest(VALUED), now_ms=NOON)
    assert refusal == (message and Refusal(Outcome.WRONG_VALUE, message))

"""What GrowthBook's event plugin posts, read as events of ours. The bodies are what the plugin of npm
@growthbook/growthbook 1.8.0 sends; tests/growthbook/test_sdks.py has the real one send them."""

from __future__ import annotations

import json

import pytest

from chalicelib.domain.errors import InvalidInput, TooLarge
from chalicelib.domain.manifest import Experiment, GoalValue, Manifest, Phase, Segment, Variant
from chalicelib.ingestion import growthbook_plugin
from chalicelib.ingestion.growthbook_plugin import events_from_plugin
from chalicelib.ingestion.request import Batch

AT = 1_795_248_000_123
HERO = Experiment(
    key="hero",
    status="running",
    seed="hero",
    variants=(Variant(key="plain"), Variant(key="benefit")),
    phases=(Phase(weights=(0.0, 1.0)),),
    goals=("sign-up",),
)


def an_entry(name="Experiment Viewed", **properties):
    return {
        "event_name": name,
        "properties_json": properties,
        "user_id": None,
        "device_id": "user-123",
        "page_id": None,
        "session_id": "s1",
        "utm_source": "x",
        "sdk_language": "js",
        "sdk_version": "1.8.0",
        "url": "https://ex.com/p?a=1",
        "context_json": {"plan": "pro"},
    }


def an_exposure(visitor="user-123", variant="green"):
    return an_entry(experimentId="cta-color", variationId=variant, hashAttribute="id", hashValue=visitor)


def read(*entries, at=AT, manifest=None):
    return events_from_plugin(json.dumps(entries).encode(), at, manifest)


def test_an_exposure_is_an_impression_and_nothing_personal_is_kept():
    [(visitor, [event])] = read(an_exposure())
    assert visitor == "user-123"
    assert event.pop("id").startswith("gb-")
    assert event == {"type": "impression", "experiment": "cta-color", "variant": "green", "at": AT}


def test_an_exposure_has_the_same_id_whenever_and_with_whatever_it_comes():
    [(_, [first])] = read(an_exposure())
    [(_, events)] = read(an_entry("Page View"), an_exposure(), at=AT + 86_400_000)
    assert [e["id"] for e in events] == [first["id"]]


def test_exposures_to_two_variants_or_of_two_visitors_differ():
    ids = {e["id"] for _, es in read(an_exposure(), an_exposure(variant="blue"), an_exposure("u2")) for e in es}
    assert len(ids) == 3


def test_the_events_pass_the_front_door():
    [(visitor, events)] = read(an_exposure(), an_entry("click", experimentId="cta-color", variationId="green"))
    batch = Batch.model_validate_json(json.dumps({"visitor": visitor, "events": events}))
    assert [e.type for e in batch.events] == ["impression", "click"]


def test_a_variant_kept_from_an_earlier_phase_says_so():
    phases = (Phase(weights=(1.0, 0.0)), Phase(weights=(0.0, 1.0)))
    manifest = Manifest(experiments=(HERO.model_copy(update={"phases": phases}),))
    kept, fresh = (an_entry(experimentId="hero", variationId=v, hashValue="u1") for v in ("plain", "benefit"))
    [(_, [old, new])] = read(kept, fresh, manifest=manifest)
    assert old["phase"] == 0
    assert "phase" not in new  # the current one


def test_a_custom_event_counts_each_time():
    click = an_entry("click", experimentId="cta-color", variationId="green")
    [(_, events)] = read(click, click)
    assert len({e["id"] for e in events}) == 2


def test_a_goal_without_an_experiment_goes_to_those_that_declare_it():
    [(visitor, [event])] = read(an_entry("Sign Up"), manifest=Manifest(experiments=(HERO,)))
    assert (visitor, event["type"], event["goal"]) == ("user-123", "goal", "sign-up")
    assert (event["experiment"], event["variant"]) == ("hero", "benefit")


def test_a_goal_takes_its_value_along_where_the_manifest_says_that_it_has_one():
    euros = GoalValue(unit="EUR", decimals=2, cap=50_000)
    valued = HERO.model_copy(update={"goal_values": {"sign-up": euros}})
    for sent in (
        an_entry("Sign Up", value=49.9),
        an_entry("Sign Up", experimentId="hero", variationId="b", value=49.9),
    ):
        [[(_, [plain])], [(_, [worth])]] = [read(sent, manifest=Manifest(experiments=(e,))) for e in (HERO, valued)]
        assert ("value" in plain, worth["value"]) == (False, 49.9)


ATTRIBUTES = {
    "plan": "pro",
    "seats": 3,
    "ratio": 0.5,
    "team": True,
    "app": "v1.0",
    "roles": ["a"],
    "nothing": None,
    "email": "a@b.c",
}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("plan", "pro"),
        ("seats", "3"),
        ("ratio", "0.5"),
        ("team", "true"),
        ("app", "v1.0"),
        ("roles", ""),
        ("utmSource", "x"),
        ("url", "https://ex.com/p?a=1"),
    ],
)
def test_an_impression_has_the_attributes_that_its_experiment_declares(name, text):
    experiment = HERO.model_copy(update={"segments": (Segment(name=name, values=("x",), attribute=True),)})
    sent = an_entry(experimentId="hero", variationId="benefit", hashValue="u1") | {"context_json": ATTRIBUTES}
    [(_, [event])] = read(sent, manifest=Manifest(experiments=(experiment,)))
    assert event["segments"] == {name: text}


@pytest.mark.parametrize("attributes", [None, [], "plan", {}, {"plan": None}])
def test_an_impression_without_the_attribute_is_read_all_the_same(attributes):
    experiment = HERO.model_copy(update={"segments": (Segment(name="plan", values=("x",), attribute=True),)})
    sent = an_entry(experimentId="hero", variationId="benefit", hashValue="u1") | {"context_json": attributes}
    [(_, [event])] = read(sent, manifest=Manifest(experiments=(experiment,)))
    assert (event["type"], "segments" in event) == ("impression", False)


def test_a_click_without_an_experiment_is_nobodys():
    assert read(an_entry("click"), manifest=Manifest(experiments=(HERO,))) == []


@pytest.mark.parametrize(
    "entry",
    [
        an_entry("Feature Evaluated", feature="hero", source="experiment"),
        an_entry("Page View"),
        an_entry(experimentId="hero"),
        an_entry(experimentId=["hero"], variationId={}),
        {"event_name": 5},
        "text",
        None,
    ],
)
def test_what_is_not_ours_is_left_out(entry):
    assert read(entry) == []


def test_more_events_than_a_page_makes_at_once_are_refused_whole():
    click = an_entry("click", experimentId="hero", variationId="plain")
    assert [(v, len(es)) for v, es in read(*[click] * 100)] == [("user-123", 100)]
    with pytest.raises(TooLarge, match="more than 100 events"):
        read(*[click] * 101)


@pytest.mark.parametrize("body", [b"", b"{}", b"nonsense", b"\xff", b"[" * 100_000])
def test_what_is_no_array_is_refused(body):
    with pytest.raises(InvalidInput, match="not a JSON array"):
        events_from_plugin(body, AT)


def test_a_body_too_large_is_refused_unread():
    with pytest.raises(TooLarge, match="262145 bytes"):
        events_from_plugin(b" " * (256 * 1024 + 1), AT)


def test_eighty_thousand_empty_entries_are_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growthbook_plugin._Logged, "model_validate", pytest.fail)
    with pytest.raises(TooLarge, match="80000 entries; at most 1000"):
        events_from_plugin(b"[" + b",".join([b"{}"] * 80_000) + b"]", 0)


def test_ids_are_as_long_as_an_event_id_may_be_stored_everywhere():
    both = read(an_exposure(), an_entry("Sign Up"), manifest=Manifest(experiments=(HERO,)))
    assert [len(event["id"]) for _, events in both for event in events] == [35, 35]


@pytest.mark.parametrize(
    ("sent", "visitor"), [("u1", "u1"), (7, "7"), (7.0, "7"), (7.5, "7.5"), (True, "user-123"), (None, "user-123")]
)
def test_a_visitor_is_text_or_a_number_and_else_the_device(sent, visitor):
    assert read(an_exposure(sent))[0][0] == visitor


def test_an_experiment_named_by_true_is_none():
    assert read(an_entry(experimentId=True, variationId="green")) == []
    assert read(an_entry(experimentId="cta-color", variationId=True)) == []


def test_an_entry_that_cannot_be_read_does_not_hide_the_next():
    assert [len(events) for _, events in read({"event_name": 5}, "x", an_exposure())] == [1]


@pytest.mark.parametrize("name", ["Sign Up", "sign_up", "SIGN  UP", "sign-up", " Sign_Up "])
def test_a_goal_is_found_under_the_names_that_people_write(name):
    [(_, [event])] = read(an_entry(name), manifest=Manifest(experiments=(HERO,)))
    assert event["goal"] == "sign-up"


def test_a_goal_that_names_an_experiment_goes_to_this_one_alone():
    other = HERO.model_copy(update={"key": "other"})
    manifest = Manifest(experiments=(HERO, other))

    def experiments(**properties):
        return [
            event["experiment"]
            for _, events in read(an_entry("Sign Up", **properties), manifest=manifest)
            for event in events
        ]

    assert experiments() == ["hero", "other"]
    assert experiments(variationId="plain") == ["hero", "other"]
    assert experiments(experimentId="other") == ["other"]
    assert experiments(experimentId="unknown") == []
    assert experiments(experimentId="unknown", variationId="plain") == ["unknown"]


@pytest.mark.parametrize("change", [{"status": "draft"}, {"assignment": "client"}])
def test_the_variant_is_not_guessed_for_drafts_and_where_the_sender_assigns(change):
    assert read(an_entry("Sign Up"), manifest=Manifest(experiments=(HERO.model_copy(update=change),))) == []


def test_a_draft_has_no_earlier_phase():
    phases = (Phase(weights=(1.0, 0.0)), Phase(weights=(0.0, 1.0)))
    draft = HERO.model_copy(update={"phases": phases, "status": "draft"})
    [(_, [event])] = read(
        an_entry(experimentId="hero", variationId="plain", hashValue="u1"), manifest=Manifest(experiments=(draft,))
    )
    assert "phase" not in event


def test_the_limits_are_the_last_that_is_taken():
    assert len(read(*(an_exposure(f"u{n}") for n in range(10)))) == 10
    with pytest.raises(TooLarge, match="body: 11 visitors; a browser has one, at most 10 are taken"):
        read(*(an_exposure(f"u{n}") for n in range(11)))
    assert read(*[{}] * 1000) == []
    with pytest.raises(TooLarge, match="body: 1001 entries; at most 1000 are taken at once"):
        read(*[{}] * 1001)
    whole = b"[]" + b" " * (256 * 1024 - 2)
    assert events_from_plugin(whole, AT) == []
    with pytest.raises(TooLarge, match="body: 262145 bytes; at most 262144 are taken"):
        events_from_plugin(whole + b" ", AT)

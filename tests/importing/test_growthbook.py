"""Imported experiments give each visitor the variant of GrowthBook's own SDK; what cannot do so is left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from abacus.authoring.assign import decide
from abacus.authoring.load import load
from abacus.cli import main
from abacus.importing.growthbook import import_payload
from tests.support.growthbook_sdks import NOW, PLACES, assigned_by_javascript, told, visitors

TWO = {"variations": ["red", "blue"], "hashVersion": 2, "meta": [{"key": "red"}, {"key": "blue"}]}
SHOP = [{"include": True, "type": "simple", "pattern": "https://example.com/shop/*"}]
PAYLOAD: dict[str, Any] = {
    "savedGroups": {"grp_1": ["CH", "DE"]},
    "features": {
        "plain": {"defaultValue": "red", "rules": [TWO]},
        "Cta Colour": {"defaultValue": "red", "rules": [TWO | {"key": "cta_Colour", "seed": "old seed", "phase": "2"}]},
        "weights": {
            "defaultValue": 0,
            "rules": [
                {"variations": [0, 1, 2], "hashVersion": 2, "weights": [0.5, 0.3, 0.2], "coverage": 0.6, "key": "price"}
            ],
        },
        "ranged": {"defaultValue": "red", "rules": [TWO | {"ranges": [[0, 0.2], [0.5, 0.7]]}]},
        "thirds": {
            "defaultValue": False,
            "rules": [{"variations": [False, True, "x"], "hashVersion": 2, "weights": [0.3334, 0.3333, 0.3333]}],
        },
        "spaced": {
            "defaultValue": "red",
            "rules": [
                TWO | {"filters": [{"attribute": "id", "seed": "checkout", "hashVersion": 2, "ranges": [[0.2, 0.7]]}]}
            ],
        },
        "audience": {
            "defaultValue": "red",
            "rules": [TWO | {"condition": {"country": {"$inGroup": "grp_1"}, "age": {"$gte": 18}}}],
        },
    },
    "experiments": [
        {
            "key": "landing",
            "seed": "landing",
            "hashVersion": 2,
            "status": "running",
            "urlPatterns": SHOP,
            "meta": [{"key": "0"}, {"key": "1"}],
            "weights": [0.5, 0.5],
            "variations": [{}, {"urlRedirect": "https://example.com/new"}],
        }
    ],
}
KEYS = {"cta_Colour": "cta-colour"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "payload.json").write_text(json.dumps(PAYLOAD))
    return tmp_path


def run(folder: Path, *arguments: str) -> tuple[int, str]:
    manifest = folder / "manifest"
    result = CliRunner().invoke(
        main, ["import", "growthbook", str(folder / "payload.json"), "--manifest", str(manifest), *arguments]
    )
    return result.exit_code, result.output


@pytest.mark.parametrize("place", PLACES)
def test_every_visitor_keeps_the_variant_that_growthbooks_sdk_gives(folder: Path, place: str) -> None:
    code, output = run(folder)
    assert code == 0, output
    experiments = {e.key: e for e in load(folder / "manifest").experiments}
    url, attributes = PLACES[place]
    ids = visitors(2_000)
    before = assigned_by_javascript(PAYLOAD, url, told(url, attributes), ids)
    names = {name: (rule["rules"][0].get("key") or name) for name, rule in PAYLOAD["features"].items()}
    names |= {"landing": "landing"}
    enrolled = 0
    for visitor, answers in zip(ids, before, strict=True):
        for name, (chosen, _) in answers.items():
            experiment = experiments[KEYS.get(names[name], names[name])]
            after = decide(experiment, visitor, url, attributes, NOW)
            assert (after.variant if after.enrolled else None) == chosen, (name, visitor)
            enrolled += chosen is not None
    assert enrolled > 6_000


def test_payloads_are_the_values_and_the_notes_say_what_changes(folder: Path) -> None:
    code, output = run(folder)
    assert code == 0
    loaded = load(folder / "manifest")
    price = loaded.experiment("price")
    assert price is not None
    assert [v.payload for v in price.variants] == [0, 1, 2]
    assert (price.phases[0].weights, price.phases[0].coverage, price.seed) == ((0.5, 0.3, 0.2), 0.6, "price")
    assert "  note: its key was cta_Colour: events of GrowthBook's SDKs must name cta-colour from now on" in output
    assert "  note: it was in phase 2; the payload knows no earlier one, so it starts with phase 0" in output
    again = run(folder)
    assert again[0] == 1
    assert "there already; nothing is written" in again[1]


def test_a_dry_run_writes_nothing(folder: Path) -> None:
    code, output = run(folder, "--dry-run")
    assert (code, output.count("would write"), (folder / "manifest").exists()) == (0, 8, False)


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (TWO | {"hashVersion": 1}, "hashVersion 1: it places visitors by another hash"),
        ({k: v for k, v in TWO.items() if k != "hashVersion"}, "hashVersion 1: "),
        (TWO | {"hashAttribute": "company"}, "it assigns by company, not by id: see --visitor-attribute"),
        (TWO | {"namespace": ["pricing", 0, 0.5]}, "the namespace pricing places visitors by an older hash"),
        (TWO | {"weights": [0.495, 0.495]}, "its ranges are no weights and coverage: 1 % of all visitors"),
        (TWO | {"ranges": [[0, 0.1], [0.5, 0.9]]}, "its ranges are no weights and coverage"),
        (TWO | {"parentConditions": [{"id": "plain", "condition": {}}]}, "parentConditions: there is no such thing"),
        (TWO | {"meta": [{"key": "a"}, {"key": "a"}]}, "the variation keys a, a must differ"),
        (TWO | {"variations": [None, "x"]}, "a variation has the value null"),
        (TWO | {"condition": {"country": {"$near": "CH"}}}, "condition.country.$near"),
        (
            TWO | {"filters": [{"seed": "a", "ranges": [[0, 0.5]]}, {"seed": "b", "ranges": [[0, 0.5]]}]},
            "it has several filters",
        ),
        ({"force": "blue", "coverage": 0.5}, "the feature has no experiment"),
    ],
)
def test_what_would_move_visitors_is_left_out_with_the_reason(rule: dict[str, Any], reason: str) -> None:
    imported = import_payload({"features": {"one": {"defaultValue": "red", "rules": [rule]}}})
    assert imported.experiments == []
    assert reason in imported.left_out["one"]


def test_a_rule_behind_another_and_the_visual_editor_are_left_out() -> None:
    visual = {"key": "v", "hashVersion": 2, "urlPatterns": SHOP, "variations": [{}, {"css": "h1{color:red}"}]}
    features = {"one": {"defaultValue": "red", "rules": [{"force": "blue", "condition": {"id": "7"}}, TWO]}}
    imported = import_payload({"features": features, "experiments": [visual]})
    assert imported.left_out["one"] == "another rule of the feature decides before it"
    assert "visual editor" in imported.left_out["v"]


def test_another_attribute_is_the_visitor_where_the_site_says_so() -> None:
    rule = TWO | {"hashAttribute": "deviceId"}
    imported = import_payload({"features": {"one": {"defaultValue": "red", "rules": [rule]}}}, "deviceId")
    assert [e.key for e in imported.experiments] == ["one"]


def test_a_stopped_redirect_keeps_its_winner() -> None:
    stopped = PAYLOAD["experiments"][0] | {"status": "stopped", "force": 1}
    (experiment,) = import_payload({"features": {}, "experiments": [stopped]}).experiments
    assert (experiment.status, experiment.winner) == ("stopped", "1")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[]", "is no features payload"),
        ('{"encryptedFeatures": "x"}', "is encrypted"),
        ("{", "Expecting property name"),
        ('{"features": {"a": {"rules": [{"variations": 3, "hashVersion": 2}]}}}', "is not what GrowthBook's SDKs read"),
        ('{"features": {}}', "no experiment of this payload can be taken"),
    ],
)
def test_a_file_that_is_no_payload_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "payload.json").write_text(text)
    code, output = run(tmp_path)
    assert (code, reason in output) == (1, True), output

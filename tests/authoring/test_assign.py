"""`abacus assign` explains, step by step."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from abacus.authoring.assign import command, decide
from abacus.paths import PROJECT
from chalicelib.domain.manifest import Namespace, Phase, UrlPattern, Urls
from tests.support.builders import NOON, a_visitor, an_experiment

FIXTURES = str(PROJECT / "tests" / "fixtures/manifest")
GREEN = a_visitor("green")
SHOP = Urls(include=(UrlPattern(pattern="/shop/*"),))


def decided(visitor=GREEN, url="", attributes=None, now=NOON, **fields):
    decision = decide(an_experiment(**fields), visitor, url, attributes or {}, now)
    return decision.variant, decision.enrolled, decision.steps


def test_the_hash_and_the_ranges_are_shown():
    variant, enrolled, [step] = decided()
    assert (variant, enrolled) == ("green", True)
    assert step.startswith(f"seed cta-color: hash of '{GREEN}' is 0.")
    assert step.endswith("ranges [0, 0.5) [0.5, 1)")


@pytest.mark.parametrize(
    ("fields", "shown", "why"),
    [
        ({"status": "draft"}, "blue", "a draft: it is not published"),
        ({"status": "paused"}, "blue", "paused: every visitor sees the control"),
        ({"status": "stopped"}, "blue", "stopped without a winner: every visitor sees the control"),
        ({"status": "stopped", "winner": "green"}, "green", "stopped: every visitor gets green"),
        ({"start": NOON + 1000}, "blue", "starts at 2026-11-21 12:00:01Z"),
        ({"end": NOON}, "blue", "ended at 2026-11-21 12:00:00Z"),
        ({"urls": SHOP}, "blue", "does not run on an unknown page (no url was given)"),
        ({"urls": SHOP, "url": "https://x.ch/"}, "blue", "does not run on https://x.ch/"),
        ({"condition": {"plan": "pro"}}, "blue", "the condition does not hold for these attributes"),
        ({"phases": (Phase(weights=(0.5, 0.5), coverage=0.0),)}, "blue", "no range holds that place: outside coverage"),
        ({"url": "https://x.ch/?cta-color=1"}, "green", "forced to variant 1; never counted"),
        (
            {"status": "stopped", "winner": "green", "urls": SHOP},
            "blue",
            "stopped, and it did not run for these visitors or pages",
        ),
    ],
)  # fmt: skip
def test_who_is_not_counted_is_told_why(fields, shown, why):
    variant, enrolled, steps = decided(**fields)
    assert (variant, enrolled, steps[-1]) == (shown, False, why)


def test_a_namespace_shows_place_and_slice():
    inside = Namespace(name="n", start=0.0, end=1.0)
    _, enrolled, (first, _) = decided(namespace=inside)
    assert enrolled
    assert first.startswith("namespace n: place 0.")
    assert first.endswith("is in [0, 1)")
    empty = Namespace(name="n", start=1.0, end=1.0)
    assert "is in none of [1, 1)" in decided(namespace=empty)[2][-1]


def test_an_earlier_phase_says_what_a_browser_may_have_stored():
    visitor = next(v for v in (a_visitor("blue", nth=i) for i in range(100)) if decided(v, phases=PHASES)[0] == "green")
    _, _, steps = decided(visitor, phases=PHASES)
    assert steps[-1] == "phase 0: blue; a browser that stored a variant then keeps it"


PHASES = (Phase(weights=(0.5, 0.5)), Phase(weights=(0.1, 0.9)))


def test_the_command_explains_each_experiment():
    result = CliRunner().invoke(command, ["ada", "--manifest", FIXTURES, "--experiment", "even"])
    assert result.exit_code == 0
    assert result.output == (
        "even: b\n"
        "  namespace holdout: place 0.1728 is in [0.03, 1)\n"
        "  seed even: hash of 'ada' is 0.6052; ranges [0, 0.5) [0.5, 1)\n"
    )


def test_the_command_takes_page_and_attributes():
    options = ["--manifest", FIXTURES, "--experiment", "swiss", "--attributes"]
    swiss = json.dumps({"country": "CH", "age": 20, "plan": "pro"})
    assert "the condition holds" in CliRunner().invoke(command, ["ada", *options, swiss]).output
    assert "sees a, not counted" in CliRunner().invoke(command, ["ada", *options, "{}"]).output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--experiment", "evn"], "no experiment 'evn'; there are elsewhere, "),
        (["--experiment", "evn"], "Did you mean 'even'?"),
        (["--attributes", "{"], "'{' is not JSON"),
        (["--attributes", "[]"], "'[]' is not a JSON object"),
        (["--manifest", "nowhere"], "is not a folder"),
    ],
)
def test_the_command_says_what_was_wrong(options, message):
    result = CliRunner().invoke(command, ["ada", "--manifest", FIXTURES, *options])
    assert result.exit_code != 0
    assert message in result.output

"""One visitor, one experiment, decided for a server: the same as `abacus assign` explains, and stored choices stay."""

from __future__ import annotations

import pytest

from abacus.authoring.assign import decide
from abacus.authoring.load import load
from abacus.paths import PROJECT
from chalicelib.domain.manifest import Phase
from chalicelib.targeting.evaluation import (
    Choice,
    EvaluationContext,
    evaluate,
    first_phase,
    known_attributes,
    stored_choices,
)
from tests.support.builders import NOON, a_visitor, an_experiment
from tests.support.growthbook_sdks import PLACES, visitors

EVERYTHING = [e for e in load(PROJECT / "tests/fixtures/manifest").experiments if e.status != "draft"]


@pytest.mark.parametrize("place", PLACES)
def test_every_kind_of_experiment_is_decided_as_abacus_assign_explains_it(place: str) -> None:
    url, attributes = PLACES[place]
    for visitor in visitors(300):
        context = EvaluationContext(visitor, attributes | {"url": url})
        for experiment in EVERYTHING:
            evaluation = evaluate(experiment, context, NOON)
            decision = decide(experiment, visitor, url, attributes, NOON)
            assert (evaluation.variant, evaluation.enrolled) == (decision.variant, decision.enrolled), experiment.key


TWO_SEEDS = an_experiment(
    phases=(Phase(weights=(1, 0)), Phase(weights=(1, 0), seed="new"), Phase(weights=(1, 0), seed="new"))
)


@pytest.mark.parametrize(
    ("choice", "variant", "phase"),
    [
        (Choice("green", 0), "blue", 2),  # made before the new seed
        (Choice("green", 1), "green", 1),
        (Choice("green", 2), "green", 2),
        (Choice("green", 3), "blue", 2),  # of a phase that is not published yet
        (Choice("red", 1), "blue", 2),  # no variant of this experiment
    ],
)
def test_a_stored_choice_stays_until_a_phase_with_another_seed(choice: Choice, variant: str, phase: int) -> None:
    assert first_phase(TWO_SEEDS) == 1
    evaluation = evaluate(TWO_SEEDS, EvaluationContext("v1", choices={"cta-color": choice}), NOON)
    assert (evaluation.variant, evaluation.phase, evaluation.enrolled) == (variant, phase, True)


def test_a_stored_choice_stays_where_the_condition_no_longer_holds() -> None:
    """As in the snippet: who takes part goes on taking part."""
    experiment = an_experiment(condition={"country": "CH"})
    context = EvaluationContext(a_visitor("blue"), {"country": "DE"}, {"cta-color": Choice("green", 0)})
    assert evaluate(experiment, context, NOON).variant == "green"


def test_a_cookie_of_another_visitor_or_with_rubbish_holds_no_choice() -> None:
    assert stored_choices("v2~hero.bold.0~", "v1") == {}
    assert stored_choices("v1~hero~.bold.0~hero.bold.x~tea.a.1~tea.b.2~", "v1") == {"tea": Choice("a", 1)}


def test_the_parts_of_the_url_are_known_unless_given() -> None:
    context = EvaluationContext("v1", {"url": "https://[broken", "host": "mine"})
    assert known_attributes(context) == {"url": "https://[broken", "path": "/", "host": "mine", "query": "", "id": "v1"}

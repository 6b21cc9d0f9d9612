"""Two experiments that share visitors: the effect of one by the variant of the other."""

from __future__ import annotations

import random

import pytest

from abacus.operations.rows.interactions import by_other
from chalicelib.analysis.segments.effects import metrics_by_value
from chalicelib.analysis.segments.split import split_by_value
from chalicelib.storage.event_encoding import write
from chalicelib.storage.store import ParticipantRow, RowKey
from tests.support.builders import an_event, an_experiment
from tests.support.memory_store import MemoryStore

HERO, CTA = an_experiment("hero", ("plain", "bold")), an_experiment("cta", ("blue", "green"))


def saw(store: MemoryStore, visitor: str, experiment: str, variant: str, *, clicked: bool = False) -> None:
    events = [an_event(experiment=experiment, variant=variant)]
    events += [an_event(id="c", type="click", experiment=experiment, variant=variant)] * clicked
    elements = frozenset(write(event, phase=0, client=False) for event in events)
    key = RowKey(visitor, experiment)
    store.rows[key] = ParticipantRow(key, counted=elements, received=len(elements), folded=len(elements), generation=0)


def filled_store(rates: dict[tuple[str, str], float], seed: int = 5) -> MemoryStore:
    """4,000 visitors of both, who click in hero at the rate of their two variants; and 100 of hero alone."""
    rng, store = random.Random(seed), MemoryStore()
    for n in range(4000):
        variants = rng.choice(("plain", "bold")), rng.choice(("blue", "green"))
        saw(store, f"v{n}", "hero", variants[0], clicked=rng.random() < rates[variants])
        saw(store, f"v{n}", "cta", variants[1])
    for n in range(100):
        saw(store, f"alone{n}", "hero", "bold", clicked=True)
    return store


def test_an_effect_that_exists_with_one_variant_of_the_other_alone_is_an_interaction() -> None:
    rates = {("plain", "blue"): 0.1, ("bold", "blue"): 0.1, ("plain", "green"): 0.1, ("bold", "green"): 0.25}
    found = by_other(filled_store(rates), HERO, CTA)
    [click] = metrics_by_value(found)
    assert click.interactions[0].differs
    assert {value: c.direction for value, (c,) in click.comparisons.items()} == {"blue": "open", "green": "higher"}
    assert sum(arm.visitors for arms in click.arms.values() for arm in arms) == 4000  # those of hero alone are left out


def test_two_effects_that_multiply_are_no_interaction() -> None:
    rates = {("plain", "blue"): 0.1, ("bold", "blue"): 0.2, ("plain", "green"): 0.15, ("bold", "green"): 0.3}
    [click] = metrics_by_value(by_other(filled_store(rates), HERO, CTA))
    assert click.interactions[0].p == pytest.approx(0.5, abs=0.48)
    assert not click.interactions[0].differs


def test_the_same_seed_for_both_shows_as_a_split_that_is_off() -> None:
    store = MemoryStore()
    for n in range(1000):
        saw(store, f"v{n}", "hero", ("plain", "bold")[n % 2])
        saw(store, f"v{n}", "cta", ("blue", "green")[n % 2])
    assert split_by_value(by_other(store, HERO, CTA)).off == ("blue", "green")


def test_visitors_who_are_excluded_from_either_are_left_out() -> None:
    store = MemoryStore()
    saw(store, "v1", "hero", "bold")
    key = RowKey("v1", "cta")
    click = write(an_event(type="click", experiment="cta", variant="blue"), phase=0, client=False)
    store.rows[key] = ParticipantRow(key, counted=frozenset([click]), received=1, folded=1, generation=0)
    assert by_other(store, HERO, CTA).by_value == {}

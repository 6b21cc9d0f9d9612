"""Two experiments that share visitors: the effect of one by the variant of the other."""

from __future__ import annotations

import asyncio
import random
import re
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from abacus.authoring.load import load
from abacus.operations.rows.interactions import by_other
from abacus.paths import PROJECT
from abacus.simulation.simulate import play
from abacus.simulation.traffic.visitors import Event, Visitor
from chalicelib.analysis.segments.effects import metrics_by_value
from chalicelib.analysis.segments.split import split_by_value
from chalicelib.storage.event_encoding import encode
from chalicelib.storage.store import ParticipantRow, RowKey
from tests.support.builders import an_event, an_experiment
from tests.support.memory_store import MemoryStore
from tests.support.product import ABACUS, Product, start, until

HERO, CTA = an_experiment("hero", ("plain", "bold")), an_experiment("cta", ("blue", "green"))


def saw(store: MemoryStore, visitor: str, experiment: str, variant: str, *, clicked: bool = False) -> None:
    events = [an_event(experiment=experiment, variant=variant)]
    events += [an_event(id="c", type="click", experiment=experiment, variant=variant)] * clicked
    elements = frozenset(encode(event, phase=0, client=False) for event in events)
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
    click = encode(an_event(type="click", experiment="cta", variant="blue"), phase=0, client=False)
    store.rows[key] = ParticipantRow(key, counted=frozenset([click]), received=1, folded=1, generation=0)
    assert by_other(store, HERO, CTA).by_value == {}


FILES = {
    "hero": "key: hero\nstatus: running\nvariants: [{key: plain}, {key: bold}]\n"
    "goals: {buy: {value: {unit: EUR, decimals: 2, cap: 100}}}\n",
    "cta": "key: cta\nstatus: running\nvariants: [{key: blue}, {key: green}, {key: red}]\ncoverage: 80 %\n",
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A product of its own, with two experiments."""
    folder = tmp_path_factory.mktemp("interactions")
    manifest = folder / "manifest"
    manifest.mkdir()
    for key, text in FILES.items():
        (manifest / f"{key}.yaml").write_text(text)
    running = start(folder / "state", manifest=manifest)
    assert running.base_url, running.said
    yield running
    running.stop()


def in_both(folder: Path, count: int) -> Iterator[tuple[Visitor, str, str | None, bool, float]]:
    """Visitors who click and buy in hero, more of them with cta's green, and their truth: variant of hero, of cta,
    clicked, spent."""
    experiments = {e.key: e for e in load(folder).experiments}
    rng, now = random.Random(3), round(time.time() * 1000)
    for n in range(count):
        visitor = f"both-{n}"
        variants = {key: experiment.assign(visitor, 0) for key, experiment in experiments.items()}
        clicks = rng.random() < (0.8 if variants == {"hero": "bold", "cta": "green"} else 0.3)
        spent = rng.choice((5.25, 90.5, -3)) if clicks else 0

        def event(key: str, kind: str, variants: dict[str, str | None] = variants, **more: object) -> Event:
            return {"id": f"{kind}{key}", "type": kind, "experiment": key, "variant": variants[key], "at": now} | more

        visit = [event("hero", "impression")] + [event("cta", "impression")] * (variants["cta"] is not None)
        visit += [event("hero", "click"), event("hero", "goal", goal="buy", value=spent)] * clicks
        yield Visitor(visitor, [visit, visit[:1]]), variants["hero"] or "", variants["cta"], clicks, spent


@pytest.mark.ministack
def test_the_command_shows_of_a_running_product_what_an_independent_count_says(shop: Product) -> None:
    people = list(in_both(shop.home.with_name("manifest"), 240))
    asyncio.run(play(shop.base_url, [visitor for visitor, *_ in people]))
    until(lambda: sum(n for n, _ in shop.variants("hero").values()) == len(people))

    def shown(*keys: str) -> str:
        command = [str(ABACUS), "interactions", *keys, "--home", str(shop.home)]
        return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True).stdout

    said = shown("hero", "cta")
    both = [(hero, cta, clicks, spent) for _, hero, cta, clicks, spent in people if cta is not None]
    assert said.startswith(f"hero by cta: {len(both)} visitors, primary click\n")
    seen = Counter((cta, hero) for hero, cta, *_ in both)
    clicked = Counter((cta, hero) for hero, cta, clicks, _ in both if clicks)
    tables = dict(part.split("\n", 1) for part in said.split("\n\n")[1:])
    assert rows(tables["click, primary"]) == {key: [str(n), str(clicked[key])] for key, n in sorted(seen.items())}
    revenue = {key: sum(spent for hero, cta, _, spent in both if (cta, hero) == key) for key in seen}
    means = {key: f"{revenue[key] / seen[key]:.4f} EUR" for key in seen}
    found = re.findall(r"([\d.-]+ EUR)", tables["buy.value"])
    assert found == [means[key] for key in sorted(seen, key=lambda key: (key[0], key[1] == "bold"))]
    assert "\nok       In every value of cta visitors came in the configured proportions.\n" in said
    assert shown("cta", "hero").startswith(f"cta by hero: {len(both)} visitors, primary click\n")


def rows(table: str) -> dict[tuple[str, str], list[str]]:
    """(variant of the other, variant): visitors and those who clicked."""
    found, other = {}, ""
    for line in table.splitlines()[1:]:
        if match := re.match(r"(\w*)\s+(plain|bold)\s+(\d+)\s+(\d+)", line):
            other = match[1] or other
            found[other, match[2]] = [match[3], match[4]]
    return dict(sorted(found.items()))

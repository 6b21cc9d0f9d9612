"""The edge function assigns as the shared vectors say and as Python does, in the restricted runtime."""

from __future__ import annotations

import json

import pytest

from abacus.authoring.assign import decide
from abacus.authoring.load import load
from abacus.paths import PROJECT
from abacus.site.edge_function import RUNTIME, edge_function, left_out
from abacus.site.esbuild import esbuild
from abacus.site.public_manifest import public
from abacus.site.snippet import Options
from chalicelib.domain.manifest import Experiment, Phase, Variant
from tests.site.edge.function import a_request, built, run, shown
from tests.support.growthbook_sdks import NOW, PLACES, visitors

CASES = json.loads((PROJECT / "tests/fixtures/assignment/cases.json").read_text(encoding="utf-8"))
EVERYTHING = load(PROJECT / "tests/fixtures/manifest")
CODE = edge_function(public(EVERYTHING), Options(edge=True))
WINNERS = {e.key: e.winner for e in EVERYTHING.experiments if e.winner}
HASHABLE = [e for e in EVERYTHING.experiments if e.status != "draft"]


def test_the_shared_vectors_hold_for_every_visitor_that_a_cookie_can_name() -> None:
    """The seeds and visitors of tests/fixtures/assignment, with the hash as GrowthBook defines it."""
    cases = [c for c in CASES["assign"] if all((ch.isalnum() and ch.isascii()) or ch in "_.:-" for ch in c["visitor"])]
    experiments = [
        Experiment(
            key=f"x{index}",
            status="running",
            seed=case["seed"],
            variants=tuple(Variant(key=f"v{i}") for i in range(case["variants"])),
            phases=(
                Phase(
                    weights=tuple(case["weights"] or [1 / case["variants"]] * case["variants"]),
                    coverage=case["coverage"],
                ),
            ),
        )
        for index, case in enumerate(cases)
    ]
    assert len(cases) > 20
    for start in range(0, len(cases), 40):
        some = list(enumerate(cases))[start : start + 40]
        code = built(*experiments[start : start + 40])
        answers = run(code, [a_request(cookie=f"{case['visitor']}~") for _, case in some])
        actual = [shown(request).get(f"x{index}") for (index, _), request in zip(some, answers, strict=True)]
        assert actual == [None if c["expected"] in (None, -1) else f"v{c['expected']}" for _, c in some]


@pytest.mark.parametrize("place", PLACES)
def test_every_kind_of_experiment_is_assigned_as_in_python(place: str) -> None:
    url, attributes = PLACES[place]
    ids = [visitor for visitor in visitors(400) if "@" not in visitor]
    country = attributes.get("country", "")
    skipped = {each.experiment for each in left_out(public(EVERYTHING))}
    events = [a_request(url.replace("http:", "https:"), f"{v}~", cloudfront_viewer_country=country) for v in ids]
    answers = run(CODE, events)
    known = {"country": country} if country else {}
    here = url.replace("http:", "https:").partition("#")[0]
    for visitor, request in zip(ids, answers, strict=True):
        decisions = {e.key: decide(e, visitor, here, known, NOW) for e in HASHABLE if e.key not in skipped}
        expected = {
            key: decision.variant
            for key, decision in decisions.items()
            if decision.enrolled or key == "paused" or decision.variant == WINNERS.get(key)
        }
        assert shown(request) == expected


def test_the_code_needs_nothing_that_the_runtime_lacks() -> None:
    """esbuild with the runtime's features as its target finds nothing to rewrite and nothing to refuse."""
    again = esbuild(f"{CODE.decode()}\nexport {{ handler }};", PROJECT / "static/edge", list(RUNTIME), "esm")
    assert b"handler" in again
    for word in (b"?.", b"??", b"...", b"Buffer", b"fetch", b"setTimeout", b"class ", b"`", b"Math.imul"):
        assert word not in CODE.partition(b"];")[2]


def test_modern_syntax_would_be_noticed() -> None:
    with pytest.raises(Exception, match="esbuild"):
        esbuild("export const { a } = globalThis;", PROJECT / "static/edge", list(RUNTIME), "esm")

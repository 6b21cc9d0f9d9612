"""The JavaScript that ships, under node: the hash, what a row deals, conditions."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from abacus.paths import PROJECT, node
from abacus.site.snippet_manifest import compact
from chalicelib.domain.assignment import bucket_ranges, choose

HERE = PROJECT / "tests"
CASES = json.loads((HERE / "fixtures/assignment/cases.json").read_text())


def test_every_suite_in_tests_js_passes() -> None:
    suites = sorted(str(path) for path in (HERE / "javascript").glob("*.test.js"))
    done = subprocess.run([node(), "--test", *suites], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout
    assert len(suites) == 2


def a_row(case: dict[str, Any]) -> list[Any]:
    count = case["variants"]
    phase = {"weights": case["weights"] or [1 / count] * count, "coverage": case["coverage"]}
    keys = [{"key": str(n)} for n in range(count)]
    return compact(
        {"experiments": [{"key": "e", "seed": case["seed"], "status": "running", "variants": keys, "phases": [phase]}]}
    )[0]


def dealt(questions: list[list[Any]]) -> list[str]:
    """What tests/javascript/deal.js answers."""
    done = subprocess.run(
        [node(), str(HERE / "javascript/deal.js")],
        input=json.dumps(questions),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_a_row_deals_as_every_case_of_the_shared_table_says() -> None:
    questions = [[a_row(case), case["visitor"]] for case in CASES["assign"]]
    wanted = ["" if case["expected"] < 0 else str(case["expected"]) for case in CASES["assign"]]
    assert dealt(questions) == wanted


def test_a_row_deals_every_place_as_the_ranges_do() -> None:
    # Where a share is no whole number of ten-thousandths, and where two shares meet.
    for weights, coverage in (([1 / 3] * 3, 1.0), ([0.1, 0.2, 0.7], 0.3), ([1 / 7] * 7, 0.9), ([0.0, 1.0], 1.0)):
        case = {"variants": len(weights), "weights": weights, "coverage": coverage, "seed": "e"}
        ranges = bucket_ranges(weights, coverage)
        row = a_row(case)[1]
        for place in range(10_000):
            index = choose(place / 10_000, ranges)
            found = next(name for name, to, *_ in row if place < to)
            assert found == ("" if index is None else str(index)), (weights, coverage, place)

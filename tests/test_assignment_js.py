"""The snippet's half of the assignment vectors, in Node: tests/js/assignment.test.mjs."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from abacus.compact import compact
from abacus.public import public
from chalicelib.manifest import Phase
from tests.builders import a_manifest, an_experiment

HERE = Path(__file__).parent
CASES = HERE / "fixtures" / "assignment" / "cases.json"


def row(case: dict[str, Any]) -> Any:
    """The variants of the experiment that a case describes, as they are baked into ab.js."""
    names = tuple(f"v{n}" for n in range(case["variants"]))
    weights = tuple(float(w) for w in case["weights"] or [1 / len(names)] * len(names))
    phase = Phase(weights=weights, coverage=float(case["coverage"]))
    (baked,) = compact(public(a_manifest(an_experiment("vector", names, phases=(phase,)))))
    return baked[1]


def test_the_snippet_passes_every_vector(tmp_path: Path) -> None:
    node = shutil.which("node")
    assert node, "node is missing. Run: make setup"
    rows = tmp_path / "rows.json"
    rows.write_text(json.dumps([row(case) for case in json.loads(CASES.read_text())["assign"]]))
    command = [node, "--test", "--test-reporter=tap", str(HERE / "js" / "assignment.test.mjs")]
    environment = os.environ | {"CASES": str(CASES), "ROWS": str(rows)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment, check=False)
    passed, failed = (int(re.findall(rf"^# {word} (\d+)$", done.stdout, re.M)[0]) for word in ("pass", "fail"))
    assert (passed, failed) == (2, 0), done.stdout

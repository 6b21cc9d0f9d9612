"""`abacus rebalance`: the phase goes into the file, and nothing else in it changes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from click.testing import CliRunner

from abacus.authoring.load import load
from abacus.authoring.syntax.editor import with_phase
from abacus.authoring.syntax.reader import read
from abacus.cli import main
from abacus.publishing.changes import changes
from tests.support.tallied import daily, report_on

YAML = """\
# The headline.
key: hero
status: running
variants: # the first one is the control
  - key: plain
    weight: 40 % # was 50 % in the plan
  - weight: 40 %
    key: benefit
  - {key: question, weight: 20 %}

# Everyone.
coverage: 80 % # for now
goals: [signup]
"""
CHANGED = """\
# The headline.
key: hero
status: running
variants: # the first one is the control
  - key: plain
    # weight: was 50 % in the plan
  - key: benefit
  - {key: question}
phases:
  - { weights: {plain: 40 %, benefit: 40 %, question: 20 %}, coverage: 80 % }
  - { weights: {plain: 35 %, benefit: 34 %, question: 31 %} }

# Everyone.
# coverage: for now
goals: [signup]
"""


class _Stats(BaseHTTPRequestHandler):
    report: dict[str, Any]

    def do_GET(self) -> None:
        body = json.dumps(type(self).report).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "hero.yaml").write_text(YAML)
    return tmp_path


@pytest.fixture
def stats() -> Iterator[tuple[type[_Stats], str]]:
    handler = type("Stats", (_Stats,), {})
    server = HTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield handler, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def live(folder: Path) -> dict[str, Any]:
    experiment = load(folder).experiment("hero")
    days = [{"plain": (400, 40), "benefit": (400, 46), "question": (200, 22)}] * 9
    return report_on(daily(*days), experiment=experiment)


def run(folder: Path, url: str, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["rebalance", "hero", "--manifest", str(folder), "--base-url", url, *arguments])
    return result.exit_code, result.output


def test_it_proposes_first_and_applies_on_request(folder: Path, stats: tuple[type[_Stats], str]) -> None:
    handler, url = stats
    handler.report = live(folder)
    before = load(folder)
    code, output = run(folder, url)
    assert code == 0, output
    assert "hero: plain 40 %, benefit 40 %, question 20 % → plain " in output
    assert "benefit is the best with a chance of" in output
    assert (folder / "hero.yaml").read_text() == YAML
    code, output = run(folder, url, "--apply")
    assert code == 0, output
    assert (folder / "hero.yaml").read_text() == CHANGED
    opened = [str(change) for change in changes(before, load(folder)) if change.kind != "warning"]
    assert len(opened) == 1
    assert "opens phase 1; visitors keep their variant" in opened[0]
    assert load(folder).experiments[0].phases[0].coverage == load(folder).experiments[0].phases[1].coverage == 0.8
    code, output = run(folder, url, "--apply")
    assert (code, "hero has other phases in your files than live: publish them first" in output) == (1, True)


def test_a_weekly_job_succeeds_when_nothing_is_to_change(folder: Path, stats: tuple[type[_Stats], str]) -> None:
    handler, url = stats
    handler.report = live(folder) | {"as_of": live(folder)["phases"][0]["first"] + "T09:00:00Z"}
    code, output = run(folder, url, "--apply")
    assert code == 0
    assert "hero keeps its weights, plain 40 %, benefit 40 %, question 20 %.\nThe weights are no days old." in output
    assert (folder / "hero.yaml").read_text() == YAML


@pytest.mark.parametrize(
    ("old", "new", "arguments", "message"),
    [
        ("status: running", "status: paused", (), "hero is paused in your files and running live; only a running"),
        ("goals: [signup]", "assignment: client", (), "the sender chooses the variants"),
        ("goals: [signup]", "", ("--floor", "40 %"), "--floor: 40 % for each of 3 variants is more than 100 %"),
    ],
)
def test_what_cannot_be_rebalanced_is_refused_with_the_reason(
    folder: Path, stats: tuple[type[_Stats], str], old: str, new: str, arguments: tuple[str, ...], message: str
) -> None:
    handler, url = stats
    handler.report = live(folder)
    text = YAML.replace(old, new)
    if "client" in new:
        text = text.replace("    weight: 40 % # was 50 % in the plan\n", "").replace("weight: 40 %\n    ", "")
        text = text.replace(", weight: 20 %", "").replace("coverage: 80 % # for now\n", "")
    (folder / "hero.yaml").write_text(text)
    code, output = run(folder, url, *arguments)
    assert (code, message in output) == (1, True), output


@pytest.mark.parametrize(
    ("name", "text", "changed"),
    [
        (
            "block.yaml",
            "key: a\nstatus: running\nvariants: [{key: x}, {key: y}]\nphases:\n- coverage: 10 %\n  # more\n-\n"
            "  coverage: 50 % # half\n# the end\nseed: s\n",
            "key: a\nstatus: running\nvariants: [{key: x}, {key: y}]\nphases:\n- coverage: 10 %\n  # more\n-\n"
            "  coverage: 50 % # half\n- { weights: {x: 20 %, y: 80 %} }\n# the end\nseed: s\n",
        ),
        (
            "flow.yaml",
            "experiments:\n  - {key: a, status: running, variants: [{key: x}, {key: y}], phases: [{coverage: 10 %}]}\n",
            "experiments:\n  - {key: a, status: running, variants: [{key: x}, {key: y}], phases: [{coverage: 10 %}, "
            "{ weights: {x: 20 %, y: 80 %} }]}\n",
        ),
        (
            "one.json",
            '{"key": "a", "status": "running",\r\n "variants": [{"key": "x", "weight": "50 %"}, {"weight": 0.5, '
            '"key": "y"}],\r\n "coverage": 1}\r\n',
            '{"key": "a", "status": "running",\r\n "variants": [{"key": "x"}, {"key": "y"}], "phases": '
            '[{"coverage": "100 %"}, {"weights": {"x": "20 %", "y": "80 %"}}]}\r\n',
        ),
        (
            "literal.yaml",
            "variants:\n  - {key: x, payload: a}\n  - key: y\n    payload: |\n      long\n\n# the end\nkey: a\n"
            "status: running",
            "variants:\n  - {key: x, payload: a}\n  - key: y\n    payload: |\n      long\nphases:\n"
            "  - { coverage: 100 % }\n  - { weights: {x: 20 %, y: 80 %} }\n\n# the end\nkey: a\nstatus: running",
        ),
        (
            "dos.yaml",
            "key: a\r\nvariants:\r\n- key: x\r\n  weight: 50 %\r\n- key: y\r\n  weight: 50 %\r\nstatus: running\r\n",
            "key: a\r\nvariants:\r\n- key: x\r\n- key: y\r\nphases:\r\n  - { coverage: 100 % }\r\n"
            "  - { weights: {x: 20 %, y: 80 %} }\r\nstatus: running\r\n",
        ),
    ],
)
def test_every_way_to_write_phases_can_be_added_to(tmp_path: Path, name: str, text: str, changed: str) -> None:
    file = tmp_path / name
    file.write_bytes(text.encode())
    at = ("experiments", 0) if text.startswith("experiments") else ()
    result = with_phase(text, at, "{ coverage: 100 % }", "{ weights: {x: 20 %, y: 80 %} }")
    assert result == changed
    file.write_bytes(result.encode())
    assert read(file, name)[1] == []
    assert load(tmp_path).experiments[0].phases[-1].weights == (0.2, 0.8)


def test_the_holdout_is_not_rebalanced(folder: Path, stats: tuple[type[_Stats], str]) -> None:
    handler, url = stats
    handler.report = live(folder)
    (folder / "site.yaml").write_text("holdout: 5 %\n")
    result = CliRunner().invoke(main, ["rebalance", "holdout", "--manifest", str(folder), "--base-url", url])
    assert (result.exit_code, "the share of the site's holdout" in result.output) == (1, True)

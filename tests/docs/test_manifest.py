"""What docs/manifest.md says works is run here."""

from __future__ import annotations

import json
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from abacus.authoring.condition_rules import OPERATORS
from abacus.authoring.forms import ExperimentForm
from abacus.authoring.load import load
from abacus.growthbook.payload import payload
from abacus.paths import PROJECT
from tests.support.builders import NOON, a_manifest, a_visitor

DOCS = PROJECT / "docs"
PAGE = (DOCS / "manifest.md").read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


class Cdn(BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps(payload(a_manifest(), NOON)).encode()
        self.send_response(200 if self.path == "/api/features/abacus" else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.mark.parametrize("variant", ["blue", "green"])
def test_the_recipe_for_a_python_back_end_is_five_lines_and_right(variant):
    [recipe] = blocks("python")
    assert recipe.count("\n") == 5
    with ThreadingHTTPServer(("127.0.0.1", 0), Cdn) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        names = {"visitor": a_visitor(variant)}
        host = f"http://127.0.0.1:{server.server_port}"
        exec(recipe.replace("https://ab.example.com", host), names)  # the page's own words
        names["gb"].destroy()
        server.shutdown()
    assert names["variant"] == variant


def test_the_first_example_is_a_whole_experiment(tmp_path):
    (tmp_path / "a.yaml").write_text(blocks("yaml")[0])
    [experiment] = load(tmp_path).experiments
    assert experiment.variant_keys == ("blue", "green")


def test_the_examples_of_pages_and_phases_can_be_used(tmp_path):
    rest = "".join(block for block in blocks("yaml")[1:])
    (tmp_path / "a.yaml").write_text("key: a\nstatus: running\nvariants: [{key: blue}, {key: green}]\n" + rest)
    [experiment] = load(tmp_path).experiments
    assert [phase.coverage for phase in experiment.phases] == [0.1, 1.0, 1.0]
    assert experiment.urls is not None


def test_every_field_and_operator_is_on_the_page():
    for name in ExperimentForm.model_fields:
        assert f"`{name}`" in PAGE
    for name in OPERATORS:
        assert name in PAGE

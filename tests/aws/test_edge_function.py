"""The CloudFront function of infra/edge.yaml, run by node: index pages, redirects, and no redirect to another site."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from abacus.aws.templates import read
from abacus.paths import INFRA, node

CODE = read(INFRA / "edge.yaml").resources["IndexPages"]["Properties"]["FunctionCode"]
# The host that a browser on ab.example.com is led to by a Location, as the URL standard says it.
RUN = """
const { handler, paths } = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const run = new Function(handler + '; return handler;')();
console.log(JSON.stringify(paths.map(([uri, querystring]) => {
  const answer = run({ request: { uri, querystring } });
  if (!answer.statusCode) return { uri: answer.uri };
  const location = answer.headers.location.value;
  return { location, host: new URL(location, 'https://ab.example.com').host };
})));
"""


def answers(paths: list[tuple[str, dict[str, Any]]]) -> list[dict[str, str]]:
    """For each raw path and query: the path requested from the bucket, or the Location and the host it leads to."""
    done = subprocess.run(
        [node(), "-e", RUN],
        input=json.dumps({"handler": CODE, "paths": paths}),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    parsed: list[dict[str, str]] = json.loads(done.stdout)
    return parsed


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example/x",
        "/\\evil.example",
        "//evil%2eexample",
        "/\\/evil.example/x",
        "///x",
        "/a//b",
        "/\t/evil.example/x",
    ],
)
def test_a_path_that_a_browser_could_read_as_another_host_is_not_redirected(path: str) -> None:
    assert answers([(path, {})]) == [{"uri": path}]


def test_no_redirect_of_any_short_path_leaves_the_site() -> None:
    alphabet = "/\\.%2ea:@\t"
    paths = [""]
    for _ in range(4):
        paths += [path + character for path in paths for character in alphabet]
    redirects = [answer for answer in answers([(f"/{path}", {}) for path in paths]) if "location" in answer]
    assert {answer["host"] for answer in redirects} == {"ab.example.com"}


def test_a_folder_is_redirected_to_its_slash_with_its_whole_query() -> None:
    query = {"goal": {"value": "a", "multiValue": [{"value": "a"}, {"value": "b"}]}, "days": {"value": "7"}}
    assert answers([("/results", query), ("/demo/shop", {})]) == [
        {"location": "/results/?goal=a&goal=b&days=7", "host": "ab.example.com"},
        {"location": "/demo/shop/", "host": "ab.example.com"},
    ]


def test_a_folder_is_its_index_page_and_a_file_is_itself() -> None:
    assert answers([("/", {}), ("/results/", {}), ("/ab.js", {})]) == [
        {"uri": "/index.html"},
        {"uri": "/results/index.html"},
        {"uri": "/ab.js"},
    ]

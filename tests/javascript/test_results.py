"""The results page's words and numbers in Node, in two languages: tests/javascript/results.test.mjs."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from abacus.paths import PROJECT, node
from chalicelib.analysis.checks.check import TITLES
from scripts import answer_types

TESTS = PROJECT / "tests" / "javascript" / "results.test.mjs"


@pytest.mark.parametrize("language", ["en-GB", "de-DE"])
def test_words_and_numbers_of_the_results_page(language: str) -> None:
    command = [node(), "--test", "--test-reporter=tap", str(TESTS)]
    environment = os.environ | {"LANGUAGE_OF_PAGE": language}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment, check=False)
    passed, failed = (int(re.findall(rf"^# {word} (\d+)$", done.stdout, re.M)[0]) for word in ("pass", "fail"))
    assert (passed > 5, failed) == (True, 0), done.stdout


def test_the_types_of_the_page_are_those_of_the_openapi_document() -> None:
    assert answer_types.TYPES.read_text() == answer_types.text(), "run: python -m scripts.answer_types"


def test_the_page_calls_the_checks_what_the_verdict_calls_them() -> None:
    labels = (PROJECT / "static" / "results" / "ui" / "labels.js").read_text()
    block = labels.partition("export const CHECKS = {")[2].partition("\n};")[0]
    assert dict(re.findall(r'^  "?([a-z-]+)"?: \[\s*"([^"]+)",', block, re.M)) == TITLES


def test_a_language_tag_that_intl_refuses_does_not_break_the_page() -> None:
    script = """
      Object.defineProperty(globalThis, "navigator", { value: { language: "en-US@posix" } });
      const { whole, day } = await import("./static/results/ui/format.js");
      console.log(whole(1234), day("2026-11-21"));
    """
    command = [node(), "--input-type=module", "--eval", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=PROJECT, check=False)
    assert (done.stdout, done.stderr) == ("1,234 Nov 21\n", "")

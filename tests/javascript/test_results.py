"""The results page's words and numbers in Node, in two languages: tests/javascript/results.test.mjs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import pytest

from abacus.paths import PROJECT
from scripts import answer_types

TESTS = PROJECT / "tests" / "javascript" / "results.test.mjs"


@pytest.mark.parametrize("language", ["en-GB", "de-DE"])
def test_words_and_numbers_of_the_results_page(language: str) -> None:
    node = shutil.which("node")
    assert node, "node is missing. Run: make setup"
    command = [node, "--test", "--test-reporter=tap", str(TESTS)]
    environment = os.environ | {"LANGUAGE_OF_PAGE": language}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment, check=False)
    passed, failed = (int(re.findall(rf"^# {word} (\d+)$", done.stdout, re.M)[0]) for word in ("pass", "fail"))
    assert (passed > 5, failed) == (True, 0), done.stdout


def test_the_types_of_the_page_are_those_of_the_openapi_document() -> None:
    assert answer_types.TYPES.read_text() == answer_types.text(), "run: python -m scripts.answer_types"

"""The flows in CONTRIBUTING.md name files that exist, and no more than a newcomer reads in one sitting."""

from __future__ import annotations

import re

import pytest

from abacus.paths import PROJECT

PAGE = (PROJECT / "CONTRIBUTING.md").read_text()
FLOWS = re.findall(r"^\*\*(An? \w+)\*\*[^\n]*:\n\n(.*?)(?=\n\*\*A|\n## )", PAGE, re.MULTILINE | re.DOTALL)
# A reader who did not know the lists needed 21, 16 and 18 files; the fewer the better.
MOST_STEPS = {"An event": 20, "A verdict": 16, "A manifest": 11, "A deploy": 13}


def paths(text: str) -> list[str]:
    return re.findall(r"`([\w./-]+\.(?:py|js|json|yaml))`", text)


def test_there_are_four_flows() -> None:
    assert [name for name, _ in FLOWS] == list(MOST_STEPS)


@pytest.mark.parametrize(("name", "text"), FLOWS, ids=[name for name, _ in FLOWS])
def test_every_file_of_a_flow_exists(name: str, text: str) -> None:
    named = paths(text)
    assert len(named) > 8
    assert [path for path in named if not (PROJECT / path).is_file()] == []


@pytest.mark.parametrize(("name", "text"), FLOWS, ids=[name for name, _ in FLOWS])
def test_a_flow_is_short_enough_to_be_read(name: str, text: str) -> None:
    steps = re.findall(r"^\d+\. (.*)", text, re.MULTILINE)
    assert [paths(step)[:1] for step in steps if not paths(step)] == []
    assert len(steps) <= MOST_STEPS[name]

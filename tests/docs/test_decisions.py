"""docs/decisions: numbered from 1 without a gap, and each title begins with its file's number."""

from __future__ import annotations

import re

from abacus.paths import PROJECT

FILES = sorted((PROJECT / "docs" / "decisions").glob("*.md"))


def test_decisions_are_numbered_without_a_gap() -> None:
    assert [file.name[:5] for file in FILES] == [f"{number:04}-" for number in range(1, len(FILES) + 1)]


def test_the_title_of_a_decision_begins_with_its_number() -> None:
    expected = [f"# {int(file.name[:4])}. " for file in FILES]
    actual = [file.read_text()[: len(title)] for file, title in zip(FILES, expected, strict=True)]
    assert actual == expected


def test_a_link_to_a_decision_names_its_number() -> None:
    pages = [PROJECT / "CHANGELOG.md", PROJECT / "README.md", *PROJECT.glob("docs/**/*.md")]
    link = re.compile(r"\[(?:decision\s+)?(\d+)\]\((?:docs/)?(?:decisions/)?(\d{4})-")
    links = [match for page in pages for match in link.findall(page.read_text())]
    assert len(links) > 5
    assert [(text, number) for text, number in links if int(text) != int(number)] == []

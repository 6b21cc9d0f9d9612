"""scripts/check_prose.py finds what the style rules forbid, and nothing else."""

from __future__ import annotations

from scripts.check_prose import problems

LONG = "word " * 30


def test_a_forbidden_word_is_found_with_its_line_and_its_alternative() -> None:
    text = "The first line.\nNobody reads it twice.\n"
    assert list(problems("a.py", text)) == ["a.py:2: “Nobody”; write: no visitor, no one, or say it actively"]


def test_a_part_of_a_word_is_not_a_forbidden_word() -> None:
    assert list(problems("a.py", "We recommend amendments, and renewal.\n")) == []


def test_a_long_line_is_found_in_docs_and_not_in_python_which_ruff_checks() -> None:
    assert list(problems("a.md", LONG + "\n")) == ["a.md:1: 150 columns, at most 120"]
    assert list(problems("a.py", LONG + "\n")) == []


def test_a_line_is_measured_in_bytes_as_tools_without_a_locale_do() -> None:
    assert list(problems("a.md", "−" * 40 + "\n")) == []
    assert list(problems("a.md", "−" * 41 + "\n")) == ["a.md:1: 123 columns, at most 120"]


def test_the_declarations_of_the_snippet_are_measured_too() -> None:
    assert list(problems("a.d.mts", LONG + "\n")) == ["a.d.mts:1: 150 columns, at most 120"]


def test_the_quoted_output_of_a_command_may_be_long() -> None:
    assert list(problems("a.md", f"```\n{LONG}\n```\n")) == []
    assert list(problems("a.md", f"    $ abacus plan\n    {LONG}\n\nText.\n")) == []


def test_a_long_line_of_source_in_docs_or_after_quoted_output_is_found() -> None:
    assert list(problems("a.md", f"```sh\nls\n```\n{LONG}\n```sh\n{LONG}\n```\n")) == [
        "a.md:4: 150 columns, at most 120",
        "a.md:6: 150 columns, at most 120",
    ]

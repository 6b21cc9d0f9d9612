"""What PyYAML's syntax errors mean to an author, and what to do about them."""

from __future__ import annotations

import re

# PyYAML's message → what is wrong here, and the next step. The first pattern that is found wins.
_MEANINGS = [
    (r"mapping values are not allowed", "a second `: ` in this line; put quotes around a text that contains `: `"),
    (r"character '\\t'", "a tab; indent with spaces"),
    (r"character '(.)' that cannot start", "a text must not start with `{0}`; put it in quotes"),
    (
        r"could not find expected ':'",
        "a key without `:`; write `key: value`, or put a long text in quotes",
    ),
    (r"expected the node content", "a value is missing here; write it, or close the bracket"),
    (r"unexpected end of stream", "a quote is opened and never closed; close it"),
    (r"expected ',' or '\]'", "a list that is opened with `[` lacks a comma or its `]`"),
    (r"expected ',' or '\}'", "a mapping that is opened with `{{` lacks a comma or its `}}`"),
    (r"unknown escape character '(.)'", "`\\{0}` means nothing between double quotes; use single quotes"),
    (r"expected a single document", "a second document begins here; remove the line `---`"),
    (r"undefined alias|expected alphabetic or numeric", "`*` and `&` are not supported here; put the text in quotes"),
    (
        r"expected <block end>|sequence entries are not allowed",
        "the indentation differs from the lines above; align it",
    ),
    (r"could not determine a constructor|tag", "a tag (`!`) is not supported here; put the text in quotes"),
]
_OTHERWISE = "this is not YAML; check quotes, colons and indentation here and in the line above"


def too_deep(problem: str, text: str, line: int, column: int) -> int | None:
    """The number of the line above, if the error is that line `line` is indented further than that one.

    PyYAML then takes the line for the rest of the text above, and objects to its colon. `line`, `column`: of the
    error, from 1.

    >>> too_deep("mapping values are not allowed here", "key: hero\\nstatus: draft\\n variants:\\n", 3, 10)
    2
    """
    if "mapping values are not allowed" not in problem:
        return None
    lines = text.splitlines()
    before = lines[line - 1][: column - 1]
    if ": " in before:
        return None
    above = next((n for n in range(line - 1, 0, -1) if lines[n - 1].strip()), None)
    return above if above and _indentation(before) > _indentation(lines[above - 1]) else None


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def in_plain_words(problem: str) -> str:
    """PyYAML's `problem` as a sentence with the next step.

    >>> in_plain_words("mapping values are not allowed here")
    'a second `: ` in this line; put quotes around a text that contains `: `'
    >>> in_plain_words("found character '@' that cannot start any token")
    'a text must not start with `@`; put it in quotes'
    """
    for pattern, meaning in _MEANINGS:
        if matched := re.search(pattern, problem):
            return meaning.format(*matched.groups())
    return _OTHERWISE

"""What is wrong with a manifest, so that its author can go there and mend it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.domain.errors import ManifestError

At = tuple[str | int, ...]  # where in a document: ("experiments", 0, "variants", 1, "weight")


@dataclass(frozen=True, order=True)
class Problem:
    """`manifest/hero.yaml:7: status: 'runing' is not one of draft, running, … Did you mean 'running'?`"""

    file: str
    line: int
    at: At
    rule: str  # value, rule and next step, as one or more sentences

    def __str__(self) -> str:
        field = field_name(self.at)
        return f"{self.file}:{self.line}: " + (f"{field}: {self.rule}" if field else self.rule)


class Problems(ManifestError):
    """A manifest with everything that is wrong with it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(problems, key=lambda p: (p.file, p.line, p.rule))
        super().__init__("\n".join(str(p) for p in self.problems))


def field_name(at: At) -> str:
    """variants[1].weight"""
    name = ""
    for part in at:
        name += f"[{part}]" if isinstance(part, int) else f".{part}" if name else part
    return name


def shown(value: Any) -> str:
    """A value as a message quotes it: short, and never a screenful."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def listed(words: Sequence[str]) -> str:
    return ", ".join(words) if words else "none"


def did_you_mean(word: Any, known: Iterable[str]) -> str:
    """` Did you mean 'green'?`, or nothing.

    >>> did_you_mean("gren", ["blue", "green"])
    " Did you mean 'green'?"
    """
    close = difflib.get_close_matches(str(word).lower(), list(known), n=1, cutoff=0.6)
    return f" Did you mean {close[0]!r}?" if close else ""

"""Segments: properties of a visitor that are fixed at the first impression, such as the kind of device.

Each has a closed list of values that the manifest declares, at most twelve; everything else is `other`. So what a
visitor is counted as never depends on who came before.
"""

from __future__ import annotations

from typing import Literal

BuiltIn = Literal["device", "browser", "country", "visitor"]
OTHER = "other"  # the value of everything that the manifest does not list
MOST_SEGMENTS = 4  # in an experiment
MOST_VALUES = 12  # of a segment, besides `other`
NAME_LENGTH = VALUE_LENGTH = 24  # characters, at most
NAME = rf"[A-Za-z][A-Za-z0-9_]{{0,{NAME_LENGTH - 1}}}"
VALUE = rf"[A-Za-z0-9][A-Za-z0-9_.-]{{0,{VALUE_LENGTH - 1}}}"

# The values of a segment that is named without a list of its own. Countries: those with the most readers of a site in
# English or in a large European language; a site elsewhere lists its own.
VALUES: dict[BuiltIn, tuple[str, ...]] = {
    "device": ("mobile", "tablet", "desktop"),
    "browser": ("chrome", "safari", "firefox", "edge", "samsung", "opera"),
    "country": ("US", "GB", "CA", "AU", "IN", "DE", "FR", "ES", "IT", "NL", "BR", "JP"),
    "visitor": ("new", "returning"),
}


def marker(name: str, value: str) -> str:
    """One value of one segment, as rows and tallies hold it.

    >>> marker("device", "mobile")
    'device=mobile'
    """
    return f"{name}={value}"

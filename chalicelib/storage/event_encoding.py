"""One event as one string: the element of the sets in a participant's row.

    kind|variant|phase|at|id          i|green|0|1795248000123|Xb3…      click: c, goal: g:signup
    kind|variant|phase|at|id|b        from a sender that is a bot

The kind is a capital where the manifest takes the sender's word for the variant (`assignment: client`): then one
visitor may be in several. It stands in the element, not in the row, so that a row means the same in whatever order
it was written, and whatever the manifest says later. No part can hold a `|`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from chalicelib.domain.event import Event


class Element(NamedTuple):
    """`at` comes first, then id: sorted elements are in the order in which the events happened."""

    at: int  # epoch milliseconds
    id: str
    kind: str  # "impression", "click", or the goal's name behind "goal:"
    variant: str
    phase: int
    bot: bool
    client: bool


_CODES = {"impression": "i", "click": "c", "goal": "g"}
_KINDS = {"i": "impression", "c": "click"}


def write(event: Event, *, phase: int, bot: bool, client: bool) -> str:
    """`event` as an element. `phase`: where the event names none, the current one."""
    code = _CODES[event.type].upper() if client else _CODES[event.type]
    if event.goal is not None:
        code += f":{event.goal}"
    number = phase if event.phase is None else event.phase
    return f"{code}|{event.variant}|{number}|{event.at}|{event.id}" + ("|b" if bot else "")


def read(element: str) -> Element:
    """The inverse of write()."""
    code, variant, phase, at, event_id, *flags = element.split("|")
    letter, _, goal = code.partition(":")
    kind = f"goal:{goal}" if goal else _KINDS[letter.lower()]
    return Element(int(at), event_id, kind, variant, int(phase), bool(flags), letter.isupper())


def identifier(element: str) -> str:
    """The event id in an element, without reading the rest."""
    return element.split("|", 5)[4]


def distinct(elements: Iterable[str]) -> list[Element]:
    """One element per event id, in the order of the events.

    One id may turn up with different contents, in any order of arrival; the least string of them is the event, so
    that every order of arrival gives the same."""
    least: dict[str, str] = {}
    for element in elements:
        key = identifier(element)
        if key not in least or element < least[key]:
            least[key] = element
    return sorted(read(element) for element in least.values())


def is_impression(element: str) -> bool:
    return element[0] in "iI"

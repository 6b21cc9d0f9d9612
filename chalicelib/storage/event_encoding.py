"""One event as one string: an element of the sets in a participant's row.

    kind|variant|phase|at|id          i|green|0|1795248000123|~Xb3…      click: c, goal: g:signup
    kind|variant|phase|at|id|marks    marks are letters, see `Marks`
    kind|variant|phase|at|id|marks|value^limit
    kind|variant|phase|at|id|marks|value^limit|segments

A goal with values has its value and the cap of a visitor's sum, both in minor units: `g:buy|green|0|…|id||4990^50000`.
An impression has the conversion window in seconds, where the experiment has one: `i|green|0|…|id||^604800`. The limit
travels with the event, so that what a row adds to the tallies never depends on anything but the row. An impression has
the visitor's segments too, where the experiment has some: `i|green|0|…|id|||device=mobile,country=CH`.

The kind is a capital letter where the sender assigns the variants (`assignment: client`): then one visitor may be in
several. This is stored in the element, not in the row, so that a row means the same whatever the order of writing, and
whatever the manifest says later. No part can hold a `|`. Fields behind that are reserved: `decode` ignores them.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import NamedTuple

from chalicelib.domain.clock import SECOND_MS, YEAR_5000_MS
from chalicelib.domain.event import Event
from chalicelib.domain.manifest import Experiment
from chalicelib.domain.segments import MOST_SEGMENTS, NAME, NAME_LENGTH, OTHER, VALUE, VALUE_LENGTH

# Longer ids are stored as a hash of this length: every write of a row costs its size. 64 bits, and an id has to be
# unique within one row only, so two of 200 ids collide once in 10^15 rows.
ID_LENGTH = 12
_HASH_MARK = "~"  # no id that a sender may choose has this character

TIME_LENGTH = 14  # digits of the latest time that an event can have
MARKS_LENGTH = 6  # a separator and five marks
AMOUNT_LENGTH = 31  # a separator, a value and a limit
SEGMENTS_LENGTH = MOST_SEGMENTS * (NAME_LENGTH + VALUE_LENGTH + 2)  # each behind a separator, with an = in it
# Bytes; of any experiment.
LONGEST = 2 + 64 + 64 + 4 + TIME_LENGTH + ID_LENGTH + 4 + MARKS_LENGTH + AMOUNT_LENGTH + SEGMENTS_LENGTH


class Unreadable(ValueError):
    """A string that is not an element; a fault or a manual edit put it into the row."""


class Marks(NamedTuple):
    """What the service noticed when the event arrived. All but the first two are kept for impressions alone.

    bot: the sender is automated. late: it arrived more than an hour after it happened, from an anonymous sender.
    no_cookie: the request carried no visitor cookie, although the site can have one. burst: its network was sending
    unusually many new visitors. shared: the visitor's id is one that many senders use, such as "undefined".
    """

    bot: bool = False
    late: bool = False
    no_cookie: bool = False
    burst: bool = False
    shared: bool = False

    def letters(self) -> str:
        """The marks as they are stored: one letter each.

        >>> Marks(bot=True, late=True).letters()
        'bl'
        """
        return "".join(letter for letter, marked in zip(_MARK_LETTERS, self, strict=True) if marked)


_MARK_LETTERS = "blnms"
NO_MARKS = Marks()


class Element(NamedTuple):
    """An event as a row holds it. `at` comes first, then id: sorted elements are in the order of the events."""

    at: int  # epoch milliseconds
    id: str
    kind: str  # "impression", "click", or "goal:" and the goal's name
    variant: str
    phase: int
    client: bool
    marks: Marks
    value: int | None = None  # minor units
    cap: int | None = None  # of a goal with values: the most that a visitor's sum counts for, minor units
    window_s: int | None = None  # of an impression: the conversion window, seconds
    segments: tuple[str, ...] = ()  # of an impression: markers such as device=mobile

    @property
    def bot(self) -> bool:
        """Whether the sender of the event is automated."""
        return self.marks.bot


_CODES = {"impression": "i", "click": "c", "goal": "g"}
_KINDS = {"i": "impression", "c": "click"}
_ELEMENT = re.compile(
    r"([icICgG])(?::([a-z0-9][a-z0-9-]{0,63}))?"  # kind, goal
    r"\|([A-Za-z0-9][A-Za-z0-9_-]{0,63})\|([0-9]{1,4})\|([0-9]{1,14})"  # variant, phase, at
    r"\|([A-Za-z0-9_.:~-]{1,64})"  # id
    r"(?:\|([a-z]*)(?:\|(-?[0-9]{1,14})?(?:\^([0-9]{1,14}))?"  # marks, value, limit
    rf"(?:\|({NAME}={VALUE}(?:,{NAME}={VALUE})*(?![^|]))?.*)?)?)?"  # segments, reserved
)


class Amount(NamedTuple):
    """What an element holds behind its marks: value and cap of a goal, or the conversion window of an impression. None
    where there is none. The top of this module says more."""

    value: int | None = None
    cap: int | None = None
    window_s: int | None = None

    def text(self) -> str:
        """As it is stored.

        >>> Amount(4990, 50000).text(), Amount(window_s=604800).text(), Amount().text()
        ('4990^50000', '^604800', '')
        """
        limit = self.window_s if self.cap is None else self.cap
        return f"{'' if self.value is None else self.value}{'' if limit is None else f'^{limit}'}"


NO_AMOUNT = Amount()


def element_of(event: Event, experiment: Experiment, marks: Marks, segments: Sequence[str] = ()) -> str:
    """`event`, which `experiment` accepts, as its row holds it. `segments`: of the visitor, kept by impressions."""
    client = experiment.assignment == "client"
    amount = _amount(event, experiment)
    if event.type != "impression":
        segments = ()
    return encode(event, phase=experiment.current_phase, client=client, marks=marks, amount=amount, segments=segments)


def _amount(event: Event, experiment: Experiment) -> Amount:
    if event.type == "impression" and experiment.conversion_window_ms is not None:
        return Amount(window_s=experiment.conversion_window_ms // SECOND_MS)
    if event.value is None or event.goal is None:
        return NO_AMOUNT
    declared = experiment.goal_values[event.goal]
    return Amount(int(event.value.scaleb(declared.decimals)), declared.cap)


def longest_element(experiment: Experiment) -> int:
    """Bytes of the longest event that `experiment` accepts."""
    kind = max((len(f"g:{goal}") for goal in experiment.goals), default=1)
    variant = max(len(key) for key in experiment.variant_keys)
    phase = len(str(experiment.current_phase))
    amount = AMOUNT_LENGTH if experiment.goal_values or experiment.conversion_window_ms else 0
    segments = sum(2 + len(s.name) + max(map(len, (*s.values, OTHER))) for s in experiment.segments)
    if segments:  # the amount before them may be empty, but its separator is there
        amount = max(amount, 1)
    return kind + variant + phase + TIME_LENGTH + ID_LENGTH + 4 + MARKS_LENGTH + amount + segments


def encode(
    event: Event,
    *,
    phase: int,
    client: bool,
    marks: Marks = NO_MARKS,
    amount: Amount = NO_AMOUNT,
    segments: Sequence[str] = (),
) -> str:
    """`event` as an element.

    phase: the current phase, used where the event names none. client: the sender assigns the variants. amount: a value
    in minor units, and its limit. segments: markers of the visitor's segments.
    """
    code = _CODES[event.type].upper() if client else _CODES[event.type]
    if event.goal is not None:
        code += f":{event.goal}"
    number = phase if event.phase is None else event.phase
    element = f"{code}|{event.variant}|{number}|{event.at}|{short(event.id)}"
    if not any(marks) and amount is NO_AMOUNT and not segments:
        return element
    letters = (marks if event.type == "impression" else Marks(bot=marks.bot, late=marks.late)).letters()
    if segments:
        return f"{element}|{letters}|{amount.text()}|{','.join(segments)}"
    if text := amount.text():
        return f"{element}|{letters}|{text}"
    return f"{element}|{letters}" if letters else element


def short(event_id: str) -> str:
    """The id as it is stored: itself, or a hash of at most ID_LENGTH characters.

    >>> short("e1"), len(short("e" * 64))
    ('e1', 12)
    """
    if len(event_id) <= ID_LENGTH:
        return event_id
    digest = blake2b(event_id.encode(), digest_size=8).digest()
    return _HASH_MARK + urlsafe_b64encode(digest)[: ID_LENGTH - 1].decode()


def decode(element: str) -> Element:
    """The inverse of encode(). Raises Unreadable."""
    match = _ELEMENT.fullmatch(element)
    if match is None or (match[2] is None) != (match[1] not in "gG") or int(match[5]) >= YEAR_5000_MS:
        raise Unreadable(f"{element[:80]!r} is not an element of a row")
    code, goal, variant, phase, at, event_id, letters, value, limit, segments = match.groups()
    kind = _KINDS.get(code.lower()) or f"goal:{goal}"
    marks = Marks(*(letter in letters for letter in _MARK_LETTERS)) if letters else NO_MARKS
    limited = None if limit is None else int(limit)
    cap, window_s = (None, limited) if kind == "impression" else (limited, None)
    markers = tuple(segments.split(",")) if segments else ()
    place = int(at), short(event_id), kind, variant, int(phase)
    return Element(*place, code.isupper(), marks, None if value is None else int(value), cap, window_s, markers)


def identifier(element: str) -> str:
    """The event id in an element as `short` gives it, without reading the rest. Raises Unreadable."""
    parts = element.split("|", 5)
    if len(parts) < 5:
        raise Unreadable(f"{element[:80]!r} is not an element of a row")
    return short(parts[4])  # rows written before ids were shortened hold long ones


def distinct(elements: Iterable[str]) -> list[Element]:
    """One element per event id, in the order of the events. Raises Unreadable.

    One id may arrive with different contents, in any order. The least string of them is the event, so that every order
    of arrival gives the same result."""
    least: dict[str, str] = {}
    for element in elements:
        key = identifier(element)
        if key not in least or element < least[key]:
            least[key] = element
    return sorted(decode(element) for element in least.values())


def is_impression(element: str) -> bool:
    """Whether the element is an impression, without reading the rest."""
    return element[0] in "iI"

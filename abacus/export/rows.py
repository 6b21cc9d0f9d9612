"""One participant's row as lines of the table `events`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import NamedTuple

from chalicelib.domain.clock import utc_datetime
from chalicelib.storage.event_encoding import distinct, identifier
from chalicelib.storage.store import ParticipantRow


class EventLine(NamedTuple):
    """One distinct event. n: its place among the visitor's events of this experiment, from 1. value, cap: of a goal, in
    minor units. window_s, segments: of an impression, the conversion window and such as "device=mobile,country=CH".
    bot to shared: marks (event_encoding.Marks). by_sender: the sender assigned the variant. counted: it is in the
    tallies; else it waits for the fold."""

    experiment: str
    visitor: str
    n: int
    type: str
    goal: str | None
    variant: str
    phase: int
    at: datetime
    at_ms: int
    value: int | None
    cap: int | None
    window_s: int | None
    segments: str | None
    bot: bool
    late: bool
    no_cookie: bool
    burst: bool
    shared: bool
    by_sender: bool
    counted: bool

    def cells(self) -> list[object]:
        """As a line of CSV holds it: times in UTC to the millisecond, true and false, empty for None."""
        return [_cell(value) for value in self]


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.") + f"{value.microsecond // 1000:03d}"
    return value


# The type of each column in Parquet, as DuckDB names it.
TYPES = {
    **dict.fromkeys(("n", "phase"), "INTEGER"),
    **dict.fromkeys(("at_ms", "value", "cap", "window_s"), "BIGINT"),
    "at": "TIMESTAMP",
    **dict.fromkeys(("bot", "late", "no_cookie", "burst", "shared", "by_sender", "counted"), "BOOLEAN"),
}


def pseudonyms(salt: bytes) -> Callable[[str], str]:
    """A function that replaces an id by a keyed hash: the same within one export, unknown without the salt.

    >>> pseudonyms(b"salt")("v1")
    'c2eb6b8eb1bfc98d2b70b3bd'
    """
    return lambda visitor: hashlib.blake2b(visitor.encode(), key=salt, digest_size=12).hexdigest()


def event_lines(row: ParticipantRow, name: Callable[[str], str]) -> Iterator[EventLine]:
    """The distinct events of a row, in their order. `name`: what a visitor's id becomes. Raises Unreadable."""
    counted = {identifier(element) for element in row.counted}
    # Of an id that is counted, a later copy with other contents is still pending, and not what was counted.
    waiting = [element for element in row.pending if identifier(element) not in counted]
    visitor = name(row.key.visitor)
    for n, event in enumerate(distinct([*row.counted, *waiting]), 1):
        kind, _, goal = event.kind.partition(":")
        yield EventLine(
            experiment=row.key.experiment,
            visitor=visitor,
            n=n,
            type=kind,
            goal=goal or None,
            variant=event.variant,
            phase=event.phase,
            at=utc_datetime(event.at),
            at_ms=event.at,
            value=event.value,
            cap=event.cap,
            window_s=event.window_s,
            segments=",".join(event.segments) or None,
            bot=event.marks.bot,
            late=event.marks.late,
            no_cookie=event.marks.no_cookie,
            burst=event.marks.burst,
            shared=event.marks.shared,
            by_sender=event.client,
            counted=event.id in counted,
        )

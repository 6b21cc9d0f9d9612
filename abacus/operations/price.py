"""The price of a million events, said the same everywhere: in `abacus cost`, after a deploy, in README and docs."""

from __future__ import annotations

from typing import NamedTuple

from abacus.operations import bill
from abacus.operations.capacity import Workload, recorded

USUAL = 3  # events a request: an impression with a click or a goal, or the impressions of three experiments
BUSY, QUIET = 25, 1  # rows that one fold counts together, on a site with many visitors and on one with few


class PriceRange(NamedTuple):
    """Dollars, without any free tier: on a busy site, whose rows are counted together, and on a quiet one."""

    busy: float
    quiet: float


def million_events(events_per_request: int = USUAL) -> PriceRange:
    """What a million events cost. `events_per_request`: 1, 3 or 10, which are measured."""
    memory, measured = bill.FunctionSettings.shipped().memory, recorded()

    def dollars(together: int) -> float:
        workload = Workload(events_per_request, together)
        return sum(bill.events(measured[workload][0], workload, memory).values())

    return PriceRange(dollars(BUSY), dollars(QUIET))


def price_line(events_per_request: int = USUAL) -> str:
    """The price with its condition, in a line.

    >>> price_line()
    '$1.76 (busy site) to $3.19 (quiet site) per million events, at 3 events a request'
    """
    price = million_events(events_per_request)
    events = "1 event" if events_per_request == 1 else f"{events_per_request} events"
    return f"${price.busy:.2f} (busy site) to ${price.quiet:.2f} (quiet site) per million events, at {events} a request"

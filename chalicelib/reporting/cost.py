"""What the events of one experiment have cost on AWS so far, as nearly as its tallies can tell.

The figures are those of `abacus cost`, which measures and multiplies. Nothing of it ships: a test keeps the two equal.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

from chalicelib.reporting.models import AnswerPart
from chalicelib.storage.tally import Tallies, Tally

PRICES_OF = "2026-11-21"  # the day on which AWS's list prices were read
REGION = "us-east-1"

# Dollars for a million requests, of one event or of ten: what a request carries hardly matters. What does is how many
# rows are folded at once: 25 on a busy site, each alone on a quiet one; how many segments the experiment has, which is
# the index here; and the size of its tallies, here at most a kilobyte each.
BUSY = (5.28, 5.48, 5.93, 6.13, 6.33)
QUIET = (9.56, 10.81, 12.06, 13.31, 14.56)
# And for each further kilobyte of a tally: DynamoDB bills a write by the whole item.
BUSY_KILOBYTE = (0.2, 0.4, 0.85, 1.05, 1.25)
QUIET_KILOBYTE = (2.5, 3.75, 5.0, 6.25, 7.5)
KEYS = 60  # bytes of an item beside its numbers, roughly


class CostAnswer(AnswerPart):
    """What all events of the experiment have cost so far, from the least to the most: one request for each visitor on
    a busy site, one for each event on a quiet one. AWS list prices, without any free tier, storage or delivery."""

    currency: Literal["USD"]
    prices_of: date
    region: str
    events: int
    requests: tuple[int, int]
    per_million: tuple[float, float]
    dollars: tuple[float, float]


def so_far(tallies: Tallies, segments: int = 0) -> CostAnswer | None:
    """Dollars for all events of these totals and for a million of them, each from the least to the most; None before
    the first event. `segments`: how many the experiment has. Goals, and more so goals with values, make the items of
    the tallies larger: their size is that of the largest total.

    Requests are not counted. There was at least one for each visitor, excluded or not, and at most one for each event,
    as if no request had carried another experiment's events too.
    """
    total, further = Tally(), 0
    for cell, tally in tallies.items():
        if cell.span == "total":
            total.add(tally)
            further = max(further, (_bytes(tally) - 1) // 1024)
    events, visitors = total.received, total.visitors + total.excluded.total()
    if not events:
        return None
    least = (BUSY[segments] + BUSY_KILOBYTE[segments] * further) * visitors
    most = (QUIET[segments] + QUIET_KILOBYTE[segments] * further) * events
    return CostAnswer(
        currency="USD",
        prices_of=date.fromisoformat(PRICES_OF),
        region=REGION,
        events=events,
        requests=(visitors, events),
        per_million=(least / events, most / events),
        dollars=(least / 1e6, most / 1e6),
    )


def _bytes(tally: Tally) -> int:
    """Bytes of the item of a tally, as DynamoDB counts them: names, and a byte for two digits and one more."""
    return KEYS + sum(len(name.encode()) + len(str(number)) // 2 + 2 for name, number in tally.numbers().items())

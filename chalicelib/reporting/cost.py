"""What the events of one experiment have cost on AWS so far, as nearly as its tallies can tell.

The figures are those of `abacus cost`, which measures and multiplies. Nothing of it ships: a test keeps the two equal.
"""

from __future__ import annotations

from typing import Any

from chalicelib.storage.tally import Tallies, Tally

PRICES_OF = "2026-11-21"  # the day on which AWS's list prices were read
REGION = "us-east-1"

# Dollars for a million requests, of one event or of ten: what a request carries hardly matters. What does is how many
# rows are folded at once: 25 on a busy site, each alone on a quiet one.
BUSY = 5.28
QUIET = 9.56


def so_far(tallies: Tallies) -> dict[str, Any] | None:
    """Dollars for all events of these totals and for a million of them, each from the least to the most; None before
    the first event.

    Nobody counts requests. There was at least one for each visitor, left out or not, and at most one for each event,
    as if no request had carried another experiment's events too.
    """
    whole = Tally()
    for cell, tally in tallies.items():
        if cell.span == "total":
            whole.add(tally)
    events, visitors = whole.received, whole.visitors + whole.excluded.total()
    if not events:
        return None
    least, most = BUSY * visitors, QUIET * events
    return {
        "currency": "USD",
        "prices_of": PRICES_OF,
        "region": REGION,
        "events": events,
        "requests": [visitors, events],
        "per_million": [least / events, most / events],
        "dollars": [least / 1e6, most / 1e6],
    }

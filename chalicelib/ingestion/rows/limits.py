"""How many events a participant's row may hold, so that no request can cost more than a known number of units.

DynamoDB bills every write by the size of the item, refused writes too. A condition can compare the size of one set, but
cannot add up bytes, so the limit in bytes becomes a number of events by the longest event that the experiment allows.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from chalicelib.domain.manifest import Experiment
from chalicelib.ingestion.request import MAX_EVENTS
from chalicelib.ingestion.rows.element import LONGEST, longest_element

ROW_BYTES = 11_000  # for all events of a row
ROW_OVERHEAD = 400  # key, counters and names of attributes, at most

# A visitor has at most this many events, however short they are. The squares of CTR stop at 100 impressions as well.
MOST_IMPRESSIONS = 100
MOST_EVENTS = 150


class RowLimits(NamedTuple):
    """How many events the sets of a row may hold.

    impressions, events: a row with that many counted events takes no more impressions, or no more events at all; the
    difference is room for a frequent visitor's purchase. pending: events that may wait to be counted.
    """

    impressions: int
    events: int
    pending: int

    @property
    def most(self) -> int:
        """The largest number of events that a row can have."""
        return self.events - 1 + self.pending


@lru_cache(maxsize=256)
def _limits(element: int) -> RowLimits:
    most = ROW_BYTES // element
    pending = min(MAX_EVENTS, most // 2)
    events = min(MOST_EVENTS, most - pending)
    return RowLimits(min(MOST_IMPRESSIONS, events * 5 // 6), events, pending)


def limits_of(experiment: Experiment | None) -> RowLimits:
    """The limits of a row of `experiment`; None: of an experiment with the longest names there can be."""
    return _limits(longest_element(experiment) if experiment else LONGEST)

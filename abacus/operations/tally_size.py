"""How large the items of an experiment's tallies become, and what that costs in DynamoDB's units.

An item grows with the number of goals, more with goals that have values, and with the digits of its numbers. DynamoDB
bills a write by the size of the whole item, twice in a transaction, and a Query by the size of all items that it
returns.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from itertools import product
from math import ceil

from abacus.operations.metering import READ, WRITE, item_size
from chalicelib.domain.manifest import CLICK, Experiment
from chalicelib.storage.store import cell_name, partition
from chalicelib.storage.tally import COUNT_CAP, EXCLUSIONS, FLAGS, Cell, Tally

VISITORS = 1_000_000  # of a variant in a full tally
SPREAD = 2  # items that a tally is distributed over, by default
BEGAN = date(2026, 11, 1)  # the first day of an experiment; any will do


def full_tally(experiment: Experiment) -> Tally:
    """A variant's tally after a million visitors, in which no number is zero: the largest that is usual."""
    n, some, few = VISITORS, 123_456, 1_234
    tally = Tally(
        impressions=3 * n, clicks=some, visitors=n, sx=3 * n, sy=some, sxx=19 * n, syy=2 * some, sxy=5 * some,
        received=4 * n, events=4 * n - few, excluded_events=few,
    )  # fmt: skip
    tally.excluded, tally.flagged = Counter(dict.fromkeys(EXCLUSIONS, few)), Counter(dict.fromkeys(FLAGS, few))
    tally.flagged_events = Counter({"shared-id": few})
    tally.converted = Counter(dict.fromkeys((CLICK, *experiment.goals), some))
    for goal in experiment.goals:
        tally.goal_events[goal], tally.repeat[goal], tally.repeat_squares[goal] = 2 * some, some, 5 * some
    for goal, value in experiment.goal_values.items():
        tally.value_sum[goal] = some * value.cap // 10 + 1
        tally.value_squares[goal] = some * value.cap**2 // 50 + 1
        tally.value_cut[goal], tally.value_capped[goal] = few * value.cap // 10 + 1, few
        tally.value_repeat[goal] = some * value.cap // COUNT_CAP + 1
    return tally


def item_bytes(experiment: str, cell: Cell, tally: Tally, *, generation: int = 0) -> int:
    """Bytes of the item that holds `tally` under `cell` of the experiment with this key."""
    keys = {"experiment": {"S": partition(experiment, cell)}, "cell": {"S": cell_name(cell, generation, 0)}}
    return item_size(keys | {name: {"N": str(number)} for name, number in tally.numbers().items()})


def full_bytes(experiment: Experiment) -> int:
    """Bytes of the largest item of a full tally: the total or a cohort, of the variant with the longest key."""
    tally, variant = full_tally(experiment), max(experiment.variant_keys, key=len)
    cells = [Cell("day", BEGAN.isoformat(), 0, variant)]
    cells += [
        Cell("segment", f"{segment.name}={value}", 0, variant)
        for segment in experiment.segments
        for value in segment.values
    ]
    return max(item_bytes(experiment.key, cell, tally) for cell in cells)


def write_units(size: int) -> int:
    """Units of one write in a transaction to an item of `size` bytes.

    >>> write_units(600), write_units(1025)
    (2, 4)
    """
    return 2 * max(1, ceil(size / WRITE))


def read_units(experiment: Experiment, days: int) -> float:
    """Units of GET /stats/{experiment} without a series, `days` days after the start, at the sizes of full tallies: one
    eventually consistent Query of the totals, and one of the cohorts of every day."""
    tally = full_tally(experiment)

    def query(cells: Iterable[Cell]) -> float:
        size = SPREAD * sum(item_bytes(experiment.key, cell, tally) for cell in cells)
        return max(1, ceil(size / READ)) / 2

    variants = experiment.variant_keys
    cohorts = product(range(days), variants)
    return query(Cell("total", "", 0, variant) for variant in variants) + query(
        Cell("day", (BEGAN + timedelta(days=day)).isoformat(), 0, variant) for day, variant in cohorts
    )

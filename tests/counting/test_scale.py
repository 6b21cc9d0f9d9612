"""What the spread of the tallies (ABACUS_SPREAD) changes where many folds commit to one experiment at once."""

from __future__ import annotations

import pytest

from abacus.local.emulated_stacks import LocalAws
from chalicelib.storage.dynamodb import DynamoStore
from chalicelib.storage.store import LAST, tallies_in
from chalicelib.storage.tally import Cell
from tests.support.contention import ROWS, fold_side_by_side

FOLDERS, EACH = 6, 12


@pytest.mark.ministack
@pytest.mark.parametrize("spread", [1, 2, 8])
def test_more_spread_lets_more_folds_commit_at_once_and_counts_the_same(aws: LocalAws, spread: int) -> None:
    tried = fold_side_by_side(aws, "cta-color", spread=spread, folders=FOLDERS, each=EACH, meet=True)
    assert tried.attempts > FOLDERS * EACH
    # Of so many who draw one of `spread` places at the same moment, one per place that was drawn gets through:
    # s · (1 − (1 − 1/s)ᶠ) of f, the occupancy problem. The draws are seeded, so this says the same every time.
    expected = spread * (1 - (1 - 1 / spread) ** FOLDERS) / FOLDERS
    assert tried.at_once / (FOLDERS * EACH) == pytest.approx(expected, abs=0.06)

    store = DynamoStore(aws.dynamodb, aws.names["ParticipantsName"], aws.names["TalliesName"])
    items = store.cells("cta-color", first="total#", last="total" + LAST, strong=True)
    assert {int(cell.rpartition("#")[2]) for cell in items} == set(range(spread))
    assert tallies_in(items, 0)[Cell("total", "", 0, "green")].visitors == FOLDERS * EACH * ROWS

"""How often a fold's transaction gets through at the first or a later try, by spread and by folders side by side.

Conflicts are injected where two transactions want the same item at the same time, for the emulator has none
(tests/support/contention.py). The folders run freely, back to back: as busy as it gets, never so on a quiet site.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from abacus.local.emulated_stacks import data_stack, emulator
from tests.support.contention import fold_side_by_side

SPREADS = (1, 2, 4, 8)
FOLDERS = (2, 4, 8)
EACH = 12  # transactions of each folder


def main() -> None:
    print("commits an attempt" + "".join(f"{f'{folders} folders':>14}" for folders in FOLDERS))
    with tempfile.TemporaryDirectory() as home, emulator(Path(home), persist=False) as (_, endpoint):
        aws = data_stack(endpoint)
        for spread in SPREADS:
            print(f"{f'spread {spread}':18}", end="", flush=True)
            for folders in FOLDERS:
                name = f"spread-{spread}-{folders}"
                tried = fold_side_by_side(aws, name, spread=spread, folders=folders, each=EACH, meet=False)
                print(f"{tried.commits / tried.attempts:14.2f}", end="", flush=True)
            print()

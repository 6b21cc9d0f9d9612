"""A small chaos; `make chaos` runs the large one."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.chaos.__main__ import measured


@pytest.mark.ministack
def test_no_acknowledged_event_is_lost_or_doubled_while_everything_fails(tmp_path: Path) -> None:
    counts, found = asyncio.run(measured(tmp_path, events=1_500, kills=4, seed=7))
    assert found == []
    assert (counts["lost"], counts["doubled"]) == (0, 0)
    assert counts["events in the rows"] == counts["events expected"] >= 1_500
    assert min(counts[name] for name in ("rebuild: done", "erase: done", "edits of the manifest")) > 0

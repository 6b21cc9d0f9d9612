"""`python -m tests.chaos --events 100000`: the product under kills, throttling, rebuilds, erasures and publishes.

Prints what happened. Exits with 1 if an acknowledged event was lost or doubled, or a sum is wrong."""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.chaos.chaos import Chaos
from tests.chaos.check import problems


async def measured(home: Path, *, events: int, kills: int, seed: int) -> tuple[Counter[str], list[str]]:
    """One run with its state in `home`: what happened, by name, and what is wrong after it."""
    began = time.monotonic()
    chaos = Chaos(home, events, kills, random.Random(seed))
    try:
        await chaos.run()
        found = await problems(chaos)
    finally:
        if chaos.product is not None:
            chaos.product.stop()
    chaos.counts["seconds"] = round(time.monotonic() - began)
    return chaos.counts, found


def main() -> None:
    """Read the options, run, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--events", type=int, default=100_000, help="events to send (default: 100000)")
    parser.add_argument("--kills", type=int, default=24, help="processes to kill (default: 24)")
    parser.add_argument("--seed", type=int, default=1, help="of all decisions (default: 1)")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that the product is stopped too
    with tempfile.TemporaryDirectory() as folder:
        counts, found = asyncio.run(measured(Path(folder), events=given.events, kills=given.kills, seed=given.seed))
    for name, count in sorted(counts.items()):
        print(f"{name:36} {count:>8,}")
    for problem in found:
        print(f"PROBLEM {problem}")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()

"""The emulator keeps every record of the session in one stream; a test wants those of its own visitors."""

from __future__ import annotations

from abacus.local.worker import Record, Stream

PAGES = 300  # of up to a thousand records, most of them other tests'


def records_of(stream: Stream, visitors: set[str]) -> list[Record]:
    """The first record of each of `visitors` that is still to come, in the stream's order."""
    found: list[Record] = []
    for _ in range(PAGES):
        found += [r for r in stream.read() if r["dynamodb"]["Keys"]["visitor"]["S"] in visitors]
        if len(found) >= len(visitors):
            break
    return found

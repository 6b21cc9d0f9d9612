"""The journal: accepted events that no snapshot of the emulator is certain to contain yet.

One line per request, on disk before the client gets its 202. A line is what waits in the queue on AWS: the visitor's
rows with the elements to add. Ids and times are in it, so writing it again adds nothing.

The folder holds segments. `open.jsonl` is appended to. A snapshot first renames it to `closed-N.jsonl`; the snapshot
contains every line of the closed segments, and they are deleted once it is saved. At a start all segments become
`start-N.jsonl`, which no snapshot deletes, and `replayed-N.jsonl` once their lines are in the tables again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

FOLDER = "journal"  # in the emulator's folder of state: both are deleted together
OPEN = "open.jsonl"


class Journal:
    """The journal in `folder`, which is made. Several processes may use it at once."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder

    def append(self, body: str) -> None:
        """Write the body of one message as a line, and wait until it is on disk.

        Call it after the tables took the events: a segment that is renamed meanwhile is then in the snapshot."""
        descriptor = os.open(self.folder / OPEN, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            is_new = os.fstat(descriptor).st_size == 0
            os.write(descriptor, body.encode() + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if is_new:
            sync(self.folder)

    def close_segment(self) -> list[Path]:
        """Begin a new segment. Returns the closed ones: call `delete` with them once a snapshot taken now is saved."""
        closed = self._numbered("closed")
        if (self.folder / OPEN).exists():
            number = _number(closed[-1]) + 1 if closed else 1
            closed.append((self.folder / OPEN).rename(self._segment_path("closed", number)))
        return self._numbered("replayed") + closed

    def delete(self, segments: Sequence[Path]) -> None:
        """Delete segments that `close_segment` returned."""
        for segment in segments:
            segment.unlink(missing_ok=True)

    def keep_for_replay(self) -> None:
        """Keep all segments until `replay`. Call it before the emulator starts: its first snapshot deletes others."""
        waiting = self._numbered("start")
        first = _number(waiting[-1]) + 1 if waiting else 1
        for number, segment in enumerate(self.close_segment(), first):
            segment.rename(self._segment_path("start", number))

    def replay(self) -> Iterator[str]:
        """Every line that `keep_for_replay` kept, oldest first. A segment is given free after its last line.

        A last line without its end is left out: its request was never answered."""
        for segment in self._numbered("start"):
            yield from segment.read_text().split("\n")[:-1]
            segment.rename(self._segment_path("replayed", _number(segment)))  # the next snapshot contains it

    def _segment_path(self, kind: str, number: int) -> Path:
        return self.folder / f"{kind}-{number:06d}.jsonl"

    def _numbered(self, kind: str) -> list[Path]:
        return sorted(self.folder.glob(f"{kind}-*.jsonl"))


def _number(segment: Path) -> int:
    return int(segment.stem.rpartition("-")[2])


def sync(folder: Path) -> None:
    """Wait until the names in `folder` are on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

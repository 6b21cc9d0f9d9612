"""The journal: what is in it after which step, and that writing it again adds only what is missing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from abacus.local.emulated_stacks import LocalAws
from abacus.local.emulator import FILES, Message, Receive, Send, Snapshots
from abacus.local.journal import OPEN, Journal
from abacus.local.services import restore
from chalicelib.ingestion.rows.spill import EventsMessage, RowEvents
from chalicelib.runtime.service import Service
from chalicelib.runtime.settings import Settings
from chalicelib.storage.store import RowKey
from tests.support.builders import NOON, a_manifest, an_element


def after_a_start(folder: Path) -> list[str]:
    journal = Journal(folder)
    journal.keep_for_replay()
    return list(journal.replay())


def test_a_start_gets_every_line_in_order_and_none_that_was_cut_off(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append("one")
    journal.close_segment()
    journal.append("two \u2028 \x85")  # separators of lines elsewhere
    with (tmp_path / OPEN).open("a") as file:
        file.write('{"rows": [')
    assert after_a_start(tmp_path) == ["one", "two \u2028 \x85"]


def test_a_start_that_is_killed_itself_loses_no_line(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for line in ("one", "two"):
        journal.append(line)
        journal.close_segment()
    journal.keep_for_replay()
    replay = journal.replay()
    assert [next(replay), next(replay)] == ["one", "two"]  # the first segment is given free, the second is not
    journal.append("three")
    assert sorted(after_a_start(tmp_path)) == ["one", "three", "two"]


def test_a_snapshot_deletes_the_lines_from_before_it_and_no_others(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append("before")
    contained = journal.close_segment()
    journal.append("since")
    journal.delete(contained)
    assert after_a_start(tmp_path) == ["since"]


def test_a_snapshot_deletes_no_line_that_was_not_written_again_yet(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append("one")
    journal.keep_for_replay()
    journal.delete(journal.close_segment())
    assert list(journal.replay()) == ["one"]
    journal.delete(journal.close_segment())
    assert after_a_start(tmp_path) == []


def write_all(folder: Path) -> None:
    for name in FILES:
        (folder / name).write_text("{}")


def write_one(folder: Path) -> None:
    (folder / FILES[0]).write_text("{}")  # ministack logs that the disk is full, and goes on


@pytest.mark.parametrize(("save", "left"), [(write_all, []), (write_one, ["line"])])
def test_only_a_stop_that_saved_everything_shortens_the_journal(
    tmp_path: Path, save: Callable[[Path], None], left: list[str]
) -> None:
    async def app(scope: Message, receive: Receive, send: Send) -> None:
        assert (await receive())["type"] == "lifespan.shutdown"
        save(tmp_path)

    async def receive() -> dict[str, Any]:
        return {"type": "lifespan.shutdown"}

    async def send(message: Message) -> None: ...

    snapshots = Snapshots(app, lambda: None, tmp_path)
    snapshots.journal.append("line")
    asyncio.run(snapshots({"type": "lifespan"}, receive, send))
    assert after_a_start(tmp_path / "journal") == left


@pytest.mark.ministack
def test_writing_a_line_again_adds_what_is_missing_and_nothing_twice(aws: LocalAws) -> None:
    names = aws.names
    settings = Settings(
        participants=names["ParticipantsName"], tallies=names["TalliesName"], bucket=names["BucketName"]
    )
    service = Service(settings, aws.client)
    aws.s3.put_object(Bucket=settings.bucket, Key="manifest/live.json", Body=a_manifest().model_dump_json())
    rows = (RowEvents(visitor="v", experiment="cta-color", elements=(an_element(), an_element(id="e2", type="click"))),)
    line = EventsMessage(rows=rows, received=NOON).model_dump_json()
    assert [restore(line, service, now_ms=NOON + n) for n in range(2)] == [2, 0]
    (row,) = service.store.read([RowKey("v", "cta-color")])
    assert (row.pending, row.received) == (frozenset(rows[0].elements), 2)

"""Writing to one row whose limits are small: what becomes of each event, and what the table is asked."""

from __future__ import annotations

from chalicelib.ingestion.rows.memory import RowMemory
from chalicelib.ingestion.rows.writer import DIRECT_BYTES, RowLimits, RowWriter, ids_of
from chalicelib.storage.store import Move, ParticipantRow, RowKey, RowLimit
from tests.support.builders import DAY, NOON, an_element
from tests.support.memory_store import MemoryStore

KEY = RowKey("v1", "cta-color")
LIMITS = RowLimits(impressions=3, events=5, pending=2)
END_OF_DAY = (NOON // DAY + 1) * 86_400  # epoch seconds


class World:
    """A table, a writer with a memory, and the limits that the table was asked for."""

    def __init__(self) -> None:
        self.store, self.seconds, self.asked = MemoryStore(), 0.0, list[RowLimit]()
        add = self.store.add

        def noted(*args: object, **kwargs: RowLimit) -> ParticipantRow:
            self.asked.append(kwargs["limit"])
            return add(*args, **kwargs)  # type: ignore[arg-type]

        self.store.add = noted  # type: ignore[method-assign, assignment]
        self.writer = RowWriter(self.store, RowMemory(lambda: self.seconds), 90, lambda: "new")

    def write(self, *elements: str, now_ms: int = NOON) -> list[str]:
        return [outcome.value for outcome in self.writer.write(KEY, list(elements), LIMITS, now_ms)]

    def fold(self) -> None:
        row = self.store.rows[KEY]
        self.store.commit([Move(row, row.pending, 0, "folded")], [])

    def counted(self, *elements: str) -> World:
        for element in elements:
            self.write(element)
            self.fold()
        self.asked.clear()
        return self


def seen(n: int) -> str:
    return an_element(id=f"i{n}")


def clicked(n: int) -> str:
    return an_element(id=f"c{n}", type="click")


def test_events_that_a_row_has_no_room_for_now_are_queued() -> None:
    world = World()
    assert world.write(seen(1), seen(2), clicked(1), seen(1)) == ["accepted", "accepted", "queued", "queued"]
    assert world.write(seen(2), clicked(1)) == ["repeated", "queued"]
    assert world.store.rows[KEY].pending == {seen(1), seen(2)}
    world.fold()
    assert world.write(clicked(1)) == ["accepted"]


def test_a_write_asks_for_room_for_all_its_events_even_for_repeats() -> None:
    world = World()
    world.write(seen(1), seen(1))
    assert world.write(clicked(1), seen(1)) == ["queued", "repeated"]  # one is pending, and two together are too many
    assert world.asked == [RowLimit(3, 2), RowLimit(3, 1)]
    assert world.store.rows[KEY].received == 2
    assert world.write(clicked(1)) == ["accepted"]
    assert world.asked[2:] == [RowLimit(5, 2)]


def test_a_row_without_room_for_impressions_still_takes_clicks_among_them() -> None:
    world = World().counted(seen(1), seen(2), seen(3))
    assert world.write(seen(4), clicked(1)) == ["capped", "accepted"]
    assert world.asked == [RowLimit(3, 1), RowLimit(5, 2)]
    # From now on it is known without a write that impressions do not fit, and what was there before.
    assert world.write(seen(5), seen(1)) == ["capped", "repeated"]
    assert world.write(clicked(2), seen(5), clicked(1)) == ["queued", "capped", "repeated"]
    assert world.write(seen(5), clicked(2)) == ["capped", "accepted"]
    assert world.asked[2:] == [RowLimit(5, 1), RowLimit(5, 2)]


def test_a_click_waits_where_the_pending_events_of_a_full_row_are_too_many() -> None:
    world = World().counted(seen(1), seen(2), seen(3))
    world.write(clicked(1), clicked(2))
    assert world.write(seen(4), clicked(2), clicked(3)) == ["capped", "repeated", "queued"]


def test_a_row_without_room_for_anything_is_asked_once_a_minute() -> None:
    world = World().counted(seen(1), seen(2), seen(3), clicked(1), clicked(2))
    assert world.write(clicked(3), clicked(2)) == ["capped", "repeated"]
    asked = len(world.asked)
    assert world.write(clicked(4), seen(1), seen(4)) == ["capped", "repeated", "capped"]
    assert len(world.asked) == asked
    world.seconds = 60.0
    world.write(clicked(4))
    assert len(world.asked) > asked


def test_a_row_that_becomes_full_of_clicks_is_not_asked_for_more() -> None:
    world = World().counted(seen(1), seen(2), seen(3))
    assert world.write(seen(4)) == ["capped"]
    world.write(clicked(1), clicked(2))
    world.fold()
    assert world.write(clicked(3)) == ["capped"]
    asked = len(world.asked)
    assert world.write(clicked(3), clicked(2)) == ["capped", "repeated"]
    assert len(world.asked) == asked


def test_a_full_row_lives_on_from_the_day_on_which_it_would_expire_earlier() -> None:
    world = World().counted(seen(1), seen(2), seen(3))
    assert world.store.rows[KEY].expires_at == END_OF_DAY + 90 * 86_400
    world.write(seen(4), now_ms=NOON - DAY)
    assert world.store.rows[KEY].expires_at == END_OF_DAY + 90 * 86_400
    world.seconds = 60.0
    world.write(seen(4), now_ms=NOON + DAY)
    assert world.store.rows[KEY].expires_at == END_OF_DAY + 91 * 86_400


def test_what_a_request_has_written_is_the_bytes_of_its_events_and_of_the_rows_before() -> None:
    world = World().counted(seen(1), seen(2))
    world.writer.row_bytes = 0
    size = len(seen(1))
    world.write(seen(3), seen(3))
    assert world.writer.row_bytes == 3 * size
    world.fold()
    world.writer.row_bytes = 0
    world.write(seen(4))  # refused, which is billed too
    assert world.writer.row_bytes == 4 * size


def test_a_request_is_spent_above_eleven_kilobytes() -> None:
    writer = World().writer
    spent = []
    for writer.row_bytes in (0, DIRECT_BYTES, DIRECT_BYTES + 1):
        spent.append(writer.is_spent)
    assert spent == [False, False, True]


def test_the_ids_of_rows_are_those_that_can_be_read() -> None:
    rows = [
        ParticipantRow(KEY, pending=frozenset({seen(1), "nonsense"}), counted=frozenset({seen(2)})),
        ParticipantRow(KEY, pending=frozenset({an_element(id="e" * 64)})),
    ]
    assert {"i1", "i2"} < ids_of(rows)
    assert len(ids_of(rows)) == 3

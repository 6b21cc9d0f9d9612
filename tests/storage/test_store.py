"""One contract for the store in memory, on moto, on dynalite, and on the real DynamoDB protocol of the emulator."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws

from abacus.local.emulated_stacks import LocalAws
from chalicelib.storage.dynamodb import DynamoStore
from chalicelib.storage.retry import client_config
from chalicelib.storage.store import (
    FIRST,
    LAST,
    Booking,
    Full,
    Generations,
    Move,
    ParticipantRow,
    RowKey,
    RowLimit,
    Stale,
    Store,
    StoredText,
)
from tests.storage.dynalite import Completed, dynalite
from tests.support.memory_store import MemoryStore

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEY = RowKey("v1", "cta-color")


# What dynalite cannot do: it has no transactions, so a refused one is not undone.
NOT_ON_DYNALITE = {"test_a_fold_of_a_row_that_changed_does_nothing_at_all"}


@pytest.fixture(params=["memory", "moto", "dynalite", pytest.param("ministack", marks=pytest.mark.ministack)])
def store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    if request.param == "memory":
        yield MemoryStore()
    elif request.param == "ministack":
        aws: LocalAws = request.getfixturevalue("aws")
        yield DynamoStore(aws.dynamodb, aws.names["ParticipantsName"], aws.names["TalliesName"])
    elif request.param == "dynalite":
        if request.node.originalname in NOT_ON_DYNALITE:
            pytest.skip("dynalite has no transactions, and this is about a transaction that is refused as a whole")
        with dynalite() as client:
            create_tables(client)
            yield DynamoStore(Completed(client), *TABLES)  # type: ignore[arg-type]
    else:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "testing")
        with mock_aws():
            client = boto3.client("dynamodb", region_name="us-east-1", config=client_config())
            create_tables(client)
            yield DynamoStore(client, *TABLES)
            client.close()


TABLES = {"participants": ("visitor", "experiment"), "tallies": ("experiment", "cell")}


def create_tables(client: DynamoDBClient) -> None:
    for name, (hash_key, range_key) in TABLES.items():
        client.create_table(
            TableName=name,
            KeySchema=[
                {"AttributeName": hash_key, "KeyType": "HASH"},
                {"AttributeName": range_key, "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in (hash_key, range_key)],
            BillingMode="PAY_PER_REQUEST",
        )
        client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})


def add(store: Store, *elements: str, key: RowKey = KEY, cap: int = 200, version: str = "born") -> ParticipantRow:
    return store.add(key, elements, len(elements), version=version, expires_at=2_000_000_000, limit=RowLimit(cap, cap))


def row(store: Store, key: RowKey = KEY) -> ParticipantRow:
    (found,) = store.read([key])
    return found


def test_a_write_tells_what_was_there_before(store: Store) -> None:
    assert add(store, "a", "b") == ParticipantRow(KEY)
    before = add(store, "b", "c", version="never used")
    assert before == ParticipantRow(KEY, pending=frozenset("ab"), received=2, version="born")
    assert row(store) == ParticipantRow(KEY, pending=frozenset("abc"), received=4, version="born")


def test_a_full_row_takes_nothing_and_says_what_it_has(store: Store) -> None:
    add(store, "a", "b")
    with pytest.raises(Full) as full:
        add(store, "c", cap=2)
    assert full.value.row.pending == {"a", "b"}
    assert row(store).received == 2


def test_counted_events_fill_a_row_too(store: Store) -> None:
    add(store, "a", "b")
    store.commit([Move(row(store), frozenset("ab"), 0, "v1")], [])
    with pytest.raises(Full):
        add(store, "c", cap=2)


def test_a_row_that_does_not_exist_is_not_read(store: Store) -> None:
    assert store.read([KEY, RowKey("unknown", "cta-color")]) == []


def test_many_rows_are_read_whatever_a_batch_holds(store: Store) -> None:
    keys = [RowKey(f"v{n}", "cta-color") for n in range(120)]
    for key in keys:
        add(store, "a", key=key)
    assert {r.key for r in store.read(keys)} == set(keys)
    assert {r.key for segment in range(3) for r in store.scan(segment, 3)} == set(keys)


def test_a_fold_moves_events_and_books_them(store: Store) -> None:
    add(store, "a", "b")
    store.commit(
        [Move(row(store), frozenset("a"), 3, "v1")], [Booking("cta-color", "total#3#0#green#0", {"visitors": 1})]
    )
    assert row(store) == ParticipantRow(
        KEY, frozenset("b"), frozenset("a"), received=2, folded=2, generation=3, version="v1"
    )
    assert store.cells("cta-color", first=FIRST, last=LAST) == {"total#3#0#green#0": {"visitors": 1}}


def test_a_fold_of_a_row_that_changed_does_nothing_at_all(store: Store) -> None:
    add(store, "a")
    read = row(store)
    store.commit([Move(read, frozenset("a"), 0, "v1")], [])
    other = RowKey("v2", "cta-color")
    add(store, "x", key=other)
    with pytest.raises(Stale):
        store.commit(
            [Move(row(store, other), frozenset("x"), 0, "v2"), Move(read, frozenset("a"), 0, "v3")],
            [Booking("cta-color", "total#0#0#green#0", {"visitors": 1})],
        )
    assert row(store).version == "v1"
    assert row(store, other).pending == {"x"}
    assert store.cells("cta-color", first=FIRST, last=LAST) == {}


def test_a_fold_does_not_bring_back_a_row_that_is_gone(store: Store) -> None:
    add(store, "a")
    read = row(store)
    store.erase(read, [])
    with pytest.raises(Stale):
        store.commit([Move(read, frozenset("a"), 0, "v1")], [])
    assert store.read([KEY]) == []


def test_a_fold_of_repeats_alone_moves_nothing_but_the_count(store: Store) -> None:
    add(store, "a")
    store.commit([Move(row(store), frozenset("a"), 0, "v1")], [])
    add(store, "a")
    store.commit([Move(row(store), frozenset("a"), 0, "v2")], [])
    assert row(store) == ParticipantRow(
        KEY, frozenset(), frozenset("a"), received=2, folded=2, generation=0, version="v2"
    )
    assert not row(store).needs_fold


def test_what_is_written_between_read_and_commit_stays_pending(store: Store) -> None:
    add(store, "a")
    read = row(store)
    add(store, "b")
    store.commit([Move(read, frozenset("a"), 0, "v1")], [])
    assert (row(store).pending, row(store).counted, row(store).needs_fold) == ({"b"}, {"a"}, True)


def test_a_reopened_row_has_everything_pending_again(store: Store) -> None:
    add(store, "a", "b")
    store.commit([Move(row(store), frozenset("a"), 0, "v1")], [])
    store.reopen(row(store), 1, "v2")
    assert row(store) == ParticipantRow(
        KEY, frozenset("ab"), frozenset(), received=2, folded=0, generation=1, version="v2"
    )
    with pytest.raises(Stale):
        store.reopen(ParticipantRow(KEY, version="v1"), 2, "v3")


def test_a_row_that_got_more_events_is_not_erased_unseen(store: Store) -> None:
    add(store, "a")
    read = row(store)
    add(store, "b")
    with pytest.raises(Stale):
        store.erase(read, [])
    store.erase(row(store), [Booking("cta-color", "total#0#0#green#0", {"visitors": -1})])
    assert store.rows_of("v1") == []
    assert store.cells("cta-color", first=FIRST, last=LAST) == {"total#0#0#green#0": {"visitors": -1}}


def test_bookings_add_up_under_names_with_dots(store: Store) -> None:
    for _ in range(2):
        store.book([Booking("cta-color", "hour#0#x", {"converted.click": 2, "clicks": 1}, 2_000_000_000)])
    found = store.cells("cta-color", first="hour", last="hour~")["hour#0#x"]
    assert (found["converted.click"], found["clicks"], found["expires_at"]) == (4, 2, 2_000_000_000)


def test_a_visitors_rows_are_found_in_every_experiment(store: Store) -> None:
    add(store, "a", key=RowKey("v1", "one"))
    add(store, "a", key=RowKey("v1", "two"))
    add(store, "a", key=RowKey("v2", "one"))
    assert {r.key.experiment for r in store.rows_of("v1")} == {"one", "two"}


def test_generations_start_at_none_and_change_only_from_what_they_are(store: Store) -> None:
    assert store.generations("cta-color") == Generations(0, None)
    store.open_generation("cta-color", Generations(0), Generations(0, 1))
    assert store.generations("cta-color") == Generations(0, 1)
    with pytest.raises(Stale):
        store.open_generation("cta-color", Generations(0), Generations(0, 2))
    store.open_generation("cta-color", Generations(0, 1), Generations(1))
    assert store.generations("cta-color") == Generations(1, None)
    with pytest.raises(Stale):
        store.open_generation("cta-color", Generations(0), Generations(0, 1))


def test_a_forgotten_item_is_gone(store: Store) -> None:
    store.book([Booking("cta-color", "total#0#0#green#0", {"visitors": 1}), Booking("cta-color", "x", {"n": 1})])
    store.delete_cells("cta-color", ["total#0#0#green#0"])
    assert list(store.cells("cta-color", first=FIRST, last=LAST)) == ["x"]


def test_cells_come_in_order_and_no_more_than_asked_for(store: Store) -> None:
    store.book([Booking("cta-color", f"day#0#2026-11-{day}#0#green#0", {"visitors": 1}) for day in (22, 20, 21)])
    assert list(store.cells("cta-color", first="day#", last="day~", limit=1)) == ["day#0#2026-11-20#0#green#0"]
    assert [name[6:16] for name in store.cells("cta-color", first="day#", last="day~")] == [
        "2026-11-20",
        "2026-11-21",
        "2026-11-22",
    ]


def test_a_row_lives_on_where_it_exists_and_never_shorter(store: Store) -> None:
    store.extend_expiry(KEY, 5)
    assert store.read([KEY]) == []
    add(store, "a")
    for until in (2_000_000_001, 1):
        store.extend_expiry(KEY, until)
    assert row(store).expires_at == 2_000_000_001


def test_the_text_of_an_item_is_replaced_and_read_apart_from_its_numbers(store: Store) -> None:
    for n, text in enumerate(("first", "second", "")):
        store.book([Booking("cta-color", "daily#2026-11-21#capped", {"n": 1}, expires_at=n + 9, text=text)])
    store.book([Booking("cta-color", "daily#2026-11-21#too-old", {"n": 1})])
    cells = store.cells("cta-color", first="daily#", last="daily#" + LAST)
    assert cells["daily#2026-11-21#capped"] == {"n": 3, "expires_at": 11}
    found = store.texts("cta-color", first="daily#2026-11-21#", last="daily#" + LAST)
    assert found == {"daily#2026-11-21#capped": "second"}
    assert store.texts("cta-color", first="daily#2026-11-22#", last="daily#" + LAST) == {}


def test_a_text_is_replaced_only_if_it_is_still_what_was_read(store: Store) -> None:
    nothing = store.document("cta-color", "alerts")
    assert nothing == StoredText(None, None)
    first = store.replace_document("cta-color", "alerts", "one", was=nothing, version="v1")
    assert store.document("cta-color", "alerts") == first == StoredText("one", "v1")
    with pytest.raises(Stale):
        store.replace_document("cta-color", "alerts", "two", was=nothing, version="v2")
    second = store.replace_document("cta-color", "alerts", "two", was=first, version="v2")
    with pytest.raises(Stale):
        store.replace_document("cta-color", "alerts", "three", was=first, version="v3")
    assert store.document("cta-color", "alerts") == second


def test_a_text_is_not_among_what_the_totals_read(store: Store) -> None:
    store.book([Booking("cta-color", "total#0#0#green#0", {"visitors": 1})])
    store.replace_document("cta-color", "alerts", "one", was=StoredText(), version="v1")
    assert list(store.cells("cta-color", first="meta", last="total~")) == ["total#0#0#green#0"]

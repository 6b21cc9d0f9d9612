"""Answers of DynamoDB that do not hold everything, or do not arrive: unprocessed keys, pages, and lost answers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from chalicelib.storage.dynamodb import DynamoStore, row_in_stream, row_of_item
from chalicelib.storage.retry import Patience, TableBusy
from chalicelib.storage.store import Booking, Generations, ParticipantRow, RowKey, Stale


def an_item(visitor: str) -> dict[str, Any]:
    return {"visitor": {"S": visitor}, "experiment": {"S": "cta-color"}, "received": {"N": "1"}}


class HalfAnswers:
    """A client that gives one item at a time."""

    def batch_get_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:
        (table, wanted), *_ = RequestItems.items()
        first, *left = wanted["Keys"]
        unprocessed = {table: {"Keys": left}} if left else {}
        return {"Responses": {table: [an_item(first["visitor"]["S"])]}, "UnprocessedKeys": unprocessed}

    def scan(self, ExclusiveStartKey: Any = None, **_: Any) -> dict[str, Any]:
        if ExclusiveStartKey is None:
            return {"Items": [an_item("v1")], "LastEvaluatedKey": "here"}
        return {"Items": [an_item("v2"), an_item("v3") | {"received": {"S": "broken"}}]}

    def query(self, ExclusiveStartKey: Any = None, **_: Any) -> dict[str, Any]:
        if ExclusiveStartKey is None:
            return {"Items": [{"cell": {"S": "a"}, "n": {"N": "1"}}], "LastEvaluatedKey": "here"}
        return {"Items": [{"cell": {"S": "b"}, "n": {"N": "2"}, "odd": {"N": "1.5"}}]}


def a_store() -> DynamoStore:
    client: Any = HalfAnswers()
    return DynamoStore(client, "participants", "tallies", patience=Patience(sleep=lambda _: None))


def test_keys_that_were_not_processed_are_read_again() -> None:
    rows = a_store().read([RowKey(f"v{n}", "cta-color") for n in range(3)])
    assert sorted(row.key.visitor for row in rows) == ["v0", "v1", "v2"]


def test_a_scan_goes_on_to_the_last_page_and_past_a_broken_row() -> None:
    assert [(row.key.visitor, row.broken) for row in a_store().scan()] == [("v1", False), ("v2", False), ("v3", True)]


def test_a_query_goes_on_to_the_last_page_and_skips_what_is_no_whole_number() -> None:
    assert a_store().cells("cta-color", first="!", last="~") == {"a": {"n": 1}, "b": {"n": 2}}


class Refused(Exception):
    """The condition of a write failed."""


class Generation:
    """A client whose item `meta` says that a rebuild fills `fill`; the first `lost` answers to a write are lost."""

    exceptions = SimpleNamespace(ConditionalCheckFailedException=Refused)

    def __init__(self, fill: int, lost: int) -> None:
        self.fill, self.lost = fill, lost

    def update_item(self, **_: Any) -> None:
        self.lost -= 1
        raise ReadTimeoutError(endpoint_url="https://table") if self.lost >= 0 else Refused

    def query(self, **_: Any) -> dict[str, Any]:
        return {"Items": [{"cell": {"S": "meta"}, "gen": {"N": "0"}, "fill": {"N": str(self.fill)}}]}


@pytest.mark.parametrize(("fill", "lost", "stale"), [(7, 1, False), (8, 1, True), (7, 0, True)])
def test_a_rebuild_goes_on_where_its_own_change_of_the_generations_had_no_answer(
    fill: int, lost: int, stale: bool
) -> None:
    client: Any = Generation(fill, lost)
    store = DynamoStore(client, "participants", "tallies", patience=Patience(sleep=lambda _: None))
    opening = ("cta-color", Generations(0), Generations(0, 7))
    if stale:
        with pytest.raises(Stale):
            store.open_generation(*opening)
    else:
        store.open_generation(*opening)


class Silent:
    """A client whose first answers to a batch hold nothing at all."""

    def __init__(self, empty: int) -> None:
        self.empty = empty

    def batch_get_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:
        self.empty -= 1
        if self.empty >= 0:
            return {"Responses": {}, "UnprocessedKeys": RequestItems}
        (table, wanted), *_ = RequestItems.items()
        assert wanted["ConsistentRead"] is True
        return {"Responses": {table: [an_item(key["visitor"]["S"]) for key in wanted["Keys"]]}, "UnprocessedKeys": {}}


def test_a_batch_of_which_nothing_was_processed_is_a_busy_table() -> None:
    def rows(empty: int) -> list[str]:
        client: Any = Silent(empty)
        clock = iter(range(100))
        patience = Patience(budget=3.0, clock=lambda: float(next(clock)), sleep=lambda _: None, jitter=lambda: 0.0)
        store = DynamoStore(client, "participants", "tallies", patience=patience)
        return [row.key.visitor for row in store.read([RowKey("v1", "cta-color")])]

    assert rows(2) == ["v1"]
    with pytest.raises(TableBusy):
        rows(9)


def test_the_same_tables_within_a_time_are_not_asked_again_after_it() -> None:
    class Busy:
        asked: ClassVar[list[str]] = []

        def query(self, TableName: str, **_: Any) -> None:
            self.asked.append(TableName)
            raise ReadTimeoutError(endpoint_url="https://table")

        batch_get_item = describe_table = query

    now = [0.0]
    client: Any = Busy()
    patience = Patience(
        budget=10.0,
        first_wait=1.0,
        clock=lambda: now[0],
        sleep=lambda s: now.__setitem__(0, now[0] + s),
        jitter=lambda: 1.0,
    )
    store = DynamoStore(client, "participants", "tallies", patience=patience).within(2.0)
    for read in (lambda: store.cells("cta-color", first="!", last="~"), lambda: store.rows_of("v1")):
        with pytest.raises(ReadTimeoutError):
            read()
    assert client.asked == ["tallies"] * 3 + ["participants"]


def test_a_transaction_that_fails_otherwise_is_not_taken_for_a_conflict() -> None:
    class Failing:
        def transact_write_items(self, **_: Any) -> None:
            reasons = [{"Code": "None"}, {"Code": self.reason}]
            error = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}
            raise ClientError(error | {"ResponseMetadata": {"HTTPStatusCode": 400}}, "TransactWriteItems")  # type: ignore[arg-type]

    client: Any = Failing()
    store = DynamoStore(client, "participants", "tallies", patience=Patience(sleep=lambda _: None))
    client.reason = "ValidationError"
    with pytest.raises(ClientError):
        store.commit([], [Booking("cta-color", "total#0#0#green#0", {"visitors": 1})])
    client.reason = "ConditionalCheckFailed"
    with pytest.raises(Stale):
        store.commit([], [Booking("cta-color", "total#0#0#green#0", {"visitors": 1})])


def test_a_stream_record_says_which_row_it_is_about() -> None:
    keys = {"visitor": {"S": "v1"}, "experiment": {"S": "cta-color"}}
    assert row_in_stream({"dynamodb": {"Keys": keys, "NewImage": {}}}) == RowKey("v1", "cta-color")


def test_the_size_of_the_table_is_what_it_says_and_0_where_it_does_not() -> None:
    class Described:
        table: dict[str, int]

        def describe_table(self, TableName: str) -> dict[str, Any]:
            assert TableName == "participants"
            return {"Table": self.table}

    client: Any = Described()
    store = DynamoStore(client, "participants", "tallies")
    client.table = {"ItemCount": 3, "TableSizeBytes": 400}
    assert (store.rows_about(), store.bytes_about()) == (3, 400)
    client.table = {}
    assert (store.rows_about(), store.bytes_about()) == (0, 0)


@pytest.mark.parametrize(
    "item",
    [
        an_item("v1") | {"received": {"S": "broken"}},
        an_item("v1") | {"received": {"N": "1.5"}},
        an_item("v1") | {"pending": {"L": []}},
        an_item("v1") | {"counted": {"S": "a"}},
        an_item("v1") | {"gen": {"S": "0"}},
        an_item("v1") | {"folded": {"NULL": True}},
        an_item("v1") | {"expires_at": {"S": "tomorrow"}},
    ],
)
def test_a_row_with_an_attribute_of_the_wrong_type_is_broken_and_keeps_its_key_and_version(
    item: dict[str, Any],
) -> None:
    assert row_of_item(item | {"version": {"S": "v7"}}) == ParticipantRow(
        RowKey("v1", "cta-color"), version="v7", broken=True
    )
    assert row_of_item(item) == ParticipantRow(RowKey("v1", "cta-color"), version="", broken=True)


def test_what_decides_about_a_write_is_read_strongly_consistent() -> None:
    asked: list[tuple[str, bool]] = []

    class Recording:
        def query(self, TableName: str, ConsistentRead: bool, **_: Any) -> dict[str, Any]:
            asked.append((TableName, ConsistentRead))
            return {"Items": []}

        def scan(self, TableName: str, ConsistentRead: bool, Segment: int, TotalSegments: int) -> dict[str, Any]:
            asked.append((f"{TableName} {Segment} of {TotalSegments}", ConsistentRead))
            return {"Items": []}

    client: Any = Recording()
    store = DynamoStore(client, "participants", "tallies")
    assert (store.generations("cta-color"), store.rows_of("v1")) == (Generations(), [])
    assert [list(store.scan()), list(store.scan(1, 4))] == [[], []]
    store.cells("cta-color", first="a", last="b")
    assert asked == [
        ("tallies", True),
        ("participants", True),
        ("participants 0 of 1", True),
        ("participants 1 of 4", True),
        ("tallies", False),
    ]

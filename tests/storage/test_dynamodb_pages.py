"""Answers of DynamoDB that do not hold everything, or do not arrive: unprocessed keys, pages, and lost answers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from chalicelib.storage.dynamodb import DynamoStore
from chalicelib.storage.retry import Patience
from chalicelib.storage.store import Generations, RowKey, Stale


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

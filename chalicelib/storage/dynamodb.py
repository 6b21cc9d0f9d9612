"""The two tables in DynamoDB. Only this module knows their keys and attributes; store.py names the cells.

participants      visitor (S, hash) + experiment (S, range)                      the log; stream on, TTL on
    pending       SS   events written and not counted yet        counted  SS  events that are in the tallies
    received      N    events sent to this row, repeats too      folded   N   `received` when it was last folded
    gen           N    generation of the tallies that `counted` is in; absent: none yet
    version       S    optimistic lock: a random token, replaced by every fold; a write fails if it changed
    expires_at    N    epoch seconds, refreshed by every write

tallies           experiment (S, hash) + cell (S, range)                         a view; can be thrown away
    alerts                                  document, version: what was told of the experiment, as JSON
    daily#date#outcome                      roughly how many were refused that day, TTL 90 days; text: the latest one
    day#gen#date#phase#variant#spread       cohort of one day          hour#…  raw activity, TTL 14 days
    meta                                    gen: the live generation, fill: the one that a rebuild is filling
    refused#outcome#spread                  roughly how many were refused
    segment#gen#name=value#phase#variant#spread      visitors of one segment, under the experiment's key + #segments
    total#gen#phase#variant#spread          all of one variant
Sorted as they stand: from `meta` to the end is what GET /stats without a series needs, in one Query.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from chalicelib.storage.retry import Patience, TableBusy
from chalicelib.storage.store import (
    Booking,
    Full,
    Generations,
    Move,
    ParticipantRow,
    RowKey,
    RowLimit,
    Stale,
    StoredText,
    generations_in,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

BATCH_READ = 100  # keys, DynamoDB's limit


class DynamoStore:
    """The tables in DynamoDB, through a low-level client with `retry.client_config()`."""

    def __init__(
        self, client: DynamoDBClient, participants: str, tallies: str, *, patience: Patience | None = None
    ) -> None:
        self._client = client
        self._participants = participants
        self._tallies = tallies
        self._patience = patience or Patience()

    def within(self, seconds: float) -> DynamoStore:
        """The same tables, but no call is tried again after `seconds` from now."""
        patience = self._patience.within(seconds)
        return DynamoStore(self._client, self._participants, self._tallies, patience=patience)

    def add(
        self, key: RowKey, elements: Iterable[str], received: int, *, version: str, expires_at: int, limit: RowLimit
    ) -> ParticipantRow:
        """`Store.add` in one UpdateItem, whose condition refuses a full row; DynamoDB bills a refused write too."""
        try:
            old = self._patience(
                self._client.update_item,
                TableName=self._participants,
                Key=_key(key),
                UpdateExpression="ADD pending :events, received :n "
                "SET version = if_not_exists(version, :v), expires_at = :x",
                # size() of an absent attribute is neither small nor large, but false.
                ConditionExpression="(attribute_not_exists(counted) OR size(counted) < :counted) AND "
                "(attribute_not_exists(pending) OR size(pending) < :pending)",
                ExpressionAttributeValues={
                    ":events": {"SS": sorted(elements)},
                    ":n": {"N": str(received)},
                    ":v": {"S": version},
                    ":x": {"N": str(expires_at)},
                    ":counted": {"N": str(limit.counted)},
                    ":pending": {"N": str(limit.pending)},
                },
                ReturnValues="ALL_OLD",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except self._client.exceptions.ConditionalCheckFailedException as error:
            full: dict[str, Any] = dict(error.response)
            raise Full(row_of_item(full.get("Item") or _key(key))) from None
        return row_of_item(old.get("Attributes") or _key(key))

    def read(self, keys: Sequence[RowKey]) -> list[ParticipantRow]:
        """`Store.read` in batches of a hundred keys."""
        rows: list[ParticipantRow] = []
        wanted: list[Any] = [_key(key) for key in keys]
        while wanted:
            now, wanted = wanted[:BATCH_READ], wanted[BATCH_READ:]
            some, left = self._patience(self._read_some, now)
            rows += some
            wanted += left
        return rows

    def _read_some(self, keys: list[Any]) -> tuple[list[ParticipantRow], list[Any]]:
        """What the table gave of `keys`, and what it left. Raises TableBusy when it gave nothing."""
        answer = self._client.batch_get_item(RequestItems={self._participants: {"Keys": keys, "ConsistentRead": True}})
        left: list[Any] = list(answer["UnprocessedKeys"].get(self._participants, {}).get("Keys", []))  # type: ignore[call-overload]
        if len(left) == len(keys):
            raise TableBusy("no key of a batch was processed")
        return [row_of_item(item) for item in answer["Responses"].get(self._participants, [])], left

    def scan(self, segment: int = 0, segments: int = 1) -> Iterator[ParticipantRow]:
        """`Store.scan`, strongly consistent: one page after the other."""
        start: dict[str, Any] = {}
        while True:
            page = self._patience(
                self._client.scan,
                TableName=self._participants,
                Segment=segment,
                TotalSegments=segments,
                ConsistentRead=True,
                **start,
            )
            yield from (row_of_item(item) for item in page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def rows_about(self) -> int:
        """How many rows there are, as the table counted them some hours ago; for progress bars."""
        return self._client.describe_table(TableName=self._participants)["Table"].get("ItemCount", 0)

    def bytes_about(self) -> int:
        """How large the table of rows is, as DynamoDB measured it some hours ago."""
        return self._client.describe_table(TableName=self._participants)["Table"].get("TableSizeBytes", 0)

    def commit(self, moves: Sequence[Move], bookings: Sequence[Booking]) -> None:
        """`Store.commit` in one transaction: each write costs twice as many units."""
        self._transact([self._move(move) for move in moves] + [self._booked(b) for b in bookings])

    def reopen(self, row: ParticipantRow, generation: int, version: str) -> None:
        """`Store.reopen` in a transaction, if the row has the version that was read."""
        values: dict[str, Any] = {":gen": {"N": str(generation)}, ":new": {"S": version}, ":read": {"S": row.version}}
        change = "SET gen = :gen, version = :new REMOVE counted, folded"
        if row.counted:
            change += " ADD pending :counted"
            values[":counted"] = {"SS": sorted(row.counted)}
        self._transact(
            [
                {
                    "Update": {
                        "TableName": self._participants,
                        "Key": _key(row.key),
                        "UpdateExpression": change,
                        "ConditionExpression": UNCHANGED,
                        "ExpressionAttributeValues": values,
                    }
                }
            ]
        )

    def erase(self, row: ParticipantRow, bookings: Sequence[Booking]) -> None:
        """`Store.erase` in one transaction, if the row has the version and number of events that were read."""
        gone: TransactWriteItemTypeDef = {"Delete": {"TableName": self._participants, "Key": _key(row.key)}}
        if not row.broken:  # of a broken row there is nothing to compare
            gone["Delete"]["ConditionExpression"] = UNCHANGED + " AND received = :received"
            gone["Delete"]["ExpressionAttributeValues"] = {
                ":read": {"S": row.version},
                ":received": {"N": str(row.received)},
            }
        self._transact([gone, *(self._booked(b) for b in bookings)])

    def rows_of(self, visitor: str) -> list[ParticipantRow]:
        """`Store.rows_of` in one Query: the visitor is the hash key."""
        items = self._query(
            None,
            TableName=self._participants,
            KeyConditionExpression="visitor = :v",
            ExpressionAttributeValues={":v": {"S": visitor}},
            ConsistentRead=True,
        )
        return [row_of_item(item) for item in items]

    def book(self, bookings: Sequence[Booking]) -> None:
        """`Store.book`: one UpdateItem for each booking, tried once."""
        for booking in bookings:
            self._client.update_item(**self._booked(booking)["Update"])

    def extend_expiry(self, key: RowKey, expires_at: int) -> None:
        """`Store.extend_expiry` in one UpdateItem; its condition leaves later expiries alone."""
        with contextlib.suppress(self._client.exceptions.ConditionalCheckFailedException):
            self._patience(
                self._client.update_item,
                TableName=self._participants,
                Key=_key(key),
                UpdateExpression="SET expires_at = :x",
                ConditionExpression="expires_at < :x",
                ExpressionAttributeValues={":x": {"N": str(expires_at)}},
            )

    def cells(
        self, experiment: str, *, first: str, last: str, strong: bool = False, limit: int | None = None
    ) -> dict[str, dict[str, int]]:
        """`Store.cells` in a Query, page after page."""
        return {
            item["cell"]["S"]: {
                name: int(value["N"]) for name, value in item.items() if "N" in value and _is_whole(value["N"])
            }
            for item in self._items(experiment, first, last, strong, limit)
        }

    def texts(self, experiment: str, *, first: str, last: str) -> dict[str, str]:
        """`Store.texts` in a Query, page after page."""
        items = self._items(experiment, first, last)
        return {item["cell"]["S"]: item["text"]["S"] for item in items if "S" in item.get("text", {})}

    def generations(self, experiment: str) -> Generations:
        """`Store.generations` from the item `meta`."""
        return generations_in(self.cells(experiment, first="meta", last="meta", strong=True))

    def open_generation(self, experiment: str, now: Generations, then: Generations) -> None:
        """`Store.open_generation` in one UpdateItem of the item `meta`."""

        def condition(name: str, value: int | None) -> str:
            if value is None:
                return f"attribute_not_exists({name})"
            absent = f"attribute_not_exists({name}) OR " if (name, value) == ("gen", 0) else ""
            return f"({absent}{name} = :was_{name})"

        values = {":gen": {"N": str(then.live)}, ":was_gen": {"N": str(now.live)}}
        change = "SET gen = :gen" + (", fill = :fill" if then.fill is not None else " REMOVE fill")
        if then.fill is not None:
            values[":fill"] = {"N": str(then.fill)}
        if now.fill is not None:
            values[":was_fill"] = {"N": str(now.fill)}
        calls = 0

        def update() -> None:
            nonlocal calls
            calls += 1
            self._client.update_item(
                TableName=self._tallies,
                Key=_cell_key(experiment, "meta"),
                UpdateExpression=change,
                ConditionExpression=f"{condition('gen', now.live)} AND {condition('fill', now.fill)}",
                ExpressionAttributeValues=values,
            )

        try:
            self._patience(update)
        except self._client.exceptions.ConditionalCheckFailedException:
            if calls > 1 and self.generations(experiment) == then:
                return  # the first call changed them, and its answer was lost
            raise Stale(f"{experiment}: its generations changed meanwhile") from None

    def delete_cells(self, experiment: str, cells: Iterable[str]) -> None:
        """`Store.delete_cells`: one DeleteItem for each."""
        for cell in cells:
            self._patience(
                self._client.delete_item,
                TableName=self._tallies,
                Key=_cell_key(experiment, cell),
            )

    def _items(
        self, experiment: str, first: str, last: str, strong: bool = False, limit: int | None = None
    ) -> Iterator[dict[str, Any]]:
        return self._query(
            limit,
            TableName=self._tallies,
            KeyConditionExpression="experiment = :e AND cell BETWEEN :first AND :last",
            ExpressionAttributeValues={":e": {"S": experiment}, ":first": {"S": first}, ":last": {"S": last}},
            ConsistentRead=strong,
        )

    def document(self, experiment: str, cell: str) -> StoredText:
        """See `Store`."""
        answer = self._patience(
            self._client.get_item, TableName=self._tallies, Key=_cell_key(experiment, cell), ConsistentRead=True
        )
        item = answer.get("Item", {})
        return StoredText(item["document"]["S"], item["version"]["S"]) if "document" in item else StoredText()

    def replace_document(self, experiment: str, cell: str, text: str, *, was: StoredText, version: str) -> StoredText:
        """See `Store`. A write that is repeated because its answer was lost is no conflict."""
        values = {":text": {"S": text}, ":new": {"S": version}}
        if was.version is not None:
            values[":read"] = {"S": was.version}
        try:
            self._patience(
                self._client.update_item,
                TableName=self._tallies,
                Key=_cell_key(experiment, cell),
                UpdateExpression="SET document = :text, version = :new",
                ConditionExpression="attribute_not_exists(version)" if was.version is None else UNCHANGED,
                ExpressionAttributeValues=values,
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except self._client.exceptions.ConditionalCheckFailedException as error:
            answer: dict[str, Any] = dict(error.response)
            if answer.get("Item", {}).get("version") != {"S": version}:  # else an earlier try of this call wrote it
                raise Stale(f"{experiment}: {cell} changed meanwhile") from None
        return StoredText(text, version)

    def _query(self, limit: int | None, **query: Any) -> Iterator[dict[str, Any]]:
        if limit is not None:
            query["Limit"] = limit
        while True:
            page = self._patience(self._client.query, **query)
            yield from page["Items"]
            if "LastEvaluatedKey" not in page or limit is not None:
                return
            query["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _transact(self, items: list[TransactWriteItemTypeDef]) -> None:
        try:
            self._patience(self._client.transact_write_items, TransactItems=items)
        except ClientError as error:
            reasons = error.response.get("CancellationReasons", [])
            if any(reason.get("Code") == "ConditionalCheckFailed" for reason in reasons):
                raise Stale("a row changed since it was read") from None
            raise

    def _move(self, move: Move) -> TransactWriteItemTypeDef:
        values: dict[str, Any] = {
            ":read": {"S": move.row.version},
            ":new": {"S": move.version},
            ":gen": {"N": str(move.generation)},
            ":received": {"N": str(move.row.received)},
        }
        change = "SET version = :new, gen = :gen, folded = :received"
        if move.elements:  # none: only `received` had changed, and a set may not be empty
            change += " DELETE pending :e ADD counted :e"
            values[":e"] = {"SS": sorted(move.elements)}
        return {
            "Update": {
                "TableName": self._participants,
                "Key": _key(move.row.key),
                "UpdateExpression": change,
                "ConditionExpression": UNCHANGED,
                "ExpressionAttributeValues": values,
            }
        }

    def _booked(self, booking: Booking) -> TransactWriteItemTypeDef:
        names = {f"#{i}": name for i, name in enumerate(booking.numbers)}
        values: dict[str, Any] = {f":{i}": {"N": str(n)} for i, n in enumerate(booking.numbers.values())}
        change = "ADD " + ", ".join(f"#{i} :{i}" for i in range(len(booking.numbers)))
        sets = []
        if booking.expires_at is not None:
            sets.append("expires_at = :x")
            values[":x"] = {"N": str(booking.expires_at)}
        if booking.text:
            sets.append("#text = :text")
            names["#text"] = "text"
            values[":text"] = {"S": booking.text}
        if sets:
            change += " SET " + ", ".join(sets)
        return {
            "Update": {
                "TableName": self._tallies,
                "Key": _cell_key(booking.experiment, booking.cell),
                "UpdateExpression": change,
                "ExpressionAttributeNames": names,
                "ExpressionAttributeValues": values,
            }
        }


# Never "or not exists": a row that was erased, or that expired, must not come back by a fold that read it before.
UNCHANGED = "version = :read"


def _is_whole(number: str) -> bool:
    return number.lstrip("-").isdecimal()


def _key(key: RowKey) -> dict[str, Any]:
    return {"visitor": {"S": key.visitor}, "experiment": {"S": key.experiment}}


def _cell_key(experiment: str, cell: str) -> dict[str, Any]:
    return {"experiment": {"S": experiment}, "cell": {"S": cell}}


def row_of_item(item: Mapping[str, Any]) -> ParticipantRow:
    """The row in an item of the table participants; marked as broken where it cannot be read."""
    key = RowKey(item["visitor"]["S"], item["experiment"]["S"])
    try:
        return _readable_row(key, item)
    except (AttributeError, KeyError, TypeError, ValueError):
        # By another program or by hand. One such row must not stop a scan of all of them.
        return ParticipantRow(key, version=str(item.get("version", {}).get("S", "")), broken=True)


def _readable_row(key: RowKey, item: Mapping[str, Any]) -> ParticipantRow:
    def strings(name: str) -> frozenset[str]:
        return frozenset(item[name]["SS"]) if name in item else frozenset()

    def number(name: str) -> int:
        return int(item[name]["N"]) if name in item else 0

    return ParticipantRow(
        key=key,
        pending=strings("pending"),
        counted=strings("counted"),
        received=number("received"),
        folded=number("folded"),
        generation=number("gen") if "gen" in item else None,
        version=item.get("version", {}).get("S", ""),
        expires_at=number("expires_at"),
    )


def row_in_stream(record: Mapping[str, Any]) -> RowKey:
    """The key of the row that a stream record is about. The rest of a record may be outdated and is never used."""
    keys = record["dynamodb"]["Keys"]
    return RowKey(keys["visitor"]["S"], keys["experiment"]["S"])

"""What calls to DynamoDB take, in its own units.

Writes that succeed as the answers say. Reads by the sizes of the items in them: the emulator counts a read as one unit
whatever it returned, and says nothing of BatchGetItem. Writes that a condition refuses by the size of the item as it
is: DynamoDB bills them, the emulator says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from threading import Lock, local
from typing import Any

READ = 4096  # bytes that one strongly consistent read unit covers, or half an eventually consistent one
WRITE = 1024  # bytes that one write unit covers
REFUSED = {"ConditionalCheckFailedException", "TransactionCanceledException"}


@dataclass
class Use:
    """What was taken: write request units, read request units, and calls of any kind."""

    written: float = 0
    read: float = 0
    calls: float = 0

    def shared(self, among: int) -> Use:
        """The share of one among so many."""
        return Use(self.written / among, self.read / among, self.calls / among)


@contextmanager
def metered(client: Any) -> Iterator[Use]:
    """Add up what the calls of a DynamoDB client take while the block runs."""
    use = Use()
    lock = Lock()
    looking = local()

    def ask(params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> dict[str, Any]:
        context["asked"] = params
        if "ReturnConsumedCapacity" not in model.input_shape.members:
            return params
        return params | {"ReturnConsumedCapacity": "TOTAL"}

    def item(table: str, key: Any) -> Mapping[str, Any]:
        looking.at = True  # at an item, which no request of ours asked for
        try:
            item: Mapping[str, Any] = client.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item", {})
            return item
        finally:
            looking.at = False

    def note(parsed: Mapping[str, Any], model: Any, context: Mapping[str, Any], **_: Any) -> None:
        if getattr(looking, "at", False):
            return
        if parsed.get("Error", {}).get("Code") in REFUSED:
            read, written = None, refused_units(model.name, context["asked"], item)
        else:
            consumed = parsed.get("ConsumedCapacity", [])
            read = read_units(model.name, context["asked"], parsed)
            written = sum(table["CapacityUnits"] for table in (consumed if isinstance(consumed, list) else [consumed]))
        with lock:
            use.calls += 1
            use.read += read or 0
            use.written += written if read is None else 0

    hooks = (("provide-client-params.dynamodb", ask), ("after-call.dynamodb", note))
    for name, hook in hooks:
        client.meta.events.register(name, hook)
    yield use
    for name, hook in hooks:
        client.meta.events.unregister(name, hook)


def refused_units(
    operation: str, parameters: Mapping[str, Any], item: Callable[[str, Any], Mapping[str, Any]]
) -> float:
    """Write units of a write that its condition refused: those of the item as it is, at least one; in a transaction
    twice as many for each of its items. `item`: table and key → the item as it is.

    Source: DynamoDB developer guide, "Capacity unit consumption for write operations" (conditional writes)."""
    if operation != "TransactWriteItems":
        return max(1, ceil(item_size(item(parameters["TableName"], parameters["Key"])) / WRITE))
    actions = [action for each in parameters["TransactItems"] for action in each.values()]
    return sum(2 * max(1, ceil(item_size(item(a["TableName"], a["Key"])) / WRITE)) for a in actions)


def read_units(operation: str, parameters: Mapping[str, Any], answer: Mapping[str, Any]) -> float | None:
    """Units of a GetItem, or a Query, Scan or BatchGetItem without filter; None: it is no such read.

    A page of a Query or Scan is rounded up to 4 KB as a whole, each item of a BatchGetItem by itself; half of that
    where it need not be consistent. What is not there costs as much as the smallest item.
    Source: DynamoDB developer guide, "Capacity unit consumption for read operations"."""
    if operation in ("Query", "Scan", "GetItem"):
        items = [answer.get("Item", {})] if operation == "GetItem" else answer["Items"]
        units = max(1, ceil(sum(map(item_size, items)) / READ))
        return units if parameters.get("ConsistentRead") else units / 2
    if operation != "BatchGetItem":
        return None
    total = 0.0
    for name, table in parameters["RequestItems"].items():
        items = answer["Responses"].get(name, [])
        units = sum(ceil(item_size(item) / READ) for item in items) + len(table["Keys"]) - len(items)
        total += units if table.get("ConsistentRead") else units / 2
    return total


def item_size(item: Mapping[str, Mapping[str, Any]]) -> int:
    """Bytes of an item of strings, numbers and string sets: UTF-8 of every name and value; a number takes about a
    byte for two digits and one more.

    Source: DynamoDB developer guide, "DynamoDB item sizes and formats".

    >>> item_size({"visitor": {"S": "v1"}, "pending": {"SS": ["a", "bc"]}, "received": {"N": "2"}})
    29
    """
    size = 0
    for name, typed in item.items():
        ((kind, value),) = typed.items()
        texts = value if kind == "SS" else [value]
        size += len(name.encode()) + sum(len(t) // 2 + 2 if kind == "N" else len(t.encode()) for t in texts)
    return size

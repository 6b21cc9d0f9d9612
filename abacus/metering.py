"""What calls to DynamoDB take, in its own units: from its answers, and from items' sizes where they do not say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from typing import Any

SINGLE_READ = 4096  # bytes of one item that one strongly consistent read unit covers


@dataclass
class Use:
    """What was taken: write and read request units, and calls of any kind."""

    written: float = 0
    read: float = 0
    calls: float = 0

    def shared(self, among: int) -> Use:
        return Use(self.written / among, self.read / among, self.calls / among)


@contextmanager
def metered(client: Any) -> Iterator[Use]:
    """Adds up what the calls of a DynamoDB client take, by what its answers say of it."""
    use = Use()

    def ask(params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> dict[str, Any]:
        context["asked"] = params
        if "ReturnConsumedCapacity" not in model.input_shape.members:
            return params
        return params | {"ReturnConsumedCapacity": "TOTAL"}

    def note(parsed: Mapping[str, Any], model: Any, context: Mapping[str, Any], **_: Any) -> None:
        use.calls += 1
        said = parsed.get("ConsumedCapacity", [])
        for table in said if isinstance(said, list) else [said]:
            if model.name.startswith(("Get", "BatchGet", "Query", "Scan", "TransactGet")):
                use.read += table["CapacityUnits"]
            else:
                use.written += table["CapacityUnits"]
        if model.name == "BatchGetItem" and not said:  # the emulator does not say
            use.read += batch_read_units(context["asked"], parsed)

    hooks = (("provide-client-params.dynamodb", ask), ("after-call.dynamodb", note))
    for name, hook in hooks:
        client.meta.events.register(name, hook)
    yield use
    for name, hook in hooks:
        client.meta.events.unregister(name, hook)


def batch_read_units(asked: Mapping[str, Any], answer: Mapping[str, Any]) -> int:
    """Units of a strongly consistent BatchGetItem: each item is rounded up to 4 KB by itself, a missing one is one.

    Source: DynamoDB developer guide, "Read consumption"."""
    items = [item for table in answer["Responses"].values() for item in table]
    keys = sum(len(table["Keys"]) for table in asked["RequestItems"].values())
    return sum(ceil(item_size(item) / SINGLE_READ) for item in items) + keys - len(items)


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

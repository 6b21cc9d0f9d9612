"""DynamoDB's rules for requests: values, keys, sizes, transactions, batches, scans.

Sources: developer guide, "Quotas in Amazon DynamoDB", "Data types and naming rules", "Item sizes and formats";
API reference, TransactWriteItems, BatchGetItem, Scan.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from tests.support.aws_rules.expressions import check_expressions
from tests.support.aws_rules.violation import Violation, require

ITEM_BYTES = 400 * 1024
TRANSACTION_BYTES = 4 * 1024 * 1024
TRANSACTION_ITEMS = 100
BATCH_KEYS = 100
HASH_BYTES = 2048  # of a partition key; a sort key has at most half of that
NAME = re.compile(r"[A-Za-z0-9_.-]{3,255}")

Value = Mapping[str, Any]


def check(operation: str, request: Mapping[str, Any]) -> None:
    """Hold a request of the API to the rules. Raises Violation."""
    if "TableName" in request:
        check_table_name(request["TableName"])
    if operation in ("UpdateItem", "PutItem", "DeleteItem", "GetItem", "Query", "Scan"):
        _check_item(request)
    if operation == "Scan" and ("Segment" in request or "TotalSegments" in request):
        total, segment = request.get("TotalSegments"), request.get("Segment")
        require(total is not None and segment is not None, "Segment and TotalSegments come together")
        require(
            1 <= total <= 1_000_000 and 0 <= segment < total, "Segment must be below TotalSegments, at most 1,000,000"
        )
    if operation == "Query":
        require("KeyConditionExpression" in request, "a Query needs a KeyConditionExpression")
    if operation in ("TransactWriteItems", "TransactGetItems"):
        _check_transaction(request)
    if operation == "BatchGetItem":
        _check_batch(request["RequestItems"])


def check_table_name(name: str) -> None:
    """Hold the name of a table, or its ARN, to the rules."""
    require(
        name.startswith("arn:") or NAME.fullmatch(name),
        f"{name!r} is no name of a table: 3 to 255 of a-z A-Z 0-9 _ - .",
    )


def _check_item(request: Mapping[str, Any]) -> None:
    for name in ("Key", "Item", "ExclusiveStartKey"):
        if name in request:
            check_attributes(request[name])
    for name in ("Key", "ExclusiveStartKey"):
        if name in request:
            _check_key(request[name])
    check_attributes(request.get("ExpressionAttributeValues", {}))
    check_expressions(request)
    written = {**request.get("Key", {}), **request.get("Item", {}), **request.get("ExpressionAttributeValues", {})}
    require(size(written) <= ITEM_BYTES, f"an item has at most {ITEM_BYTES} bytes")


def _check_key(key: Mapping[str, Value]) -> None:
    require(1 <= len(key) <= 2, "a key has one or two attributes")
    for name, value in key.items():
        ((kind, content),) = value.items()
        require(kind in ("S", "N", "B"), f"the key attribute {name} is no string, number or binary")
        require(content not in ("", b""), f"the key attribute {name} must not be empty")
        require(size({"": value}) <= HASH_BYTES, f"the key attribute {name} has more than {HASH_BYTES} bytes")


def check_attributes(attributes: Mapping[str, Value]) -> None:
    """Hold each value to the rules of its type."""
    for name, value in attributes.items():
        require(len(value) == 1, f"{name} must have exactly one type")
        ((kind, content),) = value.items()
        if kind in ("SS", "NS", "BS"):
            require(content, f"{name}: a set must not be empty")
            require(len({str(member) for member in content}) == len(content), f"{name}: a set holds no member twice")
        for number in [content] if kind == "N" else content if kind == "NS" else []:
            _check_number(name, number)
        if kind == "M":
            check_attributes(content)
        if kind == "L":
            check_attributes({f"{name}[{index}]": member for index, member in enumerate(content)})


def _check_number(name: str, text: str) -> None:
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise Violation(f"{name}: {text!r} is no number") from error
    require(number.is_finite(), f"{name}: {text!r} is no number")
    digits = "".join(map(str, number.as_tuple().digits)).strip("0")
    require(len(digits) <= 38, f"{name}: a number has at most 38 significant digits")
    require(not number or Decimal("1e-130") <= abs(number) < Decimal("1e126"), f"{name}: the number is out of range")


def _check_transaction(request: Mapping[str, Any]) -> None:
    actions = [action for item in request["TransactItems"] for action in item.items()]
    require(1 <= len(actions) <= TRANSACTION_ITEMS, f"a transaction has 1 to {TRANSACTION_ITEMS} actions")
    require(all(len(item) == 1 for item in request["TransactItems"]), "each item of a transaction has one action")
    seen = set()
    total = 0
    for kind, action in actions:
        check_table_name(action["TableName"])
        _check_item(action)
        if kind == "Update":
            require("UpdateExpression" in action, "an Update of a transaction needs an UpdateExpression")
        if kind == "ConditionCheck":
            require("ConditionExpression" in action, "a ConditionCheck needs a ConditionExpression")
        if "Key" in action:
            identity = (action["TableName"], json.dumps(action["Key"], sort_keys=True, default=str))
            require(identity not in seen, "a transaction cannot include multiple operations on one item")
            seen.add(identity)
        total += size({**action.get("Item", {}), **action.get("ExpressionAttributeValues", {})})
    require(total <= TRANSACTION_BYTES, f"a transaction has at most {TRANSACTION_BYTES} bytes")


def _check_batch(tables: Mapping[str, Any]) -> None:
    keys = [
        (table, json.dumps(key, sort_keys=True, default=str))
        for table, request in tables.items()
        for key in request["Keys"]
    ]
    require(1 <= len(keys) <= BATCH_KEYS, f"a BatchGetItem has 1 to {BATCH_KEYS} keys")
    require(len(set(keys)) == len(keys), "a BatchGetItem cannot contain a key twice")
    for table, request in tables.items():
        check_table_name(table)
        check_expressions(request)
        for key in request["Keys"]:
            check_attributes(key)
            _check_key(key)


def size(item: Mapping[str, Value]) -> int:
    """About how many bytes DynamoDB counts for attributes: UTF-8 of names and values."""
    return sum(len(name.encode()) + sum(_sizes(value)) for name, value in item.items())


def _sizes(value: Value) -> Iterator[int]:
    ((kind, content),) = value.items()
    if kind in ("SS", "NS", "BS"):
        yield from (len(str(member).encode()) for member in content)
    elif kind == "M":
        yield 3 + size(content)
    elif kind == "L":
        yield 3 + sum(1 + sum(_sizes(member)) for member in content)
    else:
        yield len(content if isinstance(content, bytes) else str(content).encode())

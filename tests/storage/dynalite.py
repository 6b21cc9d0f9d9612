"""dynalite, a DynamoDB in node with a parser of its own: a second opinion on every expression.

It has no transactions: each action of one is sent by itself, in order, and what was done before a refused one stays.
Nor does it return the item that a condition failed on: that is read afterwards.
"""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError

from abacus.paths import PROJECT, node
from chalicelib.storage.retry import client_config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

START = """
const server = require('dynalite')({ createTableMs: 0 });
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.on('end', () => process.exit()).resume();
"""


@contextlib.contextmanager
def dynalite() -> Iterator[DynamoDBClient]:
    """A client of a dynalite of its own, which ends with the block, or with this process."""
    command = [node(), "-e", START]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PROJECT) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        port = process.stdout.readline().strip()
        assert port, "dynalite did not start"
        client = boto3.client(
            "dynamodb",
            "us-east-1",
            endpoint_url=f"http://127.0.0.1:{port}",
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=client_config(read_timeout=30),
        )
        try:
            yield client
        finally:
            client.close()
            process.stdin.close()
            process.wait(30)


class Completed:
    """A client of dynalite with what dynalite lacks; everything else is sent as it is."""

    def __init__(self, client: DynamoDBClient) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def update_item(self, *, ReturnValuesOnConditionCheckFailure: str = "NONE", **request: Any) -> Any:
        """An update whose failed condition brings the item with it, if the request wants that."""
        try:
            return self._client.update_item(**request)
        except self._client.exceptions.ConditionalCheckFailedException as error:
            if ReturnValuesOnConditionCheckFailure == "ALL_OLD":
                item = self._client.get_item(TableName=request["TableName"], Key=request["Key"], ConsistentRead=True)
                error.response["Item"] = item.get("Item", {})  # type: ignore[typeddict-unknown-key]
            raise

    def transact_write_items(self, *, TransactItems: Sequence[Any]) -> None:
        """Each action by itself. Raises what a cancelled transaction raises."""
        calls = {"Update": self._client.update_item, "Delete": self._client.delete_item, "Put": self._client.put_item}
        for item in TransactItems:
            for kind, action in item.items():
                try:
                    calls[kind](**action)
                except self._client.exceptions.ConditionalCheckFailedException as error:
                    reasons = [{"Code": "ConditionalCheckFailed"}]
                    cancelled = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}
                    raise ClientError(cancelled, "TransactWriteItems") from error  # type: ignore[arg-type]

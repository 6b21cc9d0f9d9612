"""The tables, queues and the bucket of a stage, which stay when their stack is deleted: found and deleted by name."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from abacus.aws import cloudformation, names
from abacus.aws.account import Account
from abacus.aws.templates import read, references
from abacus.paths import INFRA

TABLE, QUEUE, BUCKET = "AWS::DynamoDB::Table", "AWS::SQS::Queue", "AWS::S3::Bucket"
NAME_PROPERTY = {TABLE: "TableName", QUEUE: "QueueName", BUCKET: "BucketName"}
NOT_FOUND = {
    "ResourceNotFoundException",
    "AWS.SimpleQueueService.NonExistentQueue",
    "QueueDoesNotExist",
    "NoSuchBucket",
    "404",
}
# SQS takes up to a minute to delete a queue, which may answer meanwhile, and blocks its name for a minute after that.
QUEUE_DELETION_S = 60


class Retained(NamedTuple):
    """A resource that the data stack's template says to retain."""

    logical_id: str
    kind: str  # its type, such as AWS::SQS::Queue
    name: str


@dataclass(frozen=True)
class Waiting:
    """How to wait; the tests pass a clock of their own. Both in seconds."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


WAITING = Waiting()


def retained_resources(stage: str, account: Account) -> Iterator[Retained]:
    """Everything of a stage that the data stack's template says to retain, whether it exists or not."""
    words = {"Name": names.prefix(stage), "AWS::AccountId": account.number, "AWS::Region": account.region}
    for logical_id, resource in read(INFRA / "data.yaml").resources.items():
        if resource.get("DeletionPolicy", "").startswith("Retain"):
            name: str = resource["Properties"][NAME_PROPERTY[resource["Type"]]]["Fn::Sub"]
            for word, value in words.items():
                name = name.replace(f"${{{word}}}", value)
            yield Retained(logical_id, resource["Type"], name)


def existing(stage: str, account: Account) -> list[Retained]:
    """Those of them that exist."""
    return [resource for resource in retained_resources(stage, account) if exists(resource, account)]


def exists(resource: Retained, account: Account) -> bool:
    """Whether AWS knows the resource; of a queue that is being deleted it does for up to a minute."""
    lookups: dict[str, Callable[[], Any]] = {
        TABLE: lambda: account.client("dynamodb").describe_table(TableName=resource.name),
        QUEUE: lambda: account.client("sqs").get_queue_url(QueueName=resource.name),
        BUCKET: lambda: account.client("s3").head_bucket(Bucket=resource.name),
    }
    try:
        lookups[resource.kind]()
    except ClientError as error:
        if error.response["Error"]["Code"] in NOT_FOUND:
            return False
        raise
    return True


def adopt(stage: str, account: Account, follow: cloudformation.Follow) -> list[str]:
    """Create the data stack around what an earlier one left; the names of what it took in, or none."""
    resources = existing(stage, account)
    if resources:
        identifiers: Any = [
            {"LogicalResourceId": r.logical_id, "ResourceType": r.kind, "ResourceIdentifier": _identifier(r, account)}
            for r in resources
        ]
        template = import_template(names.prefix(stage), [resource.logical_id for resource in resources])
        client, stack = account.cloudformation("data"), names.stack(stage, "data")
        cloudformation.adopt(client, stack, template, identifiers, watch=cloudformation.Watch(follow, account.poll))
    return [resource.name for resource in resources]


def import_template(prefix: str, logical_ids: list[str]) -> str:
    """The part of the data stack's template that declares the given resources, as JSON.

    A property that refers to a resource outside of them is left out: the spill queue's RedrivePolicy, for one, if the
    queue of its dead letters is gone. The update that follows an import creates that resource and sets the property."""
    declared = read(INFRA / "data.yaml").resources
    resources = {}
    for logical_id in logical_ids:
        properties = {
            name: value
            for name, value in declared[logical_id]["Properties"].items()
            if references(value) & declared.keys() <= set(logical_ids)
        }
        resources[logical_id] = declared[logical_id] | {"Properties": properties}
    return json.dumps({"Parameters": {"Name": {"Type": "String", "Default": prefix}}, "Resources": resources})


def _identifier(resource: Retained, account: Account) -> dict[str, str]:
    if resource.kind == QUEUE:
        return {"QueueUrl": account.client("sqs").get_queue_url(QueueName=resource.name)["QueueUrl"]}
    return {NAME_PROPERTY[resource.kind]: resource.name}


def versions(s3: Any, bucket: str) -> Iterator[list[dict[str, str]]]:
    """Every version of every object and every delete marker, up to a thousand at a time."""
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        objects = page.get("Versions", []) + page.get("DeleteMarkers", [])
        if objects:
            yield [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in objects]


def delete(resource: Retained, account: Account) -> None:
    """Delete a resource with everything in it. Of a queue this returns while SQS is still at it."""
    if resource.kind == TABLE:
        dynamodb = account.client("dynamodb")
        if dynamodb.describe_table(TableName=resource.name)["Table"].get("DeletionProtectionEnabled"):
            dynamodb.update_table(TableName=resource.name, DeletionProtectionEnabled=False)
            dynamodb.get_waiter("table_exists").wait(TableName=resource.name, WaiterConfig={"Delay": account.poll or 1})
        dynamodb.delete_table(TableName=resource.name)
        dynamodb.get_waiter("table_not_exists").wait(TableName=resource.name, WaiterConfig={"Delay": account.poll or 1})
    elif resource.kind == QUEUE:
        sqs = account.client("sqs")
        sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName=resource.name)["QueueUrl"])
    else:
        s3 = account.client("s3")
        for some in versions(s3, resource.name):
            s3.delete_objects(Bucket=resource.name, Delete={"Objects": some, "Quiet": True})
        s3.delete_bucket(Bucket=resource.name)


def wait_until_deleted(
    resources: list[Retained], account: Account, *, waiting: Waiting = WAITING, name_is_blocked: bool = True
) -> list[Retained]:
    """Wait until deleted queues are gone and their names are free again; those that are still there in the end.

    Args:
        name_is_blocked: whether SQS blocks the name of a deleted queue, as AWS does and the emulator does not."""
    began = waiting.clock()
    queues = [resource for resource in resources if resource.kind == QUEUE]
    left = [resource for resource in queues if exists(resource, account)]
    while left and waiting.clock() - began < 2 * QUEUE_DELETION_S:
        waiting.sleep(account.poll or 0.05)
        left = [resource for resource in left if exists(resource, account)]
    if queues and name_is_blocked:
        waiting.sleep(max(0.0, began + QUEUE_DELETION_S - waiting.clock()))
    return left

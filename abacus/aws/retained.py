"""What outlives its stack: tables, queues and bucket, found by their names and deleted by themselves."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from abacus.aws import cloudformation, names
from abacus.aws.account import Account
from abacus.aws.templates import read
from abacus.paths import INFRA

NAME_OF = {"AWS::DynamoDB::Table": "TableName", "AWS::SQS::Queue": "QueueName", "AWS::S3::Bucket": "BucketName"}
GONE = {"ResourceNotFoundException", "AWS.SimpleQueueService.NonExistentQueue", "NoSuchBucket", "404"}


class Thing(NamedTuple):
    logical: str  # what the template calls it
    kind: str
    name: str


def things(of: str, account: Account) -> Iterator[Thing]:
    """Everything of a stage that the data stack's template says to keep; whether it exists or not."""
    words = {"Name": names.prefix(of), "AWS::AccountId": account.number, "AWS::Region": account.region}
    for logical, resource in read(INFRA / "data.yaml").resources.items():
        if resource.get("DeletionPolicy", "").startswith("Retain"):
            name: str = resource["Properties"][NAME_OF[resource["Type"]]]["Fn::Sub"]
            for word, value in words.items():
                name = name.replace(f"${{{word}}}", value)
            yield Thing(logical, resource["Type"], name)


def existing(of: str, account: Account) -> list[Thing]:
    """Those of them that are there."""
    return [thing for thing in things(of, account) if _exists(thing, account)]


def _exists(thing: Thing, account: Account) -> bool:
    asks: dict[str, Callable[[], Any]] = {
        "AWS::DynamoDB::Table": lambda: account.client("dynamodb").describe_table(TableName=thing.name),
        "AWS::SQS::Queue": lambda: account.client("sqs").get_queue_url(QueueName=thing.name),
        "AWS::S3::Bucket": lambda: account.client("s3").head_bucket(Bucket=thing.name),
    }
    try:
        asks[thing.kind]()
    except ClientError as error:
        if error.response["Error"]["Code"] in GONE:
            return False
        raise
    return True


def adopt(of: str, account: Account, follow: cloudformation.Follow) -> list[str]:
    """Make the data stack around what outlived an earlier one; the names of what it took in."""
    found = existing(of, account)
    resources = read(INFRA / "data.yaml").resources
    if found:
        name, alone = names.prefix(of), {thing.logical: resources[thing.logical] for thing in found}
        template = {"Parameters": {"Name": {"Type": "String", "Default": name}}, "Resources": alone}
        taken: Any = [
            {"LogicalResourceId": t.logical, "ResourceType": t.kind, "ResourceIdentifier": _identifier(t, account)}
            for t in found
        ]
        client = account.cloudformation("data")
        cloudformation.adopt(
            client, names.stack(of, "data"), json.dumps(template), taken, follow=follow, poll=account.poll
        )
    return [thing.name for thing in found]


def _identifier(thing: Thing, account: Account) -> dict[str, str]:
    if thing.kind == "AWS::SQS::Queue":
        return {"QueueUrl": account.client("sqs").get_queue_url(QueueName=thing.name)["QueueUrl"]}
    return {NAME_OF[thing.kind]: thing.name}


def versions(s3: Any, bucket: str) -> Iterator[list[dict[str, str]]]:
    """Every version of every object and every delete marker, up to a thousand at a time."""
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        found = page.get("Versions", []) + page.get("DeleteMarkers", [])
        if found:
            yield [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in found]


def delete(thing: Thing, account: Account) -> None:
    """Delete it with everything in it."""
    if thing.kind == "AWS::DynamoDB::Table":
        dynamodb = account.client("dynamodb")
        dynamodb.delete_table(TableName=thing.name)
        dynamodb.get_waiter("table_not_exists").wait(TableName=thing.name, WaiterConfig={"Delay": account.poll or 1})
    elif thing.kind == "AWS::SQS::Queue":
        sqs = account.client("sqs")
        sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName=thing.name)["QueueUrl"])
    else:
        s3 = account.client("s3")
        for some in versions(s3, thing.name):
            s3.delete_objects(Bucket=thing.name, Delete={"Objects": some, "Quiet": True})
        s3.delete_bucket(Bucket=thing.name)

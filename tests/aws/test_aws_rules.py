"""The checker of requests knows what AWS refuses, also where the emulator takes it."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import boto3
import pytest

from abacus.local.emulated_stacks import LocalAws, environment
from tests.support.aws_rules import checker, services
from tests.support.aws_rules.violation import Violation

TABLE = "abacus-participants"
KEY = {"visitor": {"S": "v"}, "experiment": {"S": "e"}}
ONE = {":n": {"N": "1"}}
Request = tuple[str, str, dict[str, Any]]  # service, operation, parameters


def update(expression: str, values: dict[str, Any] | None = None, **more: Any) -> Request:
    given = {"UpdateExpression": expression, "ExpressionAttributeValues": ONE if values is None else values, **more}
    return "dynamodb", "UpdateItem", {"TableName": TABLE, "Key": KEY, **{k: v for k, v in given.items() if v}}


def put(**attributes: Any) -> Request:
    return "dynamodb", "PutItem", {"TableName": TABLE, "Item": KEY | attributes}


def transaction(*actions: dict[str, Any]) -> Request:
    return "dynamodb", "TransactWriteItems", {"TransactItems": list(actions)}


def key(visitor: str) -> dict[str, Any]:
    return KEY | {"visitor": {"S": visitor}}


def policy(*resources: Any, **more: Any) -> dict[str, Any]:
    statement = {"Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": list(resources), **more}
    return {"Version": "2012-10-17", "Statement": [statement]}


def stack(name: str, parameters: dict[str, str] | None = None, **resources: Any) -> Request:
    given = [{"ParameterKey": k, "ParameterValue": v} for k, v in (parameters or {}).items()]
    template = json.dumps({"Resources": resources or {"Queue": QUEUE}})
    return "cloudformation", "CreateStack", {"StackName": name, "TemplateBody": template, "Parameters": given}


QUEUE = {"Type": "AWS::SQS::Queue"}
TWO_QUEUES = {
    "A": QUEUE,
    "B": QUEUE,
    "Policy": {
        "Type": "AWS::SQS::QueuePolicy",
        "Properties": {
            "Queues": [{"Ref": "A"}, {"Ref": "B"}],
            "PolicyDocument": policy({"Fn::GetAtt": ["A", "Arn"]}, {"Fn::GetAtt": ["B", "Arn"]}),
        },
    },
}
QUEUE_URL = "http://sqs.us-east-1.localhost/000000000000/abacus-spill"
ARN = "arn:aws:sqs:us-east-1:000000000000:"
BY_EVENT_NAME = {"Filters": [{"Pattern": json.dumps({"eventName": ["INSERT"], "dynamodb": {"NewImage": {}}})}]}
TRIGGER = {
    "FunctionName": "f",
    "EventSourceArn": "arn:aws:dynamodb:us-east-1:000000000000:table/abacus-participants/stream/2026",
    "StartingPosition": "LATEST",
    "FilterCriteria": BY_EVENT_NAME,
}
LARGE_ENVIRONMENT = {"Variables": {"A": "x" * 5000}}
LARGE_POLICY = policy(*[f"arn:aws:s3:::{'x' * 60}"] * 200, Principal=None)

# What AWS refuses and ministack takes: the rule's words, and the request.
TAKEN_BY_THE_EMULATOR: dict[str, tuple[str, Request]] = {
    "one attribute in two clauses": ("overlap", update("ADD a :s DELETE a :s", {":s": {"SS": ["x"]}})),
    "a clause used twice": ("SET section can only be used once", update("SET a = :n SET b = :n")),
    "301 operators": ("more than 300 operators", update("SET a = :n" + " + :n" * 301)),
    "101 operands of IN": (
        "IN has more than 100",
        update("SET a = :n", ConditionExpression=f"b IN ({','.join([':n'] * 101)})"),
    ),
    "a queue's policy for another queue": (
        "names another queue",
        (
            "sqs",
            "SetQueueAttributes",
            {"QueueUrl": QUEUE_URL, "Attributes": {"Policy": json.dumps(policy(f"{ARN}abacus-spill", f"{ARN}other"))}},
        ),
    ),
    "one policy for two queues of a template": ("names its own queue only", stack("two-queues", **TWO_QUEUES)),
    "a queue's name with a dot": ("no name of a queue", ("sqs", "CreateQueue", {"QueueName": "a.b"})),
    "a key of 1,025 bytes": (
        "a key has 1 to 1,024 bytes",
        ("s3", "PutObject", {"Bucket": "rules-of-s3", "Key": "k" * 1025, "Body": b""}),
    ),
    "a bucket's policy for another bucket": (
        "names another resource",
        ("s3", "PutBucketPolicy", {"Bucket": "rules-of-s3", "Policy": json.dumps(policy("arn:aws:s3:::other/*"))}),
    ),
    "a parameter that the template has not": ("do not exist in the template", stack("unknown", {"No": "x"})),
    "a trigger's filter by the event's name": (
        "filters on the key dynamodb only, not on eventName",
        ("lambda", "CreateEventSourceMapping", TRIGGER),
    ),
    "an environment above 4 KB": (
        "at most 4 KB",
        (
            "lambda",
            "UpdateFunctionConfiguration",
            {"FunctionName": "f", "Environment": {"Variables": {"A": "x" * 5000}}},
        ),
    ),
    "a runtime that does not exist": (
        "'python4.0' is none of",
        ("lambda", "UpdateFunctionConfiguration", {"FunctionName": "f", "Runtime": "python4.0"}),
    ),
    "a policy above 10,240 characters": (
        "at most 10240 characters",
        ("iam", "PutRolePolicy", {"RoleName": "r", "PolicyName": "p", "PolicyDocument": json.dumps(LARGE_POLICY)}),
    ),
    "a statement's id with blanks": (
        "letters and digits only",
        (
            "iam",
            "PutRolePolicy",
            {"RoleName": "r", "PolicyName": "p", "PolicyDocument": json.dumps(policy("*", Sid="a b"))},
        ),
    ),
}
REFUSED_BY_BOTH: dict[str, tuple[str, Request]] = {
    "a reserved word": ("counter is a reserved word", update("SET counter = :n")),
    "a reserved word in a condition": ("status is a reserved", update("SET a = :n", ConditionExpression="status = :n")),
    "overlapping paths": ("overlap: a.b and a", update("SET a.b = :n, a = :n")),
    "an unused value": (":m is defined and unused", update("SET a = :n", ONE | {":m": {"N": "1"}})),
    "an undefined value": ("the value :n is not defined", update("SET a = :n", {})),
    "an undefined name": ("the name #a is not defined", update("SET #a = :n")),
    "names without an expression": (
        "only be specified when using expressions",
        ("dynamodb", "GetItem", {"TableName": TABLE, "Key": KEY, "ExpressionAttributeNames": {"#a": "a"}}),
    ),
    "an update of the key": ("key attribute visitor cannot be updated", update("SET visitor = :n")),
    "ADD of a string": ("ADD takes a value of type BS, N, NS, SS", update("ADD a :n", {":n": {"S": "x"}})),
    "an unknown function": ("exists is no function", update("SET a = :n", ConditionExpression="exists(a)")),
    "an empty set": ("a set must not be empty", put(pending={"SS": []})),
    "a set with a member twice": ("holds no member twice", put(pending={"SS": ["a", "a"]})),
    "39 digits": ("at most 38 significant digits", put(n={"N": "1" * 39})),
    "an item of 401 KB": ("an item has at most", put(a={"S": "x" * 410_000})),
    "an empty key": ("must not be empty", ("dynamodb", "GetItem", {"TableName": TABLE, "Key": key("")})),
    "a key of 2,049 bytes": ("2048 bytes", ("dynamodb", "GetItem", {"TableName": TABLE, "Key": key("x" * 2049)})),
    "101 items in a transaction": (
        "1 to 100 actions",
        transaction(*[{"Delete": {"TableName": TABLE, "Key": key(str(i))}} for i in range(101)]),
    ),
    "one item twice in a transaction": (
        "multiple operations on one item",
        transaction(*[{"Delete": {"TableName": TABLE, "Key": KEY}}] * 2),
    ),
    "a transaction above 4 MB": (
        "a transaction has at most",
        transaction(
            *[{"Put": {"TableName": TABLE, "Item": key(str(i)) | {"a": {"S": "x" * 390_000}}}} for i in range(11)]
        ),
    ),
    "a key twice in a batch": (
        "cannot contain a key twice",
        ("dynamodb", "BatchGetItem", {"RequestItems": {TABLE: {"Keys": [KEY, KEY]}}}),
    ),
    "a segment beyond the last": (
        "Segment must be below TotalSegments",
        ("dynamodb", "Scan", {"TableName": TABLE, "Segment": 3, "TotalSegments": 3}),
    ),
    "a table's name of one letter": ("no name of a table", ("dynamodb", "DescribeTable", {"TableName": "p"})),
    "a character that XML has not": (
        "a character that SQS does not take",
        ("sqs", "SendMessage", {"QueueUrl": QUEUE_URL, "MessageBody": "a\x00b"}),
    ),
    "a bucket's name like an address": ("formatted as an IP", ("s3", "CreateBucket", {"Bucket": "192.168.5.4"})),
    "a stack's name that begins with a digit": ("no name of a stack", stack("1st")),
}


def model(service: str, operation: str) -> Any:
    client = boto3.client(service, "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")  # type: ignore[call-overload]
    return client.meta.service_model.operation_model(operation)


@pytest.mark.parametrize("name", [*TAKEN_BY_THE_EMULATOR, *REFUSED_BY_BOTH])
def test_the_checker_refuses(name: str) -> None:
    rule, (service, operation, request) = (TAKEN_BY_THE_EMULATOR | REFUSED_BY_BOTH)[name]
    with pytest.raises(Violation, match=rule):
        checker.check(service, operation, request, model(service, operation))


@pytest.fixture(scope="module")
def permissive(data: LocalAws) -> LocalAws:
    """The emulator with a function, a role and a bucket to send wrong requests to."""
    client: Any = data.client
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as file:
        file.writestr("f.py", "def handler(event, context): ...")
    client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17"}))
    client("lambda").create_function(
        FunctionName="f",
        Runtime="python3.11",
        Role="arn:aws:iam::000000000000:role/r",
        Handler="f.handler",
        Code={"ZipFile": code.getvalue()},
    )
    data.s3.create_bucket(Bucket="rules-of-s3")
    return data


@pytest.mark.ministack
@pytest.mark.parametrize("name", TAKEN_BY_THE_EMULATOR)
def test_the_emulator_takes_what_the_checker_refuses(name: str, permissive: LocalAws) -> None:
    """When the emulator learns a rule, its case belongs to those that both refuse."""
    _, (service, operation, request) = TAKEN_BY_THE_EMULATOR[name]
    client: Any = permissive.client(service)
    real = {"QueueUrl": permissive.names["SpillQueueUrl"]} if "QueueUrl" in request else {}
    if "EventSourceArn" in request:
        real = {"EventSourceArn": permissive.names["ParticipantsStreamArn"]}
    with checker.not_checked():
        answer = client._make_api_call(operation, request | real)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] < 300


@pytest.mark.ministack
def test_every_client_of_this_process_is_checked_also_where_the_code_survives(
    data: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chalicelib.runtime.service import aws_client

    for name, value in environment(data.endpoint, {}).items():
        monkeypatch.setenv(name, value)
    for client in (data.dynamodb, boto3.Session().client("dynamodb"), aws_client("dynamodb")):
        try:
            client.get_item(TableName="p", Key=KEY)  # type: ignore[arg-type]
        except Exception as error:
            assert isinstance(error, Violation)  # noqa: PT017  what is tested is that code may swallow it
    assert len(checker.take_violations()) == 3


def test_a_reference_that_cloudfront_has_seen_creates_no_second_invalidation() -> None:
    invalidations = services.Invalidations()

    def request(reference: str) -> dict[str, Any]:
        batch = {"Paths": {"Quantity": 1, "Items": ["/*"]}, "CallerReference": reference}
        return {"DistributionId": "E1", "InvalidationBatch": batch}

    invalidations.check(request("a digest"), "https://cloudfront")
    invalidations.check(request("another"), "https://cloudfront")
    with pytest.raises(Violation, match="creates no new invalidation"):
        invalidations.check(request("a digest"), "https://cloudfront")


@pytest.mark.parametrize(
    "request_",
    [
        update("SET #c = if_not_exists(#c, :n) + :n, a.b[0] = :n REMOVE c ADD d :s", ONE | {":s": {"SS": ["x"]}},
               ExpressionAttributeNames={"#c": "counter"}),
        update("ADD a :n", ConditionExpression="(attribute_not_exists(b) OR size(b) < :n) AND c BETWEEN :n AND :n"),
        put(a={"M": {"list": {"L": [{"N": "1.5e-10"}, {"BOOL": True}, {"NULL": True}]}}}),
    ],
)  # fmt: skip
def test_the_checker_takes_what_aws_takes(request_: Request) -> None:
    service, operation, request = request_
    checker.check(service, operation, request, model(service, operation))

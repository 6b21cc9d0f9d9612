"""Rules of SQS, S3, Lambda, CloudFormation, CloudFront and IAM that their emulator does not know.

Sources: SQS developer guide, "Special information for SQS policies" and "Quotas"; Lambda developer guide, "Using event
filtering with a DynamoDB event source"; CloudFormation user guide, "Quotas" and "Parameters"; S3 user guide, "Bucket
naming rules"; CloudFront API reference, CreateInvalidation; IAM user guide, "IAM and AWS STS quotas".
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from abacus.aws.templates import parse
from tests.support.aws_rules.violation import require

BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
QUEUE = re.compile(r"[A-Za-z0-9_-]{1,80}(\.fifo)?")
STACK = re.compile(r"[A-Za-z][-A-Za-z0-9]{0,127}|arn:.+")
MESSAGE_BYTES = 1024 * 1024
NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
TEMPLATE_BYTES = 51_200
POLICY_BYTES = 10_240


class Invalidations:
    """The references that CloudFront has seen, by distribution: one that comes again creates no invalidation."""

    def __init__(self) -> None:
        self._seen: set[tuple[str, str, str]] = set()

    def check(self, request: Mapping[str, Any], endpoint: str) -> None:
        """Hold a CreateInvalidation to the rules. Raises Violation."""
        batch = request["InvalidationBatch"]
        paths = batch["Paths"].get("Items", [])
        require(batch["Paths"]["Quantity"] == len(paths), "Quantity is the number of Items")
        require(all(path.startswith("/") for path in paths), "a path begins with a slash")
        reference = (endpoint, request["DistributionId"], batch["CallerReference"])
        require(reference not in self._seen, "a CallerReference that was used creates no new invalidation")
        self._seen.add(reference)


def check_sqs(operation: str, request: Mapping[str, Any]) -> None:
    """Hold a request to SQS to the rules. Raises Violation."""
    if operation == "CreateQueue":
        require(QUEUE.fullmatch(request["QueueName"]), f"{request['QueueName']!r} is no name of a queue")
    for message in [request, *request.get("Entries", [])]:
        if "MessageBody" in message:
            body = message["MessageBody"]
            require(body, "a message must not be empty")
            require(not NOT_XML.search(body), "a message holds a character that SQS does not take")
            require(len(body.encode()) <= MESSAGE_BYTES, f"a message has at most {MESSAGE_BYTES} bytes")
    if operation.endswith("Batch"):
        ids = [entry["Id"] for entry in request["Entries"]]
        require(1 <= len(ids) <= 10 and len(set(ids)) == len(ids), "a batch has 1 to 10 entries of distinct ids")
    if operation == "ReceiveMessage":
        require(1 <= request.get("MaxNumberOfMessages", 1) <= 10, "MaxNumberOfMessages is 1 to 10")
        require(0 <= request.get("WaitTimeSeconds", 0) <= 20, "WaitTimeSeconds is 0 to 20")
    attributes = request.get("Attributes", {}) if operation in ("CreateQueue", "SetQueueAttributes") else {}
    if attributes.get("Policy"):
        name = request.get("QueueName") or request["QueueUrl"].rpartition("/")[2]
        for statement in statements(json.loads(attributes["Policy"])):
            for arn in _listed(statement.get("Resource", [])):
                require(arn == "*" or arn.endswith(f":{name}"), f"the policy of {name} names another queue: {arn}")


def check_s3(operation: str, request: Mapping[str, Any]) -> None:
    """Hold a request to S3 to the rules. Raises Violation."""
    bucket = request.get("Bucket")
    if bucket is not None:
        check_bucket_name(bucket)
    if "Key" in request:
        require(1 <= len(request["Key"].encode()) <= 1024, "a key has 1 to 1,024 bytes")
    if operation == "DeleteObjects":
        require(1 <= len(request["Delete"]["Objects"]) <= 1000, "DeleteObjects takes 1 to 1,000 objects")
    if operation == "PutBucketPolicy":
        for statement in statements(json.loads(request["Policy"])):
            for arn in _listed(statement.get("Resource", [])):
                own = re.fullmatch(rf"arn:[^:]+:s3:::{re.escape(str(bucket))}(/.*)?", arn)
                require(own, f"the policy of {bucket} names another resource: {arn}")


def check_bucket_name(name: str) -> None:
    """Hold a bucket's name to the rules."""
    require(BUCKET.fullmatch(name) and ".." not in name, f"{name!r} is no name of a bucket")
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return
    require(False, f"{name!r} is formatted as an IP address")


def check_lambda(operation: str, request: Mapping[str, Any]) -> None:
    """Hold a request to Lambda to the rules. Raises Violation."""
    if operation in ("CreateEventSourceMapping", "UpdateEventSourceMapping"):
        check_filters(request.get("FilterCriteria", {}), str(request.get("EventSourceArn", "")))
    if operation in ("CreateFunction", "UpdateFunctionConfiguration"):
        variables = request.get("Environment", {}).get("Variables", {})
        require(sum(len(k) + len(v) for k, v in variables.items()) <= 4096, "the environment has at most 4 KB")


def check_filters(criteria: Mapping[str, Any], source: str) -> None:
    """Hold a trigger's filters to the rules: of a DynamoDB record Lambda filters on the key `dynamodb` only."""
    filters = criteria.get("Filters", [])
    require(len(filters) <= 5, "a trigger has at most 5 filters")
    for each in filters:
        pattern = json.loads(each["Pattern"])
        require(len(each["Pattern"]) <= 4096, "a filter's pattern has at most 4,096 characters")
        if "dynamodb" in pattern or ":dynamodb:" in source:
            others = sorted(pattern.keys() - {"dynamodb"})
            require(not others, f"a DynamoDB trigger filters on the key dynamodb only, not on {', '.join(others)}")


def check_cloudformation(operation: str, request: Mapping[str, Any]) -> None:
    """Hold a request to CloudFormation, and the template in it, to the rules. Raises Violation."""
    if "StackName" in request:
        require(STACK.fullmatch(request["StackName"]), f"{request['StackName']!r} is no name of a stack")
    if operation not in ("CreateStack", "UpdateStack", "CreateChangeSet") or "TemplateBody" not in request:
        return
    body = request["TemplateBody"]
    require(len(body.encode()) <= TEMPLATE_BYTES, f"a template has at most {TEMPLATE_BYTES} bytes")
    template = parse(body)
    given = {parameter["ParameterKey"] for parameter in request.get("Parameters", [])}
    unknown = given - template.parameters.keys()
    require(not unknown, f"Parameters {sorted(unknown)} do not exist in the template")
    required = {name for name, declared in template.parameters.items() if "Default" not in declared}
    require(required <= given, f"Parameters {sorted(required - given)} must have values")
    require(len(template.resources) <= 500 and len(template.parameters) <= 200, "a template has at most 500 resources")
    for name, resource in template.resources.items():
        _check_resource(name, resource)


def _check_resource(name: str, resource: Mapping[str, Any]) -> None:
    properties = resource.get("Properties", {})
    kind = resource["Type"]
    if kind == "AWS::SQS::QueuePolicy":
        own = {json.dumps(queue) for queue in properties["Queues"]}
        for statement in statements(properties["PolicyDocument"]):
            for target in _listed(statement.get("Resource", [])):
                by_arn = isinstance(target, dict) and "Fn::GetAtt" in target
                queue = {"Ref": target["Fn::GetAtt"][0]} if by_arn else target
                if queue != "*":
                    require(own == {json.dumps(queue)}, f"{name}: SQS takes a policy that names its own queue only")
    if kind == "AWS::Serverless::Function":
        for event in properties.get("Events", {}).values():
            source = ":dynamodb:" if event["Type"] == "DynamoDB" else ""
            check_filters(event.get("Properties", {}).get("FilterCriteria", {}), source)
    if kind == "AWS::Lambda::EventSourceMapping" and "FilterCriteria" in properties:
        check_filters(properties["FilterCriteria"], str(properties.get("EventSourceArn", "")))


def check_iam(operation: str, request: Mapping[str, Any]) -> None:
    """Hold a policy document to the rules. Raises Violation."""
    if operation == "PutRolePolicy":
        document = json.loads(request["PolicyDocument"])
        require(document.get("Version") in ("2012-10-17", "2008-10-17"), "a policy has a Version")
        compact = json.dumps(document, separators=(",", ":"))
        require(len(compact) <= POLICY_BYTES, f"the inline policies of a role have at most {POLICY_BYTES} characters")
        for statement in statements(document):
            require(statement.get("Effect") in ("Allow", "Deny"), "a statement allows or denies")
            require("Action" in statement or "NotAction" in statement, "a statement has actions")
            require("Resource" in statement or "NotResource" in statement, "a statement has resources")
            require(re.fullmatch(r"[A-Za-z0-9]*", statement.get("Sid", "")), "a Sid has letters and digits only")


def statements(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The statements of a policy document."""
    yield from _listed(document["Statement"])


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]

"""The permissions that deploying needs: one IAM policy, from the calls that the commands make and the templates' types.

The commands call AWS themselves; CloudFormation creates the resources with the same person's permissions. Which calls a
resource takes is CloudFormation's own affair, so there a service is allowed as a whole, but only to CloudFormation and,
where the service names its resources in its permissions, only for names that begin with abacus.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

Call = tuple[str, str]  # service and operation, as botocore names them

# Operations whose permission has another name.
ACTIONS = {
    "s3:HeadBucket": ["s3:ListBucket"],
    "s3:ListObjectsV2": ["s3:ListBucket"],
    "s3:ListObjectVersions": ["s3:ListBucketVersions"],
    "s3:DeleteObjects": ["s3:DeleteObject", "s3:DeleteObjectVersion"],
    "dynamodb:TransactWriteItems": ["dynamodb:DeleteItem", "dynamodb:UpdateItem"],
}
# Needed beside the calls: CloudFormation expands a template with functions by this transform.
TRANSFORM = "arn:aws:cloudformation:*:aws:transform/Serverless-2016-10-31"
# What resources of a service are called in permissions; services that are not here take "*" only.
RESOURCES = {
    "cloudformation": ["arn:aws:cloudformation:*:*:stack/abacus-*/*"],
    "cloudfront": ["arn:aws:cloudfront::*:distribution/*", "arn:aws:cloudfront::*:function/abacus-*"],
    "dynamodb": ["arn:aws:dynamodb:*:*:table/abacus-*"],
    "s3": ["arn:aws:s3:::abacus-*"],
    "sqs": ["arn:aws:sqs:*:*:abacus-*"],
    "ssm": ["arn:aws:ssm:*:*:parameter/abacus-*"],
}
WITHOUT_RESOURCE = {"cloudformation:GetTemplateSummary", "sts:GetCallerIdentity"}
# The permission prefix of each type of resource in the templates, where it is not the type's own second word.
PREFIXES = {"ApiGatewayV2": "apigateway", "Serverless": "lambda", "Budgets": "budgets", "WAFv2": "wafv2"}
NAMED = {"dynamodb", "iam", "lambda", "s3", "sns", "sqs"}  # their resources begin with the stage's name
NAMES = {
    "dynamodb": "arn:aws:dynamodb:*:*:table/abacus-*",
    "iam": "arn:aws:iam::*:role/abacus-*",
    "lambda": "arn:aws:lambda:*:*:function:abacus-*",
    "s3": "arn:aws:s3:::abacus-*",
    "sns": "arn:aws:sns:*:*:abacus-*",
    "sqs": "arn:aws:sqs:*:*:abacus-*",
}
# A function from a template brings these with it: its role, its log group, its triggers, a REST API.
WITH_FUNCTIONS = {"iam", "lambda", "logs", "events", "apigateway"}


def policy(calls: Iterable[Call], types: Collection[str] = (), keys: Collection[str] = ()) -> dict[str, Any]:
    """The policy document for the recorded calls and the types of resources in the templates. `keys`: of the bucket's
    objects, where not all are needed."""
    actions = sorted({action for call in calls for action in _actions(call)})
    statements = list(_of_the_commands(actions, keys))
    if types:
        statements += [_allow("Transform", ["cloudformation:CreateChangeSet"], [TRANSFORM]), *_of_cloudformation(types)]
    return {"Version": "2012-10-17", "Statement": statements}


def _actions(call: Call) -> list[str]:
    action = ":".join(call)
    return ACTIONS.get(action, [action])


def _of_the_commands(actions: list[str], keys: Collection[str]) -> Iterator[Mapping[str, Any]]:
    anywhere = sorted(WITHOUT_RESOURCE & set(actions))
    if anywhere:
        yield {"Sid": "Commands", "Effect": "Allow", "Action": anywhere, "Resource": "*"}
    for service, resources in RESOURCES.items():
        own = [action for action in actions if action.startswith(f"{service}:") and action not in WITHOUT_RESOURCE]
        if service == "s3" and own:
            whole = [*resources, f"{resources[0]}/*"]
            yield _allow("CommandsS3", own, [f"{resources[0]}/{key}" for key in keys] or whole)
        elif own:
            yield _allow(f"Commands{service.capitalize()}", own, resources)


def _allow(name: str, actions: list[str], resources: list[str]) -> Mapping[str, Any]:
    return {"Sid": name, "Effect": "Allow", "Action": actions, "Resource": resources}


def _of_cloudformation(types: Iterable[str]) -> Iterator[Mapping[str, Any]]:
    words = {kind.split("::")[1] for kind in types}
    services = {PREFIXES.get(word, word.lower()) for word in words} | WITH_FUNCTIONS
    only = {"Condition": {"ForAnyValue:StringEquals": {"aws:CalledVia": "cloudformation.amazonaws.com"}}}
    named = sorted(services & NAMED)
    resources = [NAMES[service] for service in named] + [
        f"{NAMES['s3']}/*",
        "arn:aws:lambda:*:*:event-source-mapping:*",
    ]
    yield {**_allow("StacksByName", [f"{service}:*" for service in named], resources), **only}
    rest = [f"{service}:*" for service in sorted(services - NAMED)]
    without_a_name = ["lambda:*EventSourceMapping*", "sns:Unsubscribe"]
    yield {**_allow("Stacks", [*rest, *without_a_name], ["*"]), **only}

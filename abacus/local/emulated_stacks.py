"""AWS on this machine: ministack as a child process, and in it the stacks of the real templates."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING
from urllib.request import ProxyHandler, build_opener

import boto3
from botocore.config import Config

from abacus.aws import cloudformation as stacks
from abacus.local.processes import HOST, Child, listen
from abacus.paths import INFRA, search_path

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import PutObjectRequestTypeDef
    from mypy_boto3_sqs import SQSClient

REGION = "us-east-1"  # where certificates and firewalls of a CloudFront distribution have to be
ACCOUNT = "000000000000"  # the emulator's
STATE = "aws"  # the folder of the emulator's state
PATIENCE = 60  # seconds until ministack must answer; it takes one


def environment(endpoint: str, inherited: Mapping[str, str]) -> dict[str, str]:
    """The standard variables by which any AWS client reaches `endpoint`, and none that lead elsewhere.

    With AWS_PROFILE or a proxy set, local events could otherwise end up in a real account."""
    other_variables = {k: v for k, v in inherited.items() if not k.startswith("AWS_") and "PROXY" not in k.upper()}
    return other_variables | {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "PATH": search_path(),
        "PYTHONSAFEPATH": "1",  # import our app.py, not one in the current folder
    }


@dataclass(frozen=True)
class LocalAws:
    """Clients for one ministack, and the outputs of its data stack."""

    endpoint: str
    names: Mapping[str, str]  # the outputs of infra/data.yaml: ParticipantsName, TalliesName, BucketName ...

    @cached_property
    def _session(self) -> boto3.Session:
        return boto3.Session("local", "local", region_name=REGION)

    def client(self, service: str) -> object:
        """A boto3 client of the emulator, such as for "s3"."""
        # Tests of many threads share one client, hence the pool; proxies: never for loopback.
        config = Config(proxies={}, max_pool_connections=50, s3={"addressing_style": "path"})
        make: object = self._session.client(service, endpoint_url=self.endpoint, config=config)  # type: ignore[call-overload]
        return make

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        """Client of the two tables."""
        return self.client("dynamodb")  # type: ignore[return-value]

    @cached_property
    def streams(self) -> DynamoDBStreamsClient:
        """Client of the rows' stream."""
        return self.client("dynamodbstreams")  # type: ignore[return-value]

    @cached_property
    def s3(self) -> S3Client:
        """Client of the bucket."""
        return self.client("s3")  # type: ignore[return-value]

    @cached_property
    def sqs(self) -> SQSClient:
        """Client of the queues."""
        return self.client("sqs")  # type: ignore[return-value]

    @cached_property
    def cloudformation(self) -> CloudFormationClient:
        """Client of the stacks."""
        return self.client("cloudformation")  # type: ignore[return-value]


@contextlib.contextmanager
def emulator(
    home: Path, *, persist: bool, policies: bool = False, inherits: Sequence[IO[str]] = ()
) -> Iterator[tuple[Child, str]]:
    """A running ministack and its endpoint. Its log is home/emulator.log; with `persist`, its state is in home/aws.

    `policies`: whether a call needs its role's permission, as on AWS."""
    server = listen()
    port = server.getsockname()[1]
    child = Child(
        "abacus.local.emulator",
        [str(server.fileno())],
        environment=environment(f"http://{HOST}:{port}", os.environ)
        | {
            "GATEWAY_PORT": str(port),
            "MINISTACK_HOST": HOST,
            "MINISTACK_REGION": REGION,
            "BIND_HOST": HOST,
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
            "LAMBDA_STATE_TRANSITION_SECONDS": "0",
            "LOG_LEVEL": "WARNING",
            "AUTH": str(policies).lower(),
            "PERSIST_STATE": str(int(persist)),
            "STATE_DIR": str(home / STATE),
            "S3_PERSIST": str(int(persist)),
            "S3_DATA_DIR": str(home / STATE / "s3"),
        },
        log=home / "emulator.log",
        sockets=[server],
        inherits=inherits,
    )
    try:
        endpoint = f"http://{HOST}:{port}"
        _await(child, endpoint)
        yield child, endpoint
    finally:
        child.stop()


def _await(child: Child, endpoint: str) -> None:
    # The socket listens already, so one request is enough: ministack answers it as soon as it runs.
    try:
        build_opener(ProxyHandler({})).open(f"{endpoint}/_ministack/health", timeout=PATIENCE).close()
    except OSError as error:
        raise RuntimeError(f"ministack did not start; {child.log} ends with:\n{child.last_words()}") from error


def edge_stack(aws: LocalAws, api: int, secret: str, events: str, name: str = "abacus-edge") -> str:
    """Deploy infra/edge.yaml in front of the app on port `api`. Returns the distribution's domain."""
    parameters = {
        "BucketDomain": aws.names["BucketDomain"],
        "ApiOriginDomain": HOST,
        "ApiOriginProtocol": "http-only",
        "ApiOriginPort": str(api),
        "OriginSecret": secret,
        "EventsPath": events,
    }
    outputs = stacks.apply(
        aws.cloudformation, name, (INFRA / "edge.yaml").read_text(), parameters, watch=stacks.Watch(poll=0)
    )
    return outputs["Domain"]


def data_stack(endpoint: str, name: str = "abacus-data") -> LocalAws:
    """Create or update the stack of infra/data.yaml in the ministack at `endpoint`.

    Its resources are named after the stack, so that stacks of different names have different buckets."""
    template, parameters = (INFRA / "data.yaml").read_text(), {"Name": name.removesuffix("-data")}
    account = LocalAws(endpoint, {})
    objects = _left_behind(account, name)
    names = stacks.apply(account.cloudformation, name, template, parameters, watch=stacks.Watch(poll=0))
    aws = LocalAws(endpoint, names)
    for request in objects:
        aws.s3.put_object(**request)
    for table in (names["ParticipantsName"], names["TalliesName"]):
        # ministack's CloudFormation does not read TimeToLiveSpecification.
        aws.dynamodb.update_time_to_live(
            TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_at"}
        )
    return aws


def _left_behind(account: LocalAws, name: str) -> list[PutObjectRequestTypeDef]:
    """The objects of a bucket without a stack, which is deleted here: CloudFormation would refuse to create it again.

    The emulator writes objects to the disk at once, and stacks with the next snapshot. So a kill in the first seconds
    leaves the bucket alone."""
    bucket = f"{name.removesuffix('-data')}-{ACCOUNT}-{REGION}"
    there = bucket in (entry["Name"] for entry in account.s3.list_buckets()["Buckets"])
    if not there or stacks.describe(account.cloudformation, name) is not None:
        return []
    objects: list[PutObjectRequestTypeDef] = []
    for page in account.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for entry in page.get("Contents", []):
            stored = account.s3.get_object(Bucket=bucket, Key=entry["Key"])
            request: PutObjectRequestTypeDef = {
                "Bucket": bucket,
                "Key": entry["Key"],
                "Body": stored["Body"].read(),
                "ContentType": stored["ContentType"],
            }
            if "CacheControl" in stored:
                request["CacheControl"] = stored["CacheControl"]
            objects.append(request)
    for versions in account.s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for version in [*versions.get("Versions", []), *versions.get("DeleteMarkers", [])]:
            account.s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
    account.s3.delete_bucket(Bucket=bucket)
    return objects

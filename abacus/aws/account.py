"""An AWS account, or the emulator in its place, as deploy and destroy reach it: by AWS's usual variables and files."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

from abacus.aws import cloudformation, names, stack_state
from abacus.aws.errors import NO_CREDENTIALS, NO_REGION
from chalicelib.domain.errors import AbacusError


class NoAccount(AbacusError):
    """No account or region is configured, or AWS refuses the credentials."""


@dataclass(frozen=True)
class ExistingStack:
    """A stack of a stage. `parameters`: name → value, hidden ones as ****. `created`: whether its creation ever
    finished, so that it takes updates."""

    parameters: Mapping[str, str]
    created: bool


@dataclass(frozen=True)
class Account:
    """`poll`: seconds between two looks at something that takes its time."""

    session: boto3.Session
    poll: float = 5

    @classmethod
    def of(cls, region: str | None) -> Account:
        """The account that AWS's tools are configured for. Raises NoAccount if no region is configured."""
        session = boto3.Session(region_name=region)
        if session.region_name is None:
            raise NoAccount(NO_REGION)
        return cls(session, poll=0 if _endpoint() else 5)

    def client(self, service: str, region: str = "") -> Any:
        """A client of the account's region, or of another one."""
        make: Callable[..., Any] = self.session.client
        return make(service, region_name=region or None)

    @property
    def region(self) -> str:
        """The stage's region, such as eu-central-1."""
        return str(self.session.region_name)

    def authenticate(self) -> str:
        """The account's number, from AWS: proves that the credentials work. Raises NoAccount."""
        return self.number

    @cached_property
    def number(self) -> str:
        """Twelve digits. Raises NoAccount."""
        try:
            return str(self.client("sts").get_caller_identity()["Account"])
        except (ClientError, BotoCoreError) as error:
            if isinstance(error, NoCredentialsError | PartialCredentialsError):
                raise NoAccount(f"{NO_CREDENTIALS} Or add --dry-run.") from error
            reason = str(error).rstrip(".")
            raise NoAccount(
                f"AWS does not accept the credentials: {reason}. Configure them, or add --dry-run."
            ) from error

    @property
    def emulator(self) -> str:
        """host:port of the emulator that stands in for AWS; empty for AWS itself."""
        return urlsplit(_endpoint()).netloc

    def cloudformation(self, part: str) -> Any:
        """The CloudFormation client of the region that a part's stack is in."""
        return self.client("cloudformation", names.stack_region(part))

    def stacks(self, stage: str, report: Callable[[str], None] = lambda line: None) -> dict[str, ExistingStack]:
        """The stacks of a stage by part, in any state but deleted.

        Waits for an operation that an interrupted command began; `report` is told that."""
        existing = {}
        for part in names.PARTS:
            client, name = self.cloudformation(part), names.stack(stage, part)
            stack = cloudformation.describe(client, name)
            if stack is not None and stack_state.in_progress(stack):
                report(f"waiting for stack {name}: {stack['StackStatus']} ...")
                stack = cloudformation.wait_until_idle(
                    client, name, watch=cloudformation.Watch(poll=self.poll), resolvable=False
                )
            if stack is not None and stack["StackStatus"] != "DELETE_COMPLETE":
                parameters = {p["ParameterKey"]: p["ParameterValue"] for p in stack.get("Parameters", [])}
                existing[part] = ExistingStack(parameters, stack_state.is_created(client, stack))
        return existing


def _endpoint() -> str:
    return os.environ.get("AWS_ENDPOINT_URL", "")

"""An AWS account, or the emulator in its place, as deploy and destroy reach it: by the usual variables and files."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import boto3
import click
from botocore.exceptions import BotoCoreError, ClientError

from abacus.aws import cloudformation as stacks
from abacus.aws import names
from abacus.deploy.plan import FIREWALL_REGION
from abacus.site.esbuild import BuildError
from chalicelib.domain.errors import AbacusError

PARTS = ("data", "api", "firewall", "edge", "watch", "budget")  # in the order in which they are made


class NoAccount(AbacusError):
    """Nothing says which account or region, or AWS does not let us in."""


@dataclass(frozen=True)
class Account:
    session: boto3.Session
    poll: float = 5  # seconds between two looks at a stack

    @classmethod
    def of(cls, region: str | None) -> Account:
        """Raises NoAccount where no region is configured."""
        session = boto3.Session(region_name=region)
        if session.region_name is None:
            raise NoAccount("Which region? Say --region eu-central-1, or set AWS_DEFAULT_REGION.")
        return cls(session, poll=0 if _endpoint() else 5)

    def client(self, service: str, region: str = "") -> Any:
        """A client of the account's region, or of another one."""
        make: Callable[..., Any] = self.session.client
        return make(service, region_name=region or None)

    @property
    def region(self) -> str:
        return str(self.session.region_name)

    @cached_property
    def number(self) -> str:
        """Twelve digits. Raises NoAccount."""
        try:
            return str(self.client("sts").get_caller_identity()["Account"])
        except (ClientError, BotoCoreError) as error:
            raise NoAccount(f"AWS does not know us: {error} Configure credentials, or say --dry-run.") from error

    @property
    def emulator(self) -> str:
        """host:port of the emulator that stands in for AWS; empty for AWS itself."""
        return urlsplit(_endpoint()).netloc

    def cloudformation(self, part: str) -> Any:
        return self.client("cloudformation", FIREWALL_REGION if part == "firewall" else "")

    def present(self, of: str) -> dict[str, dict[str, str]]:
        """The stacks that stage `of` has: part → its parameters; of a secret one only that it is there."""
        found = {}
        for part in PARTS:
            stack = stacks.describe(self.cloudformation(part), names.stack(of, part))
            if stack is not None and stack["StackStatus"] != "REVIEW_IN_PROGRESS":
                found[part] = {p["ParameterKey"]: p["ParameterValue"] for p in stack.get("Parameters", [])}
        return found


def _endpoint() -> str:
    return os.environ.get("AWS_ENDPOINT_URL", "")


def in_sentences(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose failures are told, not traced."""

    @functools.wraps(command)
    def told(*args: Any, **options: Any) -> None:
        try:
            command(*args, **options)
        except (AbacusError, BuildError) as error:
            raise click.ClickException(str(error)) from None
        except (ClientError, BotoCoreError) as error:
            raise click.ClickException(f"AWS: {error}") from None

    return told

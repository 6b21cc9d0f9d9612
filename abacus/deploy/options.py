"""The options of `abacus deploy`, and what it finds on this machine and in the account."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import click

from abacus.aws.account import ExistingStack
from chalicelib.domain.errors import AbacusError

ApiKind = Literal["http", "rest", "chalice"]


class CertificateArn(click.ParamType):  # type: ignore[type-arg]
    """A certificate on the command line. CloudFront takes certificates of us-east-1 alone, and says so late."""

    name = "arn"
    PATTERN = re.compile(r"arn:aws[a-z-]*:acm:us-east-1:\d{12}:certificate/\S+")

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Click calls this with the text that was typed; "" removes the certificate."""
        if value and not self.PATTERN.fullmatch(value):
            self.fail(
                f"{value!r} is not the ARN of a certificate in us-east-1, the only region from which "
                "CloudFront takes certificates. Request one there, in AWS Certificate Manager.",
                param,
                ctx,
            )
        return value


class InvalidOption(AbacusError):
    """An option that contradicts another one, or what is deployed."""


@dataclass(frozen=True)
class DeployOptions:
    """The options of the command line. None: as it is deployed, and for a new stage the templates' default."""

    stage: str
    api: ApiKind | None = None
    domain: str | None = None
    certificate: str | None = None
    firewall: bool | None = None
    email: str | None = None  # "": no alarms, dashboard and budget
    budget: int | None = None  # dollars a month
    read_key: str | None = None  # "": GET /stats is open
    tracing: bool | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)  # any other parameter of a template


@dataclass(frozen=True)
class Surroundings:
    """What a deploy finds on this machine, in the account and in the environment."""

    package: Path  # the template of the functions
    stacks: Mapping[str, ExistingStack] = field(default_factory=dict)  # by part
    events_path: str = "/events"
    cookie_domain: str = ""
    sender_keys: bool = False  # whether SSM holds keys of signed senders
    alert_webhook: bool = False  # and the address that alerts are posted to
    by_chalice: bool = False  # whether `chalice deploy` made the functions
    emulator: str = ""  # host:port of an AWS emulator

    def parameters(self, part: str) -> Mapping[str, str]:
        """The parameters of a part's stack as it is deployed; empty if it is not."""
        return self.stacks[part].parameters if part in self.stacks else {}


def api_kind(options: DeployOptions, surroundings: Surroundings) -> ApiKind:
    """Which API calls the functions: the one that is deployed, unless an option names another. Raises InvalidOption."""
    if surroundings.emulator and options.api != "chalice":
        return "rest"  # ministack's HTTP API sends payload format 2.0 only, which Chalice does not understand
    deployed = surroundings.by_chalice or "api" in surroundings.stacks
    if options.api and deployed and surroundings.by_chalice != (options.api == "chalice"):
        deployed_by = "chalice deploy" if surroundings.by_chalice else "a stack"
        raise InvalidOption(
            f"--api {options.api}: the functions are deployed by {deployed_by}. Run abacus destroy first."
        )
    if surroundings.by_chalice:
        return "chalice"
    return options.api or ("rest" if surroundings.parameters("api").get("ApiKind") == "rest" else "http")

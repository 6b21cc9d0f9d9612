"""What a deployed stage is called in AWS: every name of the stage `prod` begins with abacus-prod."""

from __future__ import annotations

import re

import click

# No hyphen, so that no stage's names begin with another's. Short, because a bucket's name has at most 63 characters
# and contains account and region.
STAGE = re.compile(r"[a-z][a-z0-9]{0,19}")

PARTS = ("data", "api", "firewall", "edge", "watch", "budget")  # the stacks of a stage, in the order of their creation
# A firewall for CloudFront must be in us-east-1. Budgets are global, and AWS::Budgets::Budget is missing in several
# regions (ap-south-2, il-central-1 and mx-central-1 among them).
US_EAST_1 = "us-east-1"
IN_US_EAST_1 = frozenset({"firewall", "budget"})


class StageName(click.ParamType):  # type: ignore[type-arg]
    """A stage on the command line."""

    name = "name"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The value itself; fails with the rule if it breaks the rule."""
        if not STAGE.fullmatch(value):
            self.fail(f"{value!r} is not a stage name: use 1 to 20 characters a-z and 0-9, the first one a letter.")
        return value


def prefix(stage: str) -> str:
    """What all names of the stage begin with; the parameter Name of its templates."""
    return f"abacus-{stage}"


def stack(stage: str, part: str) -> str:
    """The name of the stack of one of PARTS."""
    return f"{prefix(stage)}-{part}"


def stack_region(part: str) -> str:
    """The region that the stack of one of PARTS must be in; empty if it is in the stage's region."""
    return US_EAST_1 if part in IN_US_EAST_1 else ""


def origin_secrets(stage: str) -> str:
    """The SSM parameter with the secret that CloudFront sends to the API; `new,old` during a rotation."""
    return f"/{prefix(stage)}/origin-secrets"


def alert_webhook(stage: str) -> str:
    """The SSM parameter with the address that alerts are posted to, which you write yourself."""
    return f"/{prefix(stage)}/alert-webhook"


def sender_keys(stage: str) -> str:
    """The SSM parameter with the keys of signed senders, which you write yourself."""
    return f"/{prefix(stage)}/sender-keys"

"""What a deployed stage is called in AWS: everything of `prod` begins with abacus-prod."""

from __future__ import annotations

import re

import click

# No hyphen, so that no stage's names begin with another's; short, for a bucket's name has 63 characters with account
# and region in it.
STAGE = re.compile(r"[a-z][a-z0-9]{0,19}")


class StageName(click.ParamType):  # type: ignore[type-arg]
    """A stage on the command line."""

    name = "name"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not STAGE.fullmatch(value):
            self.fail(f"{value!r} is no name for a stage: a letter, then letters and digits, at most 20, all small")
        return value


def prefix(stage: str) -> str:
    """What all names of the stage begin with; the parameter Name of its templates."""
    return f"abacus-{stage}"


def stack(stage: str, part: str) -> str:
    """The stack of one part: data, api, firewall, edge, watch or budget."""
    return f"{prefix(stage)}-{part}"


def origin_secrets(stage: str) -> str:
    """The SSM parameter with what CloudFront says to the API; new,old while it is being changed."""
    return f"/{prefix(stage)}/origin-secrets"


def sender_keys(stage: str) -> str:
    """The SSM parameter with the secrets of signed senders, which people put there themselves."""
    return f"/{prefix(stage)}/sender-keys"

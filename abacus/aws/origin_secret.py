"""What CloudFront says to the API so that it answers: made once, kept in SSM, changed without a refused request.

In SSM, because two stacks need the same value and neither tells it again; an interrupted deploy finds it there.
It holds `new,old` while it is being changed: the app takes both until CloudFront says the new one.
"""

from __future__ import annotations

from collections.abc import Callable
from secrets import token_urlsafe
from typing import TYPE_CHECKING

from abacus.aws import names

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient


def make() -> str:
    """A new one, 256 random bits."""
    return token_urlsafe(32)


def kept(ssm: SSMClient, stage: str) -> list[str]:
    """The secrets of a stage, newest first; none before its first deploy."""
    try:
        parameter = ssm.get_parameter(Name=names.origin_secrets(stage), WithDecryption=True)["Parameter"]
    except ssm.exceptions.ParameterNotFound:
        return []
    return parameter["Value"].split(",")


def ensure(ssm: SSMClient, stage: str, *, rotate: bool = False, make: Callable[[], str] = make) -> list[str]:
    """The secrets that the API has to take from now on, newest first; with `rotate` a new one before the old one.

    A change that was begun and not finished is gone on with."""
    found = kept(ssm, stage)
    if found and (not rotate or len(found) > 1):
        return found
    now = [make(), *found]
    _keep(ssm, stage, now)
    return now


def settle(ssm: SSMClient, stage: str, secrets: list[str]) -> list[str]:
    """Forget all but the newest, once CloudFront says that one everywhere."""
    _keep(ssm, stage, secrets[:1])
    return secrets[:1]


def _keep(ssm: SSMClient, stage: str, secrets: list[str]) -> None:
    name = names.origin_secrets(stage)
    ssm.put_parameter(Name=name, Value=",".join(secrets), Type="SecureString", Overwrite=True)

"""The secret that CloudFront sends to the API: created once, kept in SSM, replaced without a refused request.

It is in SSM because two stacks need the same value and neither shows it; an interrupted deploy finds it there. During a
rotation SSM holds `new,old`: the API accepts both until CloudFront sends the new one.
"""

from __future__ import annotations

from collections.abc import Callable
from secrets import token_urlsafe
from typing import TYPE_CHECKING

from abacus.aws import names

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient


def generate() -> str:
    """A new secret of 256 random bits."""
    return token_urlsafe(32)


def read(ssm: SSMClient, stage: str) -> list[str]:
    """The secrets of a stage, the newest first; none before its first deploy."""
    try:
        parameter = ssm.get_parameter(Name=names.origin_secrets(stage), WithDecryption=True)["Parameter"]
    except ssm.exceptions.ParameterNotFound:
        return []
    return parameter["Value"].split(",")


def ensure(ssm: SSMClient, stage: str, *, rotate: bool = False, generate: Callable[[], str] = generate) -> list[str]:
    """The secrets that the API has to accept from now on, the newest first.

    Args:
        rotate: put a new secret before the deployed one. A rotation that was interrupted is resumed instead."""
    stored = read(ssm, stage)
    if stored and (not rotate or len(stored) > 1):
        return stored
    secrets = [generate(), *stored]
    _write(ssm, stage, secrets)
    return secrets


def forget_old(ssm: SSMClient, stage: str, secrets: list[str]) -> list[str]:
    """Keep the newest secret only, once CloudFront sends it from everywhere."""
    _write(ssm, stage, secrets[:1])
    return secrets[:1]


def _write(ssm: SSMClient, stage: str, secrets: list[str]) -> None:
    name = names.origin_secrets(stage)
    ssm.put_parameter(Name=name, Value=",".join(secrets), Type="SecureString", Overwrite=True)

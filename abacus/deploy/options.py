"""What a deploy is asked for, and what it finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from chalicelib.domain.errors import AbacusError

ApiKind = Literal["http", "rest", "chalice"]


class WrongWish(AbacusError):
    """An option that fits nothing."""


@dataclass(frozen=True)
class Wishes:
    """What was asked for on the command line. None: as it was, and for a new stage the templates' default."""

    stage: str
    api: ApiKind | None = None
    domain: str | None = None
    certificate: str | None = None
    firewall: bool | None = None
    email: str | None = None  # "": nobody any more
    budget: int | None = None  # dollars a month
    read_key: str | None = None  # "": GET /stats is open
    tracing: bool | None = None
    more: Mapping[str, str] = field(default_factory=dict)  # any other parameter of a template


@dataclass(frozen=True)
class Around:
    """What a deploy finds: on this machine, in the account, in the environment."""

    package: Path  # the template of the functions
    present: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # part → parameters of its stack
    events_path: str = "/events"
    cookie_domain: str = ""
    sender_keys: bool = False  # whether somebody put some into SSM
    by_chalice: bool = False  # whether `chalice deploy` made the functions
    emulator: str = ""  # host:port of an AWS emulator


def kind_of_api(wishes: Wishes, around: Around) -> ApiKind:
    """Which way the functions are called; the same as last time where nothing is said."""
    if around.emulator and wishes.api != "chalice":
        return "rest"  # ministack's HTTP API speaks payload format 2.0 alone, which Chalice does not understand
    deployed = around.by_chalice or "api" in around.present
    if wishes.api and deployed and around.by_chalice != (wishes.api == "chalice"):
        raise WrongWish(f"--api {wishes.api}: the functions are deployed the other way; abacus destroy comes first")
    if around.by_chalice:
        return "chalice"
    return wishes.api or ("rest" if around.present.get("api", {}).get("ApiKind") == "rest" else "http")

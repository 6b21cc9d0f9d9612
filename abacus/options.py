"""Options that several commands share: one name, one meaning, one help text."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from abacus.project_file import NAME, project_file
from abacus.shares import as_number, parse_share

Command = Callable[..., Any]


class ShareType(click.ParamType):  # type: ignore[type-arg]
    """A share on the command line: `4 %`, `4%` or `0.04`. `limits`: False also takes shares below 0 and above 1."""

    name = "share"

    def __init__(self, *, limits: bool = True) -> None:
        self.limits = limits

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Click calls this with the text that was typed."""
        if not self.limits and (number := as_number(value)) is not None:
            return number
        try:
            return parse_share(value)
        except ValueError as error:
            self.fail(f"{value!r} {error}", param, ctx)


class VisitorType(click.ParamType):  # type: ignore[type-arg]
    """A visitor's id, given as the id or as the whole value of the snippet's cookie."""

    name = "visitor"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Click calls this with the text that was typed."""
        return visitor_id(value)


def visitor_id(text: str) -> str:
    """The id in `text`: the part before the first `~` of the cookie `abacus`.

    >>> visitor_id("3f2b8c1e"), visitor_id("3f2b8c1e~cta-color.green.0"), visitor_id("abacus=3f2b8c1e~")
    ('3f2b8c1e', '3f2b8c1e', '3f2b8c1e')
    """
    return text.strip().removeprefix("abacus=").partition("~")[0]


VISITOR = VisitorType()
SHARE = ShareType()
CHANGE = ShareType(limits=False)  # a relative change: -10 % and 150 % are possible


def manifest_option(command: Command) -> Command:
    """`--manifest FOLDER`, passed as `manifest`."""
    text = "Folder with the experiments' YAML files."
    return _folder_option("--manifest", lambda: project_file().manifest, "manifest", text)(command)


def stage_option(command: Command) -> Command:
    """`--stage NAME`, passed as `stage`; None: the product that runs on this machine."""
    return click.option("--stage", metavar="NAME", help="A deployed stage, such as prod. Default: the local product.")(
        command
    )


def region_option(command: Command) -> Command:
    """`--region NAME`, passed as `region`; None: the region that AWS is configured for."""

    def of_stage(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
        # Click handles the options that are given before those that are not, so the stage is known here.
        return value or project_file().stage(ctx.params.get("stage")).region

    return click.option(
        "--region",
        metavar="NAME",
        callback=of_stage,
        help=f"AWS region of the stage. Default: that of {NAME}, or the one AWS is configured for.",
    )(command)


def home_option(command: Command) -> Command:
    """`--home FOLDER`, passed as `home`."""
    return _folder_option("--home", lambda: ".local", ".local", "Folder with the state of the local product.")(command)


def _folder_option(name: str, default: Callable[[], str], shown: str, text: str) -> Callable[[Command], Command]:
    return click.option(
        name,
        type=click.Path(path_type=Path),
        metavar="FOLDER",
        default=lambda: project_file().path(default()),
        show_default=shown,
        help=text,
    )


def use_region(region: str | None) -> None:
    """Make `region` the one that every AWS client of this process talks to. None changes nothing."""
    if region:
        os.environ.update({"AWS_DEFAULT_REGION": region, "AWS_REGION": region})

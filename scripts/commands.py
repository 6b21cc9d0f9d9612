"""Programs that the set-up starts, and what it prints."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
VENV = PROJECT / ".venv"
BIN = VENV / "bin"
PYTHON = str(BIN / "python")
SHOWN = 15  # last lines of a failed program's output


class SetUpFailed(Exception):
    """What keeps the set-up from finishing, and what to do about it."""


def say(text: str, *, passing: bool = False) -> None:
    """Print a line on standard error. `passing`: on a terminal the next line replaces it; elsewhere it is left out."""
    terminal = sys.stderr.isatty()
    if terminal or not passing:
        clear = "\r\x1b[K" if terminal else ""
        sys.stderr.write(f"{clear}{text}" + ("" if passing else "\n"))
        sys.stderr.flush()


def search_path() -> str:
    """PATH with .venv/bin first, where Node and Chromium are put if the machine has none."""
    return os.pathsep.join([str(BIN), os.environ.get("PATH", os.defpath)])


def environment() -> dict[str, str]:
    """The environment of every program that the set-up starts."""
    own = {"PATH": search_path(), "PIP_DISABLE_PIP_VERSION_CHECK": "1", "npm_config_update_notifier": "false"}
    return {**os.environ, **own}


def run(command: Sequence[str], on_line: Callable[[str], None] = lambda line: None) -> None:
    """Run `command`, passing each line of its output to `on_line`. Raises SetUpFailed with its last lines."""
    lines: list[str] = []
    try:
        process = subprocess.Popen(
            command, cwd=PROJECT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
    except OSError as error:
        raise SetUpFailed(f"{command[0]} does not start: {error.strerror}") from None
    with process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line.rstrip())
            on_line(line)
    if process.returncode:
        name = " ".join([Path(command[0]).name, *command[1:4]])
        raise SetUpFailed("\n".join([f"`{name} ...` ended with {process.returncode}:", *lines[-SHOWN:]]))


def output(command: Sequence[str], **variables: str) -> str | None:
    """The standard output of `command`, with `variables` in its environment.

    None when it failed, did not start or took longer than three minutes."""
    try:
        process = subprocess.run(
            command, env={**environment(), **variables}, capture_output=True, text=True, timeout=180, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return process.stdout

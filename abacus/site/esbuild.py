"""The one tool that static/ is built with: a native binary, so that building needs no node."""

from __future__ import annotations

import subprocess
from pathlib import Path

from abacus.paths import PROJECT
from chalicelib.domain.errors import AbacusError


class BuildError(AbacusError):
    """What keeps the site from being built, and what to do about it."""


def esbuild(
    source: str, folder: Path, flags: list[str] | None = None, form: str = "iife", *, minify: bool = True
) -> bytes:
    """`source`, as a file in `folder`, bundled. No wrappers, no shims: ES2021 throughout."""
    command = [_binary(), "--bundle", f"--format={form}", "--target=es2021", "--charset=utf8", "--log-level=warning"]
    done = subprocess.run(
        [*command, *(["--minify"] if minify else []), *(flags or [])],
        input=source.encode(),
        cwd=folder,
        capture_output=True,
        check=False,
        timeout=60,
    )
    if done.returncode or done.stderr:
        raise BuildError(f"esbuild says of {folder.name}/:\n{done.stderr.decode()}")
    return done.stdout.rstrip(b"\n")


def _binary() -> str:
    # Not the one in node_modules/.bin: that is a script, which needs a node on the PATH.
    found = sorted((PROJECT / "node_modules" / "@esbuild").glob("*/bin/esbuild"))
    if not found:
        raise BuildError("esbuild is not installed. Run: make setup")
    return str(found[0])

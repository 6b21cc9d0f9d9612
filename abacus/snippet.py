"""static/snippet and the public manifest → the scripts that pages load.

/ab.js            blocking, in the head: the one to use where it can be
/ab.async.js      the same for <script async>
/ab.debug.js      the same, with overrides and a panel; the other two load it for testers
/ab.mjs           a module for a site's own bundle, with its types in /ab.d.ts; it reads /ab.json
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict

from .compact import Row, compact, goals
from .esbuild import PROJECT, esbuild

SNIPPET = PROJECT / "static" / "snippet"


class Options(BaseModel):
    """How the snippet behaves on this site: static/snippet/options.json. docs/install.md explains each."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    events: str = "/events"  # where to post: a path on the script's own origin, or a whole url
    cookie_domain: str = ""  # example.com, where tracker and site are subdomains of it


def options() -> Options:
    return Options.model_validate_json((SNIPPET / "options.json").read_bytes())


def scripts(public: dict[str, Any], site: Options) -> dict[str, bytes]:
    """File name → the script. Raises BuildError."""
    rows = compact(public)
    return {"ab.js": _classic(rows, public, site)}


def _classic(rows: list[Row], public: dict[str, Any], site: Options) -> bytes:
    """One file, two passes: modules into one scope, and that scope into a try block, where it leaves no name behind
    and throws nothing. esbuild alone would declare each module's names apart, which costs 50 bytes."""
    flags = [f"--define:{name}={value}" for name, value in _defines(rows, public, site)]
    entry = 'import "./gate.js"; import "./start.js";'
    flat = esbuild(entry, SNIPPET, ["--minify-syntax", "--mangle-props=_$", *flags], "esm", minify=False).decode()
    scoped = re.sub(r"^var ", "let ", flat, flags=re.MULTILINE)
    return esbuild(f"try {{\n{scoped}\n}} catch {{}}", SNIPPET)


def _defines(rows: list[Row], public: dict[str, Any], site: Options) -> Iterator[tuple[str, str]]:
    """What the sources call by names in capitals."""
    keys = "|".join(rf"{row[0]}=\d" for row in rows)
    yield "DEBUG", "false"
    yield "SCRIPT", "document.currentScript"
    yield "EXPERIMENTS", _json(rows)
    yield "GOALS", _json(goals(public))
    yield "TESTING", _json(rf"[?&](ab_|{keys})" if keys else "[?&]ab_")
    yield "EVENTS", _json(site.events)
    yield "COOKIE_DOMAIN", _json(f";domain={site.cookie_domain}" if site.cookie_domain else "")


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)

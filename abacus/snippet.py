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

from pydantic import BaseModel, ConfigDict, ValidationError

from .compact import Row, compact, goals
from .conditions import NESTED, PLAIN
from .esbuild import PROJECT, BuildError, esbuild

SNIPPET = PROJECT / "static" / "snippet"
OPERATORS = (*PLAIN, *NESTED, "$or", "$nor", "$and")
Json = dict[str, Any]

# The tester's build stands in for the tag before it, which document.write() put it behind.
TESTED = (
    "(({ src, dataset, previousElementSibling: tag }) => ({ src, dataset: { ...tag?.dataset, ...dataset } }))"
    "(document.currentScript)"
)


class Options(BaseModel):
    """How the snippet behaves on this site: static/snippet/options.json. docs/install.md explains each."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    events: str = "/events"  # where to post: a path on the script's own origin, or a whole url
    cookie_domain: str = ""  # example.com, where tracker and site are subdomains of it
    consent: bool = False  # nothing is kept or sent before abacus.consent(true)
    global_privacy_control: bool = False  # nor ever, where the browser says that the visitor wants none of it
    redirect_attribute: bool = False  # <script src="/ab.js" data-redirect="landing:b /b.html">


def options() -> Options:
    file = SNIPPET / "options.json"
    try:
        return Options.model_validate_json(file.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise BuildError(f"{file.name}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def scripts(public: Json, site: Options) -> dict[str, bytes]:
    """File name → the script. Raises BuildError."""
    rows = compact(public)
    return {
        "ab.js": _classic(public, rows, site),
        "ab.async.js": _classic(public, rows, site, ASYNC=True),
        "ab.debug.js": _classic(public, rows, site, DEBUG=True),
        "ab.mjs": _module(site),
        "ab.d.ts": (SNIPPET / "abacus.d.ts").read_bytes(),
        "ab.json": _json({"experiments": rows, "goals": goals(public)}).encode(),
    }


def _classic(public: Json, rows: list[Row], site: Options, **build: bool) -> bytes:
    """One file, in two passes: modules into one scope, and that scope into a try block, where it leaves no name behind
    and throws nothing. In one pass esbuild declares the names of each module apart, which costs 50 bytes."""
    flags = _flags(_features(rows, site) | build, site)
    entry = 'import "./gate.js"; import "./start.js";'
    flat = esbuild(entry, SNIPPET, ["--minify-syntax", *flags], "esm", minify=False).decode()
    scoped = re.sub(r"^var ", "let ", flat, flags=re.MULTILINE)
    return esbuild(f"try {{\n{_with_data(scoped, public, rows, **build)}\n}} catch {{}}", SNIPPET)


def _with_data(source: str, public: Json, rows: list[Row], **build: bool) -> str:
    """The names in capitals that stand for data: in their place where used once, else declared first."""
    keys = "|".join(rf"{row[0]}=\d" for row in rows)
    data = {
        "EXPERIMENTS": _json(rows),
        "GOALS": f"({_json(goals(public))})",
        "TESTING": rf"/[?&](ab_|{keys})/" if keys else "/[?&]ab_/",
        "MANIFEST": _json(public),
        "SCRIPT": TESTED if build.get("DEBUG") else "document.currentScript",
    }
    declared = ""
    for name, value in data.items():
        before, *after = re.split(rf"\b{name}\b", source)
        if len(after) == 1:
            source = f"{before}{value}{after[0]}"
        elif after:
            declared += f"const {name} = {value};\n"
    return declared + source


def _module(site: Options) -> bytes:
    """Everything that any manifest may need, for it is read when the page runs."""
    every = dict.fromkeys(("ASYNC", "URLS", "CONDITIONS", "NAMESPACES", "REDIRECTS", "TIMES", "PAYLOADS"), True)
    features = every | {f"USES.{name}": True for name in OPERATORS} | _asked(site)
    return esbuild('export * from "./module.js";', SNIPPET, ["--inject:./config.js", *_flags(features, site)], "esm")


def _features(rows: list[Row], site: Options) -> dict[str, bool]:
    """Which parts this manifest needs; the others are left out."""
    more = [row[5] for row in rows if len(row) > 5]
    used = {name for each in more if "c" in each for name in _operators(each["c"])}
    return {
        "URLS": any("u" in each for each in more),
        "CONDITIONS": any("c" in each for each in more),
        "NAMESPACES": any("n" in each for each in more),
        "REDIRECTS": any("r" in each for each in more) or site.redirect_attribute,
        "TIMES": any("t" in each for each in more),
        "PAYLOADS": any(len(variant) > 2 for row in rows for variant in row[1]),
        **{f"USES.{name}": name in used for name in OPERATORS},
        **_asked(site),
    }


def _asked(site: Options) -> dict[str, bool]:
    asks, gpc = site.consent, site.global_privacy_control
    return {"CONSENT": asks or gpc, "ASK": asks, "GPC": gpc}


def _operators(condition: Any) -> Iterator[str]:
    if isinstance(condition, dict):
        yield from (key for key in condition if key.startswith("$"))
    if isinstance(condition, dict | list):
        for inner in condition.values() if isinstance(condition, dict) else condition:
            yield from _operators(inner)


def _flags(features: dict[str, bool], site: Options) -> list[str]:
    """What the sources call by names in capitals, as esbuild's definitions."""
    domain = f";domain={site.cookie_domain}" if site.cookie_domain else ""
    values: Json = {"DEBUG": False, "ASYNC": False, **features, "EVENTS": site.events, "COOKIE_DOMAIN": domain}
    return [f"--define:{name}={_json(value)}" for name, value in values.items()]


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)

"""static/snippet and the public manifest → the scripts that pages load.

/ab.js            blocking, in the head: the one to use where it can be
/ab.async.js      the same for <script async>
/ab.debug.js      the same, with overrides and a panel; the other two load it for testers
/ab.mjs           a module for a site's own bundle, with its types in /ab.d.mts; it reads /ab.json
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from abacus.paths import INSTALLED, STATIC
from abacus.project_file import NAME, project_file
from abacus.site.esbuild import BuildError, esbuild
from abacus.site.snippet_manifest import Row, compact, goals, segmented, used, valued
from chalicelib.targeting.conditions import NESTED, PLAIN

SNIPPET = STATIC / "snippet"
KNOWN_ANYWAY = ("id", "url", "path", "host", "query", "language")  # attributes that no page need supply
KINDS = ("text", "number", "boolean", "null", "whole", "paths")
USES = (*PLAIN, *NESTED, "$or", "$nor", "$and", *KINDS, *KNOWN_ANYWAY)
Json = dict[str, Any]

# What must run before the first paint; the other modules are the second file.
FIRST_PART = (
    "core/guard.js",
    "core/hash.js",
    "core/script.js",
    "core/state.js",
    "core/visitor.js",
    "targeting/targeting.js",
    "assign.js",
    "markup.js",
    "start.js",
)

# A module has no current script, but a tag that can be found.
OWN_TAG = """(document.currentScript || document.querySelector("script[src*='/ab.']"))"""
# The testers' file stands in for the tag before it, which document.write() put it behind.
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
    edge: bool = False  # pages pass through the edge function, which assigns visitors: docs/edge.md
    edge_index_pages: bool = False  # the edge function turns /folder/ into /folder/index.html, for a bucket behind it
    redirect_attribute: bool = False  # <script src="/ab.js" data-redirect="landing:b /b.html">


def options_place() -> str:
    """Where the site's options of the snippet are, for messages."""
    return f"snippet of {NAME}" if INSTALLED or project_file().snippet is not None else "static/snippet/options.json"


def options() -> Options:
    """The site's choice: `snippet` in abacus.yaml, else static/snippet/options.json. Raises BuildError."""
    file, given = f"{NAME}: snippet", project_file().snippet
    try:
        if given is not None:
            return Options.model_validate(given)
        file = "options.json"
        return Options.model_validate_json((SNIPPET / file).read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise BuildError(f"{file}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def scripts(public: Json, site: Options) -> dict[str, bytes]:
    """File name → the script. Raises BuildError."""
    rows = compact(public)
    blocking = _Parts(public, rows, site)
    asynchronous = _Parts(public, rows, site, ASYNC=True)
    return {
        "ab.js": blocking.first,
        "ab.async.js": asynchronous.first,
        blocking.name: blocking.second,
        asynchronous.name: asynchronous.second,
        "ab.debug.js": _in_one(public, rows, site),
        "ab.mjs": _module(site),
        "ab.d.mts": (SNIPPET / "abacus.d.mts").read_bytes(),
        "ab.json": _json(_site(public, rows)).encode(),
    }


def _site(public: Json, rows: list[Row]) -> Json:
    """What the module reads when it starts."""
    return {"experiments": rows, "goals": goals(public)} | _extras(public)


def _extras(public: Json) -> Json:
    """What only some manifests have."""
    extras = {"valued": valued(public), "segmented": segmented(public)}
    return {name: value for name, value in extras.items() if value}


class _Parts:
    """The snippet in two files: `first` shows the variants before the first paint and then loads `second`, which counts
    and sends: a module with one function, which gets what both use. Its name has a digest of its content, so that the
    two always fit, and a browser keeps it for a year. import(), because it passes the page's nonce on, needs no Trusted
    Types policy and does not hold up the page's load event.

    Each file is built in two passes: modules into one scope, and that scope into a block, where it leaves no name
    behind. In one pass esbuild declares the names of each module apart, which costs 50 bytes. EAGER is the mark of
    _minified(). Nothing is thrown: where the second part fails, the first shows the control."""

    def __init__(self, public: Json, rows: list[Row], site: Options, **build: bool) -> None:
        flags = ["--minify-syntax", *_flags(_features(public, rows, site) | build, site)]
        outside = [f"--external:./{name}" for name in FIRST_PART]
        flat = esbuild('import "./count.js";', SNIPPET, [*flags, *outside], "esm", minify=False).decode()
        imports = re.findall(r'^import (?:\{ (.*?) \} from )?"(.*)";\n', flat, flags=re.MULTILINE)
        body = re.sub(r"^import .*\n", "", flat, flags=re.MULTILINE)
        shared: dict[tuple[str, str], str] = {}  # (module, name there) → name here
        for words, path in imports:
            for name, _, alias in (word.partition(" as ") for word in (words or "").split(", ") if word):
                first = shared.setdefault((path, name), alias or name)
                body = re.sub(rf"(?<![.\w]){alias or name}\b(?!:)", first, body)
        data = ["EXPERIMENTS", "GOALS", *map(str.upper, _extras(public))]
        parameters = ", ".join([*shared.values(), *data])
        module = f"export default ({parameters}) => {{\n{_let(body)}\n}};"  # what it throws, `first` catches
        self.second = esbuild(module, SNIPPET, form="esm")
        self.name = f"ab.count-{hashlib.sha256(self.second).hexdigest()[:8]}.js"
        entry = 'import "./gate.js"; import { resolve } from "./core/script.js";'
        entry += "".join(f'import {{ {name} as {here}_ }} from "{path}";' for (path, name), here in shared.items())
        arguments = ", ".join([*(f"{here}_" for here in shared.values()), *data])
        load = f"(await import(resolve({_json(self.name)}))).default({arguments})"
        entry += (SNIPPET / "first.js").read_text().replace("COUNT", load)
        flat = esbuild(entry, SNIPPET, flags, "esm", minify=False).decode()
        self.first = _minified(f"try {{\n{_with_data(_let(flat), public, rows)}\n}} catch {{}}")


def _in_one(public: Json, rows: list[Row], site: Options) -> bytes:
    """The testers' file."""
    flags = _flags(_features(public, rows, site) | {"DEBUG": True, "ASYNC": True}, site)
    flat = esbuild('import "./run.js";', SNIPPET, ["--minify-syntax", *flags], "esm", minify=False).decode()
    return _minified(f"try {{\n{_with_data(_let(flat), public, rows, DEBUG=True)}\n}} catch {{}}")


def _minified(source: str, flags: list[str] | None = None) -> bytes:
    """`source`, bundled. EAGER(f), a function that is called before the first paint, becomes (f): the browser then
    compiles it at once, where it would parse it twice."""
    return esbuild(source, SNIPPET, flags, "esm").replace(b"EAGER(", b"(")


def _let(source: str) -> str:
    """Variables at the top that belong to a block, not to the page."""
    return re.sub(r"^var ", "let ", source, flags=re.MULTILINE)


def _with_data(source: str, public: Json, rows: list[Row], **build: bool) -> str:
    """The names in capitals that stand for data: in their place where used once, else declared first."""
    keys = "|".join(row[0] for row in rows)
    data = {
        "EXPERIMENTS": _json(rows),
        "GOALS": f"({_json(goals(public))})",
        "VALUED": _json(valued(public)),
        "SEGMENTED": f"({_json(segmented(public))})",
        "TESTING": rf"/[?&](ab_|({keys})=\d)/" if keys else "/[?&]ab_/",
        "MANIFEST": _json(public),
        "SCRIPT": TESTED if build.get("DEBUG") else OWN_TAG,
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
    parts = (
        "VALUES",
        "SEGMENTS",
        "URLS",
        "CONDITIONS",
        "NAMESPACES",
        "REDIRECTS",
        "TIMES",
        "PAYLOADS",
        *(f"USES.{name}" for name in USES),
    )
    features = dict.fromkeys(("ASYNC", *parts), True) | {"REDIRECT_ATTRIBUTE": False} | _option_features(site)
    return _minified('export * from "./module.js";', ["--inject:./core/config.js", *_flags(features, site)])


def _features(public: Json, rows: list[Row], site: Options) -> dict[str, bool]:
    """Which parts this manifest needs; the others are left out."""
    more = [row[5] for row in rows if len(row) > 5]
    needed = {name for each in more if "c" in each for name in used(each["c"])}
    return {
        "VALUES": bool(valued(public)),
        "SEGMENTS": bool(segmented(public)),
        "URLS": any("u" in each for each in more),
        "CONDITIONS": any("c" in each for each in more),
        "NAMESPACES": any("n" in each for each in more),
        "REDIRECTS": any("r" in each for each in more) or site.redirect_attribute,
        "TIMES": any("t" in each for each in more),
        "PAYLOADS": any(len(variant) > 2 for row in rows for variant in row[1]),
        "REDIRECT_ATTRIBUTE": site.redirect_attribute,
        **{f"USES.{name}": name in needed for name in USES},
        **_option_features(site),
    }


def _option_features(site: Options) -> dict[str, bool]:
    asks, gpc = site.consent, site.global_privacy_control
    return {"CONSENT": asks or gpc, "ASK": asks, "GPC": gpc, "EDGE": site.edge}


def _flags(features: dict[str, bool], site: Options) -> list[str]:
    """What the sources call by names in capitals, as esbuild's definitions."""
    domain = f";domain={site.cookie_domain}" if site.cookie_domain else ""
    values: Json = {"DEBUG": False, "ASYNC": False, **features, "EVENTS": site.events, "COOKIE_DOMAIN": domain}
    return ["--pure:EAGER", *(f"--define:{name}={_json(value)}" for name, value in values.items())]


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)

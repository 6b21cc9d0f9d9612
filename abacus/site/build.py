"""static/ and a manifest → everything below site/ in the bucket, byte for byte.

The snippet is built with the manifest baked in, so that a page gets both in one small file; what no experiment
uses is left out by esbuild.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from abacus.paths import PROJECT, STATIC
from abacus.site.docs import docs_files
from abacus.site.edge_function import edge_function
from abacus.site.esbuild import BuildError, esbuild, split
from abacus.site.public_manifest import public
from abacus.site.snippet import Options, options, scripts
from chalicelib.domain.manifest import Manifest

# A publish is to be seen within a minute: half of it fresh, half stale while a page that must not wait fetches it.
FRESH = "public, max-age=30, stale-while-revalidate=30, stale-if-error=86400"
PAGE = "public, max-age=60, stale-while-revalidate=600, stale-if-error=86400"
FOREVER = "public, max-age=31536000, immutable"

# Our own table: what the system's says differs from machine to machine.
CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".mts": "text/plain; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
    ".png": "image/png",
}


class Asset(NamedTuple):
    """A file as it is served: content, type, and how long caches may keep it."""

    body: bytes
    content_type: str
    cache_control: str


def build_site(manifest: Manifest, site: Options | None = None) -> dict[str, Asset]:
    """Path below site/ → what is served there. Raises BuildError."""
    shown = public(manifest)
    site = site or options()
    built = {
        name: Asset(body, CONTENT_TYPES[Path(name).suffix], FOREVER if name.startswith("ab.count-") else FRESH)
        for name, body in scripts(shown, site).items()
    }
    if site.edge:
        # For accounts that this ABacus does not publish to; `abacus publish` takes it from here too.
        built["edge.js"] = Asset(edge_function(shown, site), CONTENT_TYPES[".js"], FRESH)
    built |= _pages(shown)
    built |= _results()
    built |= _docs()
    return dict(sorted(built.items()))


def _pages(shown: dict[str, Any]) -> dict[str, Asset]:
    """The landing page at the top, the demo shop below demo/; *.html are Jinja2 templates."""
    pages = Environment(
        loader=FileSystemLoader([STATIC / "index", STATIC / "demo"]), autoescape=True, undefined=StrictUndefined
    )
    experiments = {e["key"]: e for e in shown["experiments"]}
    built = {}
    for folder, prefix in ((STATIC / "index", ""), (STATIC / "demo", "demo/")):
        for file in sorted(folder.iterdir()):
            body = file.read_bytes()
            if file.suffix == ".html":
                template = pages.from_string(body.decode())
                body = template.render(experiments=experiments).encode()
            built[prefix + file.name] = Asset(body, _content_type(file), PAGE)
    return built


def _results() -> dict[str, Asset]:
    """The results page. Scripts and styles have a digest in their names: a browser that has one never asks for it
    again, and a page never meets the script of another version."""
    folder = STATIC / "results"
    style = esbuild((folder / "css/results.css").read_text(), folder / "css", ["--loader=css"], form="esm")
    first = esbuild((folder / "first.js").read_text(), folder)
    bundle = split("results.js", folder, {"uplot": _uplot()})
    names = {"style": _digested("results", style, ".css"), "first": _digested("first", first, ".js")}
    files = bundle.files | {names["style"]: style, names["first"]: first}
    names["script"] = bundle.main
    pages = Environment(loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined)
    built = {f"results/{name}": Asset(body, CONTENT_TYPES[Path(name).suffix], FOREVER) for name, body in files.items()}
    for name in ("index.html", "card.html"):
        built[f"results/{name}"] = Asset(pages.get_template(name).render(names).encode(), CONTENT_TYPES[".html"], PAGE)
    return built


# Statements of the charting library, and what our charts need of them: see _uplot.
_UPLOT = {
    # Lines of other kinds
    "(paths.stepped = stepped);": "",
    "(paths.bars    = bars);": "",
    "(paths.spline  = monotoneCubic);": "",
    "uPlot.join = join;": "",
    # A legend
    "const showLegend = legend.show;": "const showLegend = false;",
    # Dates and numbers, which our charts write. Under LANG=C Chromium says "en-US@posix", and Intl refuses it.
    "new Intl.NumberFormat(domEnv ? nav.language : 'en-US')": "new Intl.NumberFormat()",
    "const [ timeIncrsMs, _timeAxisStampsMs, timeAxisSplitsMs ] = genTimeStuffs(1);": "",
    "const [ timeIncrsS,  _timeAxisStampsS,  timeAxisSplitsS  ] = genTimeStuffs(1e-3);": "",
    "const localTz = new Intl.DateTimeFormat().resolvedOptions().timeZone;": "",
    "const _timeAxisSplits = (ms == 1 ? timeAxisSplitsMs(_tzDate) : timeAxisSplitsS(_tzDate));": "",
    "const _timeAxisVals   = timeAxisVals(_tzDate, timeAxisStamps((ms == 1 ? _timeAxisStampsMs : _timeAxisStampsS), "
    "_fmtDate));": "",
    "const _timeSeriesVal  = timeSeriesVal(_tzDate, timeSeriesStamp(_timeSeriesStamp, _fmtDate));": "",
    "let isTime = mode == 1 && scales[s.scale].time;": "const isTime = false;",
    "let isTime = sc.time;": "const isTime = false;",
    "uPlot.fmtDate = fmtDate;": "",
    "uPlot.tzDate  = tzDate;": "",
}


def _uplot() -> str:
    """The charting library without what our charts do not use: a fifth of it. It attaches everything to one object, so
    esbuild cannot know."""
    source = (PROJECT / "node_modules/uplot/dist/uPlot.esm.js").read_text()
    for before, after in _UPLOT.items():
        if before not in source:
            raise BuildError(f"uPlot has another form now, without {before!r}. Correct abacus/site/build.py.")
        source = source.replace(before, after)
    # Scales that are not linear: logarithmic (3), inverse hyperbolic sine (4), custom (100)
    return re.sub(r"\b(w?sc\.)?distr (== (3|4|100)|>= 3)\b", "false", source)


def _docs() -> dict[str, Asset]:
    """The pages of docs/, for the help of the results page."""
    return {f"docs/{name}": Asset(body, CONTENT_TYPES[Path(name).suffix], PAGE) for name, body in docs_files().items()}


def _digested(name: str, body: bytes, suffix: str) -> str:
    return f"{name}-{hashlib.sha256(body).hexdigest()[:12]}{suffix}"


def _content_type(file: Path) -> str:
    if file.suffix not in CONTENT_TYPES:
        raise BuildError(f"{file.name}: what is {file.suffix}? Add it to CONTENT_TYPES in abacus/site/build.py.")
    return CONTENT_TYPES[file.suffix]


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)

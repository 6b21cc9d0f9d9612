"""static/edge and the public manifest → a CloudFront Function that assigns visitors before the page leaves the CDN.

One file for both events: attach it to viewer-request and viewer-response. docs/edge.md shows how.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from abacus.paths import STATIC
from abacus.site.esbuild import BuildError, esbuild
from abacus.site.snippet import KINDS, USES, Options, options_place
from abacus.site.snippet_manifest import Row, compact, used

EDGE = STATIC / "edge"
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html#limits-functions
MAX_BYTES = 10 * 1024
# Attributes that follow from a request alone. `language` is none: browsers and headers name it differently.
ATTRIBUTES = ("id", "url", "path", "host", "query", "country", "device")
LOGIC = ("$or", "$nor", "$and", "$not")
# ES5.1 and what runtime 2.0 adds to it; esbuild rewrites the rest, or refuses it.
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-javascript-runtime-20.html
RUNTIME = [
    "--target=es5",
    *(f"--supported:{feature}=true" for feature in ("arrow", "const-and-let", "template-literal", "rest-argument")),
    "--platform=neutral",
]

Json = dict[str, Any]


class LeftOut(NamedTuple):
    """An experiment that the edge does not assign; the snippet does, as without the edge."""

    experiment: str
    reason: str


def left_out(public: Json) -> list[LeftOut]:
    """The experiments of a public manifest that the edge function leaves to the snippet, and why."""
    reasons = ((e["key"], _reason(e)) for e in public["experiments"])
    return [LeftOut(key, reason) for key, reason in reasons if reason]


def edge_function(public: Json, site: Options) -> bytes:
    """The function's code. Raises BuildError when it is larger than CloudFront takes."""
    skipped = {each.experiment for each in left_out(public)}
    shown = public | {"experiments": [e for e in public["experiments"] if e["key"] not in skipped]}
    rows = [_row(row) for row in compact(shown)]
    code = _bundle(rows, site)
    if len(code) > MAX_BYTES:
        raise BuildError(_too_large(rows, site, len(code)))
    return code


def _reason(experiment: Json) -> str:
    if experiment.get("edge") is False:
        return "edge: false"
    unknown = sorted(set(_attributes(experiment.get("condition", {}))) - set(ATTRIBUTES))
    if unknown:
        return f"its condition asks for {', '.join(unknown)}, which a request does not tell"
    patterns = [p for side in experiment.get("urls", {}).values() for p in side]
    if any("#" in p["pattern"] for p in patterns):
        return "its urls have a fragment (#), which browsers do not send"
    return ""


def _attributes(condition: Json) -> list[str]:
    """The attributes that a condition asks for, by their first name."""
    names: list[str] = []
    for key, wanted in condition.items():
        if key in LOGIC:
            for each in wanted if isinstance(wanted, list) else [wanted]:
                names += _attributes(each)
        else:
            names.append(key.split(".")[0])
    return names


def _row(row: Row) -> Row:
    """A row without payloads, which no request needs, and with redirects as [host, path, query]."""
    key, variants, *rest = row
    bare = [key, [variant[:2] for variant in variants], *rest]
    if len(bare) > 5 and "r" in bare[5]:
        bare[5] = bare[5] | {"r": {variant: _target(url) for variant, url in bare[5]["r"].items()}}
    return bare


def _target(url: str) -> list[Any]:
    parts = urlsplit(url)
    return [parts.netloc.lower(), parts.path or "/", dict(parse_qsl(parts.query, keep_blank_values=True))]


def _bundle(rows: list[Row], site: Options) -> bytes:
    conditions = [row[5]["c"] for row in rows if len(row) > 5 and "c" in row[5]]
    names = {name for condition in conditions for name in used(condition)}
    domain = f"; Domain={site.cookie_domain}" if site.cookie_domain else ""
    values: Json = {
        "COOKIE_DOMAIN": domain,
        "GPC": site.global_privacy_control,
        "ASK": site.consent,
        "INDEX_PAGES": site.edge_index_pages,
        "CONDITIONS": bool(conditions),
        **{f"USES.{name}": name in names for name in (*USES, *KINDS, *ATTRIBUTES)},
    }
    flags = [f"--define:{name}={_json(value)}" for name, value in values.items()]
    bundled = esbuild('export * from "./handler.js";', EDGE, [*flags, *RUNTIME], "esm").decode()
    # CloudFront calls a function by this name, and knows no exports.
    code = re.sub(r"export\{(\S+) as handler\};?$", r"function handler(event){return \1(event)}", bundled)
    return f"var EXPERIMENTS={_json(rows)};{code}".encode()


def _too_large(rows: list[Row], site: Options, size: int) -> str:
    """What to do about a function that is too large: the experiments that take the most bytes of it."""
    bare = len(_bundle([], site))
    sizes = sorted(((len(_json(row).encode()), row[0]) for row in rows), reverse=True)
    lines = [f"  {key}: {bytes_} bytes" for bytes_, key in sizes[:10]]
    return (
        f"The edge function takes {size} bytes; CloudFront allows {MAX_BYTES}, and {bare} are its code. "
        "Add `edge: false` to some of these experiments, and the snippet alone assigns them, or set edge to false in "
        f"{options_place()}:\n" + "\n".join(lines)
    )


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)

"""Url targeting: GrowthBook's simple and regex patterns, and the same said as a condition on the attribute
`url`, for clients that know attributes only.

A simple pattern compares host and path (either slash at its ends optional, `*` any text), the query parameters
that it names, in any order, and the fragment if it has one; upper and lower case are alike.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote

from chalicelib.domain.manifest import UrlPattern, Urls
from chalicelib.targeting.javascript import regex

_ORIGIN = r"[a-zA-Z][a-zA-Z0-9+.\-]*://[^/?#]*"
_ANY = "_____"  # stands for * while a pattern passes for a url, as in GrowthBook's SDK
_PATH_SAFE = "/%:@!$&'()*+,;=~|[]^"  # what a browser leaves as it is in a path
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def matches(urls: Urls, url: str) -> bool:
    """Whether the experiment runs on `url`.

    >>> matches(Urls(include=(UrlPattern(pattern="/shop/*"),)), "https://example.com/shop/tea?x=1")
    True
    """
    if any(_matches(pattern, url) for pattern in urls.exclude):
        return False
    return not urls.include or any(_matches(pattern, url) for pattern in urls.include)


def _matches(pattern: UrlPattern, url: str) -> bool:
    href = normal(url)
    source = simple(pattern.pattern) if pattern.type == "simple" else pattern.pattern
    pattern_regex = regex(source, pattern.type == "simple")
    inside = re.sub(f"^{_ORIGIN}", "", href)
    return pattern_regex is not None and any(pattern_regex.search(part) for part in (href, inside))


def condition_on_url(urls: Urls) -> dict[str, Any]:
    """The same as a condition. Without a `url` attribute no visitor is enrolled."""
    condition: dict[str, Any] = {"url": {"$exists": True}}
    if urls.include:
        condition["$or"] = [on for pattern in urls.include for on in _conditions(pattern)]
    if urls.exclude:
        condition["$nor"] = [on for pattern in urls.exclude for on in _conditions(pattern)]
    return condition


def _conditions(pattern: UrlPattern) -> list[dict[str, Any]]:
    if pattern.type == "simple":
        return [{"url": {"$regexi": simple(pattern.pattern)}}]
    # A regex is also tried on path and query alone, so its ^ may as well stand after the origin.
    behind = re.sub(r"\\.|\[(?:\\.|[^\]\\])*\]|\^", _anchor_behind_origin, pattern.pattern)
    variants = [pattern.pattern] + ([behind] if behind != pattern.pattern else [])
    return [{"url": {"$regex": source}} for source in variants]


def _anchor_behind_origin(match: re.Match[str]) -> str:
    return f"^{_ORIGIN}" if match.group() == "^" else match.group()


def simple(pattern: str) -> str:
    """A simple pattern as a regular expression over the whole url, for JavaScript and Python alike."""
    url = _split(re.sub(r"^([^:/?]*)\.", r"https://\1.", pattern).replace("*", _ANY), _ANY)
    host = _literal(url.host, "[^/?#]*")
    path = _literal(re.sub("^/|/$", "", url.path), "[^?#]*")
    query = "".join(_parameter(*pair) for pair in parse_qsl(url.query or "", keep_blank_values=True))
    end = rf"(?:\?[^#]*)?#{_literal(url.fragment, '.*')}$" if url.fragment else "(?:[?#]|$)"
    return rf"^[a-z][a-z0-9+.\-]*://(?:[^/?#@]*@)?{host}(?=[/?#]|$)/?{path}/?(?=[?#]|$){query}{end}"


def _parameter(name: str, value: str) -> str:
    """The first parameter of that name has this value; a missing one counts as empty."""
    key, wanted = _encoded(name), _ANY_VALUE.join(_encoded(part) for part in value.split(_ANY))
    first = rf"\?(?:(?!{key}(?:[=&#]|$))[^&#]*&)*{key}"
    if value.replace(_ANY, ""):
        return rf"(?={first}={wanted}(?:[&#]|$))"
    return "" if value else rf"(?!{first}=[^&#])"


_ANY_VALUE = "[^&#]*"


def _encoded(value: str) -> str:
    """Each character as such, or percent-encoded."""

    def either(char: str) -> str:
        if re.fullmatch(r"[A-Za-z0-9_\-]", char):
            return char
        forms = [] if char in "&#%+" else [re.escape(char)]
        forms.append("".join(f"%{byte:02X}" for byte in char.encode()))
        return "(?:" + "|".join([*forms, r"\+"] if char == " " else forms) + ")"

    return "".join(either(char) for char in value)


def _literal(value: str, wildcard: str) -> str:
    # re.escape would write \# or \&, which JavaScript's stricter modes refuse.
    return wildcard.join(re.sub(r"[.*+?^${}()|\[\]\\]", r"\\\g<0>", part) for part in value.split(_ANY))


def normal(url: str) -> str:
    """The url as a browser's address bar holds it: host in lower case, path encoded, no default port, no `..`."""
    parts = _split(url, "_")
    query = "" if parts.query is None else f"?{parts.query}"
    fragment = "" if parts.fragment is None else f"#{parts.fragment}"
    return f"{parts.scheme}://{parts.host}{parts.path}{query}{fragment}"


class _Url(NamedTuple):
    scheme: str
    host: str
    path: str
    query: str | None
    fragment: str | None


_URL = re.compile(r"(?:([a-zA-Z][a-zA-Z0-9+.\-]*):)?(//[^/?#]*)?([^?#]*)(?:\?([^#]*))?(?:#(.*))?", re.DOTALL)


def _split(url: str, default_host: str) -> _Url:
    """The parts of `url`, each encoded as browsers do; a url without a host is one on `default_host`."""
    match = _URL.fullmatch(url)
    assert match  # every part may be empty, so everything is a url
    scheme, host, path, query, fragment = match.groups()
    if host is None:
        host = "" if scheme else default_host  # localhost:3000 has the scheme localhost, alas
    scheme = (scheme or "https").lower()
    return _Url(
        scheme=scheme,
        host=host.removeprefix("//").lower().removesuffix(_DEFAULT_PORTS.get(scheme, "/")),
        path=_path(path) or "/",
        query=None if query is None else quote(query, safe=_PATH_SAFE + "?`{}"),
        fragment=None if fragment is None else quote(fragment, safe=_PATH_SAFE + "?{}"),
    )


def _path(path: str) -> str:
    resolved: list[str] = []
    segments = path.removeprefix("/").split("/")
    for index, segment in enumerate(segments):
        if segment in (".", ".."):
            if segment == "..":
                resolved = resolved[:-1]
            if index == len(segments) - 1:
                resolved.append("")
        else:
            resolved.append(segment)
    return quote("".join("/" + segment for segment in resolved), safe=_PATH_SAFE)

"""What a Content-Security-Policy allows, as far as the snippet needs it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import SplitResult, urlsplit

PORTS = {"http": 80, "https": 443}


def blocking_directive(policy: str, directive: str, url: str, page_url: str, *, nonce: str = "") -> str | None:
    """The directive of `policy` that forbids the page to load or call `url`; None if it is allowed.

    `directive`: script-src or connect-src; `nonce`: the nonce of the script tag.

    >>> blocking_directive("default-src 'self'", "script-src", "https://ab.example.com/ab.js", "https://example.com/")
    "default-src 'self'"
    >>> blocking_directive("script-src *.example.com", "script-src", "https://ab.example.com/ab.js", "https://example.com/")
    """
    directives: dict[str, list[str]] = {}
    for part in policy.split(";"):
        name, *sources = part.split() or [""]
        directives.setdefault(name.lower(), sources)
    fallbacks = ["script-src-elem", "script-src"] if directive == "script-src" else [directive]
    ruling = next((name for name in [*fallbacks, "default-src"] if name in directives), None)
    if ruling is None or _allows(directives[ruling], url, page_url, nonce):
        return None
    return " ".join([ruling, *directives[ruling]])


def _allows(sources: Sequence[str], url: str, page_url: str, nonce: str) -> bool:
    if nonce and f"'nonce-{nonce}'" in sources:
        return True
    if "'strict-dynamic'" in sources:
        return False
    target, page = urlsplit(url), urlsplit(page_url)
    return any(_matches(source, target, page) for source in sources)


def _matches(source: str, target: SplitResult, page: SplitResult) -> bool:
    if source.lower() == "'self'":
        return (target.hostname, _port(target)) == (page.hostname, _port(page))
    if source == "*":
        return target.scheme in ("http", "https")
    if re.fullmatch(r"[a-z][a-z0-9+.-]*:", source, re.IGNORECASE):
        return target.scheme == source[:-1].lower()
    if source.startswith("'"):
        return False
    given = urlsplit(source if "://" in source else f"{page.scheme}://{source}")
    host, port = given.hostname or "", _port_text(given)
    fits = target.hostname == host or (host.startswith("*.") and (target.hostname or "").endswith(host[1:]))
    scheme = given.scheme in (target.scheme, "http" if target.scheme == "https" else "")
    right_port = port == "*" or (int(port) if port else PORTS.get(target.scheme)) == _port(target)
    folder = given.path in ("", "/") or (
        target.path.startswith(given.path) if given.path.endswith("/") else target.path == given.path
    )
    return fits and scheme and right_port and folder


def _port(url: SplitResult) -> int | None:
    return url.port or PORTS.get(url.scheme)


def _port_text(url: SplitResult) -> str:
    return url.netloc.rpartition(":")[2] if re.search(r":(\d+|\*)$", url.netloc) else ""

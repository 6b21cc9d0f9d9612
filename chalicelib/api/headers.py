"""Which pages may read the answer to what they post: all; with the visitor's cookie, those of the site alone."""

from __future__ import annotations

import re
from urllib.parse import urlsplit


def readable(origin: str, cookie_domain: str) -> dict[str, str]:
    """The headers of an answer to a page of `origin`, as browsers send it; "" for none.

    Where the tracker is a subdomain of the site, pages of `cookie_domain` and below post with credentials, so that the
    answer can renew the cookie. Browsers let them read it only if it names them.

    >>> readable("https://www.example.com", "example.com")["Access-Control-Allow-Origin"]
    'https://www.example.com'
    >>> readable("http://www.example.com", "example.com")["Access-Control-Allow-Origin"]
    '*'
    """
    headers = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Date, ETag, Retry-After"}
    if cookie_domain:
        headers["Vary"] = "Origin"  # the answer differs from page to page, and a cache on the way has to know
        if _within(origin, cookie_domain):
            headers |= {"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Credentials": "true"}
    return headers


def _within(origin: str, domain: str) -> bool:
    try:
        parts = urlsplit(origin)
        host = parts.hostname or ""
    except ValueError:  # [ without ], say
        return False
    # Anyone in the network can forge a page that is not encrypted; a page of this machine is the developer's own.
    here = host in ("localhost", "127.0.0.1", "::1") or host.endswith(".localhost")
    if parts.scheme != "https" and not here:
        return False
    return host == domain or host.endswith(f".{domain}")


YEAR = 365 * 24 * 3600  # seconds
_OURS = re.compile(r"(?:^|;\s*)abacus=([A-Za-z0-9_.:\-]{1,128})(~[A-Za-z0-9_.~\-]{0,3500})?(?=;|$)")


def carries_cookie(cookies: str, visitor: str, *, domain: str = "") -> bool | None:
    """Whether a Cookie header has the cookie of `visitor`; None where the site's pages cannot send one.

    >>> carries_cookie("a=b; abacus=v1", "v1", domain="example.com"), carries_cookie("", "v1")
    (True, None)
    """
    if not domain:
        return None
    match = _OURS.search(cookies)
    return match is not None and match[1] == visitor


def renewed(cookies: str, visitor: str, *, domain: str = "") -> str | None:
    """The Set-Cookie header that renews `visitor`'s cookie, found in a Cookie header; None: there is none of his.

    >>> renewed("a=b; abacus=v1~cta-color.green.0~", "v1")
    'abacus=v1~cta-color.green.0~; Max-Age=31536000; Path=/; Secure; SameSite=Lax'
    """
    found = _OURS.search(cookies)
    if found is None or found[1] != visitor:
        return None
    parts = [f"abacus={found[1]}{found[2] or ''}", f"Max-Age={YEAR}", "Path=/", "Secure", "SameSite=Lax"]
    return "; ".join([*parts, f"Domain={domain}"] if domain else parts)

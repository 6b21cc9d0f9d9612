"""Which pages may read the answer to what they post: all; with the visitor's cookie, those of the site alone."""

from __future__ import annotations

from urllib.parse import urlsplit


def readable(origin: str, cookie_domain: str) -> dict[str, str]:
    """The headers of an answer to a page of `origin`, as browsers send it; "" for none.

    Where the tracker is a subdomain of the site, pages of `cookie_domain` and below post with credentials, so that the
    answer can renew the cookie. Browsers let them read it only if it names them.

    >>> readable("https://www.example.com", "example.com")["Access-Control-Allow-Origin"]
    'https://www.example.com'
    """
    headers = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Date, Retry-After"}
    if cookie_domain:
        headers["Vary"] = "Origin"  # the answer differs from page to page, and a cache on the way has to know
        if _within(origin, cookie_domain):
            headers |= {"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Credentials": "true"}
    return headers


def _within(origin: str, domain: str) -> bool:
    try:
        host = urlsplit(origin).hostname or ""
    except ValueError:  # [ without ], say
        return False
    return host == domain or host.endswith(f".{domain}")

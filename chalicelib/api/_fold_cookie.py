"""The visitor's id outlives Safari's seven days only in a cookie that an HTTP answer set: so each answer renews it.

The snippet writes `abacus=<visitor>~<experiment>.<variant>.<phase>~...`; what it wrote is what it gets back. Nothing is
set for whoever sent no cookie: that may be a visitor who has not consented.
"""

from __future__ import annotations

import re

YEAR = 365 * 24 * 3600  # seconds
_OURS = re.compile(r"(?:^|;\s*)abacus=([A-Za-z0-9_.:\-]{1,128})(~[A-Za-z0-9_.~\-]{0,3500})?(?=;|$)")


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

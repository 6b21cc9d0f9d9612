"""Who sent a request, as far as the service can tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Sender(NamedTuple):
    """client: id of the back end that signed the request; None: anonymous. bot: its user agent names a bot. address:
    where the request came from, "" if that is unknown. has_cookie: whether it carried the cookie of the visitor;
    None: the site cannot have one."""

    client: str | None = None
    bot: bool = False
    address: str = ""
    has_cookie: bool | None = None

    @property
    def signed(self) -> bool:
        """Whether a back end signed the request; such a sender is trusted with older events."""
        return self.client is not None


ANONYMOUS = Sender()


def address_of(headers: Mapping[str, str], connection: str) -> str:
    """The address of the browser. `connection`: the address at the other end of the connection.

    Behind CloudFront that is CloudFront. It appends the browser's address to X-Forwarded-For, and the API appends
    CloudFront's; what comes before was sent by the browser itself and proves nothing.

    >>> address_of({"x-forwarded-for": "10.0.0.1, 192.0.2.7, 198.51.100.9"}, "198.51.100.9")
    '192.0.2.7'
    >>> address_of({}, "192.0.2.7")
    '192.0.2.7'
    """
    addresses = [part.strip() for part in headers.get("x-forwarded-for", "").split(",") if part.strip()]
    if len(addresses) > 1 and addresses[-1] == connection:
        addresses.pop()
    return addresses[-1] if addresses else connection

"""What can go wrong, as a tree; the HTTP status stands beside each.

AbacusError
├── InvalidInput            400  bytes that are not what the wire format says (code: malformed)
│   ├── TooLarge            413
│   └── WrongEncoding       415  a compressed body
├── Unauthorized            401  no or wrong credentials; never 403, which the CDN turns into a page
├── NotFound                404  no such experiment
├── TooManyRequests         429  slow down; try again in `retry_after` seconds
├── Busy                    503  try again later, in `retry_after` seconds; nothing was lost
├── ManifestError           422  a manifest that must not be published; carries every problem found
└── AlertsFailed            500  a round of alerts told less than it should

A message gives field, value, rule and next step. A refused event is not an error: it is an outcome
(ingestion/validation.py) in an answer with status 202.
"""

from __future__ import annotations

from collections.abc import Sequence

MOST_NAMES = 10  # in one message: a request of a hundred refused events gets a hundred messages


class AbacusError(Exception):
    """A failure that is explained to the caller. `field` names the input at fault, where there is one."""

    status = 500
    code = "internal"

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class InvalidInput(AbacusError):
    """The input is not what the format allows."""

    status = 400
    code = "malformed"


class TooLarge(InvalidInput):
    """The input is larger than the limit that the message names."""

    status = 413
    code = "too-large"


class WrongEncoding(InvalidInput):
    """The body is compressed, which is not supported."""

    status = 415
    code = "wrong-type"


class Unauthorized(AbacusError):
    """Credentials are missing or wrong."""

    status = 401
    code = "unauthorized"


class NotFound(AbacusError):
    """The named experiment does not exist."""

    status = 404
    code = "not-found"


class TooManyRequests(AbacusError):
    """The sender is over a limit. `retry_after`: seconds until the same request may succeed."""

    status = 429
    code = "too-many-requests"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Busy(AbacusError):
    """The tables are throttled; nothing was lost. Try again after `retry_after` seconds."""

    status = 503
    code = "busy"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ManifestError(AbacusError):
    """The manifest must not be published."""

    status = 422
    code = "invalid-manifest"


class AlertsFailed(AbacusError):
    """Messages were given up, or experiments could not be looked at; an alarm listens to the failed call."""


def names_in_message(names: Sequence[str]) -> str:
    """The names that there are, for the message about one that there is not: the first ten, and how many more.

    >>> names_in_message(["blue", "green"]), names_in_message([])
    ('blue, green', 'none')
    """
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return (", ".join(names[:MOST_NAMES]) or "none") + more

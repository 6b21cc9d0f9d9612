"""The HTTP API of a running product, as the command line reads it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

from chalicelib.domain.errors import AbacusError, NotFound, Unauthorized

TIMEOUT = 30  # seconds for one request; the first one may start a function


@dataclass(frozen=True)
class ProductApi:
    """GET /stats of one product. `base_url`: without a slash at the end; `read_key`: "" where none is needed."""

    base_url: str
    read_key: str = ""

    def experiments(self, *, days: bool = False) -> list[dict[str, Any]]:
        """The list of GET /stats; with `days`, each entry has its last days too."""
        listed: list[dict[str, Any]] = self.get("/stats", series="day" if days else "")["experiments"]
        return listed

    def experiment(self, key: str, *, goal: str = "", by: str = "") -> dict[str, Any]:
        """The report of GET /stats/{key}, without series, or its numbers `by` a segment. Raises NotFound for an unknown
        key, AbacusError for an unknown goal or segment."""
        series = "" if by else "none"
        report: dict[str, Any] = self.get(f"/stats/{quote(key, safe='')}", series=series, goal=goal, by=by)
        return report

    def stage(self) -> str:
        """The name of its stage, "local" on a developer's machine."""
        return str(self.get("/health")["stage"])

    def get(self, path: str, **query: str) -> Any:
        """The JSON at `path`. Empty values of `query` are left out.

        Raises Unauthorized, NotFound, or AbacusError with what the product or the network said."""
        given = {name: value for name, value in query.items() if value}
        url = f"{self.base_url}{path}{'?' + urlencode(given) if given else ''}"
        headers = {"X-Read-Key": self.read_key} if self.read_key else {}
        try:
            with urlopen(Request(url, headers=headers), timeout=TIMEOUT) as response:  # noqa: S310  our own address
                return json.load(response)
        except HTTPError as error:
            with error:
                raise _failure(error.code, error.read(), url) from None
        except (URLError, TimeoutError, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise AbacusError(f"{url} does not answer with JSON ({reason}). Is the product running there?") from None


def _failure(status: int, body: bytes, url: str) -> AbacusError:
    try:
        message = str(json.loads(body)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        message = f"{url} answered {status}"
    if status == 401:
        return Unauthorized("This product needs its read key: add --read-key KEY, or set ABACUS_READ_KEY.")
    return NotFound(message) if status == 404 else AbacusError(message)

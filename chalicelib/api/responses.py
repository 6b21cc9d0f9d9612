"""What every answer has in common: JSON, errors in one shape, no caching unless a route asks for it, and the headers
that let a page read it and that renew the visitor's cookie."""

from __future__ import annotations

import functools
import hmac
import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

from chalice.app import Request
from chalice.app import Response as Response  # for those who may not import chalice
from pydantic import BaseModel

from chalicelib.domain.errors import AbacusError, Busy, TooManyRequests
from chalicelib.storage.retry import is_busy

View = Callable[..., Any]

YEAR = 365 * 24 * 3600  # seconds
_COOKIE = re.compile(r"(?:^|;\s*)abacus=([A-Za-z0-9_.:\-]{1,128})(~[A-Za-z0-9_.~\-]{0,3500})?(?=;|$)")
_CHALICE_CODES = {404: "not-found", 405: "method-not-allowed", 415: "wrong-type"}


def answering(view: View) -> View:
    """Turn a view's model into JSON, and domain errors into answers.

    A decorator, because Chalice's middleware does not see what a view raises. Other exceptions pass: Chalice logs them
    and answers 500."""

    @functools.wraps(view)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            answer = view(*args, **kwargs)
        except AbacusError as error:
            return failure(error)
        except Exception as error:
            if not is_busy(error):
                raise
            return failure(Busy("The tables are busy. Try again.", retry_after=2))
        return json_response(answer) if isinstance(answer, BaseModel) else answer

    return wrapped


def json_response(model: BaseModel, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """`model` as the body of an answer."""
    body = model.model_dump_json(by_alias=True)
    return Response(body, {"Content-Type": "application/json", **(headers or {})}, status)


def not_modified(headers: dict[str, str]) -> Response:
    """304: the client has this answer already."""
    return Response("", {**headers}, 304)


def failure(error: AbacusError) -> Response:
    """The answer to a request that failed: {"error": {"code", "message", "field"?}}, and Retry-After when busy."""
    body = {"code": error.code, "message": error.message}
    if error.field is not None:
        body["field"] = error.field
    headers: Any = {"Retry-After": str(error.retry_after)} if isinstance(error, Busy | TooManyRequests) else {}
    return Response({"error": body}, headers, error.status)


def complete(response: Response) -> Response:
    """Give Chalice's own errors our shape, and every answer its content type and cache rule."""
    complete_already = isinstance(response.body, str) and response.headers.get("Content-Type") == "application/json"
    if response.status_code >= 400 and not complete_already and "error" not in _mapping(response.body):
        response.body = {"error": _chalice_error(response)}
    if isinstance(response.body, dict):
        response.headers.setdefault("Content-Type", "application/json")  # an HTTP API would say text/plain
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _mapping(body: Any) -> dict[str, Any]:
    return body if isinstance(body, dict) else {}


def _chalice_error(response: Response) -> dict[str, Any]:
    body = _mapping(response.body)
    message = body.get("Message") if response.status_code < 500 else None
    return {
        "code": _CHALICE_CODES.get(response.status_code, "malformed" if response.status_code < 500 else "internal"),
        "message": message or "Something went wrong on our side. Send the same again.",
    }


def from_cdn(request: Request, secrets: Iterable[str]) -> bool:
    """Whether `request` carries one of the secrets that only the CDN knows. Without secrets every request passes."""
    secrets = list(secrets)
    sent = str(request.headers.get("x-origin-secret", "")).encode()
    return not secrets or any(hmac.compare_digest(sent, secret.encode()) for secret in secrets)


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


def carries_cookie(cookies: str, visitor: str, *, domain: str = "") -> bool | None:
    """Whether a Cookie header has the cookie of `visitor`; None where the site's pages cannot send one.

    >>> carries_cookie("a=b; abacus=v1", "v1", domain="example.com"), carries_cookie("", "v1")
    (True, None)
    """
    if not domain:
        return None
    match = _COOKIE.search(cookies)
    return match is not None and match[1] == visitor


def renewed(cookies: str, visitor: str, *, domain: str = "") -> str | None:
    """The Set-Cookie header that renews `visitor`'s cookie, found in a Cookie header; None: there is none of his.

    >>> renewed("a=b; abacus=v1~cta-color.green.0~", "v1")
    'abacus=v1~cta-color.green.0~; Max-Age=31536000; Path=/; Secure; SameSite=Lax'
    """
    match = _COOKIE.search(cookies)
    if match is None or match[1] != visitor:
        return None
    parts = [f"abacus={match[1]}{match[2] or ''}", f"Max-Age={YEAR}", "Path=/", "Secure", "SameSite=Lax"]
    return "; ".join([*parts, f"Domain={domain}"] if domain else parts)

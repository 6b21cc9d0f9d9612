"""One page as its server sends it: headers, tags that matter to the snippet, and where they stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from html.parser import HTMLParser
from urllib.error import HTTPError, URLError
from urllib.parse import urljoin, urlsplit
from urllib.request import Request, urlopen

from chalicelib.domain.errors import AbacusError

TIMEOUT = 30  # seconds
MOST_BYTES = 10_000_000  # of one response
AGENT = "Mozilla/5.0 (compatible; abacus-check)"
IN_HEAD = {"html", "head", "meta", "title", "link", "script", "style", "base", "noscript", "template"}


class CannotFetch(AbacusError):
    """A URL that cannot be read; the message says why."""


@dataclass(frozen=True)
class Response:
    """What a URL answered, after redirects. Header names are in small letters."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Tag:
    """A start tag. `in_head`: before any element of the body."""

    name: str
    attributes: Mapping[str, str]
    line: int
    in_head: bool


@dataclass
class Page:
    """The tags of a page. `marked`: elements with a data-ab attribute; `policies`: Content-Security-Policy of headers
    and meta elements; `styles`: the text of style elements; `comments`: commented-out HTML."""

    url: str
    base: str
    scripts: list[Tag] = field(default_factory=list)
    marked: list[Tag] = field(default_factory=list)
    policies: list[str] = field(default_factory=list)
    styles: str = ""
    comments: str = ""

    def absolute(self, link: str) -> str:
        """A link of the page as a whole URL."""
        return urljoin(self.base, link)


def fetch(url: str) -> Response:
    """GET `url` as a browser would. A response of any status is an answer. Raises CannotFetch."""
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc:
        raise CannotFetch(f"{url!r} is not a whole URL: write https://example.com/page")
    request = Request(url, headers={"User-Agent": AGENT, "Accept": "text/html,*/*"})  # noqa: S310  checked above
    try:
        with urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
            return Response(answer.url, answer.status, _headers(answer.headers), answer.read(MOST_BYTES))
    except HTTPError as error:
        with error:
            return Response(error.url or url, error.code, _headers(error.headers), error.read(MOST_BYTES))
    except (URLError, TimeoutError, OSError, ValueError) as error:
        raise CannotFetch(f"{url} cannot be fetched: {getattr(error, 'reason', error)}") from None


def _headers(message: Message) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in message.items():
        known = headers.get(name.lower())
        headers[name.lower()] = f"{known}, {value}" if known else value
    return headers


def parse(response: Response) -> Page:
    """The page in a response. Raises CannotFetch where it is no HTML page."""
    kind = response.headers.get("content-type", "")
    if response.status != 200:
        raise CannotFetch(f"{response.url} answers {response.status}, not 200")
    if "html" not in kind:
        raise CannotFetch(f"{response.url} is not an HTML page but {kind or 'without a content type'}")
    page = Page(response.url, response.url)
    if "content-security-policy" in response.headers:
        page.policies += response.headers["content-security-policy"].split(",")
    _Parser(page).feed(response.body.decode("utf-8", errors="replace"))
    return page


class _Parser(HTMLParser):
    def __init__(self, page: Page) -> None:
        super().__init__()
        self._page = page
        self._in_head = True
        self._in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self._in_head = self._in_head and tag in IN_HEAD
        self._in_style = tag == "style"
        parsed = Tag(tag, attributes, self.getpos()[0], self._in_head)
        if tag == "script" and "src" in attributes:
            self._page.scripts.append(parsed)
        if tag == "base" and "href" in attributes and self._page.base == self._page.url:
            self._page.base = urljoin(self._page.url, attributes["href"])
        if tag == "meta" and attributes.get("http-equiv", "").lower() == "content-security-policy":
            self._page.policies.append(attributes.get("content", ""))
        if attributes.keys() & {"data-ab", "data-ab-show", "data-ab-set"}:
            self._page.marked.append(parsed)

    def handle_endtag(self, tag: str) -> None:
        self._in_head = self._in_head and tag != "head"
        self._in_style = False

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self._page.styles += data

    def handle_comment(self, data: str) -> None:
        self._page.comments += data

"""What is right and what is missing about the script tag of a page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from abacus.authoring.problems import listed
from abacus.page_check.page import Page, Response, Tag
from abacus.page_check.policy import blocking_directive
from abacus.site.snippet import options_place

FILES = {"ab.js", "ab.async.js"}
LONGEST_CACHE = 300  # seconds; the product itself sends 30


@dataclass(frozen=True)
class Finding:
    """One line of the answer. ok: right; missing: to be fixed, and the check fails; note: worth knowing."""

    state: Literal["ok", "missing", "note"]
    text: str


@dataclass(frozen=True)
class Site:
    """What the page is checked against. `script`: the URL of the product's ab.js; `events`: where the snippet posts, a
    path on the script's origin or a whole URL; `cookie_domain`: of the snippet's options."""

    script: str
    events: str = "/events"
    cookie_domain: str = ""


def script_tag(page: Page) -> Tag | None:
    """The snippet's tag, the first one if there are several."""
    return next(iter(_script_tags(page)), None)


def _script_tags(page: Page) -> list[Tag]:
    return [tag for tag in page.scripts if _file(tag) in FILES]


def _file(tag: Tag) -> str:
    return urlsplit(tag.attributes["src"]).path.rpartition("/")[2]


def check_tag(page: Page, site: Site) -> Iterator[Finding]:
    """The tag: its presence, place and attributes."""
    tags = _script_tags(page)
    if not tags:
        commented = " (one is commented out)" if re.search(r"ab(\.async)?\.js", page.comments) else ""
        yield Finding("missing", f'script tag{commented}: put <script src="{site.script}"></script> into the head')
        return
    tag, name = tags[0], _file(tags[0])
    if len(tags) > 1:
        lines = listed([str(tag.line) for tag in tags])
        yield Finding("missing", f"one script tag only: there are {len(tags)}, in lines {lines}; keep the first")
    else:
        yield Finding("ok", f"script tag in line {tag.line}: {tag.attributes['src']}")
    if not tag.in_head and name == "ab.js":
        yield Finding(
            "missing", f"place: line {tag.line} is in the body, and visitors see flicker; move it into the head"
        )
    if name == "ab.js":
        late = [a for a in ("async", "defer") if a in tag.attributes] + (
            ["type=module"] if tag.attributes.get("type") == "module" else []
        )
        if late:
            rule = "ab.js must block, or visitors see flicker; remove it, or load ab.async.js"
            yield Finding("missing", f"attributes: {listed(late)} on the tag; {rule}")
    elif "async" not in tag.attributes:
        yield Finding("missing", "attributes: ab.async.js without async holds up the page; add async")
    if "integrity" in tag.attributes:
        yield Finding("missing", "attributes: remove integrity from the tag; the script changes with each publish")


def check_script(page: Page, served: Response, product: Response) -> Iterator[Finding]:
    """The script that the page loads: whether it arrives, and whether it is the product's newest."""
    kind = served.headers.get("content-type", "")
    if served.status != 200 or "javascript" not in kind:
        yield Finding("missing", f"script: {served.url} answers {served.status} {kind}; it must be JavaScript")
        return
    if urlsplit(page.url).scheme == "https" and urlsplit(served.url).scheme == "http":
        yield Finding("missing", f"script: {served.url} is not https, and browsers block it on an https page")
    if product.status == 200 and served.body != product.body:
        yield Finding("missing", f"stale: {served.url} differs from {product.url}; empty your CDN's cache of /ab.*")
    else:
        yield Finding("ok", f"script is the newest, {len(served.body):,} bytes")
    age = re.search(r"max-age=(\d+)", served.headers.get("cache-control", ""))
    if age and int(age[1]) > LONGEST_CACHE:
        yield Finding("missing", f"cache: {served.url} may be kept for {age[1]} s; let your CDN keep our Cache-Control")


def check_policy(page: Page, tag: Tag, site: Site) -> Iterator[Finding]:
    """Whether the page's Content-Security-Policy lets the snippet load and post."""
    script = page.absolute(tag.attributes["src"])
    events = site.events if "://" in site.events else f"{_origin(script)}{site.events}"
    blocked = False
    for policy in page.policies:
        for directive, url in (("script-src", script), ("connect-src", events)):
            nonce = tag.attributes.get("nonce", "") if directive == "script-src" else ""
            by = blocking_directive(policy, directive, url, page.url, nonce=nonce)
            if by:
                blocked = True
                yield Finding(
                    "missing", f"Content-Security-Policy: `{by}` blocks {url}; add {_origin(url)} to {directive}"
                )
    if not blocked:
        none = "" if page.policies else " (there is none)"
        yield Finding("ok", f"Content-Security-Policy allows script and events{none}")


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def check_cookie(page: Page, tag: Tag, site: Site) -> Iterator[Finding]:
    """Whether the visitor's cookie fits the page's host."""
    page_host, script_host = (
        urlsplit(page.url).hostname or "",
        urlsplit(page.absolute(tag.attributes["src"])).hostname or "",
    )
    domain = site.cookie_domain
    if domain and not (page_host == domain or page_host.endswith(f".{domain}")):
        yield Finding(
            "missing", f"cookie: cookie_domain is {domain}, but the page is on {page_host}; see docs/install.md"
        )
    elif page_host == script_host or domain:
        yield Finding("ok", f"cookie of {domain or page_host}")
    elif parent := _shared_parent(page_host, script_host):
        text = f"cookie of {page_host} only; to share visitors below {parent}, set cookie_domain to {parent} in "
        yield Finding("note", text + options_place())
    else:
        yield Finding("note", f"cookie written by a script of {script_host}: Safari keeps the visitor's id for 7 days")


def _shared_parent(first: str, second: str) -> str | None:
    """The domain that two hosts share, of at least two labels; not for addresses."""
    if re.fullmatch(r"[\d.]+|.*:.*", first):
        return None
    shared = []
    for a, b in zip(reversed(first.split(".")), reversed(second.split(".")), strict=False):
        if a != b:
            break
        shared.append(a)
    return ".".join(reversed(shared)) if len(shared) > 1 else None

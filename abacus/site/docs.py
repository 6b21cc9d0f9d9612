"""docs/*.md as pages below docs/ of the site, so that the results page can link its help to them.

Every page and picture that another page links to is served; a link to anything else in the checkout loses its target,
because a visitor has no checkout.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path, PurePosixPath

from jinja2 import Environment, StrictUndefined
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from abacus.paths import PROJECT, STATIC
from abacus.site.esbuild import BuildError, esbuild

DOCS = PROJECT / "docs"
PICTURES = (".png", ".svg")
INDEX = "README"  # the page that a folder's address shows


@cache
def docs_files() -> dict[str, bytes]:
    """Path below docs/ of the site → content: pages, the pictures they show, and the style sheet."""
    template = Environment(autoescape=True, undefined=StrictUndefined).from_string(
        (STATIC / "docs" / "page.html").read_text()
    )
    folder = STATIC / "docs"
    files = {"docs.css": esbuild((folder / "docs.css").read_text(), folder, ["--loader=css"], form="esm")}
    for file in sorted(DOCS.rglob("*.md")):
        tokens = _parse(file)
        for token in _all(tokens):
            picture = str(token.attrs.get("src") or token.attrs.get("href") or "")
            if picture.endswith(PICTURES) and "://" not in picture:
                files[str(_place(file).parent / picture)] = _picture(file, picture)
        body = Markup(_MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {}))  # noqa: S704  our own pages
        root = "../" * (len(_place(file).parts) - 1)
        files[str(_place(file))] = template.render(title=_title(tokens), body=body, root=root).encode()
    return files


def anchor(heading: str) -> str:
    """The id of a heading, as GitHub makes it.

    >>> anchor("What `abacus plan` costs, in $")
    'what-abacus-plan-costs-in-'
    """
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


_MARKDOWN = MarkdownIt("commonmark").enable("table")


def _parse(file: Path) -> list[Token]:
    tokens = _MARKDOWN.parse(file.read_text())
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            opening.attrSet("id", anchor(inline.content))
    for token in _all(tokens):
        if token.type == "link_open":
            _point(token, file)
    return list(_framed(tokens))


def _picture(file: Path, link: str) -> bytes:
    try:
        return (file.parent / link).read_bytes()
    except FileNotFoundError:
        raise BuildError(
            f"docs/{file.relative_to(DOCS)}: the picture {link} does not exist. Correct the link."
        ) from None


def _all(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from token.children or ()


def _point(link: Token, file: Path) -> None:
    """Make a link to a page's source one to the page."""
    path, hash_sign, heading = str(link.attrs["href"]).partition("#")
    if "://" in path or not path:
        return
    target = (file.parent / path).resolve()
    if target.is_relative_to(DOCS) and target.suffix == ".md":
        link.attrSet("href", str(PurePosixPath(path).with_name(_page_name(target))) + hash_sign + heading)
    elif target.is_relative_to(DOCS) and target.suffix in PICTURES:
        pass
    else:
        del link.attrs["href"]


def _framed(tokens: list[Token]) -> Iterator[Token]:
    """Tables get a frame of their own, which scrolls where they are too wide."""
    for token in tokens:
        if token.type == "table_open":
            yield _html('<div class="table" tabindex="0" role="region" aria-label="Table">')
        yield token
        if token.type == "table_close":
            yield _html("</div>")


def _html(text: str) -> Token:
    return Token("html_block", "", 0, content=text + "\n")


def _place(file: Path) -> PurePosixPath:
    return PurePosixPath(file.relative_to(DOCS).with_name(_page_name(file)).as_posix())


def _page_name(file: Path) -> str:
    return "index.html" if file.stem == INDEX else f"{file.stem}.html"


def _title(tokens: list[Token]) -> str:
    return next((inline.content for token, inline in pairwise(tokens) if token.tag == "h1"), "ABacus")

"""The docs as pages of the site."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from abacus.paths import STATIC
from abacus.site.build import build_site
from abacus.site.docs import docs_files
from chalicelib.domain.manifest import Manifest

FILES = docs_files()
PAGES = {name: body.decode() for name, body in FILES.items() if name.endswith(".html")}


def target(page: str, link: str) -> tuple[str, str]:
    """The file below docs/ that a link leads to, and the heading."""
    path, _, heading = link.partition("#")
    parts: list[str] = list(PurePosixPath(page).parent.parts) if path else list(PurePosixPath(page).parts)
    for part in PurePosixPath(path).parts:
        parts = parts[:-1] if part == ".." else [*parts, part]
    return "/".join(parts), heading


def broken(page: str, link: str) -> bool:
    name, heading = target(page, link)
    return name not in FILES or (bool(heading) and f'id="{heading}"' not in PAGES[name])


def test_every_link_between_the_pages_leads_to_a_page_and_a_heading() -> None:
    wrong = []
    for page, text in PAGES.items():
        body = text.partition("<main>")[2]
        links = re.findall(r'(?:href|src)="([^"]+)"', body)
        wrong += [(page, link) for link in links if "://" not in link and broken(page, link)]
    assert wrong == []


def test_every_help_text_of_the_results_page_links_to_a_heading_that_exists() -> None:
    sources = [file.read_text() for file in (STATIC / "results").rglob("*.js")]
    help_texts = (STATIC / "results" / "details" / "help.js").read_text()
    links = re.findall(r'^ +"([a-z]+#[a-z-]+)",?$|, "([a-z]+#[a-z-]+)"\]', help_texts, re.M)
    links += [(link, "") for source in sources for link in re.findall(r'docs\("([^"]+)"\)', source)]
    assert len(links) > 8
    wrong = []
    for first, second in links:
        name, _, heading = (first or second).partition("#")
        if broken("index.html", f"{name}.html{'#' + heading if heading else ''}"):
            wrong.append(first or second)
    assert wrong == []


def test_links_to_what_is_not_served_have_no_target() -> None:
    assert 'href="../infra' not in "".join(PAGES.values())
    assert '.md"' not in "".join(PAGES.values())


def test_the_site_serves_the_docs_with_their_style_and_no_script() -> None:
    site = build_site(Manifest())
    assert site["docs/index.html"].content_type == "text/html; charset=utf-8"
    assert site["docs/docs.css"].content_type == "text/css; charset=utf-8"
    assert "<script" not in PAGES["results.html"]
    assert 'href="../docs.css"' in PAGES["decisions/0015-evidence-that-may-be-looked-at.html"]

"""`abacus check URL`: fetch a page and say, in order, what is missing for the snippet and the running experiments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from abacus.authoring.problems import did_you_mean, listed
from abacus.aws.target import Product, at_product
from abacus.page_check.findings import (
    Finding,
    Site,
    check_cookie,
    check_policy,
    check_script,
    check_tag,
    script_tag,
)
from abacus.page_check.marks import check_marks
from abacus.page_check.page import fetch, parse
from abacus.product_api import ProductApi
from abacus.site import snippet
from chalicelib.domain.errors import NotFound


@click.command("check")
@click.argument("url")
@click.option("--experiment", "key", metavar="KEY", help="Check the marks of this experiment only. Default: all.")
@at_product
def command(product: Product, url: str, key: str | None) -> None:
    """Fetch the page at URL and say in order what is missing.

    Checks the script tag, its place and attributes, the script itself, the page's Content-Security-Policy, the cookie,
    and the data-ab marks of each running experiment. Reads the HTML as the server sends it: elements that a script adds
    are not seen. Exit code 1 means that something is missing."""
    site = site_of(product.base_url)
    experiments = ProductApi(product.base_url).get("/manifest.json")["experiments"]
    if key:
        keys = [e["key"] for e in experiments]
        if key not in keys:
            raise NotFound(
                f"--experiment: {key!r} is not published; there are {listed(keys)}.{did_you_mean(key, keys)}"
            )
    findings = list(check_page(url, site, experiments, only=key))
    for finding in findings:
        click.echo(f"{finding.state:8} {finding.text}")
    missing = sum(finding.state == "missing" for finding in findings)
    click.echo(f"{missing} to fix, the first one first" if missing else "nothing is missing")
    if missing:
        raise SystemExit(1)


def site_of(base_url: str) -> Site:
    """What a page is checked against, for the product at `base_url`."""
    options = snippet.options()
    return Site(f"{base_url}/ab.js", options.events, options.cookie_domain)


def check_page(
    url: str, site: Site, experiments: Sequence[Mapping[str, Any]], *, only: str | None = None
) -> Iterator[Finding]:
    """Every finding about the page at `url`. `experiments`: of the public manifest; `only`: the key of one of them.

    Raises CannotFetch where there is no page."""
    page = parse(fetch(url))
    yield from check_tag(page, site)
    tag = script_tag(page)
    if tag is not None:
        served = fetch(page.absolute(tag.attributes["src"]))
        product = fetch(f"{site.script.rpartition('/')[0]}/{served.url.partition('?')[0].rpartition('/')[2]}")
        yield from check_script(page, served, product)
        yield from check_policy(page, tag, site)
        yield from check_cookie(page, tag, site)
    yield from check_marks(page, experiments, only=only)

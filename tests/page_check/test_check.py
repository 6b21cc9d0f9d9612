"""`abacus check`, against pages that are served here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from click.testing import CliRunner

from abacus.cli import main
from abacus.page_check.command import check_page
from abacus.page_check.findings import Site
from abacus.page_check.policy import blocking_directive
from tests.support.product import Product

SCRIPT = "try { /* the snippet */ } catch {}"
EXPERIMENTS: list[dict[str, Any]] = [
    {"key": "hero", "status": "running", "variants": [{"key": "plain"}, {"key": "bold"}], "goals": ["signup"]},
    {
        "key": "price",
        "status": "running",
        "variants": [{"key": "a"}, {"key": "b"}],
        "urls": {"include": [{"type": "simple", "pattern": "/shop/*"}], "exclude": []},
    },
    {"key": "old", "status": "stopped", "winner": "b", "variants": [{"key": "a"}, {"key": "b"}]},
]
GOOD = """<!doctype html><html><head>
<link rel="stylesheet" href="/a.css"><script src="/ab.js"></script>
</head><body>
<section data-ab="hero"><h1 data-ab-set="hero:bold text=Tea today">Tea</h1></section>
<form data-ab="goal:signup"></form>
</body></html>"""


@dataclass
class Pages:
    """A site on loopback. `pages`: path → HTML; `headers`: path → further headers."""

    base: str
    pages: dict[str, str] = field(default_factory=dict)
    headers: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def check(self, html: str, path: str = "/", **site: str) -> list[str]:
        """The findings about a page with this HTML, each as `state text`."""
        self.pages[path] = html
        known = {"script": f"{self.base}/ab.js"} | site
        findings = check_page(self.base + path, Site(**known), EXPERIMENTS)
        return [f"{finding.state} {finding.text.replace(self.base, 'HOST')}" for finding in findings]

    def missing(self, html: str, path: str = "/", **site: str) -> list[str]:
        """The findings of what must be fixed."""
        return [text.removeprefix("missing ") for text in self.check(html, path, **site) if text.startswith("missing")]


@pytest.fixture
def pages() -> Iterator[Pages]:
    site = Pages("", {"/ab.js": SCRIPT, "/ab.async.js": SCRIPT, "/elsewhere/ab.js": "an old script"})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = site.pages.get(self.path, "").encode()
            self.send_response(200 if self.path in site.pages else 404)
            self.send_header("Content-Type", "text/javascript" if self.path.endswith(".js") else "text/html")
            for name, value in site.headers.get(self.path, {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        site.base = f"http://127.0.0.1:{server.server_port}"
        yield site
        server.shutdown()


def test_a_complete_page_has_nothing_missing(pages: Pages) -> None:
    assert pages.check(GOOD) == [
        "ok script tag in line 2: /ab.js",
        "ok script is the newest, 34 bytes",
        "ok Content-Security-Policy allows script and events (there is none)",
        "ok cookie of 127.0.0.1",
        "ok hero: marked in line 4",
        "note price does not run on this page (see its urls)",
    ]


def test_an_empty_page_is_told_what_to_do_in_order(pages: Pages) -> None:
    assert pages.check("<!doctype html><!-- <script src='/ab.js'> --><p>hello", "/shop/tea") == [
        'missing script tag (one is commented out): put <script src="HOST/ab.js"></script> into the head',
        'missing price: no element has data-ab="price", so no impression is counted; mark a container whose place is '
        "the same in every variant",
        'note not marked on this page: hero; is one meant for it? Mark a container (data-ab="hero"), or check with '
        "--experiment hero",
    ]


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        ('<script src="/ab.js">', '<script defer src="/ab.js">', "attributes: defer on the tag; ab.js must block"),
        ('<script src="/ab.js">', '<script type=module src="/ab.js">', "attributes: type=module on the tag"),
        ('<script src="/ab.js">', '<script src="/ab.async.js">', "attributes: ab.async.js without async holds up"),
        ('<script src="/ab.js">', '<script integrity=x src="/ab.js">', "attributes: remove integrity from the tag"),
        (
            '<script src="/ab.js">',
            '<script src="/ab.js"></script><script src="/ab.js">',
            "one script tag only: there",
        ),
        ('<script src="/ab.js">', '<script src="/gone/ab.js">', "script: HOST/gone/ab.js answers 404"),
        (
            '<script src="/ab.js">',
            '<script src="/elsewhere/ab.js">',
            "stale: HOST/elsewhere/ab.js differs from HOST",
        ),
        ('<link rel="stylesheet" href="/a.css">', "<p>early</p>", "place: line 2 is in the body"),
        (
            'data-ab="hero"',
            'data-ab="heroo"',
            "line 4: no published experiment is called 'heroo'. Did",
        ),
        ("hero:bold text", "hero:bolt text", "line 4: hero has no variant 'bolt'. Did you mean 'bold'?"),
        ("goal:signup", "goal:sign-up", "line 5: no experiment has the goal 'sign-up'. Did you mean 'signup'?"),
        ('data-ab="hero"', 'data-ab="sees:hero"', "line 4: data-ab='sees:hero' must be a key, seen:, click: or goal:"),
        ('data-ab="hero"', 'data-ab="hero" hidden', "line 4: the element of hero is hidden and never seen"),
    ],
)
def test_each_fault_is_found_and_named(pages: Pages, old: str, new: str, finding: str) -> None:
    assert old in GOOD
    missing = pages.missing(GOOD.replace(old, new))
    assert any(text.startswith(finding) for text in missing), missing


def test_a_content_security_policy_that_blocks_is_quoted_with_the_remedy(pages: Pages) -> None:
    meta = (
        "<meta http-equiv=Content-Security-Policy content=\"script-src https://cdn.example.com; connect-src 'none'\">"
    )
    assert pages.missing(GOOD.replace("<link", f"{meta}<link")) == [
        "Content-Security-Policy: `script-src https://cdn.example.com` blocks HOST/ab.js; add HOST to script-src",
        "Content-Security-Policy: `connect-src 'none'` blocks HOST/events; add HOST to connect-src",
    ]
    pages.headers["/"] = {"Content-Security-Policy": "default-src 'self'"}
    assert pages.missing(GOOD) == []


def test_a_script_that_is_kept_for_long_is_found(pages: Pages) -> None:
    pages.headers["/ab.js"] = {"Cache-Control": "public, max-age=86400"}
    assert pages.missing(GOOD) == ["cache: HOST/ab.js may be kept for 86400 s; let your CDN keep our Cache-Control"]


def test_a_cookie_domain_of_another_site_is_found(pages: Pages) -> None:
    assert pages.missing(GOOD, cookie_domain="example.com") == [
        "cookie: cookie_domain is example.com, but the page is on 127.0.0.1; see docs/install.md"
    ]


@pytest.mark.parametrize(
    ("policy", "url", "blocked"),
    [
        ("default-src 'none'", "https://a.example/ab.js", "default-src 'none'"),
        ("default-src 'none'; script-src 'self'", "https://a.example/ab.js", None),
        ("script-src https:", "https://b.example/ab.js", None),
        ("script-src *.example", "https://b.example/ab.js", None),
        ("script-src *.example", "https://example/ab.js", "script-src *.example"),
        ("script-src b.example/js/", "https://b.example/js/ab.js", None),
        ("script-src b.example/js/", "https://b.example/ab.js", "script-src b.example/js/"),
        ("script-src b.example:8000", "https://b.example/ab.js", "script-src b.example:8000"),
        ("script-src b.example:*", "https://b.example:8000/ab.js", None),
        ("script-src 'nonce-r4nd0m'", "https://b.example/ab.js", None),
        ("script-src 'nonce-other'", "https://b.example/ab.js", "script-src 'nonce-other'"),
        ("script-src https: 'strict-dynamic'", "https://b.example/ab.js", "script-src https: 'strict-dynamic'"),
        ("script-src-elem 'none'; script-src *", "https://b.example/ab.js", "script-src-elem 'none'"),
        ("img-src 'none'", "https://b.example/ab.js", None),
    ],
)
def test_a_policy_is_read_as_a_browser_reads_it(policy: str, url: str, blocked: str | None) -> None:
    assert blocking_directive(policy, "script-src", url, "https://a.example/", nonce="r4nd0m") == blocked


@pytest.mark.ministack
def test_the_demo_shop_of_the_running_product_is_complete(product: Product) -> None:
    for options in ([], ["--experiment", "cta-color"]):
        command = ["check", f"{product.base_url}/demo/", "--home", str(product.home), *options]
        result = CliRunner().invoke(main, command)
        assert (result.exit_code, "nothing is missing" in result.output) == (0, True), result.output


@pytest.mark.ministack
@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("example.com", "'example.com' is not a whole URL: write https://example.com/page"),
        ("http://127.0.0.1:9/", "http://127.0.0.1:9/ cannot be fetched"),
    ],
)
def test_what_is_no_page_is_a_sentence(product: Product, url: str, message: str) -> None:
    result = CliRunner().invoke(main, ["check", url, "--home", str(product.home)])
    assert (result.exit_code, message in result.output) == (1, True), result.output

"""Clients in a real browser, against the whole product: they deal as Python deals, and what they report counts once."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest

from abacus.authoring.load import load
from abacus.growthbook.payload import payload
from abacus.paths import PROJECT
from abacus.site.public_manifest import public
from abacus.site.snippet import options, scripts
from tests.end_to_end.test_end_to_end import AGENT, ORDINARY, QUIET
from tests.support.browsers.chromium import chromium, playwright_driver
from tests.support.growthbook_sdks import NOW, PLACES, ours, theirs, visitors
from tests.support.product import until

pytestmark = [pytest.mark.browser, pytest.mark.ministack]

HERE = PROJECT / "tests"
SDK = PROJECT / "node_modules/@growthbook/growthbook/dist/bundles/auto.min.js"
DEMO = load(PROJECT / "manifest")
EVERYTHING = load(HERE / "fixtures/manifest")
IDS = visitors(10_000)
SITE = "https://example.com"  # not where the product is: a client's requests cross origins, as on anybody's site
SHOP = "the shop, as a Swiss pro"
# A page from elsewhere may not ask addresses of this very machine unless its user agrees.
REACHABLE = "--disable-features=LocalNetworkAccessChecks"
TAG = (
    f'<script async src="{SITE}/auto.min.js" data-client-key="abacus" data-api-host="%s" data-no-streaming="1" %s>'
    "</script>"
)


@pytest.fixture(scope="module")
def browser():
    with playwright_driver() as playwright:
        # Not the context's agent: a beacon from a page that is left would say HeadlessChrome, and its sender be a bot.
        args = [*QUIET.split(), ORDINARY, REACHABLE, f"--user-agent={AGENT}"]
        browser = playwright.chromium.launch(executable_path=chromium(), args=args)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser):
    """Opens a url in a fresh browser, to which every page outside this machine is this html."""

    def opened(html, url=SITE):
        context = browser.new_context()
        outside = lambda url: "127.0.0.1" not in url  # noqa: E731
        context.route(outside, lambda route: route.fulfill(body=html, content_type="text/html"))
        context.route(f"{SITE}/auto.min.js", lambda route: route.fulfill(path=SDK))
        page = context.new_page()
        page.goto(url)
        return page

    yield opened
    for context in browser.contexts:
        context.close()


def differences(ids, found, expected):
    """(visitor, experiment, what the client does, what Python does)"""
    return [
        (visitor, key, mine.get(key), due.get(key))
        for visitor, mine, due in zip(ids, found, expected, strict=True)
        for key in sorted(mine.keys() | due.keys())
        if mine.get(key) != due.get(key)
    ]


def dealt_by_sdk(page, manifest, attributes, ids):
    page.wait_for_function("window._growthbook?.ready")
    return theirs(page.evaluate((HERE / "end_to_end/clients/sdk.js").read_text(), [ids, attributes]), manifest)


def dealt_by_snippet(page, script, counting, attributes, ids):
    rows = page.evaluate((HERE / "end_to_end/clients/snippet.js").read_text(), [script, counting, ids, attributes])
    return [{key: tuple(pair) for key, pair in row.items()} for row in rows]


def published(manifest, rows):
    """Of these answers what a browser is told of. Where a redirect leads to is no page of its experiment, and yet its
    variant's: the snippet shows it there, uncounted."""
    told = {e["key"]: "redirect" in e for e in public(manifest)["experiments"]}
    return [
        {
            key: (variant if counts or not told[key] else "any", counts)
            for key, (variant, counts) in row.items()
            if key in told
        }
        for row in rows
    ]


@pytest.fixture(scope="module")
def demo_in_python():
    return ours(DEMO, SITE, {}, IDS, "javascript")


def test_auto_min_js_deals_what_the_product_serves_as_python_does(product, visit, demo_in_python):
    page = visit(TAG % (product.base_url, 'data-tracking="none"'))
    found = dealt_by_sdk(page, DEMO, {}, IDS)
    assert differences(IDS, found, demo_in_python) == []


@pytest.mark.parametrize("place", PLACES)
def test_auto_min_js_deals_every_kind_of_experiment_as_python_does(visit, place):
    url, attributes = PLACES[place]
    ids = IDS[: 1_000 if place == SHOP else 200]
    given = f"<script>growthbook_config = {{ payload: {json.dumps(payload(EVERYTHING, NOW))} }}</script>"
    stays = 'data-tracking="none" data-disable-url-redirect-experiments="1"'
    found = dealt_by_sdk(visit(given + TAG % (SITE, stays), url), EVERYTHING, attributes, ids)
    expected = ours(EVERYTHING, url, attributes, ids, "javascript")
    assert found[0].keys() == expected[0].keys()
    assert differences(ids, found, expected) == []


def test_the_served_snippet_deals_as_python_does(product, visit, demo_in_python):
    script = product.ask("/ab.js").body.decode()
    counting = product.ask("/" + re.search(r"ab\.count-\w+\.js", script)[0]).body.decode()
    found = dealt_by_snippet(visit(""), script, counting, {}, IDS)
    assert differences(IDS, found, published(DEMO, demo_in_python)) == []


@pytest.fixture(scope="module")
def snippet_of_everything():
    built = scripts(public(EVERYTHING), options())
    (counting,) = [body for name, body in built.items() if name.startswith("ab.count-")]
    return built["ab.js"].decode(), counting.decode()


def snippet_and_python(visit, script, place):
    url, known = PLACES[place]
    attributes = {name: str(value) for name, value in known.items() if name != "tags"}  # a tag says text only
    ids = IDS[: 1_000 if place == SHOP else 200]
    found = dealt_by_snippet(visit("", url), *script, attributes, ids)
    expected = ours(EVERYTHING, url, attributes, ids, "javascript")
    return differences(ids, published(EVERYTHING, found), published(EVERYTHING, expected))


@pytest.mark.parametrize("place", PLACES)
def test_the_snippet_deals_every_kind_of_experiment_as_python_does(visit, snippet_of_everything, place):
    found = snippet_and_python(visit, snippet_of_everything, place)
    assert found == []


def test_the_served_snippet_shows_on_thirty_pages_what_python_deals(product, visit, demo_in_python):
    page, ids, found = visit(""), IDS[:30], []
    expected = published(DEMO, demo_in_python[:30])
    for visitor in ids:
        html = f'<script src="{product.base_url}/ab.js" data-visitor="{visitor}"></script>'
        page.context.route(f"{SITE}/", lambda route, _, html=html: route.fulfill(body=html, content_type="text/html"))
        page.goto(SITE)
        keys = list(expected[0])
        found.append(page.evaluate("(keys) => Object.fromEntries(keys.map((key) => [key, abacus.variant(key)]))", keys))
    shown = [{key: variant for key, (variant, _) in row.items()} for row in expected]
    assert differences(ids, found, shown) == []


def view(page):
    """The page shows the feature and sends what it saw: (visitor, variant)."""
    page.wait_for_function("window._growthbook?.ready")
    seen = posted(page, "[_growthbook.getAttributes().id, _growthbook.getFeatureValue('cta-color', 'none')]")
    return tuple(seen)


def posted(page, act):
    """What a page's script answers, once the service has taken the events that followed."""
    with page.expect_response(lambda response: "/track?client_key=abacus" in response.url) as waiting:
        value = page.evaluate(act)
    assert waiting.value.status == 202
    return value


CLICK = "void gbEvents.push({ eventName: 'click', properties: { experimentId: 'cta-color' } })"
CLICK_TOO = "void _growthbook.logEvent('click', { experimentId: 'cta-color' })"


def test_the_event_plugin_of_auto_min_js_is_counted_once_per_visitor_and_click_by_click(product, visit):
    before = product.variants("cta-color")
    html = TAG % (product.base_url, f'data-tracking="growthbook" data-event-ingestor-host="{product.base_url}"')
    experiment = DEMO.experiment("cta-color")
    viewed, clicked = Counter(), Counter()
    for number in range(12):
        page = visit(html)
        visitor, variant = view(page)
        assert variant == experiment.assign(visitor, 0)
        viewed[variant] += 1
        if number % 3 == 0:
            page.reload()
            assert view(page) == (visitor, variant)
        if number % 4 == 0:
            posted(page, CLICK)
            posted(page, CLICK)
        if number % 4 == 1:
            page.evaluate(CLICK_TOO)
            page.goto("about:blank")  # at once, so that a beacon has to take it
        clicked[variant] += (2, 1, 0, 0)[number % 4]

    def counted():
        now = product.variants("cta-color")
        return {v: (now[v][0] - before[v][0], now[v][1] - before[v][1]) for v in now}

    until(lambda: sum(map(sum, counted().values())) >= 12 + 9)
    assert counted() == {v: (viewed[v], clicked[v]) for v in ("blue", "green")}

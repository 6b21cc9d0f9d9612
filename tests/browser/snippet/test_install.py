"""How the snippet gets into a page, and what it may cost it: nothing that can be seen."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page

from abacus.authoring.load import load
from abacus.paths import PROJECT
from abacus.site.build import build_site
from abacus.site.esbuild import esbuild
from tests.browser.results.site import policy
from tests.browser.snippet.site import STRICT, Site, an_experiment
from tests.browser.snippet.visitors import Visit, a_moment_passes, confirmed, leave, seen_by_now

HERO = an_experiment(goals=("end",))
BUY = '<button data-ab="hero">buy</button>'
BOLD = "v1~"
Profile = Callable[..., BrowserContext]
# The colour of the button in each frame that is drawn, until all is loaded.
FRAMES = b"""
window.frames_ = [];
const look = () => {
  const button = document.querySelector('button');
  if (button) frames_.push(getComputedStyle(button).color);
  document.readyState == 'complete' && frames_.length > 3 || requestAnimationFrame(look);
};
requestAnimationFrame(look);
window.shift = 0;
new PerformanceObserver((list) => { for (const entry of list.getEntries()) shift += entry.value; })
  .observe({ type: 'layout-shift', buffered: true });
"""
COLOURS = b"button { color: rgb(0, 0, 255) } [data-ab-hero=bold] button { color: rgb(0, 128, 0); font-size: 3em }"
DOCS = PROJECT / "docs"
HOLD = re.findall(r"```css\n(@keyframes hold.*?)```", (DOCS / "install.md").read_text(), re.DOTALL)[0].encode()
EXAMPLE = re.findall(r"```html\n(<section.*?)```", (DOCS / "snippet.md").read_text(), re.DOTALL)[0]


def frames(page: Page) -> list[str]:
    page.wait_for_function("window.frames_?.length > 3 && document.readyState == 'complete'")
    return page.evaluate("[...new Set(frames_)]")


def test_the_variant_is_on_show_in_the_first_frame_and_nothing_moves(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.files |= {"frames.js": FRAMES, "colours.css": COLOURS}
    site.page(
        "/", BUY + "<p>below</p>", head='<link rel=stylesheet href="/colours.css"><script src="/frames.js"></script>'
    )
    page = visit(known=BOLD)
    assert (frames(page), page.evaluate("window.shift")) == (["rgb(0, 128, 0)"], 0)


def test_a_script_that_does_not_load_leaves_the_page_as_it_was(site: Site, visit: Visit) -> None:
    site.files |= {"frames.js": FRAMES, "colours.css": COLOURS}
    site.gone = {"/ab.js"}
    site.page("/", BUY, head='<link rel=stylesheet href="/colours.css"><script src="/frames.js"></script>')
    page = visit(known=BOLD)
    assert frames(page) == ["rgb(0, 0, 255)"]
    assert page.evaluate("typeof abacus") == "undefined"


def test_a_browser_too_old_for_it_shows_the_page_as_it_was(site: Site, new_visitor: Profile) -> None:
    site.runs(HERO)
    site.page("/", BUY)
    context = new_visitor(site, BOLD)
    context.add_init_script("delete window.IntersectionObserver")
    page = context.new_page()
    page.goto(site.origin)
    assert page.is_visible("button")


def test_it_leaves_one_global(site: Site, visit: Visit) -> None:
    site.page("/bare", "", tag="")
    site.runs(HERO)
    site.page("/", "")
    names = "Object.getOwnPropertyNames(window)"
    page = visit("/bare")
    bare = set(page.evaluate(names))
    page.goto(site.origin)
    assert set(page.evaluate(names)) - bare == {"abacus"}


def test_what_the_docs_show_works_as_it_stands_there(site: Site, visit: Visit) -> None:
    site.runs(an_experiment(goals=("signup",)))
    site.page("/", EXAMPLE)
    looks = "['h1', 'p'].map((tag) => document.querySelector(tag)).map((e) => (e.hidden ? '' : e.textContent))"
    plain, bold = (visit(known=f"x~hero.{variant}.0~") for variant in ("plain", "bold"))
    assert plain.evaluate(looks) == ["Tea, delivered", ""]
    assert bold.evaluate(looks) == ["Tea at your door in two days", "Order by noon."]
    bold.click("section button")
    bold.fill("input", "a street")
    bold.click("form button")
    expected = {"click hero bold", "goal signup hero bold", "impression hero bold", "impression hero plain"}
    site.wait_for(lambda: expected <= set(site.said()))
    assert set(site.said()) == expected


def test_under_a_strict_content_security_policy_nothing_is_refused(site: Site, new_visitor: Profile) -> None:
    site.runs(HERO)
    site.headers["Content-Security-Policy"] = STRICT
    site.page("/", '<p data-ab-show="hero:plain">1</p><h1 data-ab="hero" data-ab-set="hero:bold text=Bold">Plain</h1>')
    context = new_visitor(site, BOLD)
    context.add_init_script(
        "document.addEventListener('securitypolicyviolation', (e) => { window.violated = e.blockedURI; })"
    )
    page = context.new_page()
    page.goto(site.origin)
    assert (page.inner_text("h1"), page.is_visible("p")) == ("Bold", False)
    page.evaluate("abacus.goal('end')")
    site.wait_for_events(2)
    assert page.evaluate("window.violated") is None


def test_the_demo_shop_and_the_landing_page_keep_the_policy_of_the_cdn(site: Site, new_visitor: Profile) -> None:
    shop = load(PROJECT / "manifest")
    built = build_site(shop.model_copy(update={"experiments": [shop.experiment(key) for key in ("cta-color", "hero")]}))
    site.headers["Content-Security-Policy"] = policy()
    site.files = {path: asset.body for path, asset in built.items()}
    site.pages = {"/demo/": built["demo/index.html"].body.decode(), "/": built["index.html"].body.decode()}
    said: list[str] = []
    context = new_visitor(site, "v1~")
    context.on("console", lambda message: said.append(message.text))
    page = context.new_page()
    page.goto(site.origin + "/demo/")
    page.click("#cta")
    assert page.get_by_role("button", name="Check out").is_visible()
    for width in (320, 390, 800):
        page.set_viewport_size({"width": width, "height": 600})
        assert page.evaluate("document.documentElement.scrollWidth") == width
    page.fill("#address", "a@example.com")
    page.click("#signup button")
    colour = page.get_attribute("html", "data-ab-cta-color")
    hero = page.get_attribute("html", "data-ab-hero")
    came = site.wait_for_events(5)
    wanted = [f"impression cta-color {colour}", f"impression hero {hero}", f"goal signup hero {hero}"]
    assert sorted(came) == sorted([*wanted, f"click cta-color {colour}", f"click hero {hero}"])
    page.goto(site.origin)
    assert page.locator("a").evaluate_all("(all) => all.map((a) => a.pathname)") == [
        "/demo/",
        "/results/",
        "/docs/",
        "/manifest.json",
    ]
    assert said == []


def test_the_asynchronous_script_counts_and_answers_calls_made_before_and_after_it_came(
    site: Site, visit: Visit
) -> None:
    site.runs(HERO)
    calls = "(window.abacus ||= []).push((ab) => ab.goal('end'), (ab) => { window.%s = ab.variant('hero'); })"
    site.files["early.js"] = (calls % "early").encode()
    site.page("/", '<script src="/early.js"></script>' + BUY, tag="")
    page = visit(known=BOLD)
    page.evaluate("document.head.append(Object.assign(document.createElement('script'), { src: '/ab.async.js' }))")
    page.wait_for_function("window.early")
    page.click("button")
    assert sorted(site.wait_for_events(3)) == ["click hero bold", "goal end hero bold", "impression hero bold"]
    page.evaluate(calls % "late")
    page.wait_for_function("window.late")
    assert page.evaluate("[early, late]") == ["bold", "bold"]


RESET = b"""@media (prefers-reduced-motion: reduce) {
  *, ::before, ::after { animation-duration: 0.01ms !important; animation-iteration-count: 1 !important }
}"""


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_an_element_is_held_back_for_a_bounded_moment_only(site: Site, new_visitor: Profile, motion: str) -> None:
    site.runs(HERO)
    site.files |= {"hold.css": HOLD, "reset.css": RESET}
    tag = (
        '<link rel=stylesheet href="/hold.css"><link rel=stylesheet href="/reset.css"><script async src="{}"></script>'
    )
    site.page("/", BUY + "<p>text</p>", tag=tag.format("/ab.async.js"))
    site.page("/stalled", BUY + "<p>text</p>", tag=tag.format("/stalled.js"))
    context = new_visitor(site, BOLD, reduced_motion=motion)
    context.route("**/stalled.js", lambda route: None)
    context.add_init_script("addEventListener('animationend', (event) => { window.held = event.elapsedTime; }, true)")
    page = context.new_page()
    page.goto(site.origin + "/stalled", wait_until="commit")
    page.wait_for_function("window.held")
    visibility = "getComputedStyle(document.querySelector('button')).visibility"
    assert [round(page.evaluate("window.held"), 3), page.evaluate(visibility)] == [0.4, "visible"]
    page.goto(site.origin)
    page.wait_for_selector("html[data-ab-ready]")
    assert page.evaluate(visibility) == "visible"


def test_the_module_starts_from_a_bundle_of_the_sites_own(site: Site, visit: Visit, tmp_path: Path) -> None:
    site.runs(HERO, an_experiment("cta", condition={"plan": "pro", "age": {"$gte": 18}}))
    (tmp_path / "ab.mjs").write_bytes(site.files["ab.mjs"])
    app = """
      import { load } from "./ab.mjs";
      const ab = await load(undefined, { visitor: "v1", attributes: { plan: "pro", age: 20 } });
      document.querySelector("h1").textContent = ab.variant("hero") + " " + ab.variant("cta");
      ab.on("exposure", ({ experiment }) => { document.title = experiment; });
    """
    site.files["app.js"] = esbuild(app, tmp_path, ["--target=es2022"], "esm")
    site.page("/", f"<h1></h1>{BUY}", tag='<script type="module" src="/app.js"></script>')
    page = visit()
    page.wait_for_function("document.querySelector('h1').textContent")
    cta = an_experiment("cta").assign("v1", 0)
    assert page.inner_text("h1") == f"bold {cta}"
    page.wait_for_function("document.title == 'hero' || document.title == 'cta'")
    page.click("button")
    assert "click hero bold" in site.wait_for_events(3)


def test_an_app_that_waits_for_the_module_starts_without_the_tracker(
    site: Site, new_visitor: Profile, tmp_path: Path
) -> None:
    site.runs(HERO)
    (tmp_path / "ab.mjs").write_bytes(site.files["ab.mjs"])
    app = """
      import { load } from "./ab.mjs";
      const ab = await load(undefined, { patience: 300 });
      ab.goal("end");
      document.querySelector("h1").textContent = "started, " + ab.variant("hero");
    """
    site.files["app.js"] = esbuild(app, tmp_path, ["--target=es2022"], "esm")
    site.page("/", "<h1></h1>", tag='<script type="module" src="/app.js"></script>')
    for unreachable in (lambda route: route.abort(), lambda route: route.fulfill(status=404), lambda route: None):
        context = new_visitor(site)
        context.route("**/ab.json", unreachable)
        page = context.new_page()
        page.goto(site.origin)
        page.get_by_text("started, undefined").wait_for()


def test_exposures_are_told_to_whoever_listens(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page("/", BUY + '<script src="/listen.js"></script>')
    site.files["listen.js"] = b"""
      abacus.on('exposure', () => { throw new Error('theirs'); });
      window.addEventListener('error', (event) => event.preventDefault());
      abacus.on('exposure', (exposure) => { window.told = exposure; });
    """
    page = visit(known=BOLD)
    page.wait_for_function("window.told")
    assert page.evaluate("window.told") == {"experiment": "hero", "variant": "bold", "phase": 0}


def test_from_a_subdomain_the_id_is_a_cookie_of_the_whole_site(site: Site, new_visitor: Profile) -> None:
    tracker, page_origin = f"http://ab.shop.localhost:{site.port}", f"http://www.shop.localhost:{site.port}"
    site.runs(HERO, cookie_domain="shop.localhost")
    site.cookie_domain = "shop.localhost"
    site.page("/", BUY, tag=f'<script src="{tracker}/ab.js"></script>')
    page = new_visitor(site).new_page()
    page.goto(page_origin)
    page.click("button")
    assert len(site.wait_for_events(2)) == 2
    confirmed(page)
    [cookie] = page.context.cookies()
    assert (cookie["domain"], cookie["secure"]) == (".shop.localhost", True)
    year = 365 * 24 * 3600
    assert abs(cookie["expires"] - page.evaluate("Date.now()") / 1000 - year) < 60  # an answer renewed it


def test_from_a_foreign_origin_events_arrive_and_are_confirmed(site: Site, new_visitor: Profile) -> None:
    site.runs(HERO)
    foreign = f"http://localhost:{site.port}"
    site.page("/", BUY, tag=f'<script async src="{foreign}/ab.async.js"></script>')
    page = new_visitor(site, BOLD).new_page()
    page.goto(site.origin)
    page.click("button")
    assert sorted(site.wait_for_events(2)) == ["click hero bold", "impression hero bold"]
    confirmed(page)
    a_moment_passes(page)  # sooner it would be a double click
    page.click("button")
    leave(page)
    assert len(site.wait_for_events(3)) == 3


def test_storage_and_network_wait_until_the_page_is_painted(site: Site, new_visitor: Profile) -> None:
    site.runs(HERO)
    site.page("/", BUY)
    context = new_visitor(site, BOLD)
    context.add_init_script("""
      window.wrote = [];
      const { get, set } = Object.getOwnPropertyDescriptor(Document.prototype, 'cookie');
      const noted = function (value) { wrote.push(performance.now()); set.call(this, value); };
      Object.defineProperty(Document.prototype, 'cookie', { get, set: noted });
      const real = window.fetch;
      window.fetch = (...all) => { wrote.push(performance.now()); return real(...all); };
    """)
    page = context.new_page()
    page.goto(site.origin)
    page.click("button")
    site.wait_for_events(2)
    painted = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
    assert page.evaluate(f"wrote.length > 0 && wrote.every((at) => at > {painted})")


def test_its_listeners_are_passive_and_none_is_for_scrolling(site: Site, new_visitor: Profile) -> None:
    site.runs(HERO)
    site.page("/", BUY)
    context = new_visitor(site, BOLD)
    context.add_init_script("""
      window.listeners = [];
      const { addEventListener } = EventTarget.prototype;
      EventTarget.prototype.addEventListener = function (type, f, options) {
        listeners.push([type, !!options?.passive]);
        return addEventListener.call(this, type, f, options);
      };
    """)
    page = context.new_page()
    page.goto(site.origin)
    a_moment_passes(page)
    assert page.evaluate("listeners.sort()") == [
        [name, True] for name in ("auxclick", "click", "online", "pagehide", "pageshow", "submit", "visibilitychange")
    ]


def test_it_reads_no_layout(site: Site, new_visitor: Profile) -> None:
    site.runs(HERO)
    site.page("/", BUY + "<p>x</p>" * 50)
    context = new_visitor(site, BOLD)
    context.add_init_script("""
      window.reads = [];
      const watch = (where, name) => {
        const found = Object.getOwnPropertyDescriptor(where, name);
        const note = (f) => function (...all) { reads.push(name); return f.apply(this, all); };
        const how = found.get ? 'get' : 'value';
        Object.defineProperty(where, name, { ...found, [how]: note(found[how]) });
      };
      for (const name of ['offsetWidth', 'offsetHeight', 'offsetTop', 'innerText']) watch(HTMLElement.prototype, name);
      for (const name of ['clientWidth', 'clientHeight', 'scrollTop', 'getBoundingClientRect', 'getClientRects'])
        watch(Element.prototype, name);
      watch(window, 'getComputedStyle');
    """)
    page = context.new_page()
    page.goto(site.origin)
    page.evaluate("document.querySelector('button').click()")
    page.evaluate("abacus.goal('end')")
    site.wait_for_events(3)
    assert page.evaluate("window.reads") == []


def test_a_quick_look_counts_even_so(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page("/", BUY)
    assert seen_by_now(site, visit(known=BOLD)) == ["impression hero bold"]


def test_inlined_into_the_page_it_shows_and_sends(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page("/shop/tea", BUY, tag=f"<script>{site.files['ab.js'].decode()}</script>")
    page = visit("/shop/tea", known=BOLD)
    page.click("button")
    assert site.wait_for_events(2) == ["impression hero bold", "click hero bold"]


def test_as_a_module_it_shows_and_sends(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page("/", BUY, tag='<script type="module" src="/ab.js"></script>')
    page = visit(known=BOLD)
    page.click("button")
    assert site.wait_for_events(2) == ["impression hero bold", "click hero bold"]


@pytest.mark.parametrize(
    "loader", ["import('/ab.js')", "fetch('/ab.js').then((answer) => answer.text()).then((text) => (0, eval)(text))"]
)
def test_where_it_cannot_know_its_address_it_says_so_and_shows_the_control(
    site: Site, new_visitor: Profile, loader: str
) -> None:
    site.runs(HERO)
    site.files["loader.js"] = loader.encode()
    site.page("/", BUY, tag='<script src="/loader.js"></script>')
    page = new_visitor(site, BOLD).new_page()
    with page.expect_console_message(lambda message: "no <script>" in message.text):
        page.goto(site.origin)
    a_moment_passes(page)
    assert [page.get_attribute("html", "data-ab-hero"), site.requests] == [None, []]


def test_what_cannot_be_counted_is_not_shown(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.gone = {f"/{name}" for name in site.files if "count" in name}
    site.page("/", '<h1 data-ab="hero" data-ab-set="hero:bold text=Bold">Plain</h1>')
    page = visit(known=BOLD)
    page.wait_for_selector("html[data-ab-hero=plain]")
    assert page.inner_text("h1") == "Plain"


def test_a_global_of_the_pages_own_stays_and_visitors_count(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.files["own.js"] = b"window.abacus = { on: 'theirs' }"
    site.page("/", BUY, tag='<script src="/own.js"></script><script src="/ab.js"></script>')
    page = visit(known=BOLD)
    page.click("button")
    assert site.wait_for_events(2) == ["impression hero bold", "click hero bold"]
    assert page.evaluate("abacus") == {"on": "theirs"}


def test_a_page_that_changes_how_json_writes_lists_and_texts_is_counted(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.files["prototype.js"] = b"Array.prototype.toJSON = String.prototype.toJSON = function () { return 'x' + this }"
    site.page("/", BUY, tag='<script src="/prototype.js"></script><script src="/ab.js"></script>')
    page = visit(known=BOLD)
    page.click("button")
    assert site.wait_for_events(2) == ["impression hero bold", "click hero bold"]


def test_under_a_policy_of_nonces_and_trusted_types_it_counts(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.headers["Content-Security-Policy"] = "script-src 'nonce-abc'; require-trusted-types-for 'script'"
    site.page("/", BUY, tag='<script nonce="abc" src="/ab.js"></script>')
    page = visit(known=BOLD)
    page.click("button")
    assert site.wait_for_events(2) == ["impression hero bold", "click hero bold"]

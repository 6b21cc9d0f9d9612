"""What HTML alone can do, in pages of a server's and of a framework's making."""

from __future__ import annotations

from chalicelib.domain.manifest import UrlPattern, Urls, Variant
from tests.browser.snippet.site import PAUSE, Site, an_experiment
from tests.browser.snippet.visitors import Visit, a_moment_passes, seen_by_now

HERO = an_experiment("hero", "plain bold calm", goals=("end",))
BOLD, CALM, PLAIN = "x~hero.bold.0~", "x~hero.calm.0~", "x~hero.plain.0~"
ROUTES = b"""
addEventListener('click', (event) => {
  const to = event.target.dataset.to;
  if (!to) return;
  history.pushState({}, '', to);
  document.querySelector('main').innerHTML = document.querySelector('template').innerHTML;
});
"""


def test_an_element_is_shown_in_its_variants_only_and_left_alone_where_no_experiment_runs(
    site: Site, visit: Visit
) -> None:
    site.runs(HERO, an_experiment("soon", status="draft"))
    site.page(
        "/",
        '<p data-ab-show="hero:plain">1</p><p data-ab-show="hero:bold hero:calm" hidden>2</p>'
        '<p data-ab-show="hero:calm" hidden>3</p><p data-ab-show="soon:plain">4</p>'
        '<p data-ab-show="soon:bold" hidden>5</p><p data-ab-show="hello:plain">6</p>',
    )
    visible = "[...document.querySelectorAll('p')].filter((p) => !p.hidden).map((p) => p.textContent)"
    assert [visit(known=known).evaluate(visible) for known in (PLAIN, BOLD, CALM)] == [
        ["1", "4", "6"],
        ["2", "4", "6"],
        ["2", "3", "4", "6"],
    ]


def test_text_class_and_attributes_are_replaced(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page(
        "/",
        """<a class="small" href="/a" title="A" data-ab-set="
          hero:bold text=Free delivery: today | hero:bold class=big red|hero:bold href=/b?c=d
          | hero:calm text=Quietly">Shop</a>""",
    )
    said = "(({ textContent, className, title, attributes: { href } }) => [textContent.trim(), className.trim(),"
    said += " href.value.trim(), title])(document.querySelector('a'))"
    assert visit(known=PLAIN).evaluate(said) == ["Shop", "small", "/a", "A"]
    assert visit(known=BOLD).evaluate(said) == ["Free delivery: today", "big red", "/b?c=d", "A"]
    assert visit(known=CALM).evaluate(said) == ["Quietly", "small", "/a", "A"]


def test_text_that_the_parser_has_not_read_yet_is_replaced_too(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page("/", f'<h1 data-ab-set="hero:bold text=Bold">Pl{PAUSE}ain<b>!{PAUSE}</b></h1>')
    assert visit(known=BOLD).inner_text("h1") == "Bold"


def test_markup_from_strangers_runs_no_script(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    harm = [
        "hero:bold onclick=hurt()",
        "hero:bold href=javascript:hurt()",
        "hero:bold href= javascript:hurt()",
        "hero:bold href=java\nscript:hurt()",
        "hero:bold href=\x01javascript:hurt()",
        "hero:bold src=data:text/html,x",
        "hero:bold srcdoc=<b>",
        "hero:bold style=color:red",
        "hero:bold formaction=//example.com",
    ]
    site.page("/", "".join(f'<a href="/a" data-ab-set="{each.replace("<", "&lt;")}">x</a>' for each in harm))
    page = visit(known=BOLD)
    page.wait_for_function("abacus.variant('hero') == 'bold'")
    attributes = "[...document.querySelectorAll('a')].map((a) => [...a.attributes].map((b) => b.name + b.value).length)"
    assert page.evaluate(attributes) == [2] * len(harm)
    assert page.evaluate("[...document.links].map((a) => a.pathname)") == ["/a"] * len(harm)


def test_css_sees_the_variant_on_the_root_element(site: Site, visit: Visit) -> None:
    site.runs(HERO, an_experiment("cta"))
    site.page("/", "")
    page = visit(known="x~hero.bold.0~cta.plain.0~")
    assert page.evaluate("document.documentElement.outerHTML.split('>')[0]") == (
        '<html lang="en" data-ab-hero="bold" data-ab-cta="plain"'
    )


def test_the_variants_payload_is_handed_over(site: Site, visit: Visit) -> None:
    variants = (Variant(key="plain", payload={"price": 12}), Variant(key="bold", payload={"price": 9}))
    site.runs(an_experiment().model_copy(update={"variants": variants}))
    site.page("/", "")
    assert visit(known=BOLD).evaluate("abacus.payload('hero')") == {"price": 9}


def test_elements_that_appear_later_are_treated_and_seen(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page("/", "<main></main>")
    page = visit(known=BOLD)
    a_moment_passes(page)
    before_it_is_drawn = page.evaluate("""async () => {
      document.querySelector('main').innerHTML =
        '<section><h1 data-ab="hero" data-ab-set="hero:bold text=Later">Soon</h1></section>';
      await null;
      return document.querySelector('h1').textContent;
    }""")
    assert before_it_is_drawn == "Later"
    assert seen_by_now(site, page) == ["impression hero bold"]


def test_a_framework_that_renders_anew_whatever_we_change_does_not_hang_the_page(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page("/", "<main></main>")
    page = visit(known=BOLD)
    page.evaluate("""() => {
      window.renders = 0;
      const main = document.querySelector('main');
      const render = () => {
        renders++;
        main.innerHTML = '<h1 data-ab="hero" data-ab-set="hero:bold text=Ours">Theirs</h1>';
      };
      const undo = () => main.textContent == 'Theirs' || render();
      new MutationObserver(undo).observe(main, { subtree: true, childList: true });
      render();
    }""")
    frames = page.evaluate("""new Promise((done) => {
      let frames = 0;
      const frame = () => (++frames == 30 ? done([frames, renders]) : requestAnimationFrame(frame));
      requestAnimationFrame(frame);
    })""")
    assert frames[1] <= 2 * (frames[0] + 2)


def test_url_rules_say_where_an_experiment_is_shown_and_counted(site: Site, visit: Visit) -> None:
    urls = Urls(include=(UrlPattern(pattern="/shop/*"),), exclude=(UrlPattern(type="regex", pattern="/shop/old"),))
    site.runs(an_experiment(urls=urls, goals=("end",)))
    for path in ("/shop/tea", "/shop/old", "/about"):
        site.page(path, '<button data-ab="hero">buy</button>')
    came = {}
    for path in ("/shop/tea", "/shop/old", "/about"):
        site.events.clear()
        page = visit(path, known=BOLD)
        page.click("button")
        came[path] = [page.get_attribute("html", "data-ab-hero"), *seen_by_now(site, page)]
    assert came == {
        "/shop/tea": ["bold", "impression hero bold", "click hero bold"],
        "/shop/old": ["plain"],
        "/about": ["plain"],
    }


def test_a_goal_counts_wherever_it_is_reached(site: Site, visit: Visit) -> None:
    urls = Urls(include=(UrlPattern(pattern="/shop"),))
    site.runs(an_experiment(urls=urls, goals=("end", "paid")))
    site.page("/paid", "thank you")
    page = visit("/paid", known=BOLD)
    page.evaluate("abacus.goal('paid')")
    assert seen_by_now(site, page) == ["goal paid hero bold"]


def test_a_route_change_is_noticed_without_code_of_the_pages(site: Site, visit: Visit) -> None:
    site.runs(an_experiment(urls=Urls(include=(UrlPattern(pattern="/shop"),)), goals=("end",)))
    site.files["routes.js"] = ROUTES
    site.page(
        "/",
        '<a data-to="/shop">shop</a> <a data-to="/">home</a> <main></main>'
        '<template><h1 data-ab="hero" data-ab-set="hero:bold text=Bold">Plain</h1></template>'
        '<script src="/routes.js"></script>',
    )
    page = visit(known=BOLD)
    assert page.get_attribute("html", "data-ab-hero") == "plain"
    page.click("a[data-to='/shop']")
    assert (page.get_attribute("html", "data-ab-hero"), page.inner_text("h1")) == ("bold", "Bold")
    a_moment_passes(page)
    page.click("a[data-to='/']")
    assert (page.get_attribute("html", "data-ab-hero"), page.inner_text("h1")) == ("plain", "Plain")
    assert seen_by_now(site, page) == ["impression hero bold"]


def test_an_element_that_stays_through_a_change_of_route_is_seen_where_the_experiment_runs(
    site: Site, visit: Visit
) -> None:
    site.runs(an_experiment(urls=Urls(include=(UrlPattern(pattern="/shop"),)), goals=("end",)))
    site.files["routes.js"] = ROUTES
    site.page("/", '<div data-ab="hero"><a data-to="/shop">shop</a><main>-</main></div><template>tea</template>')
    site.pages["/"] += '<script src="/routes.js"></script>'
    page = visit(known=BOLD)
    a_moment_passes(page)
    page.evaluate("history.pushState({}, '', '/shop'); document.querySelector('main').textContent = 'tea'")
    a_moment_passes(page)
    assert seen_by_now(site, page) == ["impression hero bold"]


def test_each_route_is_a_page_view(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.files["routes.js"] = ROUTES
    site.page(
        "/",
        '<a data-to="/one">1</a> <a data-to="/two">2</a> <a data-to="/two?page=2">3</a> <main></main>'
        '<template><h1 data-ab="hero">Hello</h1></template><script src="/routes.js"></script>',
    )
    page = visit(known=BOLD)
    for to in ("/one", "/two", "/two?page=2"):
        page.click(f"a[data-to='{to}']")
        a_moment_passes(page)
    assert seen_by_now(site, page) == ["impression hero bold"] * 2

"""What HTML alone can do, in pages of a server's and of a framework's making."""

from __future__ import annotations

import pytest

from chalicelib.domain.manifest import GoalValue, UrlPattern, Urls, Variant
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


def test_values_may_hold_colons_and_urls_of_harmless_schemes(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    changes = {
        "class": "md:flex hover:underline",
        "title": "Tea: green",
        "href": "/y?t=10:30#a:b",
        "text": "Order: now",
    }
    sets = " | ".join(f"hero:bold {name}={value}" for name, value in changes.items())
    site.page("/", f'<a href="/a" data-ab-set="{sets}">x</a>')
    page = visit(known=BOLD)
    read = "(a) => [a.className, a.title, a.getAttribute('href'), a.textContent]"
    assert page.locator("a").evaluate(read) == list(changes.values())
    for url in ("tel:+4670123", "mailto:a@b.se", "https://b.se/?a=b:c", "page.html", "?a:b", "//b.se/x:y"):
        site.page("/", f'<a href="/a" data-ab-set="hero:bold href={url}">x</a>')
        assert visit(known=BOLD).get_attribute("a", "href") == url


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
        site.forget()
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


def test_what_a_framework_takes_off_the_root_element_is_back_before_the_next_frame(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page("/", "")
    page = visit(known=BOLD)
    later = page.evaluate("""async () => {
      const root = document.documentElement;
      root.removeAttribute('data-ab-hero');
      await null;
      const first = root.getAttribute('data-ab-hero');
      const other = document.createElement('html'); // as a router that swaps the whole document
      other.append(...root.childNodes);
      root.replaceWith(other);
      await null;
      return [first, document.documentElement.getAttribute('data-ab-hero')];
    }""")
    assert later == ["bold", "bold"]


def test_what_a_morphing_library_puts_back_is_treated_again_however_often(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page("/", '<h1 class="small" data-ab-set="hero:bold text=Ours|hero:bold class=big">Theirs</h1>'
              '<p data-ab-show="hero:bold" hidden>p</p>')  # fmt: skip
    page = visit(known=BOLD)
    looks = page.evaluate("""async () => {
      const [h1, p] = ['h1', 'p'].map((tag) => document.querySelector(tag));
      const seen = [];
      for (let n = 0; n < 5; n++) {
        h1.firstChild.nodeValue = 'Theirs';
        h1.className = 'small';
        p.hidden = true;
        await new Promise(requestAnimationFrame);
        await new Promise((done) => setTimeout(done));
        seen.push([h1.textContent, h1.className, p.hidden].join());
      }
      return [...new Set(seen)];
    }""")
    assert looks == ["Ours,big,false"]


def test_a_translator_has_the_last_word_and_the_panel_says_so(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page("/", '<h1 data-ab="hero" data-ab-set="hero:bold text=Tea">Coffee</h1>')
    page = visit("/?ab_debug", known=BOLD)
    page.wait_for_load_state()
    rewrites = page.evaluate("""async () => {
      let rewrites = 0;
      const h1 = document.querySelector('h1');
      const translate = () => {
        if (h1.textContent != 'Tea') return;
        rewrites++;
        h1.innerHTML = '<font>Te</font>';
      };
      new MutationObserver(() => setTimeout(translate)).observe(h1, { childList: true });
      translate();
      await new Promise((done) => setTimeout(done, 500));
      return [rewrites, h1.textContent];
    }""")
    assert rewrites == [3, "Te"]
    text = "Something else, such as a translator, rewrites the text"
    page.locator("abacus-panel").get_by_text(text).first.wait_for()


def test_after_a_route_to_a_page_without_the_experiment_nothing_of_it_stays(site: Site, visit: Visit) -> None:
    site.runs(an_experiment(urls=Urls(include=(UrlPattern(pattern="/shop"),)), goals=("end",)))
    site.page(
        "/shop",
        '<main></main><a id="kept" class="a" href="/a" data-ab="hero" data-ab-set="hero:bold text=Bold'
        ' | hero:bold class=big | hero:bold href=/b | hero:bold title=new">Pl<i>ain</i></a>',
    )
    page = visit("/shop", known=BOLD)
    look = "[...document.querySelector('#kept').attributes].map((a) => a.value).concat(kept.innerHTML)"
    before = page.evaluate(look)
    a_moment_passes(page)
    page.evaluate("history.pushState({}, '', '/about'); document.querySelector('main').textContent = 'about'")
    page.wait_for_function("document.documentElement.dataset.abHero == 'plain'")
    sets = page.get_attribute("#kept", "data-ab-set")
    assert before == ["kept", "big", "/b", "hero", sets, "new", "Bold"]
    assert page.evaluate(look) == ["kept", "a", "/a", "hero", sets, "Pl<i>ain</i>"]
    page.evaluate("addEventListener('click', (event) => event.preventDefault())")
    page.click("i")
    page.evaluate("history.back()")
    page.wait_for_function("document.documentElement.dataset.abHero == 'bold'")
    assert page.evaluate(look) == before
    assert seen_by_now(site, page) == ["impression hero bold"] * 2


def test_text_that_came_in_pieces_is_put_back_in_one(site: Site, visit: Visit) -> None:
    site.runs(an_experiment(urls=Urls(include=(UrlPattern(pattern="/shop"),))))
    site.page(
        "/shop", f'<h1 data-ab-set="hero:bold text=Bold">Pl{PAUSE}ain <b>te{PAUSE}a</b>{PAUSE}!</h1><main></main>'
    )
    page = visit("/shop", known=BOLD)
    assert page.inner_text("h1") == "Bold"
    page.evaluate("history.pushState({}, '', '/about'); document.querySelector('main').textContent = 'about'")
    page.wait_for_function("document.documentElement.dataset.abHero == 'plain'")
    assert page.inner_html("h1") == "Plain <b>tea</b>!"


def test_an_element_of_a_drawing_is_shown_and_hidden(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page(
        "/",
        '<svg width="90" height="30"><rect id="a" data-ab-show="hero:bold" display="none" width="30" height="30"/>'
        '<rect id="b" data-ab-show="hero:plain" x="40" width="30" height="30"/></svg>',
    )
    for known, visible in ((BOLD, [True, False]), (PLAIN, [False, True])):
        page = visit(known=known)
        assert [page.is_visible(which) for which in ("#a", "#b")] == visible


def test_an_element_that_gets_its_marks_later_is_treated_and_seen(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page("/", "<h1>Plain</h1>")
    page = visit(known=BOLD)
    a_moment_passes(page)
    page.evaluate("""() => {
      const { dataset } = document.querySelector('h1');
      dataset.abSet = 'hero:bold text=Bold';
      dataset.ab = 'hero';
    }""")
    page.get_by_text("Bold").wait_for()
    assert seen_by_now(site, page) == ["impression hero bold"]


@pytest.mark.parametrize("elsewhere", [False, True])
def test_an_element_that_stays_counts_again_on_a_new_path_whatever_other_experiments_exist(
    site: Site, visit: Visit, elsewhere: bool
) -> None:
    other = an_experiment("other", urls=Urls(include=(UrlPattern(pattern="/other"),)))
    site.runs(HERO, *([other] if elsewhere else []))
    site.page("/", '<h1 data-ab="hero">Hello</h1><main></main>')
    page = visit(known=BOLD)
    page.wait_for_load_state("networkidle")  # what counts has come
    for path in ("/one", "/one?page=2", "/two"):
        a_moment_passes(page)
        page.evaluate(
            "(to) => { history.pushState({}, '', to); document.querySelector('main').textContent = to }", path
        )
    assert seen_by_now(site, page) == ["impression hero bold"] * 3


def test_what_is_refused_is_said_in_the_panel_and_on_the_console(site: Site, visit: Visit) -> None:
    site.runs(HERO)
    site.page(
        "/",
        '<a data-ab-set="hero:bold href=javascript:x()">a</a><a data-ab-set="hero:bold onclick=x()">b</a>'
        '<a data-ab-set="hero:bald text=c">c</a>',
    )
    page = visit("/")
    console: list[str] = []
    page.on("console", lambda message: console.append(message.text))
    page.goto(site.origin + "/?ab_debug")
    panel = page.locator("abacus-panel section")
    for reason in ("a url starts with", "write experiment:variant", "no published experiment hero has a variant bald"):
        panel.get_by_text(reason).first.wait_for()
        assert len([text for text in console if reason in text]) == 1


EUR = {"buy": GoalValue(unit="EUR", cap=50_000)}
SHOP = an_experiment(goals=("buy", "signup"), goal_values=EUR)


def values(site: Site) -> list[tuple[str, str, object]]:
    """(experiment, goal, value) of each goal that was sent, in order of time."""
    events = sorted(site.events.values(), key=lambda event: (event["at"], event["experiment"]))
    return [(e["experiment"], e["goal"], e.get("value")) for e in events if e["type"] == "goal"]


def test_a_value_goes_along_with_the_goal_of_those_experiments_that_declare_it(site: Site, visit: Visit) -> None:
    site.runs(SHOP, an_experiment("other", goals=("buy",)))
    site.page("/", "<p>a shop</p>")
    page = visit(known=BOLD)
    page.evaluate("abacus.goal('buy', 49.9)")
    site.wait_for_events(2)
    assert values(site) == [("hero", "buy", 49.9), ("other", "buy", None)]


def test_the_next_goal_does_not_inherit_a_value(site: Site, visit: Visit) -> None:
    site.runs(SHOP)
    site.page("/", "<p>a shop</p>")
    page = visit(known=BOLD)
    page.evaluate("abacus.goal('buy', '49.90'); abacus.goal('signup')")
    site.wait_for_events(2)
    assert sorted(values(site)) == [("hero", "buy", "49.90"), ("hero", "signup", None)]


def test_markup_gives_the_value_of_its_goal(site: Site, visit: Visit) -> None:
    site.runs(SHOP)
    site.page("/", '<button data-ab="goal:buy" data-ab-value="12.50">Buy</button>')
    page = visit(known=BOLD)
    page.click("button")
    site.wait_for_events(1)
    assert values(site) == [("hero", "buy", "12.50")]

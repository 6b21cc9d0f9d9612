"""The results page at its edges: long names, many variants, large text, languages from right to left, paper."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from tests.browser.conftest import Open
from tests.browser.results.scenarios import EXTREMES, LONG, SCENARIOS
from tests.browser.results.site import Site
from tests.browser.results.states import DEEP
from tests.support.browsers.chromium import chromium as chromium_path

pytestmark = pytest.mark.browser

OVERFLOW = "document.documentElement.scrollWidth - innerWidth"


def at(site: Site, page: Page, route: str) -> Page:
    page.goto(site.page(route))
    page.wait_for_selector("main h1")
    return page


@pytest.mark.parametrize("width", [320, 390, 1440])
@pytest.mark.parametrize("route", [f"#/{LONG}?open={DEEP}", f"#/twenty-variants?open={DEEP}"])
def test_the_longest_names_and_twenty_variants_fit(results: Site, new_page: Open, route: str, width: int) -> None:
    page = at(results, new_page(width=width), route)
    assert page.evaluate(OVERFLOW) <= 0
    right = "(selector) => document.querySelector(selector).getBoundingClientRect().right"
    if width == 1440:
        assert page.evaluate(right, ".variants") <= page.evaluate(right, ".verdict") + 1


def test_a_hundred_experiments_with_the_longest_names_fit(results: Site, new_page: Open) -> None:
    entry = EXTREMES[LONG].entry()
    names = [f"{LONG[:60]}-{n:03}" for n in range(100)]
    results.api.answers["/stats"] = {"experiments": [entry | {"experiment": name} for name in names]}
    page = at(results, new_page(width=390), "#/")
    expect(page.locator(".list.compact li")).to_have_count(100)
    assert page.evaluate(OVERFLOW) <= 0


@pytest.mark.parametrize("width", [320, 360, 390])
def test_every_row_of_the_list_stays_within_it(results: Site, new_page: Open, width: int) -> None:
    entry = EXTREMES["basket"].entry()
    results.api.answers["/stats"] = {"experiments": [entry | {"visitors": 1_234_567}]}
    page = at(results, new_page(width=width), "#/")
    expect(page.locator(".list li")).to_contain_text("Held back by a guardrail")
    outside = """() => {
      const { right } = document.querySelector(".list").getBoundingClientRect();
      const all = [...document.querySelectorAll(".list li *")];
      return all.filter((element) => element.getBoundingClientRect().right > right + 1).map((e) => e.textContent);
    }"""
    assert page.evaluate(outside) == []


@pytest.fixture(scope="module")
def large_text(playwright: Playwright) -> Iterator[Browser]:
    """A browser whose reader set the text to twice its usual size."""
    arguments = ["--no-sandbox", "--blink-settings=defaultFontSize=32"]
    browser = playwright.chromium.launch(executable_path=chromium_path(), args=arguments)
    yield browser
    browser.close()


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("route", ["#/", f"#/cta-color?open={DEEP}", "#/+new"])
def test_text_of_twice_the_size_is_twice_as_large_and_fits(
    results: Site, large_text: Browser, route: str, width: int
) -> None:
    page = large_text.new_page(viewport={"width": width, "height": 900})
    at(results, page, route)
    assert page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)") >= 32
    assert page.evaluate(OVERFLOW) <= 0
    page.close()


# ---------------------------------------------------------------- many variants


def test_of_many_lines_few_are_highlighted_and_the_reader_chooses(results: Site, new_page: Open) -> None:
    page = at(results, new_page(), "#/twenty-variants")
    chosen = page.locator(".lines [aria-current]")
    expect(chosen).to_have_count(4)
    expect(chosen.first).to_have_text("headline-number-00-of-twenty")
    expect(page.locator("#reading-rate li")).to_have_count(4)
    page.locator(".lines").get_by_text("headline-number-05-of-twenty").click()
    expect(chosen).to_have_count(5)
    expect(page.locator("#reading-rate")).to_contain_text("headline-number-05-of-twenty")
    expect(page).to_have_url(re.compile("lines="))
    page.locator("summary", has_text="Values as a table: Rate").click()
    expect(page.get_by_role("region", name="values").get_by_role("columnheader")).to_have_count(21)


def test_five_lines_need_no_choice(results: Site, new_page: Open) -> None:
    page = at(results, new_page(), "#/hero")
    expect(page.locator("#reading-rate li")).to_have_count(4)
    expect(page.locator(".lines")).to_have_count(0)


# ---------------------------------------------------------------- charts and bars


@pytest.mark.parametrize("zone", ["UTC", "America/Los_Angeles", "Pacific/Auckland"])
def test_the_cursor_stands_on_the_day_whose_values_it_shows(results: Site, new_page: Open, zone: str) -> None:
    page = at(results, new_page(timezone_id=zone), "#/cta-color")
    over = page.locator("#plot-rate .u-over")
    box = over.bounding_box()
    assert box is not None
    # 21 days, so 20 steps: a little past the middle between the 3rd and the 4th day belongs to the 4th.
    over.hover(position={"x": box["width"] * 2.6 / 20, "y": 40})
    expect(page.locator("#reading-rate .day")).to_have_text("4 Nov UTC")
    line = page.locator("#plot-rate .u-cursor-x")
    expect(line).to_be_visible()
    moved = float(line.evaluate("e => new DOMMatrix(getComputedStyle(e).transform).m41"))
    assert moved == pytest.approx(box["width"] * 3 / 20, abs=1.5)


def test_an_interval_that_leaves_the_axis_ends_in_an_arrow(results: Site, new_page: Open) -> None:
    page = at(results, new_page(), "#/young")
    (comparison,) = EXTREMES["young"].detail({})["comparisons"]
    assert comparison["lift_interval"][1] is None or comparison["lift_interval"][1] > 4 * abs(comparison["lift"])
    expect(page.locator("tbody .bar .beyond")).to_have_count(1)
    page = at(results, page, "#/cta-color")
    expect(page.locator("h1")).to_contain_text("cta-color")
    expect(page.locator("tbody .bar .beyond")).to_have_count(0)


def test_the_axis_names_zero_also_at_its_very_end(results: Site, new_page: Open) -> None:
    page = at(results, new_page(), "#/newsletter")
    zero = page.locator("tfoot .scale text").get_by_text("0", exact=True)
    scale, digit = page.locator("tfoot .scale").bounding_box(), zero.bounding_box()
    assert scale is not None
    assert digit is not None
    assert digit["x"] >= scale["x"] - 1
    expect(zero).to_have_attribute("text-anchor", "start")


# ---------------------------------------------------------------- languages, words, paper

# Where the first and the last digit of the interval's text are painted.
DIGITS = """(element) => {
  const node = element.firstChild, digits = [...node.data.matchAll(/\\p{Nd}/gu)].map((match) => match.index);
  const x = (index) => {
    const range = document.createRange();
    range.setStart(node, index);
    range.setEnd(node, index + 1);
    return range.getBoundingClientRect().left;
  };
  return [x(digits[0]), x(digits.at(-1))];
}"""


@pytest.mark.parametrize("locale", ["en-GB", "he-IL", "ar-EG", "fa-IR"])
def test_the_lower_bound_stands_left_of_the_upper_one_in_every_language(
    results: Site, new_page: Open, locale: str
) -> None:
    page = at(results, new_page(locale=locale), "#/cta-color")
    low, high = page.locator("tbody .lift p span").first.evaluate(DIGITS)
    assert low < high


def test_charts_are_drawn_in_a_browser_whose_language_is_not_a_language(results: Site, new_page: Open) -> None:
    page = new_page()
    page.add_init_script("Object.defineProperty(Navigator.prototype, 'language', { get: () => 'en-US@posix' })")
    at(results, page, "#/cta-color")
    expect(page.locator("#plot-rate canvas")).to_have_count(1)


def test_a_command_in_a_sentence_is_shown_as_code(results: Site, new_page: Open) -> None:
    report = SCENARIOS["cta-color"].detail({})
    lost = next(check for check in report["health"]["checks"] if check["name"] == "conservation")
    lost |= {"state": "alarm", "text": "Accepted 12 is not counted 10 + excluded 1. Recount: `abacus rebuild`."}
    results.api.answers["/stats/cta-color"] = report
    page = at(results, new_page(), "#/cta-color")
    expect(page.locator(".health code")).to_have_text("abacus rebuild")
    assert "`" not in page.locator(".health").inner_text()


def test_each_cell_is_read_without_stray_signs(results: Site, new_page: Open) -> None:
    page = at(results, new_page(), "#/cta-color")
    visitors = SCENARIOS["cta-color"].detail({})["variants"][0]["visitors"]
    cell = page.get_by_role("row", name="blue").get_by_role("cell").first
    assert cell.inner_text().split("\n\n") == [f"{visitors:,}", "50.4%, 50% configured"]
    assert "\n," not in cell.inner_text()


def test_the_time_of_the_last_update_has_its_zone(results: Site, new_page: Open) -> None:
    page = at(results, new_page(timezone_id="Europe/Berlin"), "#/")
    page.clock.set_fixed_time(0)
    assert page.locator(".live").inner_text().endswith(("CET", "CEST", "GMT+1", "GMT+2"))


def test_paper_names_the_address_and_the_time_of_the_numbers(results: Site, new_page: Open) -> None:
    page = at(results, new_page(), "#/cta-color")
    expect(page.locator(".paper")).to_be_hidden()
    page.emulate_media(media="print")
    text = page.locator(".paper").inner_text()
    assert text.startswith(f"{results.base_url}/results/#/cta-color · numbers of 21 Nov 2026, 12:00 UTC · printed ")


@pytest.mark.parametrize("key", ["Enter", "tap"])
def test_a_label_opens_its_help_by_keyboard_and_by_touch(results: Site, new_page: Open, key: str) -> None:
    page = at(results, new_page(width=390, has_touch=True), "#/cta-color")
    label = page.get_by_role("button", name="CTR", exact=True).first
    text = page.get_by_text("Click-through rate: clicks out of impressions.")
    expect(text).to_be_hidden()
    if key == "tap":
        label.tap()
    else:
        label.focus()
        page.keyboard.press(key)
    expect(text).to_be_visible()
    link = page.get_by_role("dialog").get_by_role("link", name="More in the docs")
    expect(link).to_have_attribute("href", "../docs/results.html#the-numbers")
    page.keyboard.press("Escape")
    expect(text).to_be_hidden()

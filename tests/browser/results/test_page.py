"""The results page in a real Chromium: what a reader sees, clicks, types and downloads."""

from __future__ import annotations

import base64
import gzip
import json
import re
import struct

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Open
from tests.browser.results.scenarios import EXTREMES, SCENARIOS, headline, reason
from tests.browser.results.site import Site, assets, policy

pytestmark = pytest.mark.browser


def at(site: Site, page: Page, route: str) -> Page:
    page.goto(site.page(route))
    page.wait_for_selector("main h1")
    return page


# ---------------------------------------------------------------- the first screen


def test_a_phone_says_without_scrolling_what_to_do_and_why(results: Site, new_page: Open) -> None:
    page = at(results, new_page(width=390, height=700), "#/cta-color")
    for said in (page.locator(".advice"), page.locator(".why")):
        box = said.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] < 700
    expect(page.locator(".advice")).to_have_text(headline("cta-color"))


def test_each_variant_has_its_numbers_and_its_lift(results: Site, new_page: Open) -> None:
    page = at(results, new_page(), "#/cta-color")
    green = SCENARIOS["cta-color"].detail({})["variants"][1]
    row = page.get_by_role("row", name="green")
    assert row.locator(".value").all_inner_texts() == [
        f"{green['visitors']:,}",
        f"{green['rate']:.1%}",
        f"{green['ctr']:.2%}",
    ]
    expect(row.locator(".lift p")).to_have_text("+30% +11% to +51%")
    arrived = green["visitors"] / sum(each["visitors"] for each in SCENARIOS["cta-color"].detail({})["variants"])
    assert row.locator(".more").first.inner_text() == f"{arrived:.1%}, 50% configured"


def test_a_mean_decides_in_its_unit_and_a_broken_guardrail_stands_beside_it(results: Site, new_page: Open) -> None:
    page = at(results, new_page(), "#/basket")
    report = EXTREMES["basket"].detail({})
    expect(page.locator(".advice")).to_have_text("Do not ship bundles: error got worse")
    assert page.get_by_role("columnheader").all_inner_texts()[2] == "purchase: EUR per visitor"
    row = page.get_by_role("row", name="bundles")
    assert row.locator(".value").all_inner_texts()[1] == f"{report['variants'][1]['mean']:.2f} EUR"
    names = page.locator(".metrics .metric a").all_inner_texts()
    assert names == ["purchase.value", "click", "purchase", "error"]
    expect(page.get_by_text("broken", exact=True)).to_be_visible()


def test_amounts_have_the_same_number_of_decimals_everywhere(results: Site, new_page: Open) -> None:
    report = EXTREMES["basket"].detail({})
    for row, mean in zip(report["variants"], (3.4, 4.0), strict=True):
        row["mean"] = mean
    results.api.answers["/stats/basket"] = report
    page = at(results, new_page(), "#/basket")
    assert page.locator(".variants .rate .value").all_inner_texts() == ["3.40 EUR", "4.00 EUR"]


def test_the_table_shows_what_decides_and_no_belief_beside_an_open_verdict(results: Site, new_page: Open) -> None:
    page = at(results, new_page(), "#/a-a-test")
    headings = page.get_by_role("columnheader").all_inner_texts()
    assert headings == ["Variant", "Visitors", "Rate of click", "Lift over a", "CTR"]
    expect(page.get_by_text("Chance to be best")).to_have_count(0)
    bold = (
        page.locator(".variants tbody tr")
        .first.locator(".value")
        .evaluate_all("all => all.map((e) => getComputedStyle(e).fontWeight >= 600)")
    )
    assert bold == [True, True, False]


def test_the_verdict_has_a_sign_and_a_word_besides_its_colour(results: Site, new_page: Open) -> None:
    page = new_page()
    said = {}
    for key in ("cta-color", "search-box", "price-tag", "a-a-test", "newsletter", "checkout-steps"):
        page = at(results, page, f"#/{key}")
        card = page.get_by_role("region", name="Verdict")
        expect(page.locator("h1")).to_contain_text(key)
        said[key] = (card.locator(".state").inner_text(), card.locator(".sign path").get_attribute("d"))
    assert len(set(said.values())) == 6


def test_broken_data_take_the_word_before_any_lift(results: Site, new_page: Open) -> None:
    page = at(results, new_page(), "#/checkout-steps")
    expect(page.locator(".advice")).to_have_text(headline("checkout-steps"))
    expect(page.get_by_text("Until that is fixed, the comparison below means nothing.")).to_be_visible()
    expect(page.locator(".variants .chip.winner")).to_have_count(0)


def test_without_visitors_it_shows_the_tag_to_paste(results: Site, new_page: Open) -> None:
    page = at(results, new_page(), "#/gift-wrap")
    expect(page.locator(".first pre")).to_have_text(f'<script src="{results.base_url}/ab.js"></script>')


# ---------------------------------------------------------------- the list


def test_the_list_is_searched_and_filtered_and_the_address_says_so(results: Site, new_page: Open) -> None:
    page = at(results, new_page(), "#/")
    expect(page.locator(".list li")).to_have_count(len(SCENARIOS) - 1)  # the stopped one is in the archive
    page.get_by_role("searchbox").fill("header")
    expect(page.get_by_text("No experiment fits.")).to_be_visible()
    expect(page).to_have_url(re.compile(r"#/\?q=header$"))
    page.get_by_role("link", name="Archive", exact=True).click()
    expect(page.locator(".list h2")).to_have_text(["sticky-header"])
    page.reload()
    expect(page.locator(".list h2")).to_have_text(["sticky-header"])
    expect(page.get_by_role("searchbox")).to_have_value("header")


def test_what_needs_somebody_comes_first(results: Site, new_page: Open) -> None:
    page = at(results, new_page(), "#/")
    shown = page.locator(".list h2").all_inner_texts()
    assert (shown[0], shown[1], shown[-1]) == ("checkout-steps", "cta-color", "newsletter")


def test_a_stopped_experiment_says_what_was_shipped(results: Site, new_page: Open) -> None:
    page = at(results, new_page(), "#/?status=stopped")
    expect(page.locator(".list .said b")).to_have_text(["sticky is live for everyone."])
    since = "Since Fri, 20 Nov 2026, decided by Anna: Sticky wins, and support has no complaints."
    expect(page.locator(".list .said")).to_contain_text(since)


def test_back_from_an_experiment_the_list_is_where_it_was(results: Site, new_page: Open) -> None:
    page = at(results, new_page(height=400), "#/")
    page.get_by_role("link", name="newsletter").click()
    expect(page.locator("h1")).to_contain_text("newsletter")
    assert page.evaluate("scrollY") == 0
    page.go_back()
    expect(page.locator(".list h2", has_text="newsletter")).to_be_in_viewport()


def test_a_hundred_experiments_of_ninety_days_are_all_there(results: Site, new_page: Open) -> None:
    days = [{"at": f"2026-{8 + n // 30:02}-{1 + n % 30:02}", "visitors": 50 + n, "converted": 5} for n in range(90)]
    entry = SCENARIOS["cta-color"].entry() | {"series": days}
    listed = [entry | {"experiment": f"experiment-{n}"} for n in range(100)]
    results.api.answers["/stats"] = {"experiments": listed}
    page = at(results, new_page(), "#/")
    expect(page.locator(".list.compact li")).to_have_count(100)
    page.get_by_role("link", name="More detail").click()
    expect(page.locator(".list li svg.spark")).to_have_count(100)
    page.get_by_role("searchbox").fill("experiment-77")
    expect(page.locator(".list h2")).to_have_text(["experiment-77"])


# ---------------------------------------------------------------- charts


def test_arrow_keys_read_a_chart_day_by_day(results: Site, new_page: Open) -> None:
    page = at(results, new_page(), "#/cta-color")
    chart = page.get_by_role("slider", name="Lift over blue")
    chart.locator("canvas").wait_for()
    chart.focus()
    page.keyboard.press("Home")
    expect(chart).to_have_attribute("aria-valuenow", "0")
    expect(chart).to_have_attribute("aria-valuetext", re.compile("^Sun, 1 Nov 2026 UTC:"))
    page.keyboard.press("ArrowRight")
    expect(chart).to_have_attribute("aria-valuetext", re.compile("^Mon, 2 Nov 2026 UTC: green "))
    expect(page.locator("#reading-lift .day")).to_have_text("2 Nov UTC")
    page.keyboard.press("End")
    expect(chart).to_have_attribute("aria-valuenow", "20")


def test_the_pointer_reads_the_day_that_it_is_over(results: Site, new_page: Open) -> None:
    page = at(results, new_page(), "#/cta-color")
    page.locator("#plot-rate .u-over").hover(position={"x": 2, "y": 40})
    expect(page.locator("#reading-rate .day")).to_have_text("1 Nov UTC")
    page.mouse.move(0, 0)
    expect(page.locator("#reading-rate .day")).to_have_text("21 Nov UTC")


def test_a_day_nobody_came_on_is_a_gap(results: Site, new_page: Open) -> None:
    page = at(results, new_page(), "#/hero")
    chart = page.get_by_role("slider", name="Visitors per day")
    chart.locator("canvas").wait_for()
    chart.focus()
    page.keyboard.press("Home")
    for _ in range(8):
        page.keyboard.press("ArrowRight")
    expect(chart).to_have_attribute("aria-valuetext", "Mon, 9 Nov 2026 UTC: plain –; benefit –; question –; story –")


def test_the_same_values_stand_in_a_table(results: Site, new_page: Open) -> None:
    page = at(results, new_page(), "#/cta-color")
    page.locator("summary", has_text="Values as a table: Visitors per day").click()
    rows = page.get_by_role("region", name="Visitors per day, values").get_by_role("row")
    expect(rows).to_have_count(22)
    point = SCENARIOS["cta-color"].detail({})["series"][0]["variants"][0]
    assert rows.nth(1).inner_text().split("\t")[:2] == [
        "1 Nov",
        f"{point['visitors']} ({point['expected']:.0f} expected)",
    ]


def test_what_a_chart_shows_is_chosen_and_kept_in_the_address(results: Site, new_page: Open) -> None:
    page = at(results, new_page(), "#/cta-color")
    page.get_by_role("link", name="CTR per day").click()
    expect(page.get_by_role("heading", name="CTR over time")).to_be_visible()
    expect(page).to_have_url(re.compile(r"#/cta-color\?rate=ctr$"))


# ---------------------------------------------------------------- depth


def test_open_sections_are_in_the_address_and_survive_a_reload_and_a_refresh(results: Site, new_page: Open) -> None:
    page = at(results, new_page(), "#/cta-color")
    page.get_by_text("The statistics behind the verdict").click()
    expect(page.get_by_text("Sequential (decides)", exact=False)).to_be_visible()
    expect(page).to_have_url(re.compile(r"\?open=evidence$"))
    page.reload()
    expect(page.get_by_text("Sequential (decides)", exact=False)).to_be_visible()
    with page.expect_response("**/stats/*"):
        page.evaluate("window.dispatchEvent(new Event('online'))")
    expect(page.locator(".dot:not(.asking)")).to_be_visible()
    expect(page.get_by_text("Sequential (decides)", exact=False)).to_be_visible()


def test_a_link_without_a_section_closes_it(results: Site, new_page: Open) -> None:
    page = at(results, new_page(), "#/cta-color?open=evidence,values-lift")
    expect(page.get_by_role("region", name="Lift over blue, values")).to_be_visible()
    page.evaluate("location.hash = '#/cta-color?open=checks'")
    expect(page.get_by_text("No impossible counts.")).to_be_visible()
    expect(page.locator("details[open]")).to_have_count(1)


def test_each_goal_has_its_tab_and_its_numbers(results: Site, new_page: Open) -> None:
    page = at(results, new_page(), "#/hero")
    page.get_by_role("link", name="purchase").click()
    expect(page.get_by_text("reached purchase").first).to_be_visible()
    assert results.api.asked[-1][0] == "/stats/hero?goal=purchase"


def test_phases_are_told_with_the_split_of_each(results: Site, new_page: Open) -> None:
    page = at(results, new_page(), "#/free-shipping?open=phases,about")
    rows = page.get_by_role("region", name="Phases").get_by_role("row")
    assert [rows.nth(n).inner_text().split("\t")[:4] for n in (1, 2)] == [
        ["0", "1 Nov – 10 Nov", "100%", "90.0%"],
        ["1", "11 Nov – 21 Nov", "100%", "50.0%"],
    ]
    last = page.locator(".history li").last
    expect(last.locator("time")).to_have_text("Wed, 11 Nov 2026 UTC")
    expect(last.locator("p")).to_have_text("Split changed Phase 1: split 50/50.")


def test_only_some_days_can_be_looked_at(results: Site, new_page: Open) -> None:
    page = at(results, new_page(), "#/cta-color?open=days")
    page.get_by_label("From").fill("2026-11-05")
    page.get_by_role("button", name="Show these days").click()
    expect(page.get_by_text("Only visitors first seen from 5 Nov (UTC).")).to_be_visible()
    assert results.api.asked[-1][0] == "/stats/cta-color?from=2026-11-05"


def test_what_it_has_cost_so_far_is_said_with_the_date_of_the_prices(results: Site, new_page: Open) -> None:
    page = at(results, new_page(), "#/cta-color?open=install")
    cost = SCENARIOS["cta-color"].detail({})["cost"]
    least, most = cost["per_million"]
    said = page.locator("#install").inner_text()
    assert f"${least:.2f} to ${most:.2f} per million events" in said
    assert f"for the {cost['events']:,} so far" in said
    assert "AWS list prices of Sat, 21 Nov 2026 (us-east-1)" in said


# ---------------------------------------------------------------- to take away


def test_the_numbers_can_be_downloaded(results: Site, new_page: Open) -> None:
    page = at(results, new_page(accept_downloads=True), "#/cta-color")
    with page.expect_download() as csv:
        page.get_by_role("button", name="CSV").click()
    lines = csv.value.path().read_text().split("\n")
    assert (csv.value.suggested_filename, len(lines)) == ("cta-color-click-2026-11-21.csv", 1 + 2 * 21 + 1)
    with page.expect_download() as report:
        page.get_by_role("button", name="JSON").click()
    assert json.loads(report.value.path().read_text()) == SCENARIOS["cta-color"].detail({})


def test_the_result_is_copied_as_text_for_a_chat(results: Site, new_page: Open) -> None:
    page = at(results, new_page(permissions=["clipboard-read", "clipboard-write"]), "#/cta-color")
    page.get_by_role("button", name="Copy as text").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    head, why, _, blue, green, *_, href = page.evaluate("navigator.clipboard.readText()").splitlines()
    assert (head, why) == (f"cta-color: {headline('cta-color')}", reason("cta-color"))
    assert (blue, green) == (
        "• blue (control): 9.67% of 7,593 visitors",
        "• green: 12.5% of 7,486 visitors, lift +30% (+11% to +51%)",
    )
    assert href == results.page("#/cta-color")


COPIED = """async () => {
  const [item] = await navigator.clipboard.read();
  const bytes = new Uint8Array(await (await item.getType("image/png")).arrayBuffer());
  return btoa(bytes.reduce((text, byte) => text + String.fromCharCode(byte), ""));
}"""


def test_the_result_is_copied_as_a_picture(results: Site, new_page: Open) -> None:
    page = at(results, new_page(permissions=["clipboard-read", "clipboard-write"]), "#/cta-color")
    page.get_by_role("button", name="Copy as image").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    png = base64.b64decode(page.evaluate(COPIED))
    assert (png[1:4], struct.unpack(">I", png[16:20])[0]) == (b"PNG", 1200)


def test_on_paper_everything_is_open_and_nothing_is_a_button(results: Site, new_page: Open) -> None:
    page = at(results, new_page(color_scheme="dark"), "#/cta-color")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    expect(page.get_by_text("Sequential (decides)", exact=False)).to_be_visible()
    expect(page.get_by_role("button", name="Print")).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    expect(page.get_by_text("Sequential (decides)", exact=False)).to_be_hidden()
    assert "open=" not in page.url


# ---------------------------------------------------------------- language, keyboard, weight, policy


def test_german_readers_get_german_numbers(results: Site, new_page: Open) -> None:
    page = at(results, new_page(locale="de-DE"), "#/cta-color")
    expect(page.locator(".why")).to_have_text(reason("cta-color", german=True))
    assert page.get_by_role("row", name="green").locator(".value").nth(2).inner_text() == "8,93\u00a0%"
    expect(page.locator("#reading-rate .day")).to_have_text("21. Nov. UTC")
    assert "The bar is a 95\u00a0% confidence sequence" in (page.locator("#help-lift").text_content() or "")


def test_everything_can_be_reached_with_the_tab_key_and_shows_where_one_is(results: Site, new_page: Open) -> None:
    page = at(results, new_page(), "#/cta-color")
    page.locator("#plot-split canvas").wait_for()
    page.evaluate("document.activeElement.blur()")
    reached = []
    for _ in range(60):
        page.keyboard.press("Tab")
        name = page.evaluate(
            """() => { const e = document.activeElement; const s = getComputedStyle(e);
            return e === document.body ? "" : [e.getAttribute("aria-label") ?? e.textContent.trim(),
            s.outlineStyle !== "none" && parseFloat(s.outlineWidth) > 1] }"""
        )
        if not name:
            break
        reached.append(name)
    assert [name for name, ringed in reached if not ringed] == []
    names = [name for name, _ in reached]
    assert names[:6] == [
        "Skip to the results",
        "ABacus",
        "All experiments",
        "Winner",
        "How to ship it",
        "17 data checks",
    ]
    for needed in (
        "click",
        "signup",
        "Visitors",
        "Copy link",
        "Copy as text",
        "Print",
        "Per day",
        "Data checks",
        "Script tag and cost",
        "Manifest",
    ):
        assert needed in names
    assert sum("arrow keys" in name for name in names) == 3


def test_the_skip_link_leads_past_the_header(results: Site, new_page: Open) -> None:
    page = at(results, new_page(), "#/cta-color")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    expect(page).to_have_url(re.compile(r"#/cta-color$"))


def test_going_to_an_experiment_moves_the_focus_to_its_name(results: Site, new_page: Open) -> None:
    page = at(results, new_page(), "#/")
    page.get_by_role("link", name="hero").click()
    expect(page.locator("h1")).to_contain_text("hero")
    expect(page.locator("h1")).to_be_focused()


def test_the_whole_page_weighs_at_most_60_kilobytes(results: Site, new_page: Open) -> None:
    page = at(results, new_page(), "#/cta-color")
    page.locator("#plot-split canvas").wait_for()
    assert sorted(name.split("-")[0] for name in results.served if name != "abacus.svg") == [
        "results/chunk",
        "results/details",
        "results/first",
        "results/index.html",
        "results/results",
        "results/uplot",
    ]
    whole = [asset.body for name, asset in assets().items() if name.startswith("results/") or name == "abacus.svg"]
    assert sum(len(gzip.compress(body, 6)) for body in whole) <= 60 * 1024  # the form for a new experiment too


def test_the_verdict_and_the_sections_need_no_charts(results: Site, new_page: Open) -> None:
    page = new_page()
    page.route("**/uplot-*.js", lambda route: route.abort())
    page.goto(results.page("#/cta-color"))
    expect(page.locator(".advice")).to_have_text(headline("cta-color"))
    page.get_by_role("heading", name="Data checks").click()
    expect(page.get_by_text("No impossible counts.")).to_be_visible()
    expect(page.get_by_text("The chart could not be loaded.").first).to_be_visible()


def test_a_label_that_is_pressed_before_its_text_has_come_opens_it_then(results: Site, new_page: Open) -> None:
    page = new_page()
    held: list[Route] = []
    page.route("**/details-*.js", lambda route: held.append(route))
    page.goto(results.page("#/cta-color"))
    page.get_by_role("button", name="CTR", exact=True).first.click()
    text = page.get_by_text("Click-through rate: clicks out of impressions")
    expect(text).to_have_count(0)
    held[0].continue_()
    expect(text).to_be_visible()
    page.keyboard.press("Escape")
    expect(text).to_be_hidden()


def test_the_verdict_needs_no_second_script(results: Site, new_page: Open) -> None:
    page = new_page()
    page.route("**/details-*.js", lambda route: route.abort())
    page.goto(results.page("#/cta-color"))
    expect(page.locator(".advice")).to_have_text(headline("cta-color"))
    expect(page.get_by_role("row", name="green")).to_contain_text("+30%")
    expect(page.get_by_text("The charts and details could not be loaded. Reload the page.")).to_be_visible()
    page.unroute("**/details-*.js")
    page.reload()
    expect(page.get_by_role("heading", name="Data checks")).to_be_visible()


@pytest.mark.parametrize("route", ["#/", "#/cta-color?goal=signup&from=2026-11-05&open=checks", "card.html#/cta-color"])
def test_the_numbers_are_asked_for_once_and_before_the_script_has_come(
    results: Site, new_page: Open, route: str
) -> None:
    page = new_page()
    held: list[Route] = []
    page.route("**/chunk-*.js", lambda route: held.append(route))
    with page.expect_response(re.compile("/stats")):
        page.goto(results.page(route), wait_until="commit")
    expect(page.locator("main h1, main h2")).to_have_count(0)
    held[0].continue_()
    page.wait_for_selector("main h1")
    assert len(results.api.asked) == 1


def test_a_script_that_comes_before_the_first_request_asks_once_too(results: Site, new_page: Open) -> None:
    page = new_page()
    held: list[Route] = []
    page.route("**/first-*.js", lambda route: held.append(route))
    page.goto(results.page("#/"), wait_until="commit")
    page.wait_for_selector("main h1")
    with page.expect_response("**/first-*.js"):
        held[0].continue_()
    page.get_by_role("link", name="cta-color").click()
    expect(page.locator("h1")).to_contain_text("cta-color")
    assert [target for target, _ in results.api.asked] == ["/stats?series=day", "/stats/cta-color"]


def test_the_policy_lets_nothing_inline_and_nothing_from_elsewhere(results: Site, new_page: Open) -> None:
    assert policy().startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy()
    page = new_page()
    hosts = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    at(results, page, "#/cta-color?open=about,evidence,checks,outcomes,phases,install")
    page.locator("#plot-split canvas").wait_for()
    assert hosts == {results.base_url.split("/")[2]}


def test_scripts_and_styles_are_kept_for_ever_and_the_page_is_not() -> None:
    rules = {name: asset.cache_control for name, asset in assets().items() if name.startswith("results/")}
    for name in ("index.html", "card.html"):
        assert rules.pop(f"results/{name}").startswith("public, max-age=60,")
    assert set(rules.values()) == {"public, max-age=31536000, immutable"}

"""From reading to acting: how to ship, a new experiment, the list of a hundred, days, theme."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from abacus.authoring.load import load
from chalicelib.alerting.channels import text_of
from chalicelib.alerting.messages import Message
from tests.browser.conftest import Open
from tests.browser.results.scenarios import EXTREMES, SCENARIOS
from tests.browser.results.site import Site
from tests.support.builders import NOON

pytestmark = pytest.mark.browser


def at(site: Site, page: Page, route: str) -> Page:
    page.goto(site.page(route))
    page.wait_for_selector("main h1")
    return page


# ---------------------------------------------------------------- the verdict


def test_a_stopped_experiment_says_first_what_is_live_then_what_the_data_say(results: Site, new_page: Open) -> None:
    page = at(results, new_page(), "#/shipped-undecided")
    expect(page.locator(".state")).to_have_text("Stopped")
    expect(page.locator(".advice")).to_have_text("bold is live for everyone")
    expect(page.locator(".since")).to_have_text("Since Fri, 20 Nov 2026, decided by Anna: The brand needs it")
    assert page.locator(".why").inner_text().startswith("What the data say: ")
    page = at(results, page, "#/stopped-quietly")
    expect(page.locator(".advice")).to_have_text("Nothing was shipped: everyone sees plain")


def test_a_winner_that_breaks_a_guardrail_is_not_shown_as_one_to_ship(results: Site, new_page: Open) -> None:
    page = at(results, new_page(), "#/basket")
    expect(page.locator(".verdict .state")).to_have_text("Held back by a guardrail")
    expect(page.locator(".verdict")).to_have_class("verdict held")
    expect(page.locator(".variants tr.winner")).to_have_count(0)


def test_the_link_in_an_alert_leads_to_its_experiment(results: Site, new_page: Open) -> None:
    message = Message(id="ab_1", experiment="basket", kind="guardrail", text="Do not ship.", at=NOON)
    address = text_of(message, results.page("")).split()[-1]
    page = new_page()
    page.goto(address)
    expect(page.locator("main h1")).to_contain_text("basket")


def test_a_test_that_would_take_years_has_no_progress_bar(results: Site, new_page: Open) -> None:
    page = at(results, new_page(), "#/far-away")
    assert EXTREMES["far-away"].detail({})["plan"]["days_left"] > 90
    expect(page.locator(".outlook")).to_be_visible()
    expect(page.locator("progress")).to_have_count(0)


def test_list_and_page_give_the_same_headline(results: Site, new_page: Open) -> None:
    page = at(results, new_page(), "#/?rows=compact")
    listed = dict(
        zip(page.locator(".list h2").all_inner_texts(), page.locator(".list .said").all_inner_texts(), strict=True)
    )
    assert len(listed) == len(SCENARIOS) - 1
    for key in ("cta-color", "search-box", "price-tag", "newsletter", "checkout-steps"):
        page = at(results, page, f"#/{key}")
        expect(page.locator("h1")).to_contain_text(key)
        expect(page.locator(".advice")).to_have_text(listed[key])


def test_days_without_visitors_do_not_ask_for_the_snippet(results: Site, new_page: Open) -> None:
    page = at(results, new_page(), "#/cta-color?from=2026-01-01&to=2026-01-02")
    expect(page.locator(".advice")).to_have_text("No visitors on these days")
    expect(page.locator(".first")).to_have_count(0)
    expect(page.locator(".health.warning")).to_have_count(0)
    assert "snippet" not in page.locator("main").inner_text()


def test_a_server_that_is_down_is_not_a_missing_connection(results: Site, new_page: Open) -> None:
    page = new_page()
    page.route("**/stats*", lambda route: route.abort())
    page.goto(results.page())
    expect(page.get_by_role("heading", name="The server cannot be reached")).to_be_visible()
    assert "offline" not in page.locator("main").inner_text()


# ---------------------------------------------------------------- all metrics


def test_all_metrics_stand_in_one_table_and_lead_to_their_charts(results: Site, new_page: Open) -> None:
    report = SCENARIOS["hero"].detail({})
    page = at(results, new_page(), "#/hero")
    rows = page.locator(".metrics > ul > li")
    expect(rows.locator(".metric a")).to_have_text(["click", "signup", "purchase"])
    expect(rows.locator(".metric .chip")).to_have_text(["primary", "secondary", "secondary"])
    (benefit,) = [c for c in report["metrics"][1]["comparisons"] if c["variant"] == "benefit"]
    figures = rows.nth(1).locator("li", has_text="benefit").locator(".figures-of b").inner_text()
    assert (
        figures.lstrip("+−").rstrip("%")
        == f"{abs(benefit['lift']) * 100:.{0 if abs(benefit['lift']) > 0.0995 else 1}f}"
    )
    rows.locator("a", has_text="purchase").click()
    expect(page.get_by_role("heading", name="Rate of purchase over time")).to_be_visible()
    assert results.api.asked[-1][0] == "/stats/hero?goal=purchase"


def test_each_guardrail_says_whether_it_holds(results: Site, new_page: Open) -> None:
    rail = {"metric": "error", "variant": "benefit", "margin": 0.05, "lower_is_better": True, "lift": 0.12}
    rail |= {"state": "broken", "bounds": [0.07, 0.17], "p_ok": 1.0, "p_broken": 0.001}
    waiting = {"metric": "purchase.value", "state": "open", "lift": None, "bounds": None}
    results.api.answers["/stats/hero"] = SCENARIOS["hero"].detail({}) | {"guardrails": [rail, rail | waiting]}
    rows = at(results, new_page(), "#/hero").locator("[data-key=guardrails] > ul > li")
    assert [" ".join(text.split()) for text in rows.all_inner_texts()] == [
        "error of benefit broken +12% +7.0% to +17%; up to 5% worse is accepted",
        "purchase.value of benefit not certain yet – –; up to 5% worse is accepted",
    ]
    del results.api.answers["/stats/hero"]


# ---------------------------------------------------------------- how to do it


def test_a_winner_is_shipped_with_lines_to_copy(results: Site, new_page: Open, tmp_path: Path) -> None:
    page = at(results, new_page(permissions=["clipboard-read", "clipboard-write"]), "#/cta-color")
    page.get_by_text("How to ship it").click()
    expect(page.locator(".act h3")).to_have_text("Ship green")
    page.get_by_role("button", name="Copy the commands").first.click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "abacus stop cta-color --winner green\nabacus publish"
    page.get_by_role("button", name="Copy the lines").first.click()
    expect(page.get_by_role("button", name="Copied")).to_have_count(2)
    lines = page.evaluate("navigator.clipboard.readText()")
    (tmp_path / "cta.yaml").write_text(f"key: cta-color\nvariants: [{{ key: blue }}, {{ key: green }}]\n{lines}\n")
    (experiment,) = load(tmp_path).experiments
    assert (experiment.status, experiment.winner) == ("stopped", "green")
    assert experiment.decision is not None
    assert experiment.decision.by == "YOUR NAME"


def test_other_steps_open_by_themselves_and_stay_open_through_a_refresh(
    results: Site, new_page: Open, tmp_path: Path
) -> None:
    page = at(results, new_page(), "#/free-shipping?open=act")
    page.locator(".other summary", has_text="Change the split").click()
    expect(page.locator(".other[open]")).to_have_count(1)
    lines = page.locator(".other[open] pre").nth(1).inner_text()
    file = tmp_path / "shipping.yaml"
    file.write_text(f"key: free-shipping\nstatus: running\nvariants: [{{ key: none }}, {{ key: from-50 }}]\n{lines}\n")
    phases = load(tmp_path).experiments[0].phases
    assert [phase.weights for phase in phases] == [(0.9, 0.1), (0.5, 0.5), (0.5, 0.5)]
    page.evaluate("window.dispatchEvent(new Event('online'))")
    expect(page.locator(".dot:not(.asking)")).to_be_visible()
    expect(page.locator(".other[open]")).to_have_count(1)


# ---------------------------------------------------------------- a new experiment


def test_the_form_gives_a_file_that_validates(results: Site, new_page: Open, tmp_path: Path) -> None:
    page = at(results, new_page(accept_downloads=True), "#/+new")
    page.get_by_label("Name").fill("headline-test")
    page.get_by_label("What is compared").fill('A "bold" headline: plain or not # really')
    page.get_by_role("textbox", name="Pages").fill("/shop/*")
    page.get_by_label("Variants").fill("plain\nbold\n2024")
    page.get_by_label("Primary goal").fill("signup")
    page.get_by_label("Guardrail", exact=True).fill("error")
    page.get_by_label("Smallest lift").fill("12,5")
    page.get_by_label("Share of visitors").fill("50")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    download.value.save_as(tmp_path / "headline-test.yaml")
    assert download.value.suggested_filename == "headline-test.yaml"
    (experiment,) = load(tmp_path).experiments
    assert experiment.key == "headline-test"
    assert experiment.description == 'A "bold" headline: plain or not # really'
    assert experiment.variant_keys == ("plain", "bold", "2024")
    assert experiment.phases[0].coverage == 0.5
    assert (experiment.primary, experiment.minimum_detectable_effect) == ("signup", 0.125)
    assert [(guardrail.metric, guardrail.margin) for guardrail in experiment.guardrails] == [("error", 0.05)]


def test_the_duration_follows_the_traffic_of_an_experiment_that_runs(results: Site, new_page: Open) -> None:
    results.api.experiments = ["a-a-test", "cta-color"]
    page = at(results, new_page(), "#/+new")
    page.get_by_label("Traffic and rate like").select_option("a-a-test")
    days = SCENARIOS["a-a-test"].entry()["series"][-8:-1]
    mean = str(round(sum(day["visitors"] for day in days) / 7))
    expect(page.get_by_label("Visitors a day")).to_have_value(mean)
    page.get_by_label("Visitors a day").fill("1000")
    page.get_by_label("Rate today").fill("5")
    page.get_by_label("Smallest lift").fill("10")
    # `abacus plan --rate 0.05 --lift 0.1 --per-day 1000`: 67,920 visitors per variant.
    text = "About 140 days: 67,920 visitors in each variant, 135,840 in all."
    expect(page.locator("#draft-duration")).to_contain_text(text)


def test_a_mistake_is_named_beside_its_field_and_nothing_is_downloaded(results: Site, new_page: Open) -> None:
    page = at(results, new_page(), "#/+new")
    page.get_by_label("Name").fill("cta-color")
    expect(page.get_by_text("cta-color exists already. Use another name.")).to_be_visible()
    page.get_by_role("button", name="Download").click()
    expect(page.get_by_label("Name")).to_be_focused()
    page.get_by_label("Variants").fill("one")
    expect(page.get_by_text("Name at least two. The first one is the control.")).to_be_visible()


def test_what_was_typed_survives_new_numbers(results: Site, new_page: Open) -> None:
    page = at(results, new_page(), "#/+new")
    page.get_by_label("Name").fill("my-test")
    page.evaluate("window.dispatchEvent(new Event('online'))")
    expect(page.locator(".dot:not(.asking)")).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value("my-test")
    expect(page.locator("#draft-yaml")).to_contain_text("key: my-test")


def test_an_empty_installation_shows_the_first_steps(results: Site, new_page: Open) -> None:
    results.api.experiments = []
    page = at(results, new_page(), "#/")
    expect(page.locator(".steps > li")).to_have_count(4)
    page.get_by_role("link", name="Use the form").click()
    expect(page.get_by_role("heading", name="New experiment")).to_be_visible()


# ---------------------------------------------------------------- the list, days, theme


def test_the_search_knows_verdicts_and_the_list_is_sorted_as_chosen(results: Site, new_page: Open) -> None:
    page = at(results, new_page(), "#/")
    page.get_by_role("searchbox").fill("winner")
    expect(page.locator(".list h2")).to_have_text(["cta-color", "free-shipping", "hero"])
    expect(page.get_by_text("1 more under Archive.")).to_be_visible()
    page.get_by_label("Sort by").select_option("visitors")
    expect(page.locator(".list h2")).to_have_text(["hero", "cta-color", "free-shipping"])
    page.get_by_role("searchbox").fill("")
    page.get_by_label("Verdict").select_option("loser")
    expect(page.locator(".list h2")).to_have_text(["search-box"])
    expect(page).to_have_url(re.compile(r"#/\?sort=visitors&verdict=loser$"))


def test_days_have_shortcuts(results: Site, new_page: Open) -> None:
    page = at(results, new_page(), "#/free-shipping?open=days")
    page.get_by_role("link", name="Since the last phase").click()
    expect(page.get_by_text("Only visitors first seen from 11 Nov (UTC).")).to_be_visible()
    page.get_by_role("link", name="Last 7 days").click()
    expect(page.get_by_text("Only visitors first seen from 15 Nov (UTC).")).to_be_visible()


def test_the_theme_is_switched_and_remembered(results: Site, new_page: Open) -> None:
    page = at(results, new_page(color_scheme="light"), "#/cta-color")
    page.locator("#plot-rate canvas").wait_for()
    colour = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(colour) == "rgb(255, 255, 255)"
    page.get_by_role("button", name="Theme: device").click()
    page.get_by_role("button", name="Theme: light").click()
    expect(page.get_by_role("button", name="Theme: dark")).to_be_visible()
    assert page.evaluate(colour) == "rgb(15, 24, 40)"
    page.reload()
    expect(page.get_by_role("button", name="Theme: dark")).to_be_visible()
    assert page.evaluate(colour) == "rgb(15, 24, 40)"
    page.get_by_role("button", name="Theme: dark").click()
    expect(page.get_by_role("button", name="Theme: device")).to_be_visible()
    assert page.evaluate(f"[{colour}, localStorage.length]") == ["rgb(255, 255, 255)", 0]


# ---------------------------------------------------------------- another baseline


def test_variants_can_be_compared_with_another_than_the_control(results: Site, new_page: Open) -> None:
    page = at(results, new_page(), "#/hero")
    advice = page.locator(".advice").inner_text()
    page.get_by_role("navigation", name="Compared with").get_by_role("link", name="benefit").click()
    heading = page.get_by_role("columnheader", name="Lift over benefit")
    expect(heading).to_be_visible()
    expect(page.get_by_text("The verdict above compares with plain, the control.")).to_be_visible()
    expect(page.get_by_role("heading", name="Lift over benefit")).to_be_visible()
    expect(page.locator(".advice")).to_have_text(advice)
    (plain, *_) = SCENARIOS["hero"].detail({"baseline": "benefit"})["comparisons"]
    lift = f"{plain['lift']:.0%}".replace("-", "−")
    expect(page.get_by_role("row", name="plain").locator(".lift b")).to_have_text(lift)
    expect(page).to_have_url(re.compile(r"#/hero\?baseline=benefit$"))
    page.get_by_role("navigation", name="Compared with").get_by_role("link", name="plain").click()
    expect(heading).to_have_count(0)
    expect(page).to_have_url(re.compile(r"#/hero$"))


def test_two_variants_need_no_choice_of_a_baseline(results: Site, new_page: Open) -> None:
    page = at(results, new_page(), "#/cta-color")
    expect(page.get_by_role("navigation", name="Compared with")).to_have_count(0)

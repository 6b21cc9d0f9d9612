"""Every state of the results page: how to get there, and what to wait for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page

from tests.browser.results.scenarios import LONG
from tests.browser.results.site import Site, detail
from tests.browser.results.test_segments import by_segment

Act = Callable[[Site, Page], None]


def nothing(site: Site, page: Page) -> None:
    pass


@dataclass(frozen=True)
class State:
    """`before`: sets the API up; `after`: what the reader does once the page is there; `shows`: then visible."""

    name: str
    route: str
    shows: str
    before: Act = nothing
    after: Act = nothing


def _answers(**settings: object) -> Act:
    def act(site: Site, page: Page) -> None:
        for name, value in settings.items():
            setattr(site.api, name, value)

    return act


def _waits(site: Site, page: Page) -> None:
    """No answer until the test is over, and a page that is as patient."""
    site.api.hang = threading.Event()
    page.add_init_script("AbortSignal.timeout = () => new AbortController().signal")


def _then_fails(site: Site, page: Page) -> None:
    page.wait_for_selector("h1")
    site.api.status = 503
    page.evaluate("window.dispatchEvent(new Event('online'))")


def _wrong_key(site: Site, page: Page) -> None:
    page.get_by_label("Read key").fill("guess")
    page.get_by_role("button", name="Show the results").click()


def _offline(site: Site, page: Page) -> None:
    page.wait_for_selector("h1")
    page.context.set_offline(True)


def _submits(site: Site, page: Page) -> None:
    page.get_by_role("button", name="Download").click()


def _asks_for_help(site: Site, page: Page) -> None:
    page.get_by_role("button", name="CTR", exact=True).first.click()


def _cuts_off(site: Site, page: Page) -> None:
    page.route("**/stats*", lambda route: route.abort())


def _sees_the_tag(site: Site, page: Page) -> None:
    site.api.answers["/stats"] = {"experiments": [], "latest_refusals": _refusals("unknown-experiment")}


def _by_segment(site: Site, page: Page) -> None:
    by_segment(site)


def _refuses(site: Site, page: Page) -> None:
    site.api.answers["/stats/cta-color"] = detail("cta-color", "") | {
        "latest_refusals": _refusals("wrong-variant", "unknown-experiment", "malformed")
    }


def _refusals(*outcomes: str) -> list[dict[str, str]]:
    reason = "cta-color: this visitor belongs to green in phase 0, not blue."
    refusal = {"at": "2026-11-21T11:59:48Z", "reason": reason, "host": "shop.example.com"}
    return [{"outcome": outcome} | refusal for outcome in outcomes]


DEEP = "act,about,evidence,checks,outcomes,phases,days,events,install"

STATES = [
    State("list", "#/", "h1:text('Experiments')"),
    State("list-filtered", "#/?q=cta&status=running", "h2 a:text('cta-color')"),
    State("list-nothing-found", "#/?q=zebra", "text=No experiment fits"),
    State("list-empty", "#/", "text=No experiments yet", _answers(experiments=[])),
    State("tag-seen", "#/", "text=The tag was seen", _sees_the_tag),
    State("live", "#/cta-color?open=events", ".refusals", _refuses),
    State("loading", "#/", ".skeleton", _waits),
    State("unavailable", "#/", "text=The server is busy", _answers(status=503)),
    State("key", "#/", "text=These results need a key", _answers(key="open sesame")),
    State("card", "card.html#/cta-color", ".card li"),
    State("key-refused", "#/", "text=That key was not accepted", _answers(key="open sesame"), _wrong_key),
    State("missing", "#/hreo", "text=No such experiment"),
    State("stale", "#/cta-color", ".notice", after=_then_fails),
    State("offline", "#/cta-color", ".notice", after=_offline),
    State("winner", "#/cta-color", ".state:has-text('Winner')"),
    State("winner-deep", f"#/cta-color?open={DEEP}", ".methods"),
    State("goal", "#/hero?goal=signup&rate=day", ".metric [aria-current]:text('signup')"),
    State("loser", "#/search-box", ".state:has-text('Loser')"),
    State("equivalent", "#/price-tag", ".state:has-text('No difference')"),
    State("undecided", "#/a-a-test", ".state:has-text('Not decided')"),
    State("broken-split", "#/checkout-steps", ".state:has-text('Not valid')"),
    State("collecting", "#/newsletter", ".state:has-text('Collecting')"),
    State("no-visitors", "#/gift-wrap", ".first"),
    State("many-variants", "#/hero", ".state:has-text('Winner')"),
    State("baseline", "#/hero?baseline=benefit", "text=The verdict above compares with plain"),
    State("weights-changed", "#/free-shipping", ".state:has-text('Winner')"),
    State("weights-changed-deep", f"#/free-shipping?open={DEEP}", ".state:has-text('Winner')"),
    State("stopped", "#/sticky-header", "text=sticky is live for everyone"),
    State("stopped-act", "#/sticky-header?open=act,about", "text=Start again under a new key"),
    State("segments", "#/cta-color?open=segments", "text=its effect differs between", _by_segment),
    State("act", "#/cta-color?open=act", "text=abacus stop cta-color --winner green"),
    State("shipped-undecided", "#/shipped-undecided", "text=bold is live for everyone"),
    State("all-metrics", "#/hero", ".metrics"),
    State("guardrail-broken", "#/basket", ".metrics"),
    State("out-of-reach", "#/far-away", ".advice"),
    State("young", "#/young", ".state:has-text('Collecting')"),
    State("longest-names", f"#/{LONG}?open={DEEP}", ".methods"),
    State("twenty-variants", "#/twenty-variants", "text=Highlighted in the charts"),
    State("archive", "#/?status=stopped", "h2 a:text('sticky-header')"),
    State("list-compact", "#/?rows=compact", ".list.compact"),
    State("new", "#/+new", "text=visitors in each variant"),
    State("new-wrong", "#/+new", "text=Give it a name", after=_submits),
    State("help", "#/cta-color", "text=Click-through rate: clicks out of impressions", after=_asks_for_help),
    State("no-visitors-then", "#/cta-color?from=2026-01-01&to=2026-01-02", "text=No visitors on these days"),
    State("unreachable", "#/", "text=The server cannot be reached", _cuts_off),
    State("some-days", "#/cta-color?from=2026-11-05&to=2026-11-18", "text=Only visitors first seen"),
]


def enter(state: State, site: Site, page: Page) -> None:
    """Brings `page` into `state`, charts and all."""
    state.before(site, page)
    page.goto(site.page(state.route), wait_until="commit")
    state.after(site, page)
    page.wait_for_selector(state.shows)
    for figure in page.locator(".plot").all():
        figure.locator("canvas").wait_for(state="attached")

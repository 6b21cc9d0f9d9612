"""Only crawlers and headless browsers that name themselves are bots."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml
from crawleruseragents import CRAWLER_USER_AGENTS_DATA

from chalicelib.ingestion.sender import is_bot
from scripts.update_crawlers import LIST, text

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"
)


@pytest.mark.parametrize(
    "agent",
    [
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
        "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
        CHROME.replace("Chrome/", "HeadlessChrome/"),
        CHROME + " CloudflareObservatory/1.0",
        "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 5.1; GomezAgent 3.0)",
    ],
)
def test_a_bot_says_so(agent: str) -> None:
    assert is_bot(agent)


@pytest.mark.parametrize(
    "agent",
    [
        "",
        CHROME,
        CHROME.replace("Windows NT 10.0", "Linux; Android 15; CPH2609 Build/AP3A.240617.008"),
        CHROME + " Viber/11.9.5.8",
        CHROME + " SogouMobileBrowser/3.8.5",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 "
        "Mobile/15E148 Safari/604.1",
        "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
        "curl/8.5.0",
        "python-requests/2.32.3",
        "Go-http-client/2.0",
        "okhttp/4.12.0",
    ],
)
def test_a_browser_or_an_http_library_is_none(agent: str) -> None:
    assert not is_bot(agent)


# Not imported: only its fixtures are of use.
PACKAGE = find_spec("device_detector")
assert PACKAGE is not None
assert PACKAGE.origin is not None
FIXTURES = Path(PACKAGE.origin).parent / "tests" / "fixtures" / "upstream"
LIBRARIES = ("library", "feed reader", "mobile app", "mediaplayer")  # no browsers, and so never ours


def agents(*, of_bots: bool) -> list[str]:
    """The user agents of people or of bots in the public fixtures of device-detector."""
    found = set()
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for file in FIXTURES.glob("bots.yml" if of_bots else "[!b]*.yml"):
        for entry in yaml.load(file.read_text(), loader) or []:
            if isinstance(entry, dict) and isinstance(entry.get("user_agent"), str):
                client = entry.get("client")
                if ("bot" in entry) == of_bots and not (isinstance(client, dict) and client.get("type") in LIBRARIES):
                    found.add(entry["user_agent"])
    return sorted(found)


def test_at_most_one_in_ten_thousand_people_is_taken_for_a_bot() -> None:
    # A third of them, for time; docs/security.md has the figures for all. WhatsApp/ is its fetcher of previews.
    people = [agent for agent in agents(of_bots=False)[::3] if not agent.startswith("WhatsApp/")]
    flagged = [agent for agent in people if is_bot(agent)]
    assert len(people) > 10_000
    assert len(flagged) <= 1, flagged


def test_more_than_half_of_the_robots_of_another_list_are_known() -> None:
    robots = agents(of_bots=True)
    assert len(robots) > 1_000
    assert sum(map(is_bot, robots)) > len(robots) / 2


def test_a_robot_of_the_package_is_still_known_by_its_own_name() -> None:
    crawlers = [entry for entry in CRAWLER_USER_AGENTS_DATA if "http-library" not in entry["tags"]]
    instances = [instance for entry in crawlers for instance in entry["instances"]]
    missed = [agent for agent in instances if not is_bot(agent)]
    assert len(missed) <= 12, missed


def test_the_list_is_what_the_package_says() -> None:
    assert LIST.read_text() == text()


def test_few_of_the_names_of_crawlers_must_be_compiled_before_the_first_event() -> None:
    listed = json.loads(LIST.read_text())
    assert len(listed["texts"]) > 1_000
    assert len(listed["patterns"]) < 50

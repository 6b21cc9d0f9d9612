"""README.md and docs/*.md: every command, option, make target and link on them is real."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from abacus.cli import COMMANDS, main
from abacus.deploy import command as deploy
from abacus.operations import bill, cost
from abacus.operations.bill import price_line
from abacus.operations.capacity import Workload, recorded
from abacus.paths import INFRA, PROJECT
from tests.support import aws_cli

PAGES = [PROJECT / "README.md", *sorted(PROJECT.glob("docs/**/*.md"))]
TARGETS = set(re.findall(r"^([a-z]+):", (PROJECT / "Makefile").read_text(), re.M))


def code(page: str) -> Iterator[str]:
    """What is set as code: blocks line by line, comments left out, and what stands between backticks."""
    for block in re.findall(r"^```.*?^```", page, re.M | re.S):
        yield from (re.split(r"(?:^|\s)# ", line)[0] for line in block.splitlines()[1:-1])
    prose = re.sub(r"^```.*?^```", "", page, flags=re.M | re.S)
    yield from (line.strip() for line in prose.splitlines() if line.startswith("    "))
    yield from re.findall(r"`([^`\n]+)`", prose)


def options_of(name: str) -> set[str]:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    commands = [command, *(command.commands.values() if isinstance(command, click.Group) else ())]
    params = [param for each in commands for param in each.params]
    return {opt for param in params for opt in (*param.opts, *param.secondary_opts)} | {"--help"}


def wrong(text: str) -> Iterator[str]:
    """Commands and options in `text` that there are not. A rehearsal passes its options on to a deploy."""
    for name, rest in re.findall(r"(?<![\w/-])(?:\.venv/bin/)?abacus ([a-z]+(?:-[a-z]+)*)([^|;&]*)", text):
        if name not in COMMANDS:
            yield f"abacus {name}"
            continue
        known = options_of(name) | (options_of("deploy") if name == "rehearse" else set())
        yield from (
            f"abacus {name} {option}" for option in re.findall(r"(?<!\S)--[a-z-]+", rest) if option not in known
        )
    for target in re.findall(r"(?:^|[ ])make ([a-z]+)", text):
        if target not in TARGETS:
            yield f"make {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_every_command_option_and_target_on_a_page_exists(page: Path) -> None:
    assert [name for text in code(page.read_text()) for name in wrong(text)] == []


def test_what_does_not_exist_is_found() -> None:
    block = "```\n$ make runn\nabacus rehearse --waf  # --no\n```\n"
    page = f"`abacus deplay` and\n\n    abacus deploy --stagee prod\n\n{block}"
    found = [name for text in code(page) for name in wrong(text)]
    assert sorted(found) == ["abacus deplay", "abacus deploy --stagee", "make runn"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_every_command_of_aws_on_a_page_exists_with_its_options(page: Path) -> None:
    assert [found for words in aws_cli.commands(page.read_text()) if (found := aws_cli.wrong(words))] == []


def test_a_command_that_aws_does_not_know_is_found() -> None:
    lines = ("aws sqs purge-queues", "aws sqs purge-queue --queue-uri x", "`aws dynamodb wait table-exist`")
    page = "\n".join([*lines, 'aws sqs purge-queue --queue-url "$(aws sqs get-queue --queue-name x)"'])
    assert [found for words in aws_cli.commands(page) if (found := aws_cli.wrong(words))] == [
        "aws sqs purge-queues",
        "sqs purge-queue: queueuri",
        "aws dynamodb wait table-exist",
        "aws sqs get-queue",
    ]


def anchors(page: Path) -> set[str]:
    """The headings of a page as links name them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_every_link_within_the_project_leads_somewhere(page: Path) -> None:
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        path, _, anchor = link.partition("#")
        there = (page.parent / path).resolve() if path else page
        if "://" not in link and not (there.exists() and (not anchor or anchor in anchors(there))):
            broken.append(link)
    assert broken == []


def test_the_index_of_the_docs_links_to_every_page() -> None:
    links = set(re.findall(r"\]\(([\w-]+\.md)\)", (PROJECT / "docs" / "README.md").read_text()))
    assert links == {page.name for page in PROJECT.glob("docs/*.md")} - {"README.md"}


DEPLOY = (PROJECT / "docs" / "deploy.md").read_text()


@pytest.mark.parametrize("name", ["deploy", "destroy"])
def test_every_option_of_deploying_and_destroying_is_explained(name: str) -> None:
    assert [option for option in options_of(name) - {"--help"} if f"`{option}" not in DEPLOY] == []


def test_prices_on_the_page_are_those_of_the_commands() -> None:
    assert f"\nPrice         {deploy.price(['data', 'api', 'edge'])}\n" in DEPLOY
    assert "\n".join(cost.month()) in DEPLOY
    for option, template in (("`--waf`", "firewall"), ("`--email ADDRESS`", "watch")):
        row = next(line for line in DEPLOY.splitlines() if line.startswith(f"| {option}"))
        assert f"${bill.stack_at_rest((INFRA / f'{template}.yaml').read_text()):.2f} a month" in row


@pytest.mark.parametrize("page", ["README.md", "docs/deploy.md", "docs/performance.md", "docs/results.md"])
def test_the_price_of_a_million_events_is_the_same_everywhere(page: str) -> None:
    words = " ".join((PROJECT / page).read_text().split())
    assert price_line() in words
    others = re.findall(r"\$[\d.]+ (?:\(\w+ site\) )?to \$[\d.]+ [^.|]*million events", words)
    assert {
        text for text in others if not any(text.startswith(price_line(n).split(" per ")[0]) for n in (1, 3, 10))
    } == set()


SECURITY = (PROJECT / "docs" / "security.md").read_text()


def test_the_index_has_every_page() -> None:
    index = (PROJECT / "docs" / "README.md").read_text().partition("## Words")[0]
    named = re.findall(r"^\| \[[\w-]+\]\((\w[\w-]*\.md)\) \|", index, re.M)
    pages = [file.name for file in PROJECT.glob("docs/*.md") if file.name != "README.md"]
    assert sorted(named) == sorted(pages)


def test_who_may_do_what_is_what_the_policies_say() -> None:
    expected = []
    for function in ("api_handler", "fold", "write_spilled", "reconcile", "alert"):
        policy = json.loads((PROJECT / ".chalice" / "policies" / "prod" / f"{function}.json").read_text())
        for statement in policy["Statement"]:
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            resource = statement["Resource"].split(":", 5)[5]
            expected += [f"| `{function}` | `{action}` | `{resource}` |" for action in actions]
    table = SECURITY.partition("| Function | may | on |\n|---|---|---|\n")[2].partition("\n\n")[0]
    assert table.splitlines() == expected


def test_the_most_that_a_flood_can_cost_in_a_day_is_what_the_page_says() -> None:
    parameters = (PROJECT / "infra" / "edge.yaml").read_text()
    (limit,) = re.findall(r"RequestsPerSecond:\n    Type: Number\n    Default: (\d+)", parameters)
    scenario = Workload(3, 25)
    million = sum(bill.request(recorded()[scenario][0], scenario, bill.FunctionSettings.shipped().memory).values())
    assert f"about ${int(limit) * 86400 / 1e6 * million:,.0f} a day" in SECURITY

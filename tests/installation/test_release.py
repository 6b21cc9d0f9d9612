"""What is deployed against what is installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from abacus.aws import cloudformation
from abacus.cli import main
from abacus.installation.release import Release, advice, deployed, installed
from abacus.paths import PROJECT

NEW = Release("0.3.0", 3, 4)


def test_the_version_is_the_newest_of_the_changelog() -> None:
    headings = [line for line in (PROJECT / "CHANGELOG.md").read_text().splitlines() if line.startswith("## ")]
    versions = [line.split()[1] for line in headings if line.split()[1] != "Unreleased"]
    assert versions[0] == installed().version


def test_the_tags_of_a_stack_say_what_deployed_it() -> None:
    assert deployed(NEW.tags()) == NEW


def test_version_says_version_and_schema() -> None:
    said = CliRunner().invoke(main, ["--version"]).output
    assert (
        said
        == f"abacus {installed().version} (manifest schema {installed().schema}, counting {installed().counting})\n"
    )


def test_the_same_release_needs_nothing() -> None:
    assert list(advice("prod", NEW, NEW)) == []


@pytest.mark.parametrize(
    ("live", "steps"),
    [
        (Release("0.2.9", 3, 4), ["abacus deploy"]),
        (Release("0.2.0", 2, 4), ["abacus deploy", "abacus publish"]),
        (Release("0.2.0", 3, 3), ["abacus deploy", "abacus rebuild --apply"]),
        (Release("", 0, 0), ["abacus deploy", "abacus publish", "abacus rebuild --apply"]),
        (Release("0.10.0", 3, 4), ["Update this ABacus first"]),
        (Release("0.3.0", 4, 4), ["Update this ABacus first"]),
    ],
)
def test_the_steps_come_in_the_order_that_loses_nothing(live: Release, steps: list[str]) -> None:
    found = list(advice("prod", live, NEW))
    assert len(found) == len(steps)
    assert all(text.startswith(step) for text, step in zip(found, steps, strict=True))


def test_the_command_reads_the_stage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    stacks: dict[str, Any] = {}
    monkeypatch.setattr(cloudformation, "describe", lambda client, name: stacks.get(name))
    command = ["upgrade-check", "--stage", "prod", "--region", "eu-central-1"]
    nothing = CliRunner().invoke(main, command)
    assert "There is no stage prod in this account in eu-central-1" in nothing.output
    assert nothing.exit_code == 1

    tags = [{"Key": key, "Value": value} for key, value in installed().tags().items()]
    stacks["abacus-prod-data"] = {}  # as in a deploy that was cut off
    stacks["abacus-prod-api"] = {"Tags": tags}
    same = CliRunner().invoke(main, command)
    assert (same.exit_code, "Nothing to do" in same.output) == (0, True)

    stacks["abacus-prod-api"] = {"Tags": [{"Key": "app", "Value": "abacus"}]}
    older = CliRunner().invoke(main, command)
    assert older.exit_code == 1
    assert "older than 0.2.0" in older.output
    assert "1. abacus deploy --stage prod" in older.output

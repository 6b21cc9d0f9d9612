"""`abacus init` in a site's repository."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from abacus.cli import main
from abacus.project_file import project_file


@pytest.fixture(autouse=True)
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def init(*options: str, answers: str = "") -> Result:
    return CliRunner().invoke(main, ["init", *options], input=answers, catch_exceptions=False)


def test_without_answers_it_writes_what_the_options_say(site: Path) -> None:
    ran = init("--region", "eu-central-1", "--domain", "ab.example.com", "--manifest", "experiments")
    assert ran.exit_code == 0, ran.output
    stage = project_file().stage("prod")
    assert (stage.region, stage.domain, project_file().manifest) == ("eu-central-1", "ab.example.com", "experiments")
    assert "status: draft" in (site / "experiments" / "first-test.yaml").read_text()
    assert (site / ".gitignore").read_text().splitlines() == [".local/", "build/", ".chalice/deployed/"]
    validated = CliRunner().invoke(main, ["validate"])
    assert "first-test (draft)" in validated.output


def test_it_asks_for_region_and_domain_and_takes_nothing_for_an_answer() -> None:
    ran = init("--ask", answers="\n\n")
    assert ran.exit_code == 0, ran.output
    assert project_file().stage("prod").region is None
    assert list(project_file().stages) == ["prod"]


@pytest.mark.parametrize("options", [(), ("--region", "eu-central-1"), ("--domain", "ab.example.com")])
def test_each_option_that_is_a_comment_works_without_its_mark(site: Path, options: tuple[str, ...]) -> None:
    init(*options)
    lines = (site / "abacus.yaml").read_text().splitlines(keepends=True)
    fields = [number for number, line in enumerate(lines) if ":" in line.lstrip().removeprefix("#") and number > 0]
    for number in fields:
        if lines[number].startswith("#  "):  # below a comment of its own
            continue
        alone = [line.replace("#", "", 1) if at == number else line for at, line in enumerate(lines)]
        (site / "abacus.yaml").write_text("".join(alone))
        assert list(project_file().stages) == ["prod"]
    every = [
        line.replace("#", "", 1) if at in fields and line.lstrip()[0] == "#" else line for at, line in enumerate(lines)
    ]
    (site / "abacus.yaml").write_text("".join(every))
    stage = project_file().stage("prod")
    assert (stage.region, stage.domain, stage.email) == ("eu-central-1", "ab.example.com", "team@example.com")
    assert (stage.certificate, project_file().snippet) == ("arn:aws:acm:us-east-1:...", {"consent": True})


def test_what_is_there_stays(site: Path) -> None:
    (site / ".gitignore").write_text("build/\n*.log\n")
    (site / "manifest").mkdir()
    (site / "manifest" / "mine.yaml").write_text("key: mine\nstatus: draft\nvariants: [{key: a}, {key: b}]\n")
    assert init().exit_code == 0
    assert (site / ".gitignore").read_text().splitlines() == ["build/", "*.log", ".local/", ".chalice/deployed/"]
    assert [file.name for file in (site / "manifest").iterdir()] == ["mine.yaml"]
    again = init()
    assert (again.exit_code, "abacus.yaml exists already" in again.output) == (1, True)


@pytest.mark.parametrize("folder", ["../outside", "/outside"])
def test_the_folder_lies_in_the_repository(site: Path, folder: str) -> None:
    ran = init("--manifest", folder)
    assert (ran.exit_code, "must lie in this folder" in ran.output) == (2, True)
    assert list(site.iterdir()) == []

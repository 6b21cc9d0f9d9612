"""docs/ci.md: its recipes have the form that the services want, and its commands exist with these options."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from abacus.cli import main
from abacus.paths import PROJECT
from abacus.project_file import read

PAGE = (PROJECT / "docs" / "ci.md").read_text()
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)


def block(start: str) -> str:
    (found,) = [each for each in BLOCKS if each.startswith(start)]
    return found


@pytest.mark.parametrize(
    ("start", "schema"),
    [("# .github/workflows", "vendor.github-workflows"), ("# .gitlab-ci.yml", "vendor.gitlab-ci")],
)
def test_a_recipe_has_the_form_that_its_service_wants(start: str, schema: str, tmp_path: Path) -> None:
    file = tmp_path / "recipe.yml"
    file.write_text(block(start))
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def scripts(value: Any) -> Iterator[str]:
    """Every line that a recipe runs."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name in ("run", "script", "before_script"):
                for each in [inner] if isinstance(inner, str) else inner:
                    yield from each.splitlines()
            else:
                yield from scripts(inner)
    elif isinstance(value, list):
        for each in value:
            yield from scripts(each)


def commands() -> list[str]:
    recipes = [yaml.safe_load(block(start)) for start in ("# .github/workflows", "# .gitlab-ci.yml")]
    lines = {line.strip() for recipe in recipes for line in scripts(recipe)}
    lines |= {line.strip().partition("#")[0] for line in PAGE.splitlines() if line.startswith("    abacus ")}
    return sorted(line for line in lines if line.startswith("abacus "))


def test_the_page_has_the_commands_that_it_is_about() -> None:
    named = {line.split()[1] for line in commands()}
    assert named >= {"init", "validate", "publish", "upgrade-check"}


@pytest.mark.parametrize("line", commands())
def test_each_command_takes_the_options_that_the_page_gives_it(line: str) -> None:
    words = shlex.split(re.split(r"[>|&]", line)[0])[1:]
    if words == ["--version"]:
        return
    command = main.get_command(click.Context(main), words[0])
    assert command is not None, words
    command.make_context(words[0], words[1:])  # raises for an unknown option


def test_the_example_of_abacus_yaml_is_valid(tmp_path: Path) -> None:
    file = tmp_path / "abacus.yaml"
    file.write_text(block("manifest: manifest"))
    assert read(file).stage("prod").waf is True


def test_the_hook_is_the_one_that_the_page_names() -> None:
    (hook,) = yaml.safe_load((PROJECT / ".pre-commit-hooks.yaml").read_text())
    (repo,) = yaml.safe_load(block("repos:"))["repos"]
    assert [each["id"] for each in repo["hooks"]] == [hook["id"]]
    assert re.search(hook["files"], "manifest/hero.yaml")
    assert re.search(hook["files"], "site/manifest/demo/hero.yml")
    assert not re.search(hook["files"], "docs/manifest.md")

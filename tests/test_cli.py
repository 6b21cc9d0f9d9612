"""The command table: groups, summaries, examples, and options that mean the same everywhere."""

from __future__ import annotations

import shlex
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from abacus.cli import COMMANDS, GROUPS, main

# Commands that read or change a deployed stage, and therefore take the options that name it.
AT_STAGE = {
    "publish",
    "history",
    "rollback",
    "demo",
    "simulate",
    "audit",
    "reconcile",
    "rebuild",
    "erase",
    "export",
    "results",
    "check",
    "new",
}
READS_FILES = {"validate", "assign", "run", "demo", "simulate", "publish", "deploy"}


def command_of(name: str) -> click.Command:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    return command


def options_of(name: str) -> set[str]:
    return {option for parameter in command_of(name).params for option in parameter.opts}


def test_the_help_lists_each_command_in_its_group_with_an_example() -> None:
    text = CliRunner().invoke(main, ["--help"]).output
    positions = [text.index(f"\n{title}:\n") for title in GROUPS]
    assert positions == sorted(positions)
    for name, entry in COMMANDS.items():
        assert f"  {name} " in text
        assert f"$ {entry.example}\n" in text


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("reslts", "Error: No such command 'reslts'. Did you mean 'results'?\n"),
        ("xyzzy", "Error: No such command 'xyzzy'.\n"),
    ],
)
def test_a_command_that_does_not_exist_is_refused_with_the_nearest_name(word: str, message: str) -> None:
    result = CliRunner().invoke(main, [word])
    assert (result.exit_code, result.output.endswith(message)) == (2, True), result.output


def test_the_module_runs_as_the_command_does() -> None:
    done = subprocess.run([sys.executable, "-m", "abacus", "--help"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Usage: abacus [OPTIONS] COMMAND")


@pytest.mark.parametrize("name", COMMANDS)
def test_an_example_can_be_typed_as_it_is(name: str) -> None:
    words = shlex.split(COMMANDS[name].example.partition(" > ")[0])
    assert words[:2] == ["abacus", name]
    command = command_of(name)
    command.make_context(name, words[2:])  # click raises where an option or a value is wrong
    assert f"Example: {COMMANDS[name].example}" in " ".join(
        CliRunner().invoke(main, [name, "--help"], terminal_width=200).output.split()
    )


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_option_has_a_help_text(name: str) -> None:
    without = [p.name for p in command_of(name).params if isinstance(p, click.Option) and not p.help]
    assert without == []


@pytest.mark.parametrize("name", sorted(AT_STAGE))
def test_a_command_for_a_stage_takes_stage_region_and_home(name: str) -> None:
    assert {"--stage", "--region", "--home"} <= options_of(name)


@pytest.mark.parametrize("name", sorted(READS_FILES))
def test_the_experiments_folder_has_one_name(name: str) -> None:
    assert "--manifest" in options_of(name)


def test_a_missing_region_is_a_sentence_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE", "ABACUS_BUCKET", "ABACUS_PARTICIPANTS"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    result = CliRunner().invoke(main, ["publish", "--stage", "prod"])
    assert result.output == "Error: No region is configured. Add --region eu-central-1, or set AWS_DEFAULT_REGION.\n"
    assert result.exit_code == 1

"""stop, pause and resume change one field of one file, and nothing else in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from abacus.authoring.load import load
from abacus.cli import main

YAML = """\
# Everything about the button.
key: cta
status: running  # since May
variants: # the first one is the control
    - {key: blue}   # odd layout stays
    - {key: green}
"""
DIFF = """\
 # Everything about the button.
 key: cta
-status: running  # since May
+status: stopped  # since May
+winner: green
 variants: # the first one is the control
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "cta.yaml").write_text(YAML)
    return tmp_path


def run(folder: Path, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, [*arguments, "--manifest", str(folder)])
    return result.exit_code, result.output


def test_stopping_with_a_winner_keeps_comments_and_shows_the_difference(folder: Path) -> None:
    code, output = run(folder, "stop", "cta", "--winner", "green")
    assert code == 0
    assert DIFF in output
    assert "After the next publish every visitor sees green.\nPublish it with `abacus publish`" in output
    assert output.endswith(
        f"Then build green into your page itself, and remove the experiment from {folder}/cta.yaml.\n"
    )
    changed = YAML.replace("status: running", "status: stopped").replace("since May\n", "since May\nwinner: green\n")
    assert (folder / "cta.yaml").read_text() == changed
    assert load(folder).experiments[0].winner == "green"


def test_pausing_and_resuming_leaves_the_file_as_it_was(folder: Path) -> None:
    assert run(folder, "pause", "cta")[0] == 0
    assert load(folder).experiments[0].status == "paused"
    assert run(folder, "resume", "cta")[0] == 0
    assert (folder / "cta.yaml").read_text() == YAML


@pytest.mark.parametrize(
    ("name", "text", "changed"),
    [
        (
            "all.yaml",
            "experiments:\n  - status: running\n    key: cta\n    variants: [{key: a}, {key: b}]\n",
            "experiments:\n  - status: stopped\n    winner: b\n    key: cta\n    variants: [{key: a}, {key: b}]\n",
        ),
        (
            "one.yaml",
            "{key: cta, status: running, variants: [{key: a}, {key: b}]}",
            "{key: cta, status: stopped, winner: b, variants: [{key: a}, {key: b}]}",
        ),
        (
            "one.json",
            '{"key": "cta",\r\n "status": "running", "variants": [{"key": "a"}, {"key": "b"}]}\r\n',
            '{"key": "cta",\r\n "status": "stopped", "winner": "b", "variants": [{"key": "a"}, {"key": "b"}]}\r\n',
        ),
        (
            "dos.yaml",
            'key: cta\r\nstatus: "running"\r\nvariants: [{key: a}, {key: b}]\r\n',
            'key: cta\r\nstatus: "stopped"\r\nwinner: b\r\nvariants: [{key: a}, {key: b}]\r\n',
        ),
        (
            "end.yaml",
            "\ufeffvariants: [{key: a}, {key: b}]\nkey: cta\nstatus: running",
            "\ufeffvariants: [{key: a}, {key: b}]\nkey: cta\nstatus: stopped\nwinner: b",
        ),
    ],
)
def test_every_way_to_write_an_experiment_can_be_edited(tmp_path: Path, name: str, text: str, changed: str) -> None:
    (tmp_path / name).write_bytes(text.encode())
    code, output = run(tmp_path, "stop", "cta", "--winner", "b")
    assert (code, (tmp_path / name).read_bytes().decode()) == (0, changed), output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("stop", "ctaa"), "has no experiment 'ctaa'; it has cta. Did you mean 'cta'?"),
        (
            ("stop", "cta", "--winner", "gren"),
            "'gren' is not a variant of cta; it has blue, green. Did you",
        ),
        (("resume", "cta"), "cta is running in your files; only an experiment that is paused can be resumed"),
    ],
)
def test_what_cannot_be_changed_is_refused_with_the_reason(
    folder: Path, arguments: tuple[str, ...], message: str
) -> None:
    code, output = run(folder, *arguments)
    assert code == 1
    assert message in output
    assert (folder / "cta.yaml").read_text() == YAML

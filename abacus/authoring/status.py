"""`abacus stop`, `pause` and `resume`: change an experiment's status in its file, and show the difference."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from abacus.authoring.load import load, manifest_files
from abacus.authoring.problems import At, did_you_mean, listed
from abacus.authoring.syntax.editor import with_fields
from abacus.authoring.syntax.reader import read
from abacus.aws.errors import report_errors
from abacus.options import manifest_option
from chalicelib.domain.errors import AbacusError
from chalicelib.domain.manifest import Experiment

Fields = Mapping[str, str]


class CannotChange(AbacusError):
    """The status cannot be changed like this; the message says what to do instead."""


@dataclass(frozen=True)
class Edit:
    """A file with its text before and after."""

    file: Path
    before: str
    after: str

    def diff(self) -> str:
        """The difference in the unified format."""
        name = str(self.file)
        lines = difflib.unified_diff(
            self.before.splitlines(keepends=True), self.after.splitlines(keepends=True), name, name
        )
        return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)

    def write(self) -> None:
        """Write the new text, bytes that are not text included."""
        self.file.write_bytes(self.after.encode("utf-8"))


@click.command("stop")
@click.argument("key")
@click.option("--winner", metavar="VARIANT", help="The variant that every visitor gets. Default: the control.")
@manifest_option
@report_errors
def stop_command(key: str, winner: str | None, manifest: Path) -> None:
    """End the experiment KEY in its file; with --winner, every visitor gets that variant.

    Comments in the file stay. The change goes live with the next `abacus publish`."""
    experiment = find_experiment(manifest, key)
    if winner is not None and winner not in experiment.variant_keys:
        known = listed(experiment.variant_keys)
        hint = did_you_mean(winner, experiment.variant_keys)
        raise CannotChange(f"--winner: {winner!r} is not a variant of {key}; it has {known}.{hint}")
    _require(experiment, ("running", "paused"), "stopped")
    file = _change(manifest, key, {"status": "stopped"} | ({"winner": winner} if winner else {}))
    click.echo(f"After the next publish every visitor sees {winner or experiment.control}.")
    _next_step()
    click.echo(
        f"Then build {winner or experiment.control} into your page itself, and remove the experiment from {file}."
    )


@click.command("pause")
@click.argument("key")
@manifest_option
@report_errors
def pause_command(key: str, manifest: Path) -> None:
    """Pause the experiment KEY in its file: every visitor sees the control, and nothing is counted.

    The change goes live with the next `abacus publish`."""
    _require(find_experiment(manifest, key), ("running",), "paused")
    _change(manifest, key, {"status": "paused"})
    _next_step()


@click.command("resume")
@click.argument("key")
@manifest_option
@report_errors
def resume_command(key: str, manifest: Path) -> None:
    """Let the paused experiment KEY run again, in its file.

    Visitors keep their variant. The change goes live with the next `abacus publish`."""
    _require(find_experiment(manifest, key), ("paused",), "resumed")
    _change(manifest, key, {"status": "running"})
    _next_step()


def find_experiment(manifest: Path, key: str) -> Experiment:
    """The experiment `key` of the folder `manifest`. Raises CannotChange, or Problems with the files."""
    loaded = load(manifest)
    experiment = loaded.experiment(key)
    if experiment is None:
        keys = [e.key for e in loaded.experiments]
        raise CannotChange(f"{manifest} has no experiment {key!r}; it has {listed(keys)}.{did_you_mean(key, keys)}")
    return experiment


def change_fields(manifest: Path, key: str, fields: Fields) -> Edit:
    """Set text fields of the experiment `key` in its file, as change_text does."""
    return change_text(manifest, key, lambda text, at: with_fields(text, at, fields, after="status"))


def change_text(manifest: Path, key: str, change: Callable[[str, At], str]) -> Edit:
    """Change the text of the file that has the experiment `key`, and check the whole folder afterwards.

    `change` gets the text and the experiment's place in it. Returns the edit, which is written. Raises Problems, and
    leaves the file as it was, if the result is not valid."""
    file, at = next(_places(manifest, key))
    before = file.read_bytes().decode("utf-8")
    edit = Edit(file, before, change(before, at))
    edit.write()
    try:
        load(manifest)
    except AbacusError:
        Edit(file, "", before).write()
        raise
    return edit


def _places(manifest: Path, key: str) -> Iterator[tuple[Path, At]]:
    for file in manifest_files(manifest):
        document, _ = read(file, str(file))
        value: Any = document.value if document else None
        if not isinstance(value, dict):
            continue
        if value.get("key") == key:
            yield file, ()
        for index, item in enumerate(value.get("experiments", [])):
            if item["key"] == key:
                yield file, ("experiments", index)


def _require(experiment: Experiment, allowed: tuple[str, ...], change: str) -> None:
    if experiment.status not in allowed:
        raise CannotChange(
            f"{experiment.key} is {experiment.status} in your files; only an experiment that is "
            f"{' or '.join(allowed)} can be {change}"
        )


def _change(manifest: Path, key: str, fields: Fields) -> Path:
    edit = change_fields(manifest, key, fields)
    click.echo(edit.diff(), nl=False)
    return edit.file


def _next_step() -> None:
    click.echo("Publish it with `abacus publish`; a product that runs here does so by itself.")

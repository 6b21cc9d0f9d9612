"""The lines that commands print for pasting read back as the experiment that they describe."""

from __future__ import annotations

from pathlib import Path

import pytest

from abacus.authoring.load import load
from abacus.paths import PROJECT
from abacus.publishing.changes import changes
from abacus.publishing.history import restored
from abacus.publishing.yaml_lines import differing_lines, experiment_lines
from chalicelib.domain.manifest import Experiment, Manifest, Phase
from tests.support.builders import NOON, a_manifest, an_experiment

EVERYTHING = load(PROJECT / "tests" / "fixtures" / "manifest")


def read_back(folder: Path, lines: list[str]) -> Experiment:
    (folder / "a.yaml").write_text("\n".join(lines) + "\n")
    return load(folder).experiments[0]


@pytest.mark.parametrize("experiment", EVERYTHING.experiments, ids=lambda e: e.key)
def test_the_lines_of_an_experiment_read_back_as_the_same(experiment: Experiment, tmp_path: Path) -> None:
    alone = experiment.model_copy(update={"holdout": 0.0})  # the holdout is the site's, not in an experiment's lines
    assert read_back(tmp_path, experiment_lines(experiment)) == alone


def test_an_experiment_that_the_edge_leaves_out_reads_back_as_such(tmp_path: Path) -> None:
    left_out = an_experiment(edge=False)
    assert read_back(tmp_path, experiment_lines(left_out)) == left_out


def test_words_that_yaml_takes_for_something_else_are_quoted(tmp_path: Path) -> None:
    odd = an_experiment(
        "on",
        ("true", "no"),
        description='He said "5: five" # and left',
        start=NOON + 1,
        condition={"yes": ["010", 1.5]},
    )
    assert read_back(tmp_path, experiment_lines(odd)) == odd


def test_after_a_rollback_the_printed_lines_make_the_files_match(tmp_path: Path) -> None:
    half, most = Phase(weights=(0.5, 0.5)), Phase(weights=(0.1, 0.9))
    first, second = a_manifest(an_experiment(phases=(half,))), a_manifest(an_experiment(phases=(half, most)))
    live = restored(first, second)
    lines = differing_lines(second.experiments[0], live.experiments[0])
    files = read_back(tmp_path, ["key: cta-color", "status: running", "variants: [{key: blue}, {key: green}]", *lines])
    assert changes(live, Manifest(experiments=(files,))) == []


def test_a_publish_that_a_rollback_would_refuse_prints_the_lines_that_are_accepted(tmp_path: Path) -> None:
    half, most = Phase(weights=(0.5, 0.5)), Phase(weights=(0.1, 0.9))
    files = an_experiment(phases=(half, most))
    live = restored(a_manifest(an_experiment(phases=(half,))), a_manifest(files))
    [refusal] = changes(live, a_manifest(files))
    assert refusal.kind == "refusal"
    lines = [line.removeprefix("    ") for line in refusal.text.splitlines()[1:]]
    head = ["key: cta-color", "status: running", "variants: [{key: blue}, {key: green}]"]
    assert changes(live, Manifest(experiments=(read_back(tmp_path, [*head, *lines]),))) == []

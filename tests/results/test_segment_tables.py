"""`abacus results EXPERIMENT --by SEGMENT` shows what GET /stats answers."""

from __future__ import annotations

from click.testing import CliRunner

from abacus.cli import main
from abacus.results.segment_tables import segment_lines
from chalicelib.reporting.segments.report import segment_report
from tests.analysis.test_segments import samples
from tests.support.builders import NOON


def test_each_metric_is_a_table_by_value_with_interaction_split_and_adjusted_estimate() -> None:
    found = samples(
        name="device",
        mobile={"blue": (10_000, 1000), "green": (10_000, 1300)},
        desktop={"blue": (10_000, 1000), "green": (10_000, 1005)},
    )
    answer = segment_report(found, {}, now_ms=NOON).model_dump(mode="json")
    lines = list(segment_lines(answer))
    assert lines[0] == "cta-color by device: 40,000 visitors, primary click"
    assert lines[3:5] == [
        "click, primary",
        "device   variant  visitors  reached it    value      lift         95 % interval         p",
    ]
    assert lines[5].split() == ["mobile", "blue", "10,000", "1,000", "10.00", "%"]
    assert lines[6].split()[:6] == ["green", "10,000", "1,300", "13.00", "%", "+30.00"]
    assert lines[9].startswith("green: its effect differs by device (p ")
    assert lines[11] == "ok       In every value of device visitors came in the configured proportions."
    assert lines[12].startswith("Adjusted for device, green: +15.25 % (")


def test_a_segment_needs_an_experiment_and_no_other_form() -> None:
    for arguments, message in (
        (["--by", "device"], "--by needs an EXPERIMENT"),
        (["hero", "--by", "device", "--goal", "x"], "--by and --goal exclude each other"),
        (["hero", "--by", "device", "--csv"], "--by and --csv exclude each other"),
    ):
        result = CliRunner().invoke(main, ["results", *arguments, "--base-url", "http://127.0.0.1:9"])
        assert (result.exit_code, message in result.output) == (2, True), result.output

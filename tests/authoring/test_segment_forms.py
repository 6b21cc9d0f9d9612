"""Segments, as people write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from abacus.authoring.load import load
from abacus.authoring.problems import Problems
from abacus.publishing.yaml_lines import experiment_lines
from chalicelib.domain.manifest import Segment
from tests.authoring.test_metrics import HEAD

WHOLE = """segments:
  - device
  - visitor
  - { country: [CH, "NO"] }
  - { attribute: plan, values: [free, pro] }
"""


def read(folder: Path, text: str) -> tuple[Segment, ...]:
    (folder / "a.yaml").write_text(HEAD + text)
    return load(folder).experiments[0].segments


def test_built_in_segments_a_list_of_countries_and_an_attribute_are_read(tmp_path: Path) -> None:
    assert read(tmp_path, WHOLE) == (
        Segment(name="device", values=("mobile", "tablet", "desktop")),
        Segment(name="visitor", values=("new", "returning")),
        Segment(name="country", values=("CH", "NO")),
        Segment(name="plan", values=("free", "pro"), attribute=True),
    )


def test_the_lines_of_a_published_experiment_read_back_as_the_same_segments(tmp_path: Path) -> None:
    before = read(tmp_path, WHOLE)
    [line] = [line for line in experiment_lines(load(tmp_path).experiments[0]) if line.startswith("segments")]
    assert read(tmp_path, line) == before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("segments: [device, device]", "segments[1]: 'device' is listed twice"),
        ("segments: [os]", "segments[0]: 'os' is not one of device, browser, country, visitor"),
        ("segments: [{ country: [ch] }]", "segments[0].country[0]: 'ch' is not a country"),
        ("segments: [{ attribute: plan }]", "segments[0]: has no values: add one"),
        ("segments: [{ attribute: device, values: [a] }]", "segments[0].attribute: 'device' is built in"),
        ("segments: [{ attribute: plan, values: [a, other] }]", "segments[0].values[1]: 'other' is what all values"),
        ("segments: [{ attribute: plan, values: [a, a] }]", "segments[0].values[1]: 'a' is listed twice"),
        (
            "segments: [{ attribute: plan, values: ['a=b'] }]",
            "segments[0].values[0]: 'a=b' is not a value of a segment",
        ),
        (
            "segments: [{ attribute: plan, values: [a, b, c, d, e, f, g, h, i, j, k, l, m] }]",
            "segments[0].values: takes at most 12",
        ),
        (
            "segments: [device, browser, country, visitor, { attribute: plan, values: [a] }]",
            "segments: takes at most 4",
        ),
        ("segments: [device]\nassignment: client", "segments: cannot be combined with assignment: client"),
    ],
)
def test_what_cannot_be_a_segment_is_refused_by_name(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(Problems) as raised:
        read(tmp_path, text)
    assert message in raised.value.message

"""Names and patterns that validate refuses because they break programs that read the manifest."""

from __future__ import annotations

from pathlib import Path

import pytest

from abacus.authoring.load import load
from abacus.authoring.problems import Problems
from abacus.authoring.syntax.unsafe_names import RESERVED, explodes
from chalicelib.targeting.javascript import regex


@pytest.mark.parametrize("pattern", ["(a+)+$", "^(a|a)*b", "(.*)*x", "([a-z]+)*!", r"(\d+|\w+)*-", "((ab)*c*)*d"])
def test_a_pattern_that_can_take_exponential_time_is_found(pattern: str) -> None:
    compiled = regex(pattern)
    assert compiled is not None
    assert explodes(compiled)


@pytest.mark.parametrize("pattern", ["^/shop/", r"^/p/\d+/?$", "(de|en|fr)/.*", "^https://[^/]+/a(b|c)?$", r"\.html$"])
def test_an_ordinary_pattern_is_not(pattern: str) -> None:
    compiled = regex(pattern)
    assert compiled is not None
    assert not explodes(compiled)


def test_the_names_that_every_javascript_object_has_are_reserved() -> None:
    assert {"constructor", "__proto__", "toString", "hasOwnProperty"} <= RESERVED


@pytest.mark.parametrize(
    "field",
    [
        "goals: [signup, constructor]",
        "goals: { constructor: { better: lower } }",
        "condition: { constructor: 1 }",
        "condition: { company.constructor: 1 }",
        "condition: { $or: [{ plan: pro }, { tags: { $elemMatch: { constructor: 1 } } }] }",
    ],
)
def test_such_a_name_is_refused_as_a_goal_and_as_an_attribute(tmp_path: Path, field: str) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(f"key: a\nstatus: running\nvariants: [{{key: x}}, {{key: y}}]\n{field}\n")
    with pytest.raises(Problems) as raised:
        load(tmp_path)
    assert raised.value.message.startswith(f"{file}:4: ")
    assert "'constructor' is a name that every JavaScript object has: choose another" in raised.value.message

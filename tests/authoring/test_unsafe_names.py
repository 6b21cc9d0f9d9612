"""Names and patterns that validate refuses because they break programs that read the manifest."""

from __future__ import annotations

import pytest

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

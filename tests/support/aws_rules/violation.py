"""A request that AWS would refuse, or would not do what it asks for."""

from __future__ import annotations


class Violation(AssertionError):
    """The rule that a request breaks, in a sentence; an AssertionError, so that the test that sends it fails."""


def require(condition: object, rule: str) -> None:
    """Raise Violation with the sentence `rule`, unless `condition` holds."""
    if not condition:
        raise Violation(rule)

"""Names and patterns that are valid, but break the programs that read the manifest."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

# Every object in JavaScript has these. A lookup by such a key finds a function where there should be nothing.
RESERVED = frozenset(
    {
        "constructor",
        "hasOwnProperty",
        "isPrototypeOf",
        "propertyIsEnumerable",
        "prototype",
        "toLocaleString",
        "toString",
        "valueOf",
        "__defineGetter__",
        "__defineSetter__",
        "__lookupGetter__",
        "__lookupSetter__",
        "__proto__",
    }
)
EXPLODES = "can take exponential time: a repetition contains another one, or alternatives that begin alike. Simplify it"


def reserved(name: str) -> str:
    """What is wrong with a name; "" for nothing.

    >>> reserved("constructor")
    "'constructor' is a name that every JavaScript object has: choose another"
    """
    return f"{name!r} is a name that every JavaScript object has: choose another" if name in RESERVED else ""


def explodes(pattern: re.Pattern[str]) -> bool:
    """Whether matching may take time that doubles with each character: a repetition of something that can itself match
    a text in several ways, such as (a+)+ or (a|a)*.

    A cautious rule: it also refuses some patterns that are harmless. Source: Davis et al., "The Impact of Regular
    Expression Denial of Service (ReDoS) in Practice", ESEC/FSE 2018, section 2.

    >>> [explodes(re.compile(p)) for p in ("(a+)+$", "(a|a)*b", "^/shop/[a-z]+(/.*)?$", "(ab|cd)+")]
    [True, True, False, False]
    """
    parser: Any = re._parser  # type: ignore[attr-defined]
    return _ambiguous(parser.parse(pattern.pattern, pattern.flags), repeated=False)


def _ambiguous(parsed: Iterable[Any], *, repeated: bool) -> bool:
    return any(_is_ambiguous(str(code), argument, repeated) for code, argument in parsed)


def _is_ambiguous(code: str, argument: Any, repeated: bool) -> bool:
    if code in ("MAX_REPEAT", "MIN_REPEAT"):
        least, most, inner = argument
        loops = int(most) > 10
        return (loops and repeated and least != most) or _ambiguous(inner, repeated=repeated or loops)
    if code == "BRANCH":
        branches = argument[1]
        return (repeated and _share_a_start(branches)) or any(_ambiguous(b, repeated=repeated) for b in branches)
    if code == "SUBPATTERN":
        return _ambiguous(argument[-1], repeated=repeated)
    return code == "ATOMIC_GROUP" and _ambiguous(argument, repeated=False)


def _share_a_start(branches: Iterable[Any]) -> bool:
    """Whether two alternatives may begin with the same character; a class or any character counts as one that may."""
    starts: list[str] = []
    for branch in branches:
        first = list(branch)[:1]
        starts.append(str(first[0]) if first and str(first[0][0]) == "LITERAL" else "any")
    return len(starts) > 1 and ("any" in starts or len(set(starts)) < len(starts))

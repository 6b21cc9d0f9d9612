"""The few rules of JavaScript on which GrowthBook's conditions rest: how values become text and numbers, how
they compare, and what a regular expression means.

Values are JSON's: None (null and undefined alike), bool, int, float, str, list, dict.
"""

from __future__ import annotations

import json
import math
import re
from functools import lru_cache
from typing import Any

NUMBER = re.compile(
    r"[ \t\n\r\f\v]*([-+]?(Infinity|\d+\.?\d*([eE][-+]?\d+)?|\.\d+([eE][-+]?\d+)?)|0[xX][0-9a-fA-F]+)?[ \t\n\r\f\v]*"
)


def is_number(value: Any) -> bool:
    """Whether `value` is a number in JavaScript's sense; True and False are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def text(value: Any) -> str:
    """String(value).

    >>> text(None), text(True), text(1.0), text([1, [2, None]]), text({})
    ('null', 'true', '1', '1,2,', '[object Object]')
    """
    if isinstance(value, str):
        return value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join("" if item is None else text(item) for item in value)
    if isinstance(value, dict):
        return "[object Object]"
    return _digits(value)


def _digits(value: float) -> str:
    """The shortest digits that read back as the same double; an exponent from 1e21 and below 1e-6."""
    value = float(value)
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value == 0:
        return "0"
    digits, _, exponent = repr(value).lower().partition("e")
    power = int(exponent or 0)
    sign = "-" if value < 0 else ""
    integer, _, fraction = digits.lstrip("-").partition(".")
    mantissa = (integer + fraction).lstrip("0")
    if fraction == "0":
        mantissa, fraction = integer.lstrip("0"), ""
    point = len(mantissa) - len(fraction) + power  # where the point stands, counted from the first digit
    mantissa = mantissa.rstrip("0")
    if 0 < point <= 21:
        body = mantissa.ljust(point, "0")
        return sign + body[:point] + ("." + body[point:] if body[point:] else "")
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{mantissa}"
    rest = "." + mantissa[1:] if mantissa[1:] else ""
    return f"{sign}{mantissa[0]}{rest}e{point - 1:+d}"


def number(value: Any) -> float:
    """Number(value), NaN where it is none.

    >>> number("8"), number(None), number(""), number([5]), number("x")
    (8.0, 0.0, 0.0, 5.0, nan)
    """
    if value is None:
        return 0.0
    if isinstance(value, bool | int | float):
        return float(value)
    if isinstance(value, dict):
        return math.nan
    read = NUMBER.fullmatch(text(value))
    if not read:
        return math.nan
    digits = read.group(1) or "0"
    return float(int(digits, 16)) if digits[:2] in ("0x", "0X") else float(digits.replace("Infinity", "inf"))


def same(one: Any, two: Any) -> bool:
    """one === two. Two lists or objects are never the same one."""
    if is_number(one) and is_number(two):
        return float(one) == float(two)
    return type(one) is type(two) and isinstance(one, str | bool | None) and bool(one == two)


def truthy(value: Any) -> bool:
    """!!value: an empty list and an empty object count as true."""
    return isinstance(value, list | dict) or (value == value and bool(value))


def less(one: Any, two: Any) -> bool | None:
    """one < two: as text (by UTF-16 code units) where both are text, else as numbers. None: not comparable."""
    one, two = (text(v) if isinstance(v, list | dict) else v for v in (one, two))
    if isinstance(one, str) and isinstance(two, str):
        return units(one) < units(two)
    left, right = number(one), number(two)
    return None if math.isnan(left) or math.isnan(right) else left < right


def units(value: str) -> bytes:
    """UTF-16 code units, by which JavaScript compares text."""
    return value.encode("utf-16-be", "surrogatepass")


def stringify(value: Any) -> str:
    """JSON.stringify(value), as far as comparing needs it: the order of keys matters."""
    if isinstance(value, list):
        return "[" + ",".join(stringify(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{stringify(item)}" for key, item in value.items()) + "}"
    return json.dumps(value) if isinstance(value, str) else text(value)


@lru_cache(maxsize=512)
def regex(source: str, insensitive: bool = False) -> re.Pattern[str] | None:
    """new RegExp(source); None where it is not one, or where Python cannot read it.

    `$` is the very end (Python's also stands before a last line break), \\d, \\w and \\b know ASCII alone, named groups
    are written (?<name>…), and what only Python knows, such as (?i), is an error.
    """
    try:
        return re.compile(_translate(source), re.IGNORECASE if insensitive else 0)
    except (re.error, OverflowError, RecursionError):
        return None


_WORD = "A-Za-z0-9_"
_EDGE = f"(?:(?<![{_WORD}])(?=[{_WORD}])|(?<=[{_WORD}])(?![{_WORD}]))"
_OUTSIDE = {
    "$": r"\Z",
    ".": "[^\n\r\u2028\u2029]",
    "(?<": "(?P<",
    r"\d": "[0-9]",
    r"\D": "[^0-9]",
    r"\w": f"[{_WORD}]",
    r"\W": f"[^{_WORD}]",
    r"\b": _EDGE,
    r"\B": f"(?!{_EDGE})",
    "[]": "(?!)",
    "[^]": r"[\s\S]",
}
_INSIDE = {r"\d": "0-9", r"\w": _WORD, "[": r"\["}

_PIECE = re.compile(r"\\k<[^>]*>|\\.|\(\?<(?![=!])|\(\?.?|\[\^?\]?|.", re.DOTALL)


def _translate(source: str) -> str:
    out: list[str] = []
    in_class, before = False, ""
    for piece in _PIECE.findall(source):
        if piece.startswith(r"\k<"):
            piece = f"(?P={piece[3:-1]})"
        elif re.fullmatch(r"\\[A-Za-z]", piece) and piece[1] not in "bBdDsSwWfnrtvcxu":
            piece = piece[1]  # an escape that means nothing is the letter itself
        if in_class:
            in_class = piece != "]" and not (piece[0] == "[" and piece[-1] == "]")
            parts = piece if piece[0] == "[" else [piece]
            # A doubled sign is a plain one here, and to Python a set operation that it may know one day.
            out += ("\\" + part if part == before and part in "-&|~" else _INSIDE.get(part, part) for part in parts)
        else:
            if (piece.startswith("(?") and piece not in ("(?:", "(?=", "(?!", "(?<")) or (
                piece == "+" and before in ("+", "*", "?", "}")
            ):
                raise re.error(f"{piece} means something else, or nothing, to JavaScript")
            in_class = piece.startswith("[") and not piece.endswith("]")
            out.append(_OUTSIDE.get(piece, piece))
        before = piece
    return "".join(out)

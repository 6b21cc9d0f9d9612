"""Shares of a whole, as people write them: `4 %`, `4%` or `0.04`."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

_PERCENT = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,12})?) ?%")
_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,18})?|\.[0-9]{1,18}")


def parse_share(value: Any) -> float:
    """The share that `value` writes down, from 0 to 1.

    A bare 50 is refused, because it could mean 50 % or 5,000 %. Raises ValueError with rule and next step.

    >>> parse_share("4 %"), parse_share("4%"), parse_share("0.04"), parse_share(0.04)
    (0.04, 0.04, 0.04, 0.04)
    >>> parse_share("120 %")
    Traceback (most recent call last):
    ValueError: is more than 100 %: write a share from 0 % to 100 %, such as 50 % or 0.5
    """
    number = as_number(value)
    if number is None or number < 0:
        raise ValueError("is not a share: write 50 % or 0.5, from 0 % to 100 %.")
    if number > 1:
        if isinstance(value, str) and "%" in value:
            raise ValueError("is more than 100 %: write a share from 0 % to 100 %, such as 50 % or 0.5")
        advice = f" Did you mean {value} %?" if number <= 100 else ""
        raise ValueError(f"is not a share: write 50 % or 0.5, from 0 % to 100 %.{advice}")
    return number


def as_number(value: Any) -> float | None:
    """`value` as a number, where it is one or is written as one, with or without a percent sign; else None.

    >>> as_number("120 %"), as_number("-5 %"), as_number("1.5"), as_number(True), as_number("many")
    (1.2, -0.05, 1.5, None, None)
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    if not isinstance(value, str):
        return None
    sign, digits = (-1, value[1:]) if value[:1] == "-" else (1, value)
    if matched := _PERCENT.fullmatch(digits):
        return sign * float(Decimal(matched[1]) / 100)
    return sign * float(digits) if _NUMBER.fullmatch(digits) else None


def percent(share: float) -> str:
    """A share as a message shows it.

    >>> percent(0.5), percent(0.999), percent(1 / 3)
    ('50 %', '99.9 %', '33.3333 %')
    """
    return f"{round(share * 100, 4):g} %"

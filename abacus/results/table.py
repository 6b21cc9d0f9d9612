"""Rows of text as a table for a terminal."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, left_aligned: Collection[int] = (0,)) -> Iterator[str]:
    """Lines with aligned columns; those in `left` are aligned left, all others right.

    >>> print("\\n".join(table(["variant", "visitors"], [["blue", "1,000"], ["green", "9"]])))
    variant  visitors
    blue        1,000
    green           9
    """
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for row in (head, *rows):
        cells = (
            f"{cell:{'<' if place in left_aligned else '>'}{width}}"
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join(cells).rstrip()


def as_percent(share: float | None, *, sign: bool = False) -> str:
    """A share with two decimals, empty where there is none.

    >>> as_percent(0.1234), as_percent(0.1, sign=True)
    ('12.34 %', '+10.00 %')
    """
    return "" if share is None else f"{share * 100:{'+' if sign else ''}.2f} %"


def as_interval(ends: Sequence[float | None] | None, *, sign: bool = False) -> str:
    """Two shares, where either end may be open.

    >>> as_interval([0.1, None], sign=True)
    '+10.00 % to ∞'
    """
    if not ends:
        return ""
    low, high = ends
    return f"{as_percent(low, sign=sign) or '-∞'} to {as_percent(high, sign=sign) or '∞'}"

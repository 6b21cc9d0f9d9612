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

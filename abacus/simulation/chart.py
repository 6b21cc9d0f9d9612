"""A line chart as SVG: shares over a number of visitors on a logarithmic axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 760, 380
LEFT, RIGHT, TOP, BOTTOM = 60, 190, 50, 50
INK, FAINT = "#333", "#ddd"


@dataclass(frozen=True)
class Curve:
    """A line of the chart, and how it is drawn."""

    label: str
    color: str
    points: Sequence[tuple[float, float]]  # visitors, share
    dashed: bool = False


def chart(title: str, curves: Sequence[Curve], *, highest: float, x_label: str) -> str:
    """y from 0 to `highest` with a line every 10 %; labels stand at the curves' right ends."""
    xs = [x for curve in curves for x, _ in curve.points]
    low, high = math.log10(min(xs)), math.log10(max(xs))

    def at(x: float, y: float) -> tuple[float, float]:
        across = (math.log10(x) - low) / (high - low)
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - y / highest * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}" '
        'font-family="system-ui, sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT}" y="26" font-size="15" fill="{INK}">{title}</text>',
    ]
    for step in range(int(highest * 10 + 1e-9) + 1):
        x, y = at(10**low, step / 10)
        parts.append(f'<line x1="{x:.0f}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{FAINT}"/>')
        parts.append(f'<text x="{x - 8:.0f}" y="{y + 4:.1f}" text-anchor="end" fill="{INK}">{step * 10} %</text>')
    for power in range(math.ceil(low - 1e-9), math.floor(high + 1e-9) + 1):
        x, y = at(10**power, 0)
        parts.append(f'<text x="{x:.1f}" y="{y + 20:.0f}" text-anchor="middle" fill="{INK}">{10**power:,}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text x="{middle:.0f}" y="{HEIGHT - 8}" text-anchor="middle" fill="{INK}">{x_label}</text>')
    ends = [at(*curve.points[-1]) for curve in curves]
    heights = _apart([y for _, y in ends])
    for curve, (x, _), height in zip(curves, ends, heights, strict=True):
        line = " ".join("{:.1f},{:.1f}".format(*at(x, y)) for x, y in curve.points)
        dash = ' stroke-dasharray="5 4"' if curve.dashed else ""
        parts.append(f'<polyline points="{line}" fill="none" stroke="{curve.color}" stroke-width="2"{dash}/>')
        parts.append(f'<text x="{x + 8:.0f}" y="{height + 4:.1f}" fill="{curve.color}">{curve.label}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _apart(heights: list[float], gap: float = 16) -> list[float]:
    """The same, each at least `gap` above the one below it.

    >>> _apart([100.0, 330.0, 334.0])
    [100.0, 318.0, 334.0]
    """
    placed = list(heights)
    below = float("inf")
    for index in sorted(range(len(heights)), key=heights.__getitem__, reverse=True):
        placed[index] = below = min(heights[index], below - gap)
    return placed

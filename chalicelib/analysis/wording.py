"""Numbers as people say them, for the sentences of verdict and health."""

from __future__ import annotations

from datetime import date


def percent(fraction: float, digits: int = 2) -> str:
    """Significant digits, never scientific; no minus sign on nothing.

    >>> percent(0.1234), percent(0.05), percent(0.5192, 3), percent(-0.00123), percent(12.5), percent(0.0)
    ('12 %', '5 %', '51.9 %', '-0.12 %', '1200 %', '0 %')
    """
    value = float(f"{fraction * 100:.{digits}g}")
    text = f"{value:.10f}".rstrip("0").rstrip(".") if abs(value) >= 1e-4 else "0"
    return f"{text} %"


def count(number: float, noun: str) -> str:
    """
    >>> count(1, "day"), count(12345, "visitor"), count(0, "visitor")
    ('1 day', '12,345 visitors', 'no visitors')
    """
    if number == 0:
        return f"no {noun}s"
    return f"{number:,.0f} {noun}{'' if number == 1 else 's'}"


def listed(words: list[str]) -> str:
    """
    >>> listed(["red"]), listed(["red", "green", "blue"])
    ('red', 'red, green and blue')
    """
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def sentence(text: str) -> str:
    """
    >>> sentence("green beats blue.")
    'Green beats blue.'
    """
    return text[:1].upper() + text[1:]


def on(day: date) -> str:
    """
    >>> on(date(2026, 11, 28))
    '28 November 2026'
    """
    return f"{day.day} {day:%B} {day.year}"


def split(weights: tuple[float, ...] | list[float]) -> str:
    """
    >>> split((0.5, 0.5)), split((0.333, 0.333, 0.334)), split((0.9, 0.1))
    ('50/50', '33.3/33.3/33.4', '90/10')
    """
    total = sum(weights)
    return "/".join(f"{100 * w / total:.3g}" for w in weights) if total else "empty"

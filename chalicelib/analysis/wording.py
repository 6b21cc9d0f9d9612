"""Numbers and effects in words, for the sentences of the verdict and the checks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from chalicelib.analysis.comparison import Comparison
from chalicelib.analysis.posterior import Posterior


def percent(fraction: float, digits: int = 2) -> str:
    """Significant digits, never scientific; no minus sign on nothing.

    >>> percent(0.1234), percent(0.05), percent(0.5192, 3), percent(-0.00123), percent(12.5), percent(0.0)
    ('12 %', '5 %', '51.9 %', '-0.12 %', '1200 %', '0 %')
    """
    value = float(f"{fraction * 100:.{digits}g}")
    text = f"{value:.10f}".rstrip("0").rstrip(".") if abs(value) >= 1e-4 else "0"
    return f"{text} %"


def count(number: float, noun: str) -> str:
    """A number of things, with the noun in the right form.

    >>> count(1, "day"), count(12345, "visitor"), count(0, "visitor")
    ('1 day', '12,345 visitors', 'no visitors')
    """
    if number == 0:
        return f"no {noun}s"
    return f"{number:,.0f} {noun}{'' if number == 1 else 's'}"


def listed(words: list[str]) -> str:
    """The words as a list in a sentence.

    >>> listed(["red"]), listed(["red", "green", "blue"])
    ('red', 'red, green and blue')
    """
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def be(words: Sequence[str]) -> str:
    """The verb after a list of subjects.

    >>> be(["red"]), be(["red", "green"])
    ('is', 'are')
    """
    return "is" if len(words) == 1 else "are"


def sentence(text: str) -> str:
    """The text with a capital at its beginning.

    >>> sentence("green beats blue.")
    'Green beats blue.'
    """
    return text[:1].upper() + text[1:]


def on(day: date) -> str:
    """A day as people write it.

    >>> on(date(2026, 11, 28))
    '28 November 2026'
    """
    return f"{day.day} {day:%B} {day.year}"


def split(weights: tuple[float, ...] | list[float]) -> str:
    """Weights as shares of a hundred.

    >>> split((0.5, 0.5)), split((0.333, 0.333, 0.334)), split((0.9, 0.1))
    ('50/50', '33.3/33.3/33.4', '90/10')
    """
    total = sum(weights)
    return "/".join(f"{100 * w / total:.3g}" for w in weights) if total else "empty"


def outcome(c: Comparison, beliefs: Posterior) -> str:
    """ "green beats blue by about 31 % (measured 33 %, at least 17 %)": the expected lift, which is shrunk, the
    measured one, and the bound of the confidence sequence. Of a mean: "beats blue in EUR per visitor by ..."."""
    verb = "beats" if c.decision == "winner" else "loses to"
    shrunk = beliefs.shrunk.get(c.variant)
    bound = max(c.lift_interval.low, -c.lift_interval.high)  # of a goal that should be low, a winner's lift is negative
    by = f" by about {percent(abs(shrunk.lift))}" if shrunk else ""
    details = [f"measured {percent(abs(c.lift))}"] if c.lift is not None else []
    details += [f"at least {percent(bound)}"] if bound > 0 else []
    subject = f" in {c.pair.subject}" if c.pair.subject else ""
    return f"{c.variant} {verb} {c.control}{subject}{by}" + (f" ({', '.join(details)})" if details else "")


def expected(c: Comparison, beliefs: Posterior) -> str:
    """ "expect 31 % more (measured 33 %)", "expect 5 % more EUR per visitor ...": for the headline of a winner."""
    shrunk = beliefs.shrunk.get(c.variant)
    measured = f" (measured {percent(abs(c.lift))})" if c.lift is not None else ""
    if not shrunk:
        return f"better than {c.control}"
    subject = f" {c.pair.subject}" if c.pair.subject else ""
    return f"expect {percent(abs(shrunk.lift))} {'more' if shrunk.lift >= 0 else 'less'}{subject}{measured}"


def uncertainty(c: Comparison) -> str:
    """ "green is between 8 % worse and 15 % better than blue" """
    ends = [
        f"{percent(abs(end))} {'worse' if end < 0 else 'better'}" if abs(end) < 10 else "many times better"
        for end in c.lift_interval
    ]
    return f"{c.variant} is between {ends[0]} and {ends[1]} than {c.control}"


def among(words: Sequence[str]) -> str:
    """A choice between the words.

    >>> among(["red", "green", "teal"])
    'one of red, green and teal'
    """
    return f"one of {listed(list(words))}"
